//! Who gets in, and what is answered: each guard from outside.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::browser::Page;
use crate::world::World;

/// What no answer to a stranger may hold.
fn facts(world: &World) -> [String; 3] {
    let url = world.sandbox.url();
    [
        "Contoso".to_owned(),
        url.trim_end_matches('/')
            .trim_start_matches("http://")
            .to_owned(),
        "contoso.example".to_owned(),
    ]
}

#[test]
fn whoever_was_not_let_in_learns_nothing() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let host = page.host();
    let users = format!("{run}/users");
    let events = format!("{run}/events");
    for path in [
        "/",
        "/choose",
        "/runs",
        &run,
        &users,
        &events,
        "/style.css",
        "/htmx.js",
        "/nothing",
    ] {
        for cookie in ["", "Cookie: syncfilters-0=0\r\n"] {
            let answer = page.raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n"
            ));
            assert_eq!(answer.status, 403, "{path}");
            for fact in facts(&world) {
                assert!(!answer.body.contains(&fact), "{path}: {}", answer.body);
            }
            assert!(answer.body.contains("syncfilters ui"), "{}", answer.body);
        }
    }
    assert!(page.get(&run).body.contains("contoso.example"));
}

fn place(page: &Page) -> String {
    page.environment()
}

#[test]
fn the_address_that_was_printed_leads_in_once() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let again = page.raw(&format!(
        "GET /?token={} HTTP/1.1\r\nHost: {}\r\n\r\n",
        page.ticket,
        page.host()
    ));
    assert_eq!(again.status, 403);
    assert_eq!(again.header("set-cookie"), None);
    assert_eq!(page.get("/").status, 200);
    // The browser that is in may use it again: that lets nobody else in.
    let own = page.get(&format!("/?token={}", page.ticket));
    assert_eq!((own.status, own.header("set-cookie")), (200, None));
    // Another start has cookies of its own.
    let other = Page::open(&world, &[]);
    let foreign = other.raw(&format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        other.host(),
        page.cookie()
    ));
    assert_eq!(foreign.status, 403);
}

#[test]
fn a_name_of_somebody_else_that_leads_here_is_not_served() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let cookie = page.cookie();
    let port = page.port;
    for host in [
        format!("localhost:{port}"),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("attacker.example:{port}"),
        format!("127.0.0.1:{port}\r\nHost: attacker.example"),
    ] {
        let answer = page.raw(&format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n"
        ));
        assert!([400, 421].contains(&answer.status), "{host}: {answer:?}");
        assert!(!answer.body.contains("Environments"), "{host}");
    }
}

#[test]
fn a_form_of_another_page_changes_nothing() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let own = format!("http://{}", page.host());
    let token = page.token().to_owned();
    let keep = format!("{run}/keep");
    let body = format!("form-token={token}");
    for headers in [
        &[][..],
        &[("Origin", "null")],
        &[("Origin", "http://attacker.example")],
        &[("Origin", &own), ("Sec-Fetch-Site", "cross-site")],
        &[("Origin", &own), ("Origin", "http://attacker.example")],
    ] {
        let answer = page.post_with(&keep, headers, &body);
        assert_eq!(answer.status, 403, "{headers:?}");
    }
    let wrong = "0".repeat(32);
    for body in [
        "",
        "form-token=",
        &format!("form-token={wrong}"),
        &format!("token={token}"),
    ] {
        for path in [
            "/quit",
            "/runs",
            &keep,
            &format!("{run}/agree"),
            &format!("{run}/undo"),
        ] {
            let answer = page.post_with(path, &[("Origin", &own)], body);
            assert_eq!(answer.status, 403, "{path} {body}");
        }
    }
    // The run waits still, and so does the page.
    assert!(page.get(&run).body.contains("name=\"word\""));
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = page.raw(&format!(
            "{method} {keep} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nOrigin: {own}\r\n\r\n",
            page.host(),
            page.cookie()
        ));
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let host = page.host();
    let stranger = page.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let other_host = page.raw("GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n");
    for answer in [
        page.get("/"),
        page.get("/style.css"),
        page.get("/nothing"),
        page.get("/runs/x"),
        stranger,
        other_host,
    ] {
        let policy = answer.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(rule), "{policy}");
        }
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert!(answer.header("referrer-policy").is_some());
    }
}

#[test]
fn bodies_and_connections_are_bounded() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let own = format!("http://{}", page.host());
    let large = format!("form-token={}&list={}", page.token(), "a".repeat(70_000));
    assert_eq!(
        page.post_with("/runs", &[("Origin", &own)], &large).status,
        413
    );
    // Whoever was not let in and says nothing, or reads no answer, takes no place from whoever was.
    let unread = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", page.host()).repeat(2_000);
    let strangers: Vec<_> = (0..200)
        .filter_map(|number| {
            let mut stream = TcpStream::connect(("127.0.0.1", page.port)).ok()?;
            stream.set_nonblocking(true).ok()?;
            if number % 2 == 0 {
                let _ = stream.write(unread.as_bytes());
            }
            Some(stream)
        })
        .collect();
    assert_eq!(page.get("/").status, 200);
    // The oldest of them were closed.
    let mut first = &strangers[1];
    first.set_nonblocking(false).unwrap();
    first
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    assert!(matches!(first.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn only_loopback_is_listened_on() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    // Any other address of this machine; a machine without one has nothing to be asked at.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let outside = probe
        .connect("192.0.2.1:9")
        .and_then(|()| probe.local_addr());
    let Some(address) = outside
        .ok()
        .map(|at| at.ip())
        .filter(|ip| !ip.is_loopback())
    else {
        return;
    };
    assert!(
        TcpStream::connect((address, page.port)).is_err(),
        "{address}"
    );
}

#[test]
fn a_port_that_is_taken_is_said() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let port = page.port.to_string();
    let second = world.run(&["ui", "--no-open", "--port", &port]).must_be(2);
    assert!(
        second.stderr.contains("the page cannot be served"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains("--port"), "{}", second.stderr);
}
