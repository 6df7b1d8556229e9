//! The authorisation code flow with PKCE, through the browser and a listener on this machine.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use oauth2::{AuthorizationCode, CsrfToken, PkceCodeChallenge, RedirectUrl};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::SignInError;
use super::endpoint::{Endpoint, TokenRequester};
use super::prompt::{PromptText, UserPrompt};
use super::refusal::SignInRefusal;
use super::token::Token;

const WHAT: &str = "signing in with the browser";
/// How long the user has: enough to find a second factor, and less than the ten minutes
/// for which a code is valid (Microsoft: "OAuth 2.0 authorization code flow").
const PATIENCE: Duration = Duration::from_mins(5);
/// How long a connection may take to send its request: a browser sends its few lines at once.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest request head, in bytes: common servers accept as much, and an answer with a code is shorter.
const LARGEST_REQUEST: usize = 16 * 1024;

/// Signs in with the browser. Entra ignores the port of `http://localhost`; AD FS requires exactly the registered one.
pub(super) async fn sign_in(
    endpoint: &Endpoint,
    port: Option<u16>,
    prompt: &dyn UserPrompt,
) -> Result<Token, SignInError> {
    let listeners = Listeners::bind(port).await.map_err(|error| {
        SignInError::unusable(WHAT, format!("the port cannot be used: {error}"))
    })?;
    let port = listeners.port;
    let redirect = RedirectUrl::new(format!("http://localhost:{port}"))
        .map_err(|error| SignInError::unusable(WHAT, error))?;
    let client = endpoint.client().set_redirect_uri(redirect);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut request = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(endpoint.scopes(TokenRequester::Person))
        .set_pkce_challenge(challenge)
        .add_extra_param("response_mode", "query");
    for (name, value) in endpoint.extra() {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    let opened = prompt.open(url.as_str());
    prompt.tell(&PromptText::Browser {
        address: url.to_string(),
        opened,
    });
    let answer = tokio::time::timeout(PATIENCE, listen(&listeners, state.secret())).await;
    let answer = answer.map_err(|_| SignInError::TooLate {
        what: WHAT.into(),
        minutes: PATIENCE.as_secs() / 60,
    })??;
    let code = answer.map_err(|refusal| endpoint.refused(WHAT, refusal))?;
    let mut request = client
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(verifier);
    for (name, value) in endpoint.extra() {
        request = request.add_extra_param(name, value);
    }
    let answer = request.request_async(&endpoint.http).await;
    answer
        .map(Token::from)
        .map_err(|error| endpoint.error(WHAT, error))
}

/// How often another port is tried where a port is free in IPv4 and taken in IPv6. Ports are chosen at random, so
/// two such ports in a row are rare.
const PORTS_TRIED: usize = 8;

/// Both addresses that a browser may use for `localhost`, at one port; only the IPv4 one where the machine has
/// no IPv6.
struct Listeners {
    port: u16,
    v4: TcpListener,
    v6: Option<TcpListener>,
}

impl Listeners {
    async fn bind(asked: Option<u16>) -> io::Result<Self> {
        let mut tries = if asked.is_some() { 1 } else { PORTS_TRIED };
        loop {
            tries -= 1;
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, asked.unwrap_or(0))).await?;
            let port = v4.local_addr()?.port();
            let v6 = match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
                Ok(v6) => Some(v6),
                // Otherwise the program that has it would get the code.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    if tries > 0 {
                        continue;
                    }
                    return Err(error);
                }
                Err(_) => None,
            };
            return Ok(Self { port, v4, v6 });
        }
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = match &self.v6 {
            Some(v6) => tokio::select! {
                came = self.v4.accept() => came?,
                came = v6.accept() => came?,
            },
            None => self.v4.accept().await?,
        };
        Ok(stream)
    }
}

type Code = Result<String, SignInRefusal>;

