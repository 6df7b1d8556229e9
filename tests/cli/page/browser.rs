//! The page of a process, and requests to it to the byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::World;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        lines
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// What stands between two texts of the body.
    pub(super) fn between(&self, from: &str, to: &str) -> Option<&str> {
        let start = self.body.find(from)? + from.len();
        let length = self.body[start..].find(to)?;
        Some(&self.body[start..start + length])
    }
}

/// A process that serves the page. It is killed when dropped.
pub(super) struct Page {
    pub(super) child: Child,
    pub(super) port: u16,
    pub(super) ticket: String,
    cookie: String,
    token: String,
}

impl Page {
    /// `syncfilters ui` beside the world's server, and a browser that was let in.
    pub(super) fn open(world: &World, more: &[&str]) -> Self {
        let mut page = Self::started(world, more);
        page.enter();
        page
    }

    /// The same, without a browser.
    pub(super) fn started(world: &World, more: &[&str]) -> Self {
        let args = [&["ui", "--no-open", "--format", "json"], more].concat();
        Self::of(world.command(&args))
    }

    pub(super) fn of(mut command: Command) -> Self {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut page = Self {
            child,
            port: 0,
            ticket: String::new(),
            cookie: String::new(),
            token: String::new(),
        };
        let mut out = BufReader::new(page.child.stdout.take().unwrap());
        let mut text = String::new();
        while serde_json::from_str::<Value>(&text).is_err() {
            assert!(out.read_line(&mut text).unwrap() > 0, "no address: {text}");
        }
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["format"], 1);
        let url = document["url"].as_str().unwrap();
        let rest = url.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, ticket) = rest.split_once("/?token=").unwrap();
        (page.port, page.ticket) = (port.parse().unwrap(), ticket.to_owned());
        page
    }

    /// Lets a browser in.
    pub(super) fn enter(&mut self) {
        let answer = self.raw(&format!(
            "GET /?token={} HTTP/1.1\r\nHost: {}\r\n\r\n",
            self.ticket,
            self.host()
        ));
        assert_eq!(answer.status, 200, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap();
        cookie
            .split(';')
            .next()
            .unwrap()
            .clone_into(&mut self.cookie);
        let form = self.get("/choose");
        let token = form.between("name=\"form-token\" value=\"", "\"");
        token.unwrap().clone_into(&mut self.token);
    }

    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn cookie(&self) -> &str {
        &self.cookie
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Sends these bytes, and reads until the connection is closed or the answer is whole.
    pub(super) fn raw(&self, request: &str) -> Answer {
        self.bytes(
            request
                .replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)
                .as_bytes(),
        )
    }

    pub(super) fn bytes(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        // A server that refuses a body need not read it.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Answer {
            status: status.unwrap_or_default(),
            headers: headers.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.raw(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
            self.host(),
            self.cookie
        ))
    }

    /// Sends a form as the page does.
    pub(super) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("form-token", &self.token);
        body.extend_pairs(fields);
        let host = self.host();
        self.post_with(
            path,
            &[("Origin", &format!("http://{host}"))],
            &body.finish(),
        )
    }

    pub(super) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let lines = headers
            .iter()
            .map(|(name, value)| [*name, ": ", *value, "\r\n"]);
        let more: String = lines.flatten().collect();
        self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{more}\r\n{body}",
            self.host(),
            self.cookie,
            body.len()
        ))
    }

    /// Sends a form with parts, as the form of a new plan is sent. A file without a name is one that was not chosen.
    pub(super) fn post_parts(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        (file, bytes): (&str, &[u8]),
    ) -> Answer {
        let host = self.host();
        let mut body = Vec::new();
        for (name, value) in [&[("form-token", self.token())], fields].concat() {
            let part = format!(
                "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend(part.into_bytes());
        }
        let part = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend(part.into_bytes());
        body.extend(bytes);
        body.extend(b"\r\n--b--\r\n");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
             Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n",
            self.cookie,
            body.len()
        );
        self.bytes(&[head.into_bytes(), body].concat())
    }

    /// The environment that the form of a new plan offers first.
    pub(super) fn environment(&self) -> String {
        let form = self.get("/choose");
        let option = form.between("<option", "</option>").unwrap();
        option.split_once('>').unwrap().1.to_owned()
    }

    /// The page to which an answer leads.
    pub(super) fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, 303, "{answer:?}");
        let address = answer.header("location").unwrap();
        self.get(address.split('#').next().unwrap())
    }

    /// Begins a plan of the three types, and waits for the question: the address of the run.
    pub(super) fn plan(&self, environment: &str, more: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("environment", environment),
            ("operation", "deactivate"),
            ("type", "appointment"),
            ("type", "recurringappointmentmaster"),
            ("type", "serviceappointment"),
        ];
        fields.extend(more);
        let begun = self.post("/runs", &fields);
        assert_eq!(begun.status, 303, "{begun:?}");
        let run = begun.header("location").unwrap().to_owned();
        self.wait_for(&run, "name=\"word\"");
        run
    }

    /// Asks for a page until it has a text in it.
    pub(super) fn wait_for(&self, path: &str, text: &str) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.get(path);
            if answer.body.contains(text) {
                return answer;
            }
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "{text} never came: {}",
                answer.body
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Types the word that agrees to the plan that is shown now.
    pub(super) fn agree(&self, run: &str, word: &str) -> Answer {
        let shown = self.get(run);
        let digest = shown
            .between("name=\"digest\" value=\"", "\"")
            .unwrap()
            .to_owned();
        self.post(
            &format!("{run}/agree"),
            &[("digest", &digest), ("word", word)],
        )
    }

    /// Waits for its end, and gives what it said beside its address.
    pub(super) fn last_words(mut self) -> String {
        self.child.wait().unwrap();
        let mut said = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        said
    }

    /// Ends it as its button does, and gives the exit code.
    pub(super) fn quit(mut self) -> Option<i32> {
        let ended = self.post("/quit", &[]);
        assert!(
            ended.body.contains("syncfilters ui has stopped"),
            "{ended:?}"
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
