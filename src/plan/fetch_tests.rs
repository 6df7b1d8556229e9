//! Taking `FetchXML` apart, and what is made of it.

use proptest::prelude::*;
use roxmltree::Document;

use super::fetch::{FetchError, FetchXml, LONGEST, count_of_any};

/// "My Outlook Appointments" as the platform ships such filters: a party to the appointment.
pub(crate) const MINE: &str = r#"<fetch version="1.0" output-format="xml-platform" mapping="logical" distinct="true">
    <entity name="appointment"><attribute name="subject"/><order attribute="scheduledstart"/>
    <filter type="and"><condition attribute="statecode" operator="in"><value>0</value><value>3</value></condition></filter>
    <link-entity name="activityparty" from="activityid" to="activityid" alias="aa"><attribute name="partyid"/>
    <filter type="and"><condition attribute="partyid" operator="eq-userid"/></filter></link-entity></entity></fetch>"#;
pub(crate) const OWNED: &str = r#"<fetch><entity name="appointment"><all-attributes/><filter type="and">
    <condition attribute="ownerid" operator="eq-userid"/></filter></entity></fetch>"#;
pub(crate) const BIG: &str = r#"<fetch><entity name="appointment"><filter>
    <condition attribute="subject" operator="like" value="R&amp;D &lt;%"/></filter></entity></fetch>"#;

fn elements(text: &str, name: &str) -> Vec<String> {
    let document = Document::parse(text).unwrap();
    let found = document.descendants().filter(|n| n.has_tag_name(name));
    found.map(|n| text[n.range()].to_owned()).collect()
}

/// How many filters stand directly below `entity`.
fn root_filters(text: &str) -> usize {
    let document = Document::parse(text).unwrap();
    let entity = document.descendants().find(|n| n.has_tag_name("entity"));
    let children = entity.unwrap().children();
    children.filter(|n| n.has_tag_name("filter")).count()
}

#[test]
fn several_filters_below_the_entity_become_one_of_which_all_hold() {
    let two = "<fetch><entity name='task'><filter type='or'><condition attribute='a' operator='null'/></filter>\
               <filter><condition attribute='b' operator='null'/></filter></entity></fetch>";
    assert_eq!(root_filters(two), 2);
    let counted = FetchXml::parse(two).unwrap().count("activityid", &[]);
    assert_eq!(root_filters(&counted), 1);
    assert!(
        counted.contains("<filter type=\"and\"><filter type='or'>"),
        "{counted}"
    );
    assert_eq!(elements(&counted, "condition"), elements(two, "condition"));
}

#[test]
fn a_count_keeps_conditions_and_joins_and_nothing_else() {
    let counted = FetchXml::parse(MINE)
        .unwrap()
        .count("activityid", &["<filter/>"]);
    assert_eq!(elements(&counted, "condition"), elements(MINE, "condition"));
    assert_eq!(elements(&counted, "attribute").len(), 1);
    assert!(elements(&counted, "order").is_empty());
    assert_eq!(elements(&counted, "link-entity").len(), 1);
    assert!(counted.starts_with(
        "<fetch aggregate=\"true\"><entity name=\"appointment\"><attribute name=\"activityid\" alias=\"n\""
    ));
    assert!(counted.contains("<filter/></filter><link-entity"));
    assert!(counted.ends_with("</link-entity></entity></fetch>"));
}

#[test]
fn several_queries_without_joins_are_counted_as_one() {
    let (owned, big) = (
        FetchXml::parse(OWNED).unwrap(),
        FetchXml::parse(BIG).unwrap(),
    );
    let counted = count_of_any(&[&owned, &big], "activityid", &[]).unwrap();
    assert!(counted.contains("R&amp;D &lt;%"));
    assert!(counted.contains("<filter type=\"or\"><filter type=\"and\"><filter type=\"and\">"));
    assert_eq!(elements(&counted, "condition").len(), 2);
    for everything in ["", "<filter type='or'><filter/></filter>"] {
        let everything = format!("<fetch><entity name='appointment'>{everything}</entity></fetch>");
        let everything = FetchXml::parse(&everything).unwrap();
        let counted = count_of_any(&[&owned, &everything], "activityid", &[]).unwrap();
        assert!(elements(&counted, "filter").is_empty());
    }
}

#[test]
fn queries_that_join_or_are_of_several_tables_do_not_go_together() {
    let (owned, mine) = (
        FetchXml::parse(OWNED).unwrap(),
        FetchXml::parse(MINE).unwrap(),
    );
    let other = FetchXml::parse("<fetch><entity name='task'/></fetch>").unwrap();
    assert_eq!(count_of_any(&[&owned, &mine], "activityid", &[]), None);
    assert_eq!(count_of_any(&[&owned, &other], "activityid", &[]), None);
    assert_eq!(count_of_any(&[], "activityid", &[]), None);
    assert!(count_of_any(&[&mine], "activityid", &[]).is_some());
}

