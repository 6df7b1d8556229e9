//! What a filter selects: its `FetchXML`, and the queries made from it.
//!
//! Conditions and joins are copied literally from the text that was read. Only columns and order are
//! removed, because an aggregate query may have neither (Microsoft: "Aggregate data using `FetchXML`").

use roxmltree::{Document, Node};

/// The longest text that is parsed, in bytes: no address in a `$batch` may be longer than 64 KB
/// (Microsoft: "Execute batch operations using the Web API").
pub(super) const LONGEST: usize = 64 * 1024;
/// The alias of a count. Any valid alias would do.
pub const COUNT: &str = "n";
/// The most rows of a query for ids: the platform returns no more on one page.
pub(super) const MOST_IDS: usize = 5_000;

/// A `FetchXML` query, reduced to what decides which rows are selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchXml {
    table: String,
    /// Filters with conditions. The reference allows one; if there are more, all of them have to hold.
    filters: Vec<String>,
    /// Joins, in order.
    links: String,
    limited: bool,
}

/// Why a text is not a query that can be counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is empty.
    #[error("the filter has no query")]
    Empty,
    /// It is longer than any request may be.
    #[error("the query is longer than a request may be")]
    TooLong,
    /// It is not XML.
    #[error("the query is not XML: {0}")]
    NotXml(String),
    /// It is XML, but not `FetchXML` that this program can split without changing its meaning.
    #[error("the query is not FetchXML as documented: {0}")]
    NotFetch(String),
}

impl FetchXml {
    /// Splits a query into its parts.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        if text.trim().is_empty() {
            return Err(FetchError::Empty);
        }
        if text.len() > LONGEST {
            return Err(FetchError::TooLong);
        }
        let document =
            Document::parse(text).map_err(|error| FetchError::NotXml(error.to_string()))?;
        let root = document.root_element();
        expect(root, "fetch")?;
        if root.attribute("aggregate").is_some_and(|on| on != "false") {
            return not_fetch("it is an aggregate itself");
        }
        let mut entities = root.children().filter(Node::is_element);
        let (Some(entity), None) = (entities.next(), entities.next()) else {
            return not_fetch("there is not exactly one `entity`");
        };
        expect(entity, "entity")?;
        check_inside(entity)?;
        let table = entity.attribute("name").unwrap_or_default();
        if !is_logical_name(table) {
            return not_fetch("`entity` has no name");
        }
        let selecting = |node: &Node<'_, '_>| node.is_element() && !is_column(node);
        let has_conditions = |node: Node<'_, '_>| {
            let mut inside = node.descendants();
            inside.any(|node| node.has_tag_name("condition"))
        };
        let (mut filters, mut links) = (Vec::new(), String::new());
        for node in entity.children().filter(selecting) {
            let part = without_columns(text, node);
            if !node.has_tag_name("filter") {
                links.push_str(&part);
            } else if has_conditions(node) {
                // What a server does with an empty filter inside another one is not documented; alone it excludes
                // nothing.
                filters.push(part);
            }
        }
        let limits = ["top", "count", "page", "paging-cookie"];
        Ok(Self {
            table: table.to_ascii_lowercase(),
            filters,
            links,
            limited: limits.iter().any(|limit| root.has_attribute(*limit)),
        })
    }

    /// The logical name of the table whose rows it selects.
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Whether it joins other tables; such queries cannot be combined with `or`.
    pub fn has_links(&self) -> bool {
        !self.links.is_empty()
    }

    /// Whether it limits the number of rows, so that it selects fewer than match its conditions.
    pub fn is_limited(&self) -> bool {
        self.limited
    }

    /// The number of distinct rows that this query selects and that match further filters as well.
    pub fn count(&self, key: &str, more: &[&str]) -> String {
        let filters = self.filters.iter().map(String::as_str);
        let filter = all_of(filters.chain(more.iter().copied()));
        count_of(&self.table, key, &format!("{filter}{}", self.links))
    }

    /// The keys of the rows that this query selects and that match a further filter as well, at most 5,000. A
    /// key can occur more than once.
    ///
    /// Without `distinct`, because with it the platform omits keys (Microsoft: "Query data using `FetchXML`").
    pub fn ids(&self, key: &str, more: &str) -> String {
        let Self { table, links, .. } = self;
        let filter = all_of(self.filters.iter().map(String::as_str).chain([more]));
        format!(
            "<fetch top=\"{MOST_IDS}\"><entity name=\"{table}\"><attribute name=\"{key}\"/>{filter}{links}</entity></fetch>"
        )
    }
}

