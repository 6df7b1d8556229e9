//! What many workers do with one sign-in, against the sandbox.

use std::sync::Arc;

use futures_util::future::join_all;
use syncfilters::auth::{Challenge, NoPrompt, SignInMethod, SignInTarget, UserPrompt, open};
use syncfilters::dataverse::{Channel, Error, Reader};
use syncfilters::pacing::{Pacer, Settings};
use syncfilters::sandbox::{Options, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::fixtures::{given, http, secret_in};
use crate::imitation::{ENTRA, Imitation, token};

/// The sandbox, with the imitation for its identity provider.
async fn channel(sandbox: &Sandbox, imitation: &Imitation, folder: &std::path::Path) -> Channel {
    let place = SignInTarget {
        environment: sandbox.url().parse().unwrap(),
        tenant: None,
        authority: Some(imitation.url.clone()),
        known: Some(Challenge {
            authorization_uri: Some(format!("{}{ENTRA}", imitation.url)),
            ..Challenge::default()
        }),
    };
    let method = SignInMethod::ClientSecret {
        client_id: "app-1".into(),
        secret: secret_in(folder, "canary"),
    };
    let nobody: Arc<dyn UserPrompt> = Arc::new(NoPrompt);
    let tokens = open(&method, &place, &http(), &nobody).await.unwrap();
    let pacer = Pacer::new(Settings::default());
    Channel::new(
        given(&place.environment),
        tokens,
        pacer,
        CancellationToken::new(),
    )
    .unwrap()
}

#[tokio::test]
async fn a_token_that_the_server_refuses_is_renewed_once_for_all_workers() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    imitation.script("token", &[token("revoked"), token(sandbox.token())]);
    let channel = channel(&sandbox, &imitation, folder.path()).await;
    let reader = Reader::connect(channel).await.unwrap();
    assert_eq!(imitation.seen("token").len(), 2);
    let answers = join_all((0..50).map(|_| reader.limits())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(imitation.seen("token").len(), 2);
}

#[tokio::test]
async fn when_the_new_token_is_refused_too_everybody_stops() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let imitation = Imitation::start(ENTRA).await;
    let folder = tempfile::tempdir().unwrap();
    imitation.script("token", &[token("revoked")]);
    let channel = channel(&sandbox, &imitation, folder.path()).await;
    let attempts = (0..20).map(|_| Reader::connect(channel.clone()));
    for refused in join_all(attempts).await {
        assert!(matches!(refused, Err(Error::Unauthorized { .. })));
    }
    assert_eq!(imitation.seen("token").len(), 2);
}
