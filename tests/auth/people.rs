//! People at Entra: a code on another device, the browser, and the sign-in that is kept.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use syncfilters::auth::{
    PromptText, SignInError, SignInMethod, TokenSource, TokenStore, UserPrompt, forget, open,
};

use crate::fixtures::{Willing, bearer, http, place, source};
use crate::imitation::{ENTRA, Imitation, aadsts, token};

fn by_code(keep: TokenStore) -> SignInMethod {
    SignInMethod::DeviceCode {
        client_id: "app-1".into(),
        keep,
    }
}

fn by_browser(keep: TokenStore) -> SignInMethod {
    SignInMethod::Browser {
        client_id: "app-1".into(),
        port: None,
        keep,
    }
}

fn in_file(folder: &Path) -> TokenStore {
    TokenStore::File(folder.join("sign-ins"))
}

/// A device code as Entra answers; the interval may be missing, and numbers may be texts.
fn codes(interval: Option<Value>) -> (u16, Value) {
    let mut answer = json!({
        "device_code": "device-1", "user_code": "ABC-DEF", "expires_in": "900",
        "verification_uri": "https://microsoft.com/devicelogin", "message": "To sign in, …"
    });
    if let Some(interval) = interval {
        answer["interval"] = interval;
    }
    (200, answer)
}

fn with_refresh(access: &str, refresh: &str) -> (u16, Value) {
    let (status, mut answer) = token(access);
    answer["refresh_token"] = refresh.into();
    (status, answer)
}

fn poll(error: &str) -> (u16, Value) {
    aadsts(70_016, error, "The user has not finished.")
}

async fn with(
    imitation: &Imitation,
    method: &SignInMethod,
    person: &Arc<Willing>,
) -> Arc<dyn TokenSource> {
    let person: Arc<dyn UserPrompt> = Arc::<Willing>::clone(person);
    open(method, &place(imitation), &http(), &person)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_person_enters_a_code_while_we_wait() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("devicecode", &[codes(Some("0".into()))]);
    imitation.script(
        "token",
        &[
            poll("authorization_pending"),
            poll("authorization_pending"),
            token("token-1"),
        ],
    );
    let person = Arc::new(Willing::default());
    let source = with(&imitation, &by_code(TokenStore::No), &person).await;
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let shown = person.shown.lock().unwrap().clone();
    let expected = PromptText::Code {
        address: "https://microsoft.com/devicelogin".into(),
        code: "ABC-DEF".into(),
        minutes: 15,
    };
    assert_eq!(shown, [expected]);
    let asked = &imitation.seen("devicecode")[0];
    let scope = format!("{}/user_impersonation offline_access", imitation.url);
    assert_eq!(asked.fields["scope"], scope);
    let polls = imitation.seen("token");
    assert_eq!(polls.len(), 3);
    assert_eq!(polls[0].fields["device_code"], "device-1");
    assert_eq!(polls[0].fields["client_id"], "app-1");
}

#[tokio::test]
async fn the_code_that_only_we_and_the_provider_know_is_never_said() {
    let imitation = Imitation::start(ENTRA).await;
    let (status, mut answer) = codes(Some(0.into()));
    answer["device_code"] = "canary-device".into();
    imitation.script("devicecode", &[(status, answer)]);
    let text = "canary-device is not known here.";
    let refusal = aadsts(70_018, "bad_verification_code", text);
    imitation.script("token", &[poll("authorization_pending"), refusal]);
    let person = Arc::new(Willing::default());
    let source = with(&imitation, &by_code(TokenStore::No), &person).await;
    let error = bearer(&source).await.unwrap_err();
    let sent = &imitation.seen("token")[0];
    assert_eq!(sent.fields["device_code"], "canary-device");
    let hint = error.hint();
    let printed = format!("{error} {error:?} {hint:?} {source:?} {person:?}");
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test]
async fn asked_to_slow_down_we_do_and_a_missing_interval_is_five_seconds() {
    let imitation = Imitation::start(ENTRA).await;
    let person = Arc::new(Willing::default());
    imitation.script("devicecode", &[codes(Some(0.into()))]);
    imitation.script("token", &[poll("slow_down"), token("token-1")]);
    let slow = with(&imitation, &by_code(TokenStore::No), &person).await;
    let started = std::time::Instant::now();
    assert_eq!(bearer(&slow).await.unwrap(), "token-1");
    assert!(started.elapsed().as_secs() >= 5);

    imitation.script("devicecode", &[codes(None)]);
    let missing = with(&imitation, &by_code(TokenStore::No), &person).await;
    assert_eq!(bearer(&missing).await.unwrap(), "token-1");
}

