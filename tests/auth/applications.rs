//! Applications: secret, certificate, federation.

use serde_json::{Value, json};
use syncfilters::auth::{Federation, SignInError, SignInMethod};

use crate::fixtures::{bearer, place, private, secret_in, source};
use crate::imitation::{ENTRA, Imitation, aadsts, token};

pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn with_secret(folder: &std::path::Path) -> SignInMethod {
    SignInMethod::ClientSecret {
        client_id: "app-1".into(),
        secret: secret_in(folder, "canary~+&="),
    }
}

#[tokio::test]
async fn a_secret_is_sent_in_the_body_with_the_scope_of_the_environment() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[token("token-1")]);
    let folder = tempfile::tempdir().unwrap();
    let source = source(&imitation, &with_secret(folder.path()))
        .await
        .unwrap();
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let seen = &imitation.seen("token")[0];
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.path, "/tenant-1/oauth2/v2.0/token");
    assert_eq!(seen.fields["grant_type"], "client_credentials");
    assert_eq!(seen.fields["client_id"], "app-1");
    assert_eq!(seen.fields["client_secret"], "canary~+&=");
    assert_eq!(seen.fields["scope"], format!("{}/.default", imitation.url));
    assert!(!seen.fields.contains_key("resource"));
    assert!(seen.headers.get("authorization").is_none());
    // A second worker asks nobody.
    bearer(&source).await.unwrap();
    assert_eq!(imitation.seen("token").len(), 1);
}

#[tokio::test]
async fn a_refusal_is_told_whole_explained_and_not_repeated() {
    let imitation = Imitation::start(ENTRA).await;
    let refusal = aadsts(
        7_000_215,
        "invalid_client",
        "Invalid client secret provided: canary~+&=.",
    );
    imitation.script("token", &[refusal]);
    let folder = tempfile::tempdir().unwrap();
    let source = source(&imitation, &with_secret(folder.path()))
        .await
        .unwrap();
    let error = bearer(&source).await.unwrap_err();
    let said = format!("{error} {error:?}");
    for part in [
        "AADSTS7000215",
        "correlation-1",
        "trace-1",
        "2026-11-24 10:00:00Z",
    ] {
        assert!(error.to_string().contains(part), "{said}");
    }
    assert!(!said.contains("canary"), "{said}");
    assert!(error.hint().unwrap().contains("Value"));
    assert!(bearer(&source).await.is_err());
    assert_eq!(imitation.seen("token").len(), 1);
}

#[tokio::test]
async fn what_is_passing_is_tried_again_and_what_is_not_json_is_not_shown() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script(
        "token",
        &[(503, json!("canary")), (429, json!({})), token("token-1")],
    );
    let folder = tempfile::tempdir().unwrap();
    let method = with_secret(folder.path());
    let first = source(&imitation, &method).await.unwrap();
    assert_eq!(bearer(&first).await.unwrap(), "token-1");
    assert_eq!(imitation.seen("token").len(), 3);

    imitation.script(
        "token",
        &[(200, json!({"wrapped": {"access_token": "canary"}}))],
    );
    let second = source(&imitation, &method).await.unwrap();
    let error = bearer(&second).await.unwrap_err();
    assert!(matches!(error, SignInError::BadAnswer { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
}

#[tokio::test]
async fn no_secret_goes_to_an_authority_that_nobody_vouched_for() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[token("token-1")]);
    let folder = tempfile::tempdir().unwrap();
    let mut place = place(&imitation);
    place.authority = None;
    let nobody: std::sync::Arc<dyn syncfilters::auth::UserPrompt> =
        std::sync::Arc::new(syncfilters::auth::NoPrompt);
    let method = with_secret(folder.path());
    let opened = syncfilters::auth::open(&method, &place, &crate::fixtures::http(), &nobody).await;
    assert!(matches!(opened, Err(SignInError::Untrusted { .. })));
    assert!(imitation.seen("token").is_empty());
}