/// Several filters as one, because `entity` may contain one or none (Microsoft: "`FetchXML` reference",
/// `entity`): a reader that takes only the first would count too much. Empty where all are empty.
fn all_of<'a>(filters: impl Iterator<Item = &'a str>) -> String {
    let some: Vec<_> = filters.filter(|filter| !filter.is_empty()).collect();
    match &some[..] {
        [one] => (*one).to_owned(),
        [] => String::new(),
        several => format!("<filter type=\"and\">{}</filter>", several.concat()),
    }
}

/// The number of rows that at least one of several queries over one table selects and that match further filters as
/// well.
///
/// `None` where they cannot be combined: no query, several tables, or several queries of which one joins.
pub(super) fn count_of_any(fetches: &[&FetchXml], key: &str, more: &[&str]) -> Option<String> {
    let first = fetches.first()?;
    if let [one] = fetches {
        return Some(one.count(key, more));
    }
    let any = selected_by_any(fetches)?;
    let filter = all_of([&*any].into_iter().chain(more.iter().copied()));
    Some(count_of(&first.table, key, &filter))
}

/// The condition that at least one of several queries over one table selects a row; empty where every row matches.
///
/// `None` where one joins, or they are over several tables, or there is none.
pub(super) fn selected_by_any(fetches: &[&FetchXml]) -> Option<String> {
    let first = fetches.first()?;
    let goes_together = |fetch: &&FetchXml| !fetch.has_links() && fetch.table == first.table;
    if !fetches.iter().all(goes_together) {
        return None;
    }
    // A query without conditions selects every row, and so do all of them together.
    if fetches.iter().any(|fetch| fetch.filters.is_empty()) {
        return Some(String::new());
    }
    let each = fetches
        .iter()
        .map(|fetch| format!("<filter type=\"and\">{}</filter>", fetch.filters.concat()));
    Some(format!(
        "<filter type=\"or\">{}</filter>",
        each.collect::<String>()
    ))
}

/// Distinct, because a join can return a row several times.
fn count_of(table: &str, key: &str, body: &str) -> String {
    format!(
        "<fetch aggregate=\"true\"><entity name=\"{table}\">\
         <attribute name=\"{key}\" alias=\"{COUNT}\" aggregate=\"countcolumn\" distinct=\"true\"/>\
         {body}</entity></fetch>"
    )
}

/// Whether a text can be the logical name of a table or column; any other text could end an attribute.
pub(super) fn is_logical_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}

fn not_fetch<T>(why: &str) -> Result<T, FetchError> {
    Err(FetchError::NotFetch(why.to_owned()))
}

fn expect(node: Node<'_, '_>, name: &str) -> Result<(), FetchError> {
    if node.has_tag_name(name) && node.tag_name().namespace().is_none() {
        return Ok(());
    }
    not_fetch(&format!(
        "`{}` stands where `{name}` should",
        node.tag_name().name()
    ))
}

/// Refuses unknown elements, which could change what is selected: no count is better than a wrong one.
fn check_inside(entity: Node<'_, '_>) -> Result<(), FetchError> {
    for node in entity.descendants().filter(Node::is_element).skip(1) {
        let name = node.tag_name();
        let parent = node.parent_element().map_or("", |p| p.tag_name().name());
        let allowed = match name.name() {
            "attribute" | "all-attributes" | "no-attrs" | "order" | "link-entity" => {
                matches!(parent, "entity" | "link-entity")
            }
            "filter" => matches!(parent, "entity" | "link-entity" | "filter"),
            "condition" => parent == "filter",
            "value" => parent == "condition",
            _ => false,
        };
        if !allowed || name.namespace().is_some() {
            return not_fetch(&format!("`{}` stands in `{parent}`", name.name()));
        }
    }
    Ok(())
}

fn is_column(node: &Node<'_, '_>) -> bool {
    ["attribute", "all-attributes", "no-attrs", "order"]
        .iter()
        .any(|name| node.has_tag_name(*name))
}

/// The text of an element as it was read, without its columns and order.
fn without_columns(text: &str, element: Node<'_, '_>) -> String {
    let whole = element.range();
    let (mut kept, mut at) = (String::new(), whole.start);
    for column in element.descendants().filter(is_column) {
        let cut = column.range();
        if cut.start >= at {
            kept.push_str(text.get(at..cut.start).unwrap_or_default());
            at = cut.end;
        }
    }
    kept.push_str(text.get(at..whole.end).unwrap_or_default());
    kept
}
