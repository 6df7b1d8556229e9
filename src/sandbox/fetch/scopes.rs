//! The tables of a query: the `entity` and its `link-entity` elements.

use roxmltree::Node;

use super::condition::Group;
use super::errors;
use super::model::{FetchScope, How, Join};
use crate::errors::ApiError;
use crate::tables::{Kind, TableColumn, TableOf, table};
use crate::version::Version;

/// The most linked tables (Microsoft: "Join tables using `FetchXml`").
const MAX_LINKS: usize = 15;

/// The tables found so far, each with its element.
pub(super) struct Scopes<'a, 'i> {
    pub(super) all: Vec<(FetchScope, Node<'a, 'i>)>,
    version: Version,
}

impl<'a, 'i> Scopes<'a, 'i> {
    /// Reads the `entity` and all tables linked to it.
    pub(super) fn read(entity: Node<'a, 'i>, version: Version) -> Result<Self, ApiError> {
        let mut scopes = Self {
            all: Vec::new(),
            version,
        };
        let table = scopes.table(entity)?;
        scopes.push(entity, table, None)?;
        Ok(scopes)
    }

    fn table(&self, node: Node<'a, 'i>) -> Result<TableOf, ApiError> {
        let name = node.attribute("name").unwrap_or_default();
        let kind = Kind::of_name(name).filter(|&kind| kind != Kind::Principals);
        let kind = kind.ok_or_else(|| errors::unknown_table(name))?;
        Ok(*table(kind, self.version))
    }

    fn push(
        &mut self,
        node: Node<'a, 'i>,
        table: TableOf,
        join: Option<Join>,
    ) -> Result<(), ApiError> {
        let place = self.all.len();
        if place > MAX_LINKS {
            return Err(errors::invalid(
                "Number of link entity: exceeded maximum limit 15.",
            ));
        }
        let given = node.attribute("alias").map(str::to_owned);
        let name = || format!("{}{place}", table.kind.logical_name());
        self.all.push((
            FetchScope {
                table,
                alias: given.unwrap_or_else(name),
                join,
                filter: Group::All(Vec::new()),
            },
            node,
        ));
        for link in node.children().filter(|it| it.has_tag_name("link-entity")) {
            let linked = self.table(link)?;
            let join = join_of(link, linked, place, table)?;
            self.push(link, linked, Some(join))?;
        }
        Ok(())
    }

    /// The table of a condition: its own, or the one with this alias or name.
    pub(super) fn named(&self, name: Option<&str>, own: usize) -> Result<usize, ApiError> {
        let Some(name) = name else {
            return Ok(own);
        };
        let matches =
            |scope: &FetchScope| scope.alias == name || scope.table.kind.logical_name() == name;
        let found = self.all.iter().position(|(scope, _)| matches(scope));
        found.ok_or_else(|| {
            errors::invalid(format!("No link entity has the name or alias '{name}'."))
        })
    }

    /// The column of an attribute of a table.
    pub(super) fn column(
        &self,
        scope: usize,
        name: &str,
    ) -> Result<&'static TableColumn, ApiError> {
        column(self.all[scope].0.table, name)
    }
}

fn join_of(
    link: Node<'_, '_>,
    linked: TableOf,
    parent: usize,
    above: TableOf,
) -> Result<Join, ApiError> {
    let how = match link.attribute("link-type").unwrap_or("inner") {
        "inner" => How::Inner,
        "outer" => How::Outer,
        "exists" | "in" => How::Exists,
        other => {
            return Err(errors::invalid(format!(
                "The link type '{other}' is not imitated by this sandbox."
            )));
        }
    };
    // Both default to the key of the linked table.
    let from = link.attribute("from").unwrap_or(linked.kind.key());
    let to = link.attribute("to").unwrap_or(linked.kind.key());
    Ok(Join {
        parent,
        from: column(linked, from)?.name,
        to: column(above, to)?.name,
        how,
    })
}

/// The column of an attribute: `ownerid` is `_ownerid_value`.
fn column(table: TableOf, name: &str) -> Result<&'static TableColumn, ApiError> {
    let lookup = || table.find(&format!("_{name}_value"));
    let found = if name.starts_with('_') {
        None
    } else {
        table.find(name).or_else(lookup)
    };
    found.ok_or_else(|| errors::unknown_attribute(table, name))
}

/// The attribute of a column: `_ownerid_value` is `ownerid`.
pub(super) fn attribute(column: &str) -> &str {
    let bare = column.strip_prefix('_');
    let bare = bare.and_then(|it| it.strip_suffix("_value"));
    bare.unwrap_or(column)
}
