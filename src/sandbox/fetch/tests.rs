//! Queries over an organisation, and texts that are none.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    Fetch, Known, Line, PageRequest, RootFilters, Source, Writing, aggregate, page, read, write,
};
use crate::activities::owned;
use crate::data::generate;
use crate::errors::ApiError;
use crate::odata::{Annotations, Asker, Row as _, Value};
use crate::rows::PersonIndex;
use crate::store::Store;
use crate::tables::{At, Kind, RowRef, kind_of};
use crate::version::Version;

/// Everything, seen by everybody; it remembers nothing of who asks.
struct All(Store);

impl<'a> Source<'a> for &'a All {
    fn rows(
        &self,
        kind: Kind,
        owners: Option<BTreeSet<PersonIndex>>,
    ) -> Box<dyn Iterator<Item = RowRef<'a>> + 'a> {
        let store = &self.0;
        let people = 0..store.people.len();
        if kind == Kind::Users {
            return Box::new(people.map(|it| RowRef::new(store, 0, At::User(it))));
        }
        let owners: Vec<_> = owners.map_or(people.collect(), |it| it.into_iter().collect());
        let all = owners.into_iter().flat_map(|owner| owned(store, owner));
        let matches = all.filter(move |it| kind_of(it) == kind);
        Box::new(matches.map(|it| RowRef::new(store, 0, At::Activity(it))))
    }

    fn linked(&self, kind: Kind, column: &str, value: &Value) -> Vec<RowRef<'a>> {
        let all = self.rows(kind, None);
        all.filter(|it| it.value(column) == *value).collect()
    }

    fn person(&self, id: Uuid) -> Option<PersonIndex> {
        self.0.person(id)
    }
}

fn asker(store: &Store, person: PersonIndex) -> Asker {
    Asker {
        user: store.people[person].id,
        business_unit: Uuid::nil(),
        teams: Vec::new(),
    }
}

fn query(xml: &str, kind: Kind, asker: &Asker) -> Result<Fetch, ApiError> {
    let known = Known {
        version: Version::V9_2,
        asker,
        now: Timestamp::now(),
        root_filters: RootFilters::All,
    };
    read(xml, kind, &known)
}

fn total(xml: &str, store: &All, person: PersonIndex) -> Value {
    let fetch = query(xml, Kind::Appointments, &asker(&store.0, person)).unwrap();
    aggregate(&fetch, &store, None).unwrap()[0][0].clone()
}

#[test]
fn asking_for_ones_own_counts_the_same_as_going_through_everybody() {
    let store = All(generate(30, 1));
    let count = |asks: &str| {
        format!(
            r#"<fetch aggregate="true"><entity name="appointment"><attribute name="activityid" alias="n" aggregate="count"/>{asks}</entity></fetch>"#
        )
    };
    // A condition on the name says nothing about owners, so everybody's rows are gone through.
    let mine = r#"<condition attribute="ownerid" operator="eq-userid"/>"#;
    let narrow = count(&format!("<filter>{mine}</filter>"));
    let wide = count(&format!(
        "<filter type=\"or\">{mine}<condition attribute=\"subject\" operator=\"null\"/></filter>"
    ));
    for person in 8..20 {
        let found = total(&narrow, &store, person);
        let owned = owned(&store.0, person).filter(|it| kind_of(it) == Kind::Appointments);
        assert_eq!(found, Value::Int(i64::try_from(owned.count()).unwrap()));
        assert_eq!(found, total(&wide, &store, person));
    }
}

#[test]
fn more_filters_of_one_table_all_hold() {
    let store = All(generate(30, 1));
    let xml = r#"<fetch aggregate="true"><entity name="appointment"><attribute name="activityid" alias="n" aggregate="count"/>
        <filter><condition attribute="ownerid" operator="eq-userid"/></filter>
        <filter><condition attribute="statecode" operator="eq" value="9"/></filter></entity></fetch>"#;
    assert_eq!(total(xml, &store, 9), Value::Int(0));
}

