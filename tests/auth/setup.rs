//! `setup` against the certified `OpenID` provider: from an empty home to an environment that `doctor` finds well.
//!
//! The environment is the sandbox behind a door: the door names the provider to whoever has no token, asks the provider
//! about a token (RFC 7662), and lets whoever has a good one in.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use syncfilters::sandbox::{Options, Sandbox};
use tokio::net::TcpListener;

use crate::binary::{Home, said};
use crate::fixtures::private;
use crate::provider::{Provider, SECRET, browse};

struct Door {
    url: String,
    sandbox: Sandbox,
    provider: Provider,
}

impl Door {
    /// None where the provider cannot be run here.
    async fn open() -> Option<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let door = Arc::new(Self {
            provider: Provider::for_environment(&url)?,
            sandbox: Sandbox::start(Options::default()).await.unwrap(),
            url,
        });
        let server = Arc::clone(&door);
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let server = Arc::clone(&server);
            async move { server.answer(method, uri, headers, body).await }
        };
        let router = axum::Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Some(door)
    }

    async fn answer(&self, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        if !self.is_good(&headers).await {
            let challenge = format!(
                "Bearer authorization_uri={}/tenant-1/oauth2/authorize, resource_id={}/",
                self.provider.url(),
                self.url
            );
            return (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response();
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let target = format!("{}{path}", self.sandbox.url().trim_end_matches('/'));
        let mut passed = headers;
        passed.insert(
            "authorization",
            format!("Bearer {}", self.sandbox.token()).parse().unwrap(),
        );
        let client = syncfilters::auth::client_builder().build().unwrap();
        let request = client.request(method, target).headers(passed).body(body);
        let response = request.send().await.unwrap();
        let mut answer = Response::builder().status(response.status());
        let all = response.headers().clone();
        for (name, value) in all.iter().filter(|(name, _)| {
            let name = name.as_str();
            !matches!(
                name,
                "content-length" | "transfer-encoding" | "content-encoding"
            )
        }) {
            answer = answer.header(name, value);
        }
        let body = response.bytes().await.unwrap();
        answer.body(Body::from(body)).unwrap()
    }

    async fn is_good(&self, headers: &HeaderMap) -> bool {
        let token = headers.get("authorization");
        let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let Some(token) = token else { return false };
        let client = syncfilters::auth::client_builder().build().unwrap();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("client_id", "with-secret")
            .append_pair("client_secret", SECRET)
            .finish();
        let request = client
            .post(format!("{}/token/introspection", self.provider.url()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let text = request.send().await.unwrap().text().await.unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        told["active"] == true
    }
}

fn good(output: &std::process::Output) {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    assert!(!said(output).contains("canary"), "{}", said(output));
}

#[tokio::test]
async fn setup_leads_from_an_empty_home_to_a_green_doctor_at_an_own_provider() {
    let Some(door) = Door::open().await else {
        return;
    };
    let home = Home::new();
    let secret = private(home.path(), "secret", SECRET);
    let secret = secret.to_str().unwrap();
    let setup = ["setup", "--url", &door.url, "--sign-in", "client-secret"];
    let answers = [
        "--client-id",
        "with-secret",
        "--client-secret-file",
        secret,
        "--name",
        "own",
    ];
    let setup = [&setup[..], &answers].concat();
    // The provider is one of nobody's yet, and gets no secret.
    let output = home.run(&setup, &[]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("--authority HOST"),
        "{}",
        said(&output)
    );
    let trusting = [&setup[..], &["--authority", door.provider.url()]].concat();
    good(&home.run(&trusting, &[]).await);
    for command in [
        &["doctor"][..],
        &["doctor", "--environment", "own"],
        &["whoami"],
    ] {
        good(&home.run(command, &[]).await);
    }
}

#[tokio::test]
async fn a_person_trusts_the_provider_by_its_name_signs_in_and_is_not_asked_again() {
    let Some(door) = Door::open().await else {
        return;
    };
    let home = Home::new();
    let person = ["--sign-in", "browser", "--client-id", "public"];
    let answers = ["--keep", "file", "--name", "own", "--production"];
    let args = [&["setup", "--url", &door.url], &person[..], &answers].concat();
    let mut command = home.command(&args, &[("TERM", "dumb")]);
    command.stdin(std::process::Stdio::inherit());
    let host = door.provider.url().to_owned();
    let handle = tokio::runtime::Handle::current();
    let screen = move || {
        let mut screen = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
        screen.exp_string("Type its name to trust it").unwrap();
        screen.send_line("http://127.0.0.1:1").unwrap();
        screen.exp_string("That is another name").unwrap();
        screen.send_line(&host).unwrap();
        let (_, address) = screen
            .exp_regex(r"http://127\.0\.0\.1:\d+/tenant-1/oauth2/v2\.0/authorize\?\S+")
            .unwrap();
        handle.block_on(browse(address));
        let shown = screen.exp_eof().unwrap();
        (shown, format!("{:?}", screen.process().wait().unwrap()))
    };
    let (shown, status) = tokio::task::spawn_blocking(screen).await.unwrap();
    assert!(status.contains(", 0)"), "{status}: {shown}");
    assert!(shown.contains("Environment `own` is in"), "{shown}");
    // The sign-in is kept: the next command needs nobody.
    good(&home.run(&["doctor"], &[]).await);
    good(&home.run(&["logout"], &[]).await);
    let output = home.run(&["whoami"], &[]).await;
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}
