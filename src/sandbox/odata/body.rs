//! The JSON of an answer.

use super::expand::Expand;
use super::formatted::formatted;
use super::json::{Json, Object};
use super::page::{MAX_PAGE, PageRequest, run};
use super::percent::encode_outer;
use super::{Annotations, Context, Page, Query, Row, Table, Value};

const FORMATTED_VALUE: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const TOTAL: &str = "Microsoft.Dynamics.CRM.totalrecordcount";
const TOTAL_EXCEEDED: &str = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";

/// The form of an answer.
#[derive(Clone, Copy)]
pub(crate) struct PayloadFormat<'a> {
    /// The service root with its final slash: `https://host/api/data/v9.2/`.
    pub root: &'a str,
    /// The annotations that were asked for.
    pub annotations: &'a Annotations,
}

/// The answer to a GET on a collection. `url` is the absolute URL of the request without its query, from which
/// the next link is made.
pub(crate) fn collection_body<R: Row>(
    table: &dyn Table,
    query: &Query,
    page: &Page<R>,
    url: &str,
    format: &PayloadFormat<'_>,
    ctx: &Context<'_>,
) -> String {
    let mut body = Object::default();
    body.push("@odata.context", context_url(table, query, format, ""));
    push_count(&mut body, page.count, format);
    let writer = Writer { format, ctx };
    let rows = page
        .rows
        .iter()
        .map(|row| writer.row(table, query, row).into());
    body.push("value", rows.collect::<Vec<Json>>());
    if let Some(token) = &page.next {
        body.push("@odata.nextLink", next_link(url, query, token));
    }
    body.write()
}

/// The answer to a GET on one row, and to a write with `Prefer: return=representation`.
pub(crate) fn entity_body(
    table: &dyn Table,
    query: &Query,
    row: &dyn Row,
    format: &PayloadFormat<'_>,
    ctx: &Context<'_>,
) -> String {
    let mut body = Object::default();
    body.push(
        "@odata.context",
        context_url(table, query, format, "/$entity"),
    );
    Writer { format, ctx }.members(&mut body, table, query, row);
    body.write()
}

/// `https://host/api/data/v9.2/$metadata#systemusers(fullname,businessunitid(name))`.
fn context_url(table: &dyn Table, query: &Query, format: &PayloadFormat<'_>, tail: &str) -> String {
    let columns = match columns_of(query) {
        columns if columns.is_empty() => String::new(),
        columns => format!("({columns})"),
    };
    format!(
        "{}$metadata#{}{columns}{tail}",
        format.root,
        table.entity_set()
    )
}

fn columns_of(query: &Query) -> String {
    let selected = query.select.iter().flatten().cloned();
    let expanded = query
        .expand
        .iter()
        .map(|e| format!("{}({})", e.name, columns_of(&e.query)));
    selected.chain(expanded).collect::<Vec<_>>().join(",")
}

/// The count is at most 5000, and the total is -1 if no count was requested
/// (Microsoft: "Count number of rows").
fn push_count(body: &mut Object, count: Option<usize>, format: &PayloadFormat<'_>) {
    let capped = count.map(|n| i64::try_from(n.min(MAX_PAGE)).unwrap_or(i64::MAX));
    if let Some(capped) = capped {
        body.push("@odata.count", capped);
    }
    if format.annotations.wants(TOTAL) {
        body.push(format!("@{TOTAL}"), capped.unwrap_or(-1));
    }
    if format.annotations.wants(TOTAL_EXCEEDED) {
        body.push(
            format!("@{TOTAL_EXCEEDED}"),
            count.is_some_and(|n| n > MAX_PAGE),
        );
    }
}

