//! Lists that do not end, and lists that end too early.

use std::collections::HashSet;

use syncfilters::dataverse::{Columns, Error};
use syncfilters::model::FilterKind;
use uuid::Uuid;

use super::client::{all_users, connect, user};
use super::server::{CALLER, Reply, Request, Server, USER};

fn why(error: &Error) -> &str {
    match error {
        Error::BadAnswer { why, .. } => why,
        error => panic!("{error}"),
    }
}

/// A page with one user, and what else it says.
fn page(request: &Request, more: &str) -> Reply {
    let id = Uuid::from_u128(u128::try_from(request.before).unwrap());
    Reply::json(
        200,
        format!(r#"{{"value":[{{"systemuserid":"{id}"}}]{more}}}"#),
    )
}

fn link(host: &str, to: &str) -> String {
    format!(r#","@odata.nextLink":"{host}api/data/v9.2/systemusers?$skiptoken={to}""#)
}

#[tokio::test]
async fn a_next_link_that_was_followed_before_ends_the_list_with_an_error() {
    let server = Server::start(|request| {
        let host = format!("http://{}/", request.headers["host"]);
        page(request, &link(&host, "1"))
    });
    let reader = connect(&server).await.unwrap();
    let error = all_users(&reader).await.unwrap_err();
    assert!(why(&error).contains("leads back"), "{error}");
    assert_eq!(server.seen("skiptoken").len(), 1);
}

#[tokio::test]
async fn three_pages_in_a_row_without_a_new_row_end_the_list_with_an_error() {
    let server = Server::start(|request| {
        let host = format!("http://{}/", request.headers["host"]);
        let more = link(&host, &request.before.to_string());
        Reply::json(
            200,
            format!(r#"{{"value":[{{"systemuserid":"{USER}"}}]{more}}}"#),
        )
    });
    let reader = connect(&server).await.unwrap();
    let error = all_users(&reader).await.unwrap_err();
    assert!(why(&error).contains("no new row"), "{error}");
    assert_eq!(server.seen("skiptoken").len(), 3);
}

#[tokio::test]
async fn more_records_without_a_link_are_an_incomplete_answer_in_every_listing() {
    let server = Server::start(|_| {
        Reply::json(
            200,
            r#"{"value":[],"@Microsoft.Dynamics.CRM.morerecords":true}"#,
        )
    });
    let reader = connect(&server).await.unwrap();
    let (view, mut found) = (Uuid::nil(), HashSet::new());
    let errors = [
        all_users(&reader).await.unwrap_err(),
        reader.business_units().await.unwrap_err(),
        reader.views_of_users().await.unwrap_err(),
        reader
            .users_in_view(view, false, &mut found)
            .await
            .unwrap_err(),
        reader
            .users_where("isdisabled eq false", &mut found)
            .await
            .unwrap_err(),
        reader.organisation_filters().await.unwrap_err(),
        reader.templates(&[FilterKind::Outlook]).await.unwrap_err(),
        reader
            .filters(&user(), FilterKind::Outlook, Columns::Needed)
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert!(why(&error).contains("incomplete"), "{error}");
    }
}

#[tokio::test]
async fn a_next_link_to_another_server_is_not_followed() {
    for other in [
        "http://127.0.0.2:9/",
        "http://127.0.0.1:9/",
        "https://HOST/",
        "ftp://HOST/",
        "http://me@127.0.0.1:9/",
        "http://HOST@127.0.0.2/",
        "//127.0.0.2:9/",
    ] {
        let server = Server::start(move |request| {
            let host = other.replace("HOST", &request.headers["host"]);
            page(request, &link(&host, "1"))
        });
        let reader = connect(&server).await.unwrap();
        let error = all_users(&reader).await.unwrap_err();
        assert!(
            matches!(error, Error::ForeignUrl { .. } | Error::BadAnswer { .. }),
            "{other}: {error}"
        );
        assert!(server.seen("skiptoken").is_empty(), "{other}");
    }
}

#[tokio::test]
async fn a_user_who_is_on_two_pages_is_one_user() {
    let server = Server::start(|request| {
        let host = format!("http://{}/", request.headers["host"]);
        let more = if request.target.contains("skiptoken") {
            String::new()
        } else {
            link(&host, "1")
        };
        let id = if more.is_empty() {
            CALLER.to_uppercase()
        } else {
            CALLER.to_owned()
        };
        Reply::json(
            200,
            format!(r#"{{"value":[{{"systemuserid":"{id}"}}]{more}}}"#),
        )
    });
    let reader = connect(&server).await.unwrap();
    assert_eq!(all_users(&reader).await.unwrap().len(), 1);
}
