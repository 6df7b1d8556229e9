//! The names in a `FetchXML` query.

use roxmltree::{Document, Node};

use super::documents::Documents;

/// Elements (Microsoft: `FetchXML` reference).
const ELEMENTS: [&str; 9] = [
    "fetch",
    "entity",
    "attribute",
    "filter",
    "condition",
    "value",
    "link-entity",
    "order",
    "all-attributes",
];

/// Operators of conditions (Microsoft: `FetchXML` reference, operators), as far as filters and this program have them.
const OPERATORS: [&str; 22] = [
    "eq",
    "ne",
    "neq",
    "gt",
    "ge",
    "lt",
    "le",
    "in",
    "not-in",
    "null",
    "not-null",
    "like",
    "not-like",
    "begins-with",
    "eq-userid",
    "ne-userid",
    "eq-businessid",
    "on-or-after",
    "on-or-before",
    "last-x-days",
    "next-x-days",
    "last-x-months",
];

/// Every name in a query that is not declared.
pub(super) fn unknown_in_fetch(documents: &Documents, of: &str, text: &str) -> Vec<String> {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return vec![format!("FetchXML that is no XML: {error}")],
    };
    let mut unknown = Vec::new();
    let root = document.root_element();
    for entity in root.children().filter(Node::is_element) {
        let table = entity.attribute("name").unwrap_or_default();
        if entity.tag_name().name() != "entity" || table != of {
            unknown.push(format!("{table} in a query of {of}"));
        }
        below(documents, entity, table, &mut unknown);
    }
    unknown
}

fn below(documents: &Documents, node: Node<'_, '_>, of: &str, unknown: &mut Vec<String>) {
    let mut column = |of: &str, name: Option<&str>| {
        let name = name.unwrap_or_default();
        if !documents.has_column(of, name) {
            unknown.push(format!("column {name} of {of}"));
        }
    };
    for child in node.children().filter(Node::is_element) {
        let element = child.tag_name().name();
        match element {
            "attribute" => column(of, child.attribute("name")),
            // Of a linked table, where it says so.
            "condition" if child.attribute("entityname").is_none() => {
                column(of, child.attribute("attribute"));
            }
            "order" if child.attribute("alias").is_none() => {
                column(of, child.attribute("attribute"));
            }
            "link-entity" => {
                let linked = child.attribute("name").unwrap_or_default();
                column(of, child.attribute("to"));
                column(linked, child.attribute("from"));
            }
            _ => {}
        }
    }
    for child in node.children().filter(Node::is_element) {
        let element = child.tag_name().name();
        if !ELEMENTS.contains(&element) {
            unknown.push(format!("element {element}"));
        }
        let operator = child.attribute("operator");
        if let Some(operator) = operator.filter(|it| !OPERATORS.contains(it)) {
            unknown.push(format!("operator {operator}"));
        }
        let table = match element {
            "link-entity" => child.attribute("name").unwrap_or_default(),
            _ => of,
        };
        if !documents.has_type(table) {
            unknown.push(format!("table {table}"));
        }
        below(documents, child, table, unknown);
    }
}