/// The query as it was given, with the token of the next page in place of that of this page.
fn next_link(url: &str, query: &Query, token: &str) -> String {
    let is_token = |option: &&str| {
        let mut decoded = url::form_urlencoded::parse(option.as_bytes());
        decoded.next().is_some_and(|(name, _)| name == "$skiptoken")
    };
    let given = query
        .raw
        .split('&')
        .filter(|option| !option.is_empty() && !is_token(option));
    let token = format!("$skiptoken={}", encode_outer(token));
    let options: Vec<&str> = given.chain([token.as_str()]).collect();
    format!("{url}?{}", options.join("&"))
}

struct Writer<'w> {
    format: &'w PayloadFormat<'w>,
    ctx: &'w Context<'w>,
}

impl Writer<'_> {
    fn row(&self, table: &dyn Table, query: &Query, row: &dyn Row) -> Object {
        let mut object = Object::default();
        self.members(&mut object, table, query, row);
        object
    }

    fn members(&self, object: &mut Object, table: &dyn Table, query: &Query, row: &dyn Row) {
        object.push("@odata.etag", row.etag());
        for column in written_columns(table, query) {
            self.column(object, row, column);
        }
        for expand in &query.expand {
            if let Some(navigation) = table.navigation(&expand.name) {
                self.expanded(object, table, navigation.table, expand, row);
            }
        }
    }

    /// Writes a column after its annotations.
    fn column(&self, object: &mut Object, row: &dyn Row, column: &str) {
        let value = row.value(column);
        if value != Value::Null {
            self.annotations(object, row, column, &value);
        }
        object.push(column, to_json(value));
    }

    fn annotations(&self, object: &mut Object, row: &dyn Row, column: &str, value: &Value) {
        let mut push = |annotation: &str, text: Option<String>| {
            if let Some(text) = text.filter(|_| self.format.annotations.wants(annotation)) {
                object.push(format!("{column}@{annotation}"), text);
            }
        };
        push(
            FORMATTED_VALUE,
            row.label(column).or_else(|| formatted(value)),
        );
        if let Some(lookup) = row.lookup(column) {
            push(NAVIGATION, lookup.navigation);
            push(LOGICAL_NAME, Some(lookup.logical_name));
        }
    }

    /// An object or null for a single-valued property; for a collection an array and, as documented, the link
    /// to the collection itself.
    fn expanded(
        &self,
        object: &mut Object,
        table: &dyn Table,
        target: &dyn Table,
        expand: &Expand,
        row: &dyn Row,
    ) {
        let related = row.related(&expand.name);
        if !expand.many {
            let one = related
                .first()
                .map(|end| self.row(target, &expand.query, end));
            return object.push(&expand.name, one.map_or(Json::Null, Json::Object));
        }
        let page = run(
            &expand.query,
            related.into_iter(),
            self.ctx,
            PageRequest::default(),
        );
        let rows = page
            .rows
            .iter()
            .map(|end| self.row(target, &expand.query, end).into());
        object.push(&expand.name, rows.collect::<Vec<Json>>());
        if let Value::Guid(id) = row.value(table.key()) {
            let query = &expand.query.raw;
            let link = format!(
                "{}{}({id})/{}",
                self.format.root,
                table.entity_set(),
                expand.name
            );
            let link = if query.is_empty() {
                link
            } else {
                format!("{link}?{query}")
            };
            object.push(format!("{}@odata.nextLink", expand.name), link);
        }
    }
}

/// The selected columns and those that are always included.
fn written_columns<'t>(table: &'t dyn Table, query: &'t Query) -> Vec<&'t str> {
    let Some(select) = &query.select else {
        return table.columns().into_iter().map(|(name, _)| name).collect();
    };
    let mut columns: Vec<&str> = select.iter().map(String::as_str).collect();
    for always in table.always_written() {
        if !columns.contains(&always) {
            columns.push(always);
        }
    }
    columns
}

pub(crate) fn to_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(value),
        Value::Int(value) => Json::Int(value),
        Value::Text(text) => Json::Text(text),
        Value::Guid(id) => Json::Text(id.hyphenated().to_string()),
        // The platform stores whole seconds.
        Value::Time(time) => Json::Text(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
    }
}
