//! What is shown of a plan whose impact was counted.

use crate::report::test_runs::{PLAIN, TestStage, run};
use crate::report::{Format, write_document, write_plan_details, write_run};

#[tokio::test]
async fn the_plan_says_what_to_look_at_first_and_what_users_lose() {
    let run = run(TestStage::ImpactCounted).await;
    let shown = run.shown(|out, run| write_plan_details(out, run, PLAIN));
    let (_, first) = shown.split_once("serviceappointment\n\n").unwrap();
    insta::assert_snapshot!(first, @r"
    Before you start
    -  The system filter `All·[2J` is active: what it selects of appointment is
       still synchronised for everybody, whatever the users' own filters say. A
       customiser can deactivate it.
    -  1 user has no mailbox that synchronises: none, its method is None, or it was
       never enabled (finn@contoso.example). The filters are changed all the same;
       this has no effect in Exchange, and what they select is not in the total.
    -  Which mailboxes synchronise could not be read, so that all users are counted:
       the server has no such column
    -  5 users are not on the other engine's list and not synchronised here in the
       end (such as =hana@contoso.example): no engine is left.
    -  1 name of the other engine's list without a user in this run:
       zoe@contoso.example
    -  New users will receive ACTIVE filters: the default templates of appointment
       are active. `syncfilters templates deactivate --clear-default` keeps that
       from happening.

    Type         Users  Filters  Active  Inactive  To change
    appointment      6        6       5         1          5
    service          6        6       0         6          0

    Users    8 selected: 5 to change, 1 with nothing to change, 1 skipped, 1 failed
    Filters  12 matching, 5 to change

    Impact
    Items to come that an active filter selects now and none will afterwards. They
    can be deleted from Exchange, unless
    DistinctPhysicalAndLogicalDeletesForExchangeSync is on, which could not be read.

    Total  up to 1,247 items of 2 users; 1 user not fully counted; 1 user not
           counted

    Type           Items  Users  Users not known
    appointment  ≤ 1,247      2                1

    Most affected users
    User                 Items
    ada@contoso.example  1,240
    eve@contoso.example    ≤ 7

    Not known
    Why       Users  Example              Message
    too-many      1  gil@contoso.example  The maximum record limit is exceeded.·

    Skipped, left alone or failed
    Kind      Users  Example                  Hint
    no-roles      1  dan·[2J@contoso.example  Give the user a security role, then
                                              resume the run.
    disabled      1  cara@contoso.example     Leave it, or enable the user first: a
                                              disabled user cannot be impersonated.
    ");
    assert!(!shown.contains('\u{1b}'));
}

#[tokio::test]
async fn the_report_has_it_in_every_format() {
    let run = run(TestStage::ImpactCounted).await;
    for (format, expected) in [
        (Format::Table, "Most affected users"),
        (Format::Markdown, "### Most affected users"),
        (Format::Html, "<h3>Most affected users</h3>"),
        (Format::Csv, ",1240,exactly"),
        (Format::Json, "\"unknown_users\": 1"),
    ] {
        let shown = run.shown(|out, run| write_run(out, run, format, PLAIN));
        assert!(shown.contains(expected), "{format:?}: {shown}");
        assert!(!shown.contains('\u{1b}'), "{format:?}");
    }
}

#[tokio::test]
async fn the_document_has_what_to_look_at_first_and_the_impact() {
    let run = run(TestStage::ImpactCounted).await;
    let document: serde_json::Value =
        serde_json::from_str(&run.shown(|out, run| write_document(out, run))).unwrap();
    let kinds = document["look_first"].as_array().unwrap().iter();
    let kinds: Vec<_> = kinds.map(|first| first["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds[0], "system-filter");
    let impact = &document["impact"];
    assert_eq!(impact["items"], 1_247);
    assert_eq!(impact["at_most"], true);
    assert_eq!(impact["deletes"], serde_json::Value::Null);
    assert_eq!(impact["not_counted_users"], 1);
    assert_eq!(impact["most"][0]["user"], "ada@contoso.example");
    assert_eq!(impact["unknown"][0]["kind"], "too-many");
}
