//! Proxies that refuse, and what goes past them.

use std::process::{Command, Output};

use tempfile::TempDir;

use super::server::{Reply, Server};

/// The binary, with an empty home and these variables.
fn whoami(url: &str, variables: &[(&str, &str)]) -> Output {
    let home = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncfilters"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("SYNCFILTERS_STATE_DIR", home.path())
        .env("SYNCFILTERS_URL", url)
        .env("SYNCFILTERS_ACCESS_TOKEN", "a-token")
        .envs(variables.iter().copied())
        .arg("whoami");
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn with_password(proxy: &Server) -> String {
    proxy.url.replace("http://", "http://svc:canary@")
}

#[test]
fn a_refused_proxy_password_is_sent_once_and_told_as_the_proxys() {
    let proxy = Server::bare(|_| {
        Reply::Whole(407, "Proxy-Authenticate: Basic realm=\"x\"\r\n", Vec::new())
    });
    let variables = [("HTTPS_PROXY", &*with_password(&proxy))];
    let ended = whoami("https://crm.contoso.example", &variables);
    assert!(!ended.status.success());
    assert_eq!(proxy.seen("").len(), 1);
    let said = said(&ended);
    assert!(said.contains("the proxy 127.0.0.1:"), "{said}");
    assert!(
        said.contains("does not accept the user and password"),
        "{said}"
    );
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn a_connection_that_a_proxy_refuses_is_told_as_the_proxys() {
    let proxy = Server::bare(|_| Reply::page(403));
    let variables = [("HTTPS_PROXY", &*proxy.url)];
    let ended = whoami("https://crm.contoso.example", &variables);
    let said = said(&ended);
    assert!(said.contains("refuses to connect to this host"), "{said}");
    assert_eq!(
        proxy.seen("").len(),
        1,
        "nothing has ever come back: it is not tried again"
    );
}

#[test]
fn loopback_never_goes_through_a_proxy() {
    let proxy = Server::bare(|_| Reply::page(502));
    let server = Server::start(|_| Reply::json(404, ""));
    let variables = [
        ("HTTP_PROXY", &*proxy.url),
        ("http_proxy", &*proxy.url),
        ("ALL_PROXY", &*proxy.url),
    ];
    let ended = whoami(&server.url, &variables);
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(proxy.seen("").is_empty());
    assert!(!server.seen("WhoAmI").is_empty());
}

#[test]
fn a_domain_with_a_star_in_no_proxy_goes_past_the_proxy() {
    let proxy = Server::bare(|_| Reply::page(502));
    let variables = [
        ("HTTPS_PROXY", &*proxy.url),
        ("NO_PROXY", "localhost,*.contoso.invalid"),
    ];
    let ended = whoami("https://crm.contoso.invalid", &variables);
    assert!(proxy.seen("").is_empty());
    assert!(
        said(&ended).contains("cannot reach https://crm.contoso.invalid"),
        "{}",
        said(&ended)
    );
}
