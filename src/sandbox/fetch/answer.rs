//! The JSON of an answer. Columns without a value are omitted (Microsoft: "Retrieve and execute predefined queries").

use super::joins::{Tuple, value};
use super::model::{Fetch, Output};
use super::pages::FetchPage;
use crate::odata::{Annotations, Json, Object, Row as _, Table as _, Value, formatted, to_json};

const FORMATTED_VALUE: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const MORE: &str = "Microsoft.Dynamics.CRM.morerecords";
const COOKIE: &str = "Microsoft.Dynamics.CRM.fetchxmlpagingcookie";

pub(crate) enum Line<'p, 'a> {
    Page(&'p FetchPage<'a>),
    /// Rows of an aggregate, with a value for each column of the result.
    Totals(&'p [Vec<Value>]),
}

pub(crate) struct Writing<'w> {
    /// The service root with its final slash.
    pub(crate) root: &'w str,
    pub(crate) annotations: &'w Annotations,
    /// `@odata.nextLink`.
    pub(crate) next: Option<String>,
}

/// The body of the answer.
pub(crate) fn write(fetch: &Fetch, lines: &Line<'_, '_>, writing: &Writing<'_>) -> String {
    let mut body = Object::default();
    body.push("@odata.context", context(fetch, writing.root));
    let rows: Vec<Json> = match lines {
        Line::Totals(rows) => rows
            .iter()
            .map(|row| totals(fetch, row, writing).into())
            .collect(),
        Line::Page(page) => {
            if writing.annotations.wants(MORE) {
                body.push(format!("@{MORE}"), page.more);
            }
            if page.more && writing.annotations.wants(COOKIE) {
                body.push(format!("@{COOKIE}"), cookie(page.number + 1));
            }
            let tuples = page.tuples.iter();
            tuples.map(|it| row(fetch, it, writing).into()).collect()
        }
    };
    body.push("value", rows);
    if let Some(next) = &writing.next {
        body.push("@odata.nextLink", next.clone());
    }
    body.write()
}

/// The cookie with the number of a page.
pub(crate) fn cookie(page: usize) -> String {
    format!("<cookie pagenumber=\"{page}\" pagingcookie=\"\" istracking=\"False\" />")
}

fn context(fetch: &Fetch, root: &str) -> String {
    let set = fetch.scopes[0].table;
    let set = set.entity_set();
    if fetch.aggregate {
        return format!("{root}$metadata#{set}");
    }
    let own = fetch.outputs.iter().filter(|it| it.scope == 0);
    let names: Vec<&str> = own.map(|it| it.column).collect();
    format!("{root}$metadata#{set}({})", names.join(","))
}

fn row(fetch: &Fetch, tuple: &Tuple<'_>, writing: &Writing<'_>) -> Object {
    let mut object = Object::default();
    let Some(Some(own)) = tuple.first() else {
        return object;
    };
    object.push("@odata.etag", own.etag());
    for output in &fetch.outputs {
        column(&mut object, output, tuple, writing);
    }
    if !fetch.distinct {
        for key in fetch.scopes[0].table.always_written() {
            let shown = fetch.outputs.iter().any(|it| it.name == key);
            if !shown {
                object.push(key, to_json(own.value(key)));
            }
        }
    }
    object
}

fn column(object: &mut Object, output: &Output, tuple: &Tuple<'_>, writing: &Writing<'_>) {
    let found = value(tuple, output.scope, output.column);
    let Some(Some(row)) = tuple.get(output.scope) else {
        return;
    };
    if found == Value::Null {
        return;
    }
    let mut annotate = |annotation: &str, text: Option<String>| {
        if let Some(text) = text.filter(|_| writing.annotations.wants(annotation)) {
            object.push(format!("{}@{annotation}", output.name), text);
        }
    };
    let label = row.label(output.column).or_else(|| formatted(&found));
    annotate(FORMATTED_VALUE, label);
    if let Some(lookup) = row.lookup(output.column) {
        let own = output.name == output.column;
        annotate(NAVIGATION, lookup.navigation.filter(|_| own));
        annotate(LOGICAL_NAME, Some(lookup.logical_name));
    }
    object.push(&output.name, to_json(found));
}

fn totals(fetch: &Fetch, row: &[Value], writing: &Writing<'_>) -> Object {
    let mut object = Object::default();
    for (output, value) in fetch.outputs.iter().zip(row) {
        if *value == Value::Null {
            continue;
        }
        if let Some(text) = formatted(value).filter(|_| writing.annotations.wants(FORMATTED_VALUE))
        {
            object.push(format!("{}@{FORMATTED_VALUE}", output.name), text);
        }
        object.push(&output.name, to_json(value.clone()));
    }
    object
}
