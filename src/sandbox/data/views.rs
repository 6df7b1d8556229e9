//! Templates and system filters.

use std::sync::Arc;

use super::rng::Rng;
use super::samples;
use crate::rows::{PersonIndex, ViewRecord};

/// The name of a template: "My Appointments" comes from "Appointments template".
fn template_name(own: &str) -> String {
    format!("{} template", own.trim_start_matches("My "))
}

/// The query of a filter or view for a table, with its key, its name, and the condition.
pub(super) fn fetch_xml(table: &str, asks: &str) -> Arc<str> {
    let (key, name) = match table {
        "contact" => ("contactid", "fullname"),
        "systemuser" => ("systemuserid", "fullname"),
        "account" => ("accountid", "name"),
        "opportunity" => ("opportunityid", "name"),
        _ => ("activityid", "subject"),
    };
    let distinct = asks.contains("<link-entity");
    format!(
        r#"<fetch version="1.0" output-format="xml-platform" mapping="logical" distinct="{distinct}"><entity name="{table}"><attribute name="{key}" /><attribute name="{name}" />{asks}</entity></fetch>"#
    )
    .into()
}

/// Templates for Outlook (131072) and offline (8192), the default ones first, and system filters.
pub(super) fn views(rng: &mut Rng, author: PersonIndex) -> Vec<ViewRecord> {
    let mut views = Vec::new();
    for query_type in [131_072, 8192] {
        for (table, name, conditions) in samples::FILTERS {
            let mut view = view(rng, author, table, &template_name(name), query_type);
            view.fetch_xml = fetch_xml(table, conditions);
            view.is_default = true;
            views.push(view);
        }
    }
    // One that is not a default, an inactive one, and two of the organisation itself.
    let mut visits = view(rng, author, "appointment", "Visits (not default)", 131_072);
    visits.fetch_xml = fetch_xml("appointment", samples::OWNS_OR_TAKES_PART);
    views.push(visits);
    let mut off = view(rng, author, "task", "Old tasks template", 131_072);
    (off.state, off.status) = (1, Some(2));
    views.push(off);
    for (name, query_type) in [
        ("Board members for everybody", 256),
        ("Board members for everybody (offline)", 16),
    ] {
        let mut board = view(rng, author, "contact", name, query_type);
        board.fetch_xml = fetch_xml("contact", samples::BOARD_MEMBERS);
        views.push(board);
    }
    views.push(view(rng, author, "appointment", "All Appointments", 0));
    for (index, view) in views.iter_mut().enumerate() {
        view.version = 5_000 + index as u64;
    }
    views
}

fn view(
    rng: &mut Rng,
    author: PersonIndex,
    table: &str,
    name: &str,
    query_type: i32,
) -> ViewRecord {
    ViewRecord {
        id: rng.id(),
        name: name.to_owned(),
        table: table.into(),
        fetch_xml: fetch_xml(table, ""),
        query_type,
        is_default: false,
        state: 0,
        status: Some(1),
        version: 0,
        modified_on: rng.moment(1500),
        modified_by: author,
        on_behalf: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_one_default_template_of_each_kind_and_none_is_inactive() {
        let views = views(&mut Rng::new(1), 0);
        for (table, ..) in samples::FILTERS {
            for query_type in [131_072, 8192] {
                let defaults = views.iter().filter(|it| {
                    it.is_default && it.query_type == query_type && &*it.table == *table
                });
                assert_eq!(defaults.count(), 1, "{table} {query_type}");
            }
        }
        assert!(views.iter().all(|it| !(it.is_default && it.state == 1)));
    }
}
