//! Sign-in, versions, addresses, functions, documents.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use syncfilters::sandbox::{Options, Sandbox, Switches, Version};

use crate::bench::{DEACTIVATE, bench, with};

#[tokio::test]
async fn without_a_token_there_is_a_challenge() {
    let bench = bench("challenge-resource").await;
    for headers in [
        &[][..],
        &[("Authorization", "Bearer expired")],
        &[("Authorization", "Basic eDp5")],
    ] {
        let answer = bench.send("GET", "WhoAmI", headers, "").await.unwrap();
        assert_eq!(answer.status, 401);
        let challenge = answer.header("WWW-Authenticate").unwrap();
        assert!(
            challenge.starts_with("Bearer authorization_uri=https://login.microsoftonline.com/")
        );
        assert!(challenge.contains("/oauth2/authorize, resource_id=http://127.0.0.1:"));
    }
    assert_eq!(bench.sandbox.counts().refused, 3);
}

#[tokio::test]
async fn a_token_of_nobody_in_the_organisation_is_forbidden() {
    let bench = bench("").await;
    let token = format!("Bearer {}", bench.sandbox.stranger_token());
    let answer = bench
        .send("GET", "WhoAmI", &[("Authorization", &token)], "")
        .await
        .unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (403, "0x80072560"));
}

#[tokio::test]
async fn functions_answer_in_their_envelopes() {
    let bench = bench("").await;
    for path in ["WhoAmI", "WhoAmI()"] {
        let body = bench.get(path).await.json();
        assert!(
            body["@odata.context"]
                .as_str()
                .unwrap()
                .ends_with("#Microsoft.Dynamics.CRM.WhoAmIResponse")
        );
        assert!(body["UserId"].is_string() && body["OrganizationId"].is_string());
    }
    assert!(
        bench.get("RetrieveVersion()").await.json()["Version"]
            .as_str()
            .unwrap()
            .starts_with("9.2.")
    );
    let url = "RetrieveCurrentOrganization(AccessType=@p1)?@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'";
    assert_eq!(
        bench.get(url).await.json()["Detail"]["FriendlyName"],
        "Contoso (sandbox)"
    );
    let url = "EntityDefinitions(LogicalName='userquery')?$select=IsOptimisticConcurrencyEnabled";
    assert_eq!(
        bench.get(url).await.json()["IsOptimisticConcurrencyEnabled"],
        true
    );
}

#[tokio::test]
async fn the_setting_about_deletes_is_in_the_organisation_row() {
    for (switches, text) in [
        ("", Some("Sync>false</")),
        ("distinct-deletes", Some("Sync>true</")),
        ("distinct-deletes-absent", None),
    ] {
        let bench = bench(switches).await;
        let answer = bench
            .get("organizations?$select=name,orgdborgsettings")
            .await;
        let settings = answer.rows()[0]["orgdborgsettings"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            settings.contains("DistinctPhysicalAndLogicalDeletes"),
            text.is_some()
        );
        assert!(text.is_none_or(|text| settings.contains(text)));
    }
}

#[tokio::test]
async fn versions_know_their_columns_and_addresses() {
    let bench = with(Options {
        version: Version::V8_2,
        ..Options::default()
    })
    .await;
    let answer = bench.get("systemusers?$select=systemmanagedusertype").await;
    assert_eq!(answer.status, 400);
    let inner = answer.json()["error"]["innererror"]["type"].clone();
    assert_eq!(inner, "Microsoft.Crm.CrmHttpException");
    assert_eq!(
        bench
            .get("systemusers?$select=domainname,azureactivedirectoryobjectid")
            .await
            .status,
        200
    );
    for (version, status) in [
        ("v8.0", 200),
        ("v8.1", 200),
        ("v9.0", 404),
        ("nonsense", 404),
    ] {
        let url = format!("{}api/data/{version}/WhoAmI", bench.sandbox.url());
        assert_eq!(bench.get(&url).await.status, status, "{version}");
    }
    let metadata = bench.get("$metadata").await;
    assert_eq!(metadata.header("Content-Type"), Some("application/xml"));
    assert!(
        metadata.text.contains("EntityType Name=\"userquery\"")
            && !metadata.text.contains("layoutjson")
    );
}

