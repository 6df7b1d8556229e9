//! AD FS: everything as at Entra, but for the resource, the endpoints, and the service account's password.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use syncfilters::auth::{SignInError, SignInMethod, TokenStore, UserPrompt, open};

use crate::fixtures::{Willing, bearer, http, place, secret_in, source};
use crate::imitation::{AD_FS, ENTRA, Imitation};

fn service_account(folder: &Path) -> SignInMethod {
    SignInMethod::Password {
        client_id: "client-1".into(),
        user: "CONTOSO\\svc-crm".into(),
        password: secret_in(folder, "canary p+ss&"),
    }
}

/// As AD FS 2016 answers.
fn token(text: &str) -> (u16, Value) {
    (
        200,
        json!({"access_token": text, "token_type": "bearer", "expires_in": "3600", "resource": "x",
            "refresh_token": "refresh-1", "refresh_token_expires_in": "28800", "id_token": "canary"}),
    )
}

#[tokio::test]
async fn a_service_account_signs_in_with_its_password_for_the_relying_party() {
    let imitation = Imitation::start(AD_FS).await;
    imitation.script("token", &[token("token-1"), token("token-2")]);
    let folder = tempfile::tempdir().unwrap();
    let source = source(&imitation, &service_account(folder.path()))
        .await
        .unwrap();
    let first = source.bearer().await.unwrap();
    let seen = &imitation.seen("token")[0];
    assert_eq!(seen.path, "/adfs/oauth2/token");
    assert_eq!(seen.fields["grant_type"], "password");
    assert_eq!(seen.fields["username"], "CONTOSO\\svc-crm");
    assert_eq!(seen.fields["password"], "canary p+ss&");
    assert_eq!(seen.fields["resource"], format!("{}/", imitation.url));
    // Renewed by the refresh token, and not by the password.
    assert!(source.refused(&first));
    assert_eq!(bearer(&source).await.unwrap(), "token-2");
    let seen = &imitation.seen("token")[1];
    assert_eq!(seen.fields["grant_type"], "refresh_token");
    assert_eq!(seen.fields["resource"], format!("{}/", imitation.url));
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let imitation = Imitation::start(AD_FS).await;
    let refusal = json!({"error": "invalid_grant",
        "error_description": "MSIS9659: Invalid 'username' or 'password'."});
    imitation.script("token", &[(400, refusal)]);
    let folder = tempfile::tempdir().unwrap();
    let source = source(&imitation, &service_account(folder.path()))
        .await
        .unwrap();
    for _ in 0..3 {
        let error = bearer(&source).await.unwrap_err();
        assert!(error.to_string().contains("MSIS9659"), "{error}");
        assert!(error.hint().unwrap().contains("not tried again"));
    }
    assert_eq!(imitation.seen("token").len(), 1);
}

#[tokio::test]
async fn a_password_is_not_even_sent_again_when_the_server_stumbles() {
    let imitation = Imitation::start(AD_FS).await;
    imitation.script("token", &[(500, json!({}))]);
    let folder = tempfile::tempdir().unwrap();
    let source = source(&imitation, &service_account(folder.path()))
        .await
        .unwrap();
    assert!(bearer(&source).await.is_err());
    assert_eq!(imitation.seen("token").len(), 1);
}

#[tokio::test]
async fn a_password_is_never_sent_to_entra() {
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    let opened = source(&imitation, &service_account(folder.path())).await;
    assert!(matches!(opened, Err(SignInError::Unusable { .. })));
    assert!(imitation.seen("token").is_empty());
}

#[tokio::test]
async fn people_sign_in_with_code_and_browser_on_the_registered_port() {
    let imitation = Imitation::start(AD_FS).await;
    imitation.script("token", &[token("token-1")]);
    let answer = json!({"device_code": "d", "user_code": "U", "expires_in": "900", "interval": "0",
        "verification_uri": "https://adfs.contoso.example/adfs/oauth2/deviceauth",
        "verification_uri_complete": "https://adfs.contoso.example/adfs/oauth2/deviceauth?user_code=U"});
    imitation.script("devicecode", &[(200, answer)]);
    // Below those that the system hands out to others.
    let port = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let person: Arc<dyn UserPrompt> = Arc::new(Willing::default());
    let client_id = "client-1".to_owned();
    let keep = TokenStore::No;
    for method in [
        SignInMethod::DeviceCode {
            client_id: client_id.clone(),
            keep: keep.clone(),
        },
        SignInMethod::Browser {
            client_id,
            port: Some(port),
            keep,
        },
    ] {
        let opened = open(&method, &place(&imitation), &http(), &person).await;
        assert_eq!(bearer(&opened.unwrap()).await.unwrap(), "token-1");
    }
    let resource = format!("{}/", imitation.url);
    assert_eq!(imitation.seen("devicecode")[0].fields["resource"], resource);
    let asked = &imitation.seen("authorize")[0];
    assert_eq!(asked.fields["resource"], resource);
    assert_eq!(
        asked.fields["redirect_uri"],
        format!("http://localhost:{port}")
    );
    for seen in imitation.seen("token") {
        assert_eq!(seen.fields["resource"], resource);
    }
}
