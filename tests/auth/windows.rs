//! Windows authentication, against a server that wants it of every connection.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use syncfilters::auth::{
    NoPrompt, SignInError, SignInMethod, SignInTarget, UserPrompt, WindowsProtocol, sign_in,
};
use syncfilters::dataverse::{Channel, Error, Reader};
use syncfilters::pacing::{Pacer, Settings};
use syncfilters::sandbox::{Options, Sandbox};
use tokio_util::sync::CancellationToken;

use crate::binary::{Home, said};
use crate::fixtures::{given, http, private, secret_in};
use crate::iis::{Iis, PASSWORD, USER};

const BOTH: [&str; 2] = ["Negotiate", "NTLM"];

async fn sandbox() -> Sandbox {
    let options = Options {
        users: 60,
        plain: true,
        ..Options::default()
    };
    Sandbox::start(options).await.unwrap()
}

/// A channel of the user with this password.
async fn channel(
    iis: &Iis,
    protocol: WindowsProtocol,
    password: &str,
) -> Result<Channel, SignInError> {
    let folder = tempfile::tempdir().unwrap();
    let place = SignInTarget {
        environment: iis.url.parse().unwrap(),
        tenant: None,
        authority: None,
        known: None,
    };
    let method = SignInMethod::Windows {
        protocol,
        user: USER.into(),
        password: secret_in(folder.path(), password),
    };
    let nobody: Arc<dyn UserPrompt> = Arc::new(NoPrompt);
    let signed_in = sign_in(&method, &place, &http(), &nobody).await?;
    let pacer = Pacer::new(Settings::default());
    let channel = Channel::new(
        given(&place.environment),
        signed_in,
        pacer,
        CancellationToken::new(),
    );
    Ok(channel.unwrap())
}

async fn reader(iis: &Iis, protocol: WindowsProtocol) -> Reader {
    let channel = channel(iis, protocol, PASSWORD).await.unwrap();
    Reader::connect(channel).await.unwrap()
}

#[tokio::test]
async fn many_requests_at_once_each_have_a_connection_that_is_signed_in() {
    let sandbox = sandbox().await;
    for (offers, protocol) in [
        (&BOTH[..], WindowsProtocol::Ntlm),
        (&BOTH[..], WindowsProtocol::Negotiate),
        (&BOTH[..1], WindowsProtocol::Ntlm),
        (&BOTH[1..], WindowsProtocol::Negotiate),
    ] {
        let iis = Iis::start(&sandbox, offers).await;
        let reader = reader(&iis, protocol).await;
        let answers = join_all((0..150).map(|_| reader.limits())).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let counts = iis.counts();
        let accepted = counts.accepted.load(Ordering::Relaxed);
        assert_eq!(counts.proofs.load(Ordering::Relaxed), accepted);
        assert!((2..=52).contains(&accepted), "{accepted}");
    }
}