#[tokio::test]
async fn a_person_who_declines_is_not_asked_again() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("devicecode", &[codes(Some(0.into()))]);
    let person = Arc::new(Willing::default());
    for (error, advice) in [
        ("authorization_declined", "declined"),
        ("access_denied", "declined"),
        ("expired_token", "start over"),
    ] {
        imitation.script(
            "token",
            &[(400, json!({"error": error, "error_description": "no"}))],
        );
        let source = with(&imitation, &by_code(TokenStore::No), &person).await;
        let refused = bearer(&source).await.unwrap_err();
        assert!(
            matches!(refused, SignInError::Refused { .. }),
            "{refused:?}"
        );
        assert!(refused.hint().unwrap().contains(advice), "{refused:?}");
    }
    assert_eq!(imitation.seen("token").len(), 3);
}

#[tokio::test]
async fn where_nobody_is_there_nobody_is_waited_for() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("devicecode", &[codes(None)]);
    for method in [by_code(TokenStore::No), by_browser(TokenStore::No)] {
        let source = source(&imitation, &method).await.unwrap();
        let error = bearer(&source).await.unwrap_err();
        assert!(
            matches!(error, SignInError::NobodyThere { .. }),
            "{error:?}"
        );
    }
    assert!(imitation.seen("token").is_empty() && imitation.seen("devicecode").is_empty());
}

#[tokio::test]
async fn the_browser_brings_a_code_that_only_we_can_exchange() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script("token", &[with_refresh("token-1", "refresh-1")]);
    let person = Arc::new(Willing::default());
    let source = with(&imitation, &by_browser(TokenStore::No), &person).await;
    assert_eq!(bearer(&source).await.unwrap(), "token-1");
    let (asked, exchanged) = (&imitation.seen("authorize")[0], &imitation.seen("token")[0]);
    assert_eq!(asked.fields["code_challenge_method"], "S256");
    assert_eq!(asked.fields["response_mode"], "query");
    assert!(asked.fields["redirect_uri"].starts_with("http://localhost:"));
    assert_eq!(
        exchanged.fields["redirect_uri"],
        asked.fields["redirect_uri"]
    );
    assert_eq!(exchanged.fields["code"], "code-1");
    let verifier = exchanged.fields["code_verifier"].as_bytes();
    let hash = ring::digest::digest(&ring::digest::SHA256, verifier);
    assert_eq!(asked.fields["code_challenge"], URL_SAFE_NO_PAD.encode(hash));
    assert!(!exchanged.fields.contains_key("client_secret"));
}

#[tokio::test]
async fn a_refusal_in_the_browser_ends_the_wait_with_advice() {
    let imitation = Imitation::start(ENTRA).await;
    imitation.script(
        "authorize",
        &[aadsts(65_004, "consent_required", "Declined.")],
    );
    let person = Arc::new(Willing::default());
    let source = with(&imitation, &by_browser(TokenStore::No), &person).await;
    let error = bearer(&source).await.unwrap_err();
    assert!(error.to_string().contains("AADSTS65004"), "{error}");
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("/tenant-1/adminconsent?client_id=app-1"),
        "{hint}"
    );
}

#[tokio::test]
async fn a_kept_sign_in_serves_the_next_command_and_is_replaced_by_the_newest() {
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    let method = by_browser(in_file(folder.path()));
    imitation.script(
        "token",
        &[
            with_refresh("token-1", "refresh-1"),
            with_refresh("token-2", "refresh-2"),
            with_refresh("token-3", "refresh-3"),
        ],
    );
    let person = Arc::new(Willing::default());
    bearer(&with(&imitation, &method, &person).await)
        .await
        .unwrap();
    // The next commands run where nobody is there.
    for expected in ["token-2", "token-3"] {
        let source = source(&imitation, &method).await.unwrap();
        assert_eq!(bearer(&source).await.unwrap(), expected);
    }
    let seen = imitation.seen("token");
    assert_eq!(seen[1].fields["grant_type"], "refresh_token");
    assert_eq!(seen[1].fields["refresh_token"], "refresh-1");
    assert_eq!(seen[2].fields["refresh_token"], "refresh-2");
    assert!(forget(&method, &place(&imitation)).unwrap());
    let source = source(&imitation, &method).await.unwrap();
    let error = bearer(&source).await.unwrap_err();
    assert!(
        matches!(error, SignInError::NobodyThere { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_kept_sign_in_that_was_revoked_is_told_and_not_hung_on() {
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    let method = by_browser(in_file(folder.path()));
    let revoked = aadsts(50_173, "invalid_grant", "The grant was revoked.");
    imitation.script(
        "token",
        &[
            with_refresh("token-1", "refresh-1"),
            revoked,
            token("token-2"),
        ],
    );
    let person = Arc::new(Willing::default());
    let first = with(&imitation, &method, &person).await;
    let refused = first.bearer().await.unwrap();
    // In the middle of a run nobody is asked to sign in again.
    assert!(first.refused(&refused));
    let error = bearer(&first).await.unwrap_err();
    assert!(error.hint().unwrap().contains("login"), "{error:?}");
    assert_eq!(person.shown.lock().unwrap().len(), 1);
}