#[test]
fn every_alias_and_nothing_empty_is_written() {
    let store = All(generate(30, 1));
    let xml = r#"<fetch top="1" distinct="true"><entity name="systemuser"><attribute name="fullname" alias="called"/><attribute name="employeeid"/></entity></fetch>"#;
    let fetch = query(xml, Kind::Users, &asker(&store.0, 0)).unwrap();
    let page = page(&fetch, &&store, PageRequest::default());
    let writing = Writing {
        root: "http://127.0.0.1/",
        annotations: &Annotations::default(),
        next: None,
    };
    let body = write(&fetch, &Line::Page(&page), &writing);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let row = body["value"][0].as_object().unwrap();
    assert_eq!(row.keys().collect::<Vec<_>>(), ["@odata.etag", "called"]);
}

#[test]
fn nesting_and_entities_of_xml_are_bounded() {
    let asker = asker(&generate(5, 1), 0);
    let deep = |n: usize| {
        format!(
            "<fetch><entity name=\"systemuser\">{}{}</entity></fetch>",
            "<filter>".repeat(n),
            "</filter>".repeat(n)
        )
    };
    assert!(query(&deep(50), Kind::Users, &asker).is_ok());
    assert!(query(&deep(60), Kind::Users, &asker).is_err());
    let links = |n: usize| {
        let one =
            "<link-entity name=\"businessunit\" from=\"businessunitid\" to=\"businessunitid\"/>";
        format!(
            "<fetch><entity name=\"systemuser\">{}</entity></fetch>",
            one.repeat(n)
        )
    };
    assert!(query(&links(15), Kind::Users, &asker).is_ok());
    assert!(query(&links(16), Kind::Users, &asker).is_err());
    let laughs = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><fetch>&b;</fetch>";
    assert_eq!(
        query(laughs, Kind::Users, &asker).unwrap_err().code,
        "0x80040201"
    );
}

fn words() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "fetch",
        "entity",
        "attribute",
        "filter",
        "condition",
        "value",
        "link-entity",
        "order",
        "all-attributes",
    ]);
    let attributes = prop::sample::select(vec![
        "name=\"appointment\"",
        "name=\"activityparty\" from=\"activityid\" to=\"activityid\" alias=\"p\"",
        "name=\"subject\" alias=\"a\" aggregate=\"count\"",
        "attribute=\"scheduledend\" operator=\"next-x-days\" value=\"9\"",
        "attribute=\"ownerid\" operator=\"eq-userid\"",
        "attribute=\"statecode\" operator=\"in\"",
        "aggregate=\"true\" count=\"0\" page=\"0\" top=\"-1\"",
        "type=\"or\" entityname=\"p\" link-type=\"outer\"",
        "",
    ]);
    let leaf = (names.clone(), attributes.clone()).prop_map(|(name, it)| format!("<{name} {it}/>"));
    leaf.prop_recursive(5, 40, 5, move |inner| {
        (
            names.clone(),
            attributes.clone(),
            prop::collection::vec(inner, 0..5),
        )
            .prop_map(|(name, it, inner)| format!("<{name} {it}>{}</{name}>", inner.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_panics(text in ".*", nested in words()) {
        let asker = Asker { user: Uuid::nil(), business_unit: Uuid::nil(), teams: Vec::new() };
        let _ = query(&text, Kind::Appointments, &asker);
        let _ = query(&nested, Kind::Appointments, &asker);
        let whole = format!("<fetch><entity name=\"appointment\">{nested}</entity></fetch>");
        let _ = query(&whole, Kind::Appointments, &asker);
    }

    #[test]
    fn what_is_read_runs(inside in words(), totals in any::<bool>()) {
        let store = All(generate(3, 1));
        let aggregating = if totals { "aggregate=\"true\"" } else { "" };
        let xml = format!("<fetch {aggregating}><entity name=\"appointment\">{inside}</entity></fetch>");
        if let Ok(fetch) = query(&xml, Kind::Appointments, &asker(&store.0, 8)) {
            if fetch.aggregate {
                let _ = aggregate(&fetch, &&store, Some(100));
            } else {
                let _ = page(&fetch, &&store, PageRequest { size: Some(3), number: Some(2) });
            }
        }
    }
}
