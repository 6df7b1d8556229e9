//! Refusals that are about one user, about the caller, or about a way of asking.

use syncfilters::dataverse::{
    Columns, Error, FetchQuery, Fetched, Probe, SetState, WriteReply, Writer,
};
use syncfilters::model::{FilterId, FilterKind, FilterType, State, UserId};
use syncfilters::plan::{Criteria, Types};
use syncfilters::rollout::{RolloutError, check_types};

use super::client::{connect, own_filters, user};
use super::server::{CALLER, Reply, Server, USER};

const NO_ROWS: &str = r#"{"value":[]}"#;

fn filter(etag: &str) -> String {
    format!(
        r#"{{"value":[{{"@odata.etag":{etag},"userqueryid":"{USER}","_ownerid_value":"{USER}","returnedtypecode":"appointment","querytype":256,"statecode":0,"statuscode":1}}]}}"#
    )
}

#[tokio::test]
async fn a_user_who_is_answered_401_is_that_users_problem() {
    let server = Server::start(|_| Reply::json(401, ""));
    let reader = connect(&server).await.unwrap();
    let read = own_filters(&reader);
    let error = read.await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert_eq!(error.fault().unwrap().status.as_u16(), 401);
    assert_eq!(
        server.seen("userqueries").len(),
        1,
        "it was not asked again"
    );
}