#[test]
fn what_cannot_be_taken_apart_says_why() {
    for (text, expected) in [
        ("  ", "no query"),
        ("<fetch><entity", "not XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><fetch/>", "not XML"),
        ("<view/>", "`view` stands where `fetch` should"),
        ("<fetch/>", "not exactly one `entity`"),
        (
            "<fetch aggregate='true'><entity name='a'/></fetch>",
            "aggregate",
        ),
        ("<fetch><entity/></fetch>", "no name"),
        ("<fetch><entity name='a&quot;b'/></fetch>", "no name"),
        (
            "<fetch><entity name='a'><surprise/></entity></fetch>",
            "`surprise` stands in `entity`",
        ),
        (
            "<fetch xmlns='urn:x'><entity name='a'/></fetch>",
            "stands where",
        ),
    ] {
        let said = FetchXml::parse(text).unwrap_err().to_string();
        assert!(said.contains(expected), "{text}: {said}");
    }
    let long = format!("<fetch><!--{}--></fetch>", "x".repeat(LONGEST));
    assert_eq!(FetchXml::parse(&long), Err(FetchError::TooLong));
}

#[test]
fn depth_alone_does_no_harm() {
    let depth = 4_000;
    let condition = "<condition attribute=\"subject\" operator=\"null\"/>";
    let (open, close) = ("<filter>".repeat(depth), "</filter>".repeat(depth));
    let inside = format!("{open}{condition}{close}");
    let deep = format!("<fetch><entity name='task'>{inside}</entity></fetch>");
    if let Ok(fetch) = FetchXml::parse(&deep) {
        assert!(fetch.count("activityid", &[]).contains(&inside));
    }
}

#[test]
fn a_query_for_so_many_rows_is_known_as_such() {
    let top = FetchXml::parse("<fetch top='5'><entity name='task'/></fetch>").unwrap();
    assert!(top.is_limited() && !FetchXml::parse(MINE).unwrap().is_limited());
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äß東\u{0}]{0,12}"
}

/// Well-formed queries of every shape, with the conditions that they hold.
fn query() -> impl Strategy<Value = String> {
    let condition = text().prop_map(|value| {
        let value: String = value.chars().filter(|c| *c != '\u{0}').collect();
        let value = value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        format!("<condition attribute=\"subject\" operator=\"eq\" value=\"{value}\"/>")
    });
    let filter = prop::collection::vec(condition, 0..4)
        .prop_map(|conditions| format!("<filter type='or'>{}</filter>", conditions.concat()));
    let filter = filter.prop_recursive(3, 8, 3, |inner| {
        prop::collection::vec(inner, 1..3).prop_map(|f| format!("<filter>{}</filter>", f.concat()))
    });
    let link = (filter.clone(), 0..3).prop_map(|(filter, depth)| {
        (0..depth).fold(filter, |inside, _| {
            format!("<link-entity name='x' from='a' to='b'><attribute name='c'/>{inside}<order attribute='c'/></link-entity>")
        })
    });
    prop::collection::vec(prop_oneof![filter, link], 0..4).prop_map(|parts| {
        format!(
            "<fetch version='1.0'><entity name='task'><attribute name='s'/>{}</entity></fetch>",
            parts.concat()
        )
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}", tail in text()) {
        let _ = FetchXml::parse(&text);
        let at = MINE.char_indices().map(|(at, _)| at).nth(text.len() * 3).unwrap_or(0);
        let _ = FetchXml::parse(&format!("{}{tail}{}", &MINE[..at], &MINE[at..]));
    }

    #[test]
    fn a_question_has_at_most_one_filter_below_its_entity(
        queries in prop::collection::vec(query(), 1..4),
        ahead in prop::sample::select(vec!["", "<filter><condition attribute='a' operator='null'/></filter>"]),
    ) {
        let fetches: Vec<_> = queries.iter().map(|query| FetchXml::parse(query).unwrap()).collect();
        let all: Vec<_> = fetches.iter().collect();
        let counted = count_of_any(&all, "activityid", &[ahead, ahead]);
        let asked = fetches.iter().map(|fetch| fetch.ids("activityid", ahead)).chain(counted);
        for text in asked {
            prop_assert!(root_filters(&text) <= 1, "{}", text);
            // Each condition of the time is still there.
            if !ahead.is_empty() {
                prop_assert!(text.contains(ahead), "{}", text);
            }
        }
    }

    #[test]
    fn a_rewritten_query_keeps_every_condition(query in query()) {
        let fetch = FetchXml::parse(&query).unwrap();
        for written in [fetch.count("activityid", &[]), fetch.ids("activityid", "")] {
            // Filters come before joins.
            let (mut kept, mut asked) = (elements(&written, "condition"), elements(&query, "condition"));
            kept.sort();
            asked.sort();
            prop_assert_eq!(kept, asked);
            prop_assert_eq!(
                elements(&written, "link-entity").len(),
                elements(&query, "link-entity").len()
            );
            prop_assert!(elements(&written, "order").is_empty());
            prop_assert_eq!(elements(&written, "attribute").len(), 1);
        }
    }
}