/// Waits for the browser's answer. Other requests are refused.
async fn listen(listeners: &Listeners, state: &str) -> Result<Code, SignInError> {
    loop {
        let mut stream = listeners
            .accept()
            .await
            .map_err(|error| SignInError::unusable(WHAT, error))?;
        let head = tokio::time::timeout(REQUEST_TIMEOUT, read_head(&mut stream)).await;
        let found = head
            .ok()
            .flatten()
            .and_then(|head| read_answer(&head, state));
        let (status, text) = match &found {
            Some(Ok(_)) => ("200 OK", "You are signed in. You can close this window."),
            Some(Err(_)) => ("200 OK", "The sign-in was refused. The terminal says why."),
            None => ("404 Not Found", "There is nothing here."),
        };
        // The code is here already; the page does not matter.
        let _ = tokio::time::timeout(REQUEST_TIMEOUT, reply(&mut stream, status, text)).await;
        if let Some(answer) = found {
            return Ok(answer);
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut piece) = (Vec::new(), [0; 2048]);
    while head.len() < LARGEST_REQUEST {
        let count = stream.read(&mut piece).await.ok()?;
        head.extend_from_slice(&piece[..count]);
        if count == 0 || head.windows(4).any(|end| end == b"\r\n\r\n") {
            return String::from_utf8(head).ok();
        }
    }
    None
}

async fn reply(stream: &mut TcpStream, status: &str, text: &str) -> std::io::Result<()> {
    let page =
        format!("<!doctype html><meta charset=utf-8><title>syncfilters</title><p>{text}</p>");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Reads the code or the refusal from the browser's request. Only for the state that was sent; others are ignored.
fn read_answer(head: &str, state: &str) -> Option<Code> {
    let target = head.strip_prefix("GET ")?.split(' ').next()?;
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    if url.path() != "/" {
        return None;
    }
    let fields: HashMap<_, _> = url.query_pairs().into_owned().collect();
    if !same(fields.get("state")?, state) {
        return None;
    }
    if let Some(error) = fields.get("error") {
        let description = fields.get("error_description").map(String::as_str);
        return Some(Err(SignInRefusal::plain(error, description)));
    }
    fields.get("code").cloned().map(Ok)
}

/// Compares in constant time.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn answer(target: &str) -> Option<Code> {
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        read_answer(&head, "state-1")
    }

    #[test]
    fn the_code_counts_only_with_our_state() {
        assert_eq!(answer("/?code=c%2B1&state=state-1"), Some(Ok("c+1".into())));
        for target in [
            "/?code=c&state=state-2",
            "/?code=c",
            "/favicon.ico?code=c&state=state-1",
            "/?state=state-1",
            "/",
        ] {
            assert_eq!(answer(target), None, "{target}");
        }
        assert_eq!(read_answer("POST /?code=c&state=state-1", "state-1"), None);
    }

    #[tokio::test]
    async fn the_answer_is_awaited_at_both_addresses_of_localhost() {
        let listeners = Listeners::bind(None).await.unwrap();
        let mut addresses = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
        if listeners.v6.is_some() {
            // A machine without IPv6 has none.
            addresses.push(Ipv6Addr::LOCALHOST.into());
        }
        for address in addresses {
            let browser = async {
                let mut stream = TcpStream::connect((address, listeners.port)).await.unwrap();
                let request = "GET /?code=c1&state=s1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
                stream.write_all(request.as_bytes()).await.unwrap();
                let mut page = String::new();
                stream.read_to_string(&mut page).await.unwrap();
                assert!(page.contains("You are signed in"), "{page}");
            };
            let (code, ()) = tokio::join!(listen(&listeners, "s1"), browser);
            assert_eq!(code.unwrap().unwrap(), "c1", "{address}");
        }
    }

    #[tokio::test]
    async fn a_port_that_somebody_has_at_one_of_the_addresses_is_not_used() {
        let Ok(taken) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else {
            return;
        };
        let port = taken.local_addr().unwrap().port();
        assert!(Listeners::bind(Some(port)).await.is_err());
    }

    #[test]
    fn a_refusal_in_the_browser_is_told_at_once() {
        let refused =
            answer("/?error=access_denied&error_description=AADSTS65004%3A+no&state=state-1");
        let refusal = refused.unwrap().unwrap_err();
        assert_eq!(refusal.code().as_deref(), Some("AADSTS65004"));
    }
}