#[tokio::test]
async fn a_caller_who_is_answered_401_stops_the_run() {
    let server = Server::bare(|request| {
        let first = request.before < 4;
        match request.target.as_str() {
            target if target.ends_with("WhoAmI") && first => Reply::json(
                200,
                format!(r#"{{"UserId":"{CALLER}","OrganizationId":"{USER}"}}"#),
            ),
            target if target.contains("Version") => Reply::json(200, r#"{"Version":"9.2.0.0"}"#),
            _ if first => Reply::json(403, ""),
            _ => Reply::json(401, ""),
        }
    });
    let reader = connect(&server).await.unwrap();
    let read = own_filters(&reader);
    let error = read.await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(error.is_fatal());
}

#[tokio::test]
async fn a_refusal_that_names_the_caller_was_not_made_as_the_user() {
    let missing = |whom: &str, privilege: &str| {
        let message =
            format!("Principal user (Id={whom}, type=8) is missing {privilege} privilege");
        format!(r#"{{"error":{{"code":"0x80040220","message":"{message}"}}}}"#)
    };
    let caller = UserId(CALLER.parse().unwrap());
    for (whom, privilege, dropped, fatal) in [
        (CALLER, "prvReadUserQuery", true, false),
        (USER, "prvReadUserQuery", false, false),
        (USER, "prvActOnBehalfOfAnotherUser", false, true),
        (CALLER, "prvActOnBehalfOfAnotherUser", false, true),
    ] {
        let body = missing(whom, privilege);
        let server = Server::start(move |_| Reply::json(403, body.clone()));
        let reader = connect(&server).await.unwrap();
        let read = own_filters(&reader);
        let error = read.await.unwrap_err();
        let fault = error.fault().unwrap();
        let judged = fault.is_impersonation_dropped(user().id, caller);
        assert_eq!(
            (judged, error.is_fatal()),
            (dropped, fatal),
            "{whom} {privilege}"
        );
    }
}

#[tokio::test]
async fn where_a_gateway_refuses_batches_each_user_is_asked_about_alone() {
    for status in [403, 405, 413, 200] {
        let server = Server::start(move |request| {
            if request.target.contains("$batch") {
                Reply::page(status)
            } else {
                Reply::json(200, NO_ROWS)
            }
        });
        let reader = connect(&server).await.unwrap();
        let users = [user().id; 3];
        for _ in 0..2 {
            let columns = Columns::Needed;
            let read = reader.filters_as_administrator(&users, FilterKind::Outlook, columns);
            assert_eq!(read.await.unwrap(), vec![Some(Vec::new()); 3], "{status}");
        }
        assert_eq!(server.seen("$batch").len(), 1, "it is not tried again");
        let alone = server.seen("/userqueries?");
        assert_eq!(alone.len(), 6);
        assert!(alone.iter().all(|request| request.method == "GET"));
    }
}

#[tokio::test]
async fn where_a_gateway_refuses_batches_queries_are_made_alone_and_as_the_user() {
    let server = Server::start(|request| match request.target.as_str() {
        target if target.contains("$batch") => Reply::page(403),
        target if target.ends_with("WhoAmI") => Reply::json(
            200,
            format!(r#"{{"UserId":"{USER}","OrganizationId":"{USER}"}}"#),
        ),
        _ => Reply::json(200, r#"{"value":[{"n":7}]}"#),
    });
    let reader = connect(&server).await.unwrap();
    let query = FetchQuery {
        set: "appointments".into(),
        fetch: "<fetch/>".into(),
        column: "n".into(),
    };
    let (who, queries) = (user(), [query]);
    let read = reader.fetch_as(&who, Some(Probe::WhoAmI), &queries, &[]);
    let fetched = read.await.unwrap();
    assert_eq!(fetched.user, Some(user().id));
    assert!(matches!(&fetched.answers[..], [Fetched::Values(values)] if *values == [7]));
    let asked = server.seen("fetchXml");
    assert!(asked.len() == 1 && asked[0].is_impersonated());
}

#[tokio::test]
async fn what_is_no_version_is_none() {
    for (etag, version) in [
        (r#""W/\"7\"""#, Some("W/\"7\"")),
        (r#""""#, None),
        (r#""W/\"\"""#, None),
        (r#""W/\"1\"\r\nMSCRMCallerID: x""#, None),
        ("null", None),
    ] {
        let body = filter(etag);
        let server = Server::start(move |_| Reply::json(200, body.clone()));
        let reader = connect(&server).await.unwrap();
        let read = own_filters(&reader);
        let filters = read.await.unwrap();
        assert_eq!(filters[0].etag.as_deref(), version, "{etag}");
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "what a writer makes of an answer is tested without a run"
)]
async fn where_a_gateway_refuses_batches_nothing_is_believed_of_the_rows_and_each_is_written_alone()
{
    let server = Server::start(|request| {
        if request.target.contains("$batch") {
            Reply::page(403)
        } else {
            Reply::json(204, "")
        }
    });
    let writer = Writer::new(connect(&server).await.unwrap());
    let state = |n: u128| SetState {
        filter: FilterId(uuid::Uuid::from_u128(n)),
        to: State::Inactive.with_default_status(),
        etag: Some("W/\"1\"".into()),
    };
    let states = [state(1), state(2)];
    let first = writer.set_states(&user(), &states).await.unwrap();
    // A gateway may have let the request through and kept the answer: the rows are to be read.
    let unclear = |reply: &WriteReply<_>| matches!(reply, WriteReply::Unclear(_));
    assert!(first.iter().all(unclear), "{first:?}");
    writer.set_states(&user(), &states).await.unwrap();
    assert_eq!(server.seen("$batch").len(), 1, "it is not tried again");
    let alone = server.seen("/userqueries(");
    assert_eq!(alone.len(), 2);
    assert!(alone.iter().all(|request| request.method == "PATCH"));
    assert!(alone.iter().all(|request| request.is_impersonated()));
}

#[tokio::test]
async fn a_filter_type_that_nobody_can_check_is_refused_unless_a_filter_has_it() {
    let with_contacts = r#"{"value":[{"returnedtypecode":"contact"}]}"#;
    for (tables, filters, wanted, says) in [
        (403, Some(with_contacts), "contact", None),
        (403, Some(with_contacts), "appointment", None),
        (
            403,
            Some(with_contacts),
            "contcat",
            Some("cannot be checked"),
        ),
        (403, None, "contact", Some("cannot be checked")),
        (404, None, "contact", Some("cannot be checked")),
        (200, Some(NO_ROWS), "contact", Some("cannot be checked")),
    ] {
        let server = Server::start(move |request| {
            if request.target.contains("EntityDefinitions") {
                return Reply::page(tables);
            }
            filters.map_or_else(|| Reply::page(403), |rows| Reply::json(200, rows))
        });
        let reader = connect(&server).await.unwrap();
        let types = Types::Only([FilterType::new(wanted)].into());
        let criteria = Criteria::new(types, vec![FilterKind::Outlook], None).unwrap();
        let checked = check_types(&reader, &criteria).await;
        match (checked, says) {
            (Ok(()), None) => {}
            (Err(RolloutError::Groups(why)), Some(says)) => {
                let why = why[0].to_string();
                assert!(why.contains(says) && why.contains(wanted), "{why}");
            }
            (checked, _) => panic!("{tables} {wanted}: {checked:?}"),
        }
    }
}
