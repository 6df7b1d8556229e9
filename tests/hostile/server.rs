//! A raw HTTP server on loopback that does what no server should. It shares nothing with the sandbox.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The caller, and the only user there is besides.
pub(crate) const CALLER: &str = "00000000-0000-0000-0000-0000000000ca";
pub(crate) const USER: &str = "00000000-0000-0000-0000-000000000001";

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// By names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// How many requests came before it.
    pub(crate) before: usize,
}

impl Request {
    pub(crate) fn is_impersonated(&self) -> bool {
        self.headers.contains_key("mscrmcallerid") || self.headers.contains_key("callerobjectid")
    }
}

/// What comes back.
pub(crate) enum Reply {
    /// Status, further header lines, body.
    Whole(u16, &'static str, Vec<u8>),
    /// Header lines, and the same again and again for as long as somebody reads.
    Endless(u16, Vec<u8>),
    /// These bytes as they are, and then the second again and again, if there are any.
    Raw(Vec<u8>, Vec<u8>),
    /// The same, but with a pause before each of the second: for ever, and slowly.
    Slow(Vec<u8>, Vec<u8>),
}

impl Reply {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Whole(
            status,
            "Content-Type: application/json\r\n",
            body.into().into_bytes(),
        )
    }

    /// An answer whose head and body are these.
    pub(crate) fn raw(head: &str, body: impl AsRef<[u8]>) -> Self {
        let mut bytes = head.as_bytes().to_vec();
        bytes.extend_from_slice(body.as_ref());
        Self::Raw(bytes, Vec::new())
    }

    pub(crate) fn page(status: u16) -> Self {
        let body = b"<html><body><h1>Request rejected</h1></body></html>".to_vec();
        Self::Whole(status, "Content-Type: text/html\r\n", body)
    }
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers what a command asks first as it should be, and everything else as `answer` says.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::bare(move |request| welcome(request).unwrap_or_else(|| answer(request)))
    }

    /// Answers everything as `answer` says.
    pub(crate) fn bare(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            seen: Arc::default(),
        };
        let (seen, answer) = (Arc::clone(&server.seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                // A client that goes away in the middle is what is wanted.
                std::thread::spawn(move || drop(serve(&stream, &seen, &*answer)));
            }
        });
        server
    }

    /// The requests whose target holds this text.
    pub(crate) fn seen(&self, part: &str) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        let holds = |request: &&Request| request.target.contains(part);
        seen.iter().filter(holds).cloned().collect()
    }
}

fn serve(
    mut stream: &TcpStream,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    lines.read_exact(&mut body)?;
    let request = {
        let mut seen = seen.lock().unwrap();
        let request = Request {
            method,
            target,
            headers,
            before: seen.len(),
        };
        seen.push(request.clone());
        request
    };
    match answer(&request) {
        Reply::Whole(status, more, body) => {
            let length = if more.contains("Content-Length") {
                String::new()
            } else {
                format!("Content-Length: {}\r\n", body.len())
            };
            let head =
                format!("HTTP/1.1 {status} As said\r\n{more}{length}Connection: close\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)
        }
        Reply::Raw(head, piece) => {
            stream.write_all(&head)?;
            while !piece.is_empty() {
                stream.write_all(&piece)?;
            }
            Ok(())
        }
        Reply::Slow(head, piece) => {
            stream.write_all(&head)?;
            loop {
                std::thread::sleep(Duration::from_millis(20));
                stream.write_all(&piece)?;
            }
        }
        Reply::Endless(status, piece) => {
            let head = format!(
                "HTTP/1.1 {status} As said\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes())?;
            loop {
                stream.write_all(&piece)?;
            }
        }
    }
}

/// What is asked at the beginning of every command.
fn welcome(request: &Request) -> Option<Reply> {
    if request.is_impersonated() {
        return None;
    }
    let target = &request.target;
    let body = if target.ends_with("/WhoAmI") {
        format!(r#"{{"UserId":"{CALLER}","OrganizationId":"{USER}","BusinessUnitId":"{USER}"}}"#)
    } else if target.contains("RetrieveVersion") {
        r#"{"Version":"9.2.25.1"}"#.to_owned()
    } else if target.contains("/organizations") {
        r#"{"value":[{"name":"Contoso"}]}"#.to_owned()
    } else if target.contains("/systemusers(") {
        format!(r#"{{"systemuserid":"{CALLER}","fullname":"Administrator"}}"#)
    } else {
        return None;
    };
    Some(Reply::json(200, body))
}