#[tokio::test]
async fn an_environment_with_windows_authentication_only_is_named_as_such() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.challenge(&["Negotiate", "NTLM"]);
    let folder = tempfile::tempdir().unwrap();
    let opened = source(&imitation, &with_secret(folder.path())).await;
    assert!(matches!(opened, Err(SignInError::WindowsOnly { .. })));
    imitation.challenge(&[]);
    let opened = source(&imitation, &with_secret(folder.path())).await;
    assert!(matches!(opened, Err(SignInError::NoChallenge { .. })));
}

#[tokio::test]
async fn the_statement_of_a_federated_token_is_read_again_for_every_request() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[token("token-1"), token("token-2")]);
    let folder = tempfile::tempdir().unwrap();
    let file = private(folder.path(), "federated", "statement-1\n");
    let method = SignInMethod::Federation {
        client_id: "app-1".into(),
        from: Federation::File(file.clone()),
    };
    let source = source(&imitation, &method).await.unwrap();
    let first = source.bearer().await.unwrap();
    std::fs::write(&file, "statement-2\n").unwrap();
    assert!(source.refused(&first));
    assert_eq!(bearer(&source).await.unwrap(), "token-2");
    let seen = imitation.seen("token");
    let sent: Vec<_> = seen.iter().map(|s| &s.fields["client_assertion"]).collect();
    assert_eq!(sent, ["statement-1", "statement-2"]);
    assert_eq!(seen[0].fields["client_assertion_type"], JWT_BEARER);
    assert!(!seen[0].fields.contains_key("client_secret"));
}

#[tokio::test]
async fn github_and_azure_pipelines_vouch_for_their_jobs() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[token("token-1")]);
    imitation.script("github", &[(200, json!({"value": "statement-g"}))]);
    imitation.script("pipelines", &[(200, json!({"oidcToken": "statement-p"}))]);
    let folder = tempfile::tempdir().unwrap();
    let job_token = secret_in(folder.path(), "job");
    let github = Federation::GitHub {
        url: format!("{}/github?api-version=2", imitation.url),
        token: job_token.clone(),
    };
    let pipelines = Federation::Pipelines {
        url: format!("{}/pipelines", imitation.url),
        connection: "connection-1".into(),
        token: job_token,
    };
    for from in [github, pipelines] {
        let method = SignInMethod::Federation {
            client_id: "app-1".into(),
            from,
        };
        let source = source(&imitation, &method).await.unwrap();
        assert_eq!(bearer(&source).await.unwrap(), "token-1");
    }
    let seen = imitation.seen("token");
    let sent: Vec<_> = seen.iter().map(|s| &s.fields["client_assertion"]).collect();
    assert_eq!(sent, ["statement-g", "statement-p"]);
    let asked = &imitation.seen("github")[0];
    assert_eq!(asked.fields["audience"], "api://AzureADTokenExchange");
    assert_eq!(asked.headers["authorization"], "Bearer job");
}

#[tokio::test]
async fn a_certificate_signs_a_statement_for_exactly_this_endpoint() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[token("token-1")]);
    let folder = tempfile::tempdir().unwrap();
    let method = SignInMethod::Certificate {
        client_id: "app-1".into(),
        file: private(folder.path(), "app.pem", PEM),
        password: None,
    };
    let source = source(&imitation, &method).await.unwrap();
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let statement = imitation.seen("token")[0].fields["client_assertion"].clone();
    let claims: Value = part(&statement, 1);
    let endpoint = format!("{}/tenant-1/oauth2/v2.0/token", imitation.url);
    assert_eq!(claims["aud"], endpoint);
    assert_eq!(part(&statement, 0)["alg"], "PS256");
}

/// A key and its certificate.
pub(crate) const PEM: &str = include_str!("certificates/rsa-2048.pem");

fn part(jwt: &str, index: usize) -> Value {
    use base64::Engine;
    let text = jwt.split('.').nth(index).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}