#[tokio::test]
async fn context_and_next_links_keep_the_version_that_was_asked() {
    let bench = bench("").await;
    let url = format!(
        "{}api/data/v9.0/systemusers?$select=fullname",
        bench.sandbox.url()
    );
    let body = bench
        .call("GET", &url, &[("Prefer", "odata.maxpagesize=1")], "")
        .await
        .json();
    for name in ["@odata.context", "@odata.nextLink"] {
        assert!(
            body[name].as_str().unwrap().contains("/api/data/v9.0/"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn on_premises_the_organisation_is_part_of_the_path() {
    let bench = with(Options {
        path_prefix: Some("contoso".to_owned()),
        ..Options::default()
    })
    .await;
    assert!(bench.sandbox.url().ends_with("/contoso/"));
    let body = bench.get("WhoAmI").await.json();
    assert!(
        body["@odata.context"]
            .as_str()
            .unwrap()
            .contains("/contoso/api/data/v9.2/$metadata")
    );
    let without = bench.root.replace("contoso/", "");
    assert_eq!(bench.get(&format!("{without}WhoAmI")).await.status, 404);
}

#[tokio::test]
async fn the_sandbox_listens_on_loopback_only() {
    let options = Options {
        bind: SocketAddr::from(([0, 0, 0, 0], 0)),
        ..Options::default()
    };
    assert!(Sandbox::start(options).await.is_err());
}

#[tokio::test]
async fn a_stopped_sandbox_no_longer_answers() {
    let bench = bench("").await;
    assert_eq!(bench.get("WhoAmI").await.status, 200);
    let (root, client) = (bench.root.clone(), bench.client.clone());
    bench.sandbox.stop().await;
    assert!(client.get(format!("{root}WhoAmI")).send().await.is_err());
}

#[tokio::test]
async fn hostile_answers_can_be_switched_on() {
    let redirecting = bench("redirect").await.get("WhoAmI").await;
    assert_eq!(redirecting.status, 302);
    assert!(
        redirecting
            .header("Location")
            .unwrap()
            .starts_with("https://other.example/")
    );
    let html = bench("html-instead-of-json").await.get("WhoAmI").await;
    assert_eq!(html.status, 200);
    assert!(serde_json::from_str::<Value>(&html.text).is_err());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let bench = with(Options {
        max_body: 1000,
        switches: Switches::none(),
        ..Options::default()
    })
    .await;
    let answer = bench.call("POST", "$batch", &[], &"x".repeat(2000)).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn errors_carry_annotations_when_they_are_asked_for() {
    let bench = bench("").await;
    let headers = [("Prefer", "odata.include-annotations=\"*\"")];
    let body = bench.call("GET", "accounts", &headers, "").await.json();
    assert!(
        body["error"]
            .get("@Microsoft.PowerApps.CDS.HelpLink")
            .is_some()
    );
    assert_eq!(
        bench.get("accounts").await.json()["error"]
            .as_object()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn answers_are_compressed_for_who_accepts_it() {
    let bench = bench("").await;
    let client = syncfilters::auth::client_builder()
        .no_proxy()
        .no_gzip()
        .build()
        .unwrap();
    let url = format!("{}systemusers", bench.root);
    let request = client.get(url).bearer_auth(bench.sandbox.token());
    let plain = request.try_clone().unwrap().send().await.unwrap();
    assert!(!plain.headers().contains_key("Content-Encoding"));
    let packed = request
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(packed.headers()["Content-Encoding"], "gzip");
    assert!(packed.bytes().await.unwrap().starts_with(&[0x1f, 0x8b]));
}

#[tokio::test]
async fn work_goes_on_when_the_client_hangs_up() {
    let bench = with(Options {
        execution: Duration::from_millis(400),
        ..Options::default()
    })
    .await;
    let user = bench.ordinary();
    let filter = bench.filter_of(&user);
    let id = user.id.to_string();
    let headers = [
        ("MSCRMCallerID", id.as_str()),
        ("Content-Type", "application/json"),
        ("If-Match", "*"),
    ];
    let url = format!("userqueries({})", filter.id);
    let call = bench.call("PATCH", &url, &headers, DEACTIVATE);
    assert!(
        tokio::time::timeout(Duration::from_millis(200), call)
            .await
            .is_err()
    );
    assert_eq!(bench.now(&filter).statecode, 0);
    for _ in 0..100 {
        if bench.now(&filter).statecode == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the write was given up with its client");
}
