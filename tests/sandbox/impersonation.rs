//! Acting as somebody else, and losing that silently.

use syncfilters::sandbox::{Options, Switches, UserKind, Version};

use crate::bench::{Bench, DEACTIVATE, bench, with};

async fn who(bench: &Bench, header: &str, value: &str) -> Result<String, (u16, String)> {
    let answer = bench.call("GET", "WhoAmI", &[(header, value)], "").await;
    if answer.status == 200 {
        Ok(answer.json()["UserId"].as_str().unwrap().to_owned())
    } else {
        Err((answer.status, answer.code()))
    }
}

fn caller(bench: &Bench) -> String {
    bench.sandbox.users()[0].id.to_string()
}

#[tokio::test]
async fn both_headers_are_honoured_with_the_right_kind_of_id() {
    let bench = bench("").await;
    let user = bench.ordinary();
    let (id, object_id) = (user.id.to_string(), user.object_id.unwrap().to_string());
    assert_eq!(who(&bench, "MSCRMCallerID", &id).await, Ok(id.clone()));
    assert_eq!(
        who(&bench, "CallerObjectId", &object_id).await,
        Ok(id.clone())
    );
    assert_eq!(
        who(&bench, "CallerObjectId", &format!("{{{object_id}}}")).await,
        Ok(id.clone())
    );
    let me = caller(&bench);
    assert_eq!(
        who(&bench, "MSCRMCallerID", &object_id).await,
        Ok(me.clone())
    );
    assert_eq!(who(&bench, "CallerObjectId", &id).await, Ok(me));
    assert_eq!(
        who(&bench, "CallerObjectId", "nonsense")
            .await
            .unwrap_err()
            .0,
        400
    );
    assert_eq!(bench.sandbox.counts().by_user[&user.id], 3);
}

#[tokio::test]
async fn older_servers_ignore_object_ids() {
    let bench = with(Options {
        version: Version::V8_2,
        ..Options::default()
    })
    .await;
    let id = bench.ordinary().id.to_string();
    assert_eq!(who(&bench, "CallerObjectId", &id).await, Ok(caller(&bench)));
    assert_eq!(who(&bench, "MSCRMCallerID", &id).await, Ok(id));
    let disabled = bench.somebody(UserKind::Disabled).id.to_string();
    assert_eq!(
        who(&bench, "MSCRMCallerID", &disabled).await,
        Ok(caller(&bench))
    );
}

#[tokio::test]
async fn users_who_cannot_be_impersonated_are_refused_with_their_reason() {
    let bench = bench("").await;
    for (kind, status, code) in [
        (UserKind::Disabled, 400, "0x80040225"),
        (UserKind::SoftDeleted, 400, "0x80040225"),
        (UserKind::NoRole, 403, "0x80042f09"),
        (UserKind::Unlicensed, 403, "0x8004D24B"),
    ] {
        let id = bench.somebody(kind).id.to_string();
        let refused = who(&bench, "MSCRMCallerID", &id).await;
        assert_eq!(refused, Err((status, code.to_owned())), "{kind:?}");
    }
    for kind in [
        UserKind::TeamRoleOnly,
        UserKind::Administrative,
        UserKind::ReadAccess,
        UserKind::EmptyLogin,
    ] {
        let id = bench.somebody(kind).id.to_string();
        assert_eq!(who(&bench, "MSCRMCallerID", &id).await, Ok(id), "{kind:?}");
    }
}

#[tokio::test]
async fn missing_privileges_are_named() {
    let bench = bench("").await;
    let blind = bench.somebody(UserKind::NoFilterRights);
    let answer = bench.get_as(&blind, "userqueries").await;
    assert_eq!((answer.status, answer.code().as_str()), (403, "0x80040220"));
    assert!(
        answer
            .message()
            .contains(&format!("Principal user (Id={}", blind.id))
    );
    assert!(
        answer
            .message()
            .contains("is missing prvReadUserQuery privilege")
    );
    let reader = bench.somebody(UserKind::ReadOnlyFilters);
    let filter = bench.filter_of(&reader);
    assert_eq!(bench.get_as(&reader, "userqueries").await.status, 200);
    let answer = bench
        .patch_as(&reader, &filter, &[("If-Match", "*")], DEACTIVATE)
        .await;
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains("prvWriteUserQuery"));
    assert_eq!(bench.now(&filter), filter);
}

#[tokio::test]
async fn a_caller_without_the_privilege_cannot_impersonate() {
    for (switches, code) in [
        ("caller-cannot-act-on-behalf", "0x8004A110"),
        (
            "caller-cannot-act-on-behalf,act-on-behalf-as-missing-privilege",
            "0x80040220",
        ),
    ] {
        let bench = bench(switches).await;
        let id = bench.ordinary().id.to_string();
        assert_eq!(
            who(&bench, "MSCRMCallerID", &id).await,
            Err((403, code.to_owned()))
        );
    }
}

#[tokio::test]
async fn impersonation_can_be_dropped_silently() {
    let all = bench("drop-impersonation").await;
    let user = all.ordinary();
    assert_eq!(
        who(&all, "MSCRMCallerID", &user.id.to_string()).await,
        Ok(caller(&all))
    );
    let answer = all
        .get_as(&user, "userqueries?$filter=querytype%20eq%20256")
        .await;
    assert_eq!(answer.status, 200);
    assert!(!answer.rows().is_empty(), "the caller's own filters");
    let caller = caller(&all);
    assert!(
        answer
            .rows()
            .iter()
            .all(|it| it["_ownerid_value"] == caller)
    );

    let some = with(Options {
        users: 100,
        switches: Switches::parse("drop-impersonation-for-some").unwrap(),
        ..Options::default()
    })
    .await;
    let (mut dropped, mut kept) = (0, 0);
    for user in some
        .sandbox
        .users()
        .iter()
        .filter(|it| it.kind == UserKind::Ordinary)
    {
        let id = user.id.to_string();
        if who(&some, "MSCRMCallerID", &id).await == Ok(id) {
            kept += 1;
        } else {
            dropped += 1;
        }
    }
    assert!(dropped > 0 && kept > dropped, "{dropped} of {kept}");
}

#[tokio::test]
async fn whoami_may_ignore_what_other_requests_honour() {
    let bench = bench("whoami-ignores-impersonation").await;
    let user = bench.ordinary();
    assert_eq!(
        who(&bench, "MSCRMCallerID", &user.id.to_string()).await,
        Ok(caller(&bench))
    );
    let rows = bench
        .get_as(&user, "userqueries?$filter=querytype%20eq%20256")
        .await
        .rows();
    assert!(
        rows.iter()
            .all(|it| it["_ownerid_value"] == user.id.to_string())
    );
    assert!(!rows.is_empty());
}

#[tokio::test]
async fn switches_turn_unknown_disabled_and_special_users() {
    let bench = bench("unknown-user-is-error,disabled-user-is-dropped,special-users-refused").await;
    let nobody = "00000000-0000-0000-0000-000000000009";
    assert_eq!(
        who(&bench, "CallerObjectId", nobody).await.unwrap_err().1,
        "0x80040207"
    );
    let disabled = bench.somebody(UserKind::Disabled).id.to_string();
    assert_eq!(
        who(&bench, "MSCRMCallerID", &disabled).await,
        Ok(caller(&bench))
    );
    let stub = bench.somebody(UserKind::Stub).id.to_string();
    assert_eq!(
        who(&bench, "MSCRMCallerID", &stub).await.unwrap_err().1,
        "0x80040207"
    );
}