#[tokio::test]
async fn a_connection_that_is_signed_out_is_signed_in_again_and_the_request_repeated() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    let reader = reader(&iis, WindowsProtocol::Ntlm).await;
    iis.forget_every(3);
    let answers = join_all((0..60).map(|_| reader.limits())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let counts = iis.counts();
    let forgotten = counts.forgotten.load(Ordering::Relaxed);
    assert!(forgotten >= 10, "{forgotten}");
    assert!(counts.accepted.load(Ordering::Relaxed) > forgotten);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once_however_many_want_to_sign_in() {
    let sandbox = sandbox().await;
    for protocol in [WindowsProtocol::Ntlm, WindowsProtocol::Negotiate] {
        let iis = Iis::start(&sandbox, &BOTH).await;
        let channel = channel(&iis, protocol, "canary-wrong").await.unwrap();
        let attempts = (0..30).map(|_| Reader::connect(channel.clone()));
        for refused in join_all(attempts).await {
            let Err(Error::SignIn(error)) = refused else {
                panic!("{refused:?}");
            };
            assert!(matches!(error, SignInError::Refused { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains("not tried again"));
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
        assert_eq!(iis.counts().proofs.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_user_who_is_answered_401_is_that_users_problem_and_stops_nobody_else() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    let users = sandbox.users();
    let refused = users
        .iter()
        .find(|user| user.access_mode == 0 && !user.disabled && !user.login.is_empty())
        .unwrap();
    iis.refuse(&refused.id.to_string());
    if let Some(id) = refused.object_id {
        iis.refuse(&id.to_string());
    }
    let output = home(&iis)
        .run(&by_ntlm(&["list", "--format", "json"]), &[])
        .await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let users = document["users"].as_array().unwrap();
    let failed: Vec<_> = users
        .iter()
        .filter(|user| user["problem"]["kind"] == "access-denied")
        .collect();
    assert_eq!(failed.len(), 1, "{document}");
    assert_eq!(failed[0]["id"], refused.id.to_string());
}

#[tokio::test]
async fn a_server_that_keeps_no_sign_in_is_named_as_such() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    iis.keep_nothing();
    let channel = channel(&iis, WindowsProtocol::Ntlm, PASSWORD)
        .await
        .unwrap();
    let refused = Reader::connect(channel).await;
    assert!(
        matches!(refused, Err(Error::SignIn(SignInError::NotKept { .. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_environment_without_windows_authentication_is_not_sent_a_password() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &["Bearer authorization_uri=https://x.example/"]).await;
    let refused = channel(&iis, WindowsProtocol::Ntlm, PASSWORD).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, SignInError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("offers no Windows"), "{error}");
}

/// A home whose only environment is the server.
fn home(iis: &Iis) -> Home {
    let home = Home::new();
    let password = private(home.path(), "password", &format!("{PASSWORD}\n"));
    let keys = format!(
        "user = 'CONTOSO\\svc'\npassword-file = \"{}\"",
        password.display()
    );
    home.configure_at(&iis.url, &keys);
    home
}

fn by_ntlm<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--sign-in", "ntlm", "-vv"]].concat()
}

const DEACTIVATE: [&str; 5] = [
    "deactivate",
    "--yes",
    "--accept-calendar-loss",
    "--format",
    "json",
];

#[tokio::test]
async fn the_whole_job_is_done_and_undone_with_connections_that_lose_their_sign_in() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    let (home, before) = (home(&iis), states(&sandbox));
    iis.forget_every(7);
    for command in ["whoami", "doctor", "list"] {
        let output = home.run(&by_ntlm(&[command]), &[]).await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(!said(&output).contains("canary"), "{}", said(&output));
    }
    let output = home.run(&by_ntlm(&DEACTIVATE), &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_ne!(states(&sandbox), before);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = document["run"].as_str().unwrap();
    let undone = home.run(&by_ntlm(&["undo", run, "--yes"]), &[]).await;
    assert_eq!(undone.status.code(), Some(0), "{}", said(&undone));
    assert_eq!(states(&sandbox), before);
    assert_eq!(iis.counts().empty_changes.load(Ordering::Relaxed), 0);
    assert!(iis.counts().forgotten.load(Ordering::Relaxed) > 10);
    let everything = said(&output) + &said(&undone) + &home.everything_written();
    for secret in ["canary", "TlRMTVNT"] {
        assert!(!everything.contains(secret), "{everything}");
    }
}

#[tokio::test]
async fn a_password_that_changes_in_the_middle_stops_the_run_which_goes_on_with_the_new_one() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    let home = home(&iis);
    iis.change_password_after(100);
    let stopped = home.run(&by_ntlm(&DEACTIVATE), &[]).await;
    assert_eq!(stopped.status.code(), Some(6), "{}", said(&stopped));
    let counts = iis.counts();
    let (proofs, accepted) = (&counts.proofs, &counts.accepted);
    let refused = proofs.load(Ordering::Relaxed) - accepted.load(Ordering::Relaxed);
    assert_eq!(refused, 1, "{}", said(&stopped));
    iis.set_password(PASSWORD);
    let document: serde_json::Value = serde_json::from_slice(&stopped.stdout).unwrap();
    let run = document["run"].as_str().unwrap();
    let resumed = ["resume", run, "--yes", "--accept-calendar-loss"];
    let resumed = home.run(&by_ntlm(&resumed), &[]).await;
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    let checked = home.run(&by_ntlm(&["check", "inactive"]), &[]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
}

#[tokio::test]
async fn whoever_asks_for_a_token_there_is_told_the_way_in() {
    let sandbox = sandbox().await;
    let iis = Iis::start(&sandbox, &BOTH).await;
    let application = [
        ("AZURE_CLIENT_ID", "5f3c1e9a-6a0b-4f0e-9d55-0c1d2e3f4a5b"),
        ("AZURE_CLIENT_SECRET", "canary-secret"),
    ];
    let output = home(&iis).run(&["whoami"], &application).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("--sign-in ntlm"),
        "{}",
        said(&output)
    );
    assert!(!said(&output).contains("canary"));
}

/// The state of every filter.
fn states(sandbox: &Sandbox) -> Vec<(i32, Option<i32>)> {
    let filters = sandbox.filters();
    let states = filters.iter().map(|f| (f.statecode, f.statuscode));
    states.collect()
}
