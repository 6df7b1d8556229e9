//! Which requests are answered: a decision over what a request says of itself.

use http::{HeaderMap, Method, StatusCode, Uri, header};

use super::session::Sessions;

/// Why a request is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestRefusal {
    /// It is not for one of the two addresses: a name of somebody else leads here.
    OtherHost,
    /// It is no way to ask.
    Method,
    /// It would change something, and does not come from the page.
    OtherOrigin,
    /// Whoever asks was not let in.
    NotIn,
}

impl RequestRefusal {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::OtherOrigin | Self::NotIn => StatusCode::FORBIDDEN,
        }
    }
}

/// The addresses at which the page is served, as `Host` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OwnAddresses(pub(super) Vec<String>);

impl OwnAddresses {
    pub(super) fn of_port(port: u16) -> Self {
        let mut all = vec![format!("127.0.0.1:{port}"), format!("[::1]:{port}")];
        if port == 80 {
            // The port that `http` means: browsers leave it out.
            all.extend(["127.0.0.1".to_owned(), "[::1]".to_owned()]);
        }
        Self(all)
    }

    /// The address that a request is for, where it is one of ours.
    fn asked<'a>(&'a self, headers: &HeaderMap, uri: &Uri) -> Option<&'a str> {
        let host = only(headers, header::HOST)?;
        // A request can carry an address of its own besides the header.
        let named = uri.authority().map_or(host, |authority| authority.as_str());
        let own = self.0.iter().find(|own| *own == host && *own == named)?;
        Some(own)
    }
}

/// The value of a header that is there exactly once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether the request is for us, and may be what it is. Who asks is not asked yet.
pub(super) fn judge(
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    own: &OwnAddresses,
) -> Result<(), RequestRefusal> {
    let host = own.asked(headers, uri).ok_or(RequestRefusal::OtherHost)?;
    match *method {
        Method::GET | Method::HEAD => Ok(()),
        Method::POST if is_from_page(headers, host) => Ok(()),
        Method::POST => Err(RequestRefusal::OtherOrigin),
        _ => Err(RequestRefusal::Method),
    }
}

/// Browsers name the origin of every form; those that also say how it relates to us say the same.
fn is_from_page(headers: &HeaderMap, host: &str) -> bool {
    let origin = only(headers, header::ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
    let site = headers.get("sec-fetch-site");
    origin == Some(host) && site.is_none_or(|site| site == "same-origin")
}

/// Whether the browser was let in, and asks for itself: pages of other ports of this machine are of the same site, so that
/// a browser sends the cookie with what they ask for.
pub(super) fn is_in(headers: &HeaderMap, sessions: &Sessions) -> Result<(), RequestRefusal> {
    let site = headers.get("sec-fetch-site");
    if !site.is_none_or(|site| site == "same-origin" || site == "none") {
        return Err(RequestRefusal::NotIn);
    }
    let mut cookies = headers.get_all(header::COOKIE).iter();
    let is_in = cookies.any(|cookies| cookies.to_str().is_ok_and(|text| sessions.is_in(text)));
    if is_in {
        Ok(())
    } else {
        Err(RequestRefusal::NotIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &Method, uri: &str, headers: &[(&str, &str)]) -> Result<(), RequestRefusal> {
        judged_at(5000, method, uri, headers)
    }

    fn judged_at(
        port: u16,
        method: &Method,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Result<(), RequestRefusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let own = OwnAddresses::of_port(port);
        judge((method, &uri.parse().unwrap(), &map), &own)
    }

    #[test]
    fn a_page_of_another_port_asks_for_nothing_with_the_cookie_of_this_one() {
        let sessions = Sessions::new();
        let now = std::time::Instant::now();
        let set = sessions.redeem(&sessions.ticket(now), now).unwrap();
        let cookie = set.split(';').next().unwrap();
        let asked = |site: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("cookie", cookie.parse().unwrap());
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            is_in(&headers, &sessions)
        };
        for own in [None, Some("none"), Some("same-origin")] {
            assert_eq!(asked(own), Ok(()), "{own:?}");
        }
        for other in ["same-site", "cross-site", ""] {
            assert_eq!(asked(Some(other)), Err(RequestRefusal::NotIn), "{other}");
        }
    }

    #[test]
    fn only_requests_for_the_two_addresses_are_answered() {
        let get = |hosts: &[&str]| {
            let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            judged(&Method::GET, "/", &headers)
        };
        assert_eq!(get(&["127.0.0.1:5000"]), Ok(()));
        assert_eq!(get(&["[::1]:5000"]), Ok(()));
        for other in [
            &[][..],
            &["localhost:5000"],
            &["127.0.0.1"],
            &["127.0.0.1:5001"],
            &["127.0.0.2:5000"],
            &["0.0.0.0:5000"],
            &["127.0.0.1.:5000"],
            &["[::ffff:127.0.0.1]:5000"],
            &["attacker.example:5000"],
            &["127.0.0.1:5000.attacker.example"],
            &["127.0.0.1:5000", "attacker.example"],
            &["127.0.0.1:5000", "127.0.0.1:5000"],
        ] {
            assert_eq!(get(other), Err(RequestRefusal::OtherHost), "{other:?}");
        }
        let host = [("host", "127.0.0.1:5000")];
        assert_eq!(
            judged(&Method::GET, "http://attacker.example/", &host),
            Err(RequestRefusal::OtherHost)
        );
        assert_eq!(
            judged(&Method::GET, "http://127.0.0.1:5000/", &host),
            Ok(())
        );
    }

    #[test]
    fn the_usual_port_of_http_can_be_left_out() {
        for host in ["127.0.0.1", "[::1]", "127.0.0.1:80", "[::1]:80"] {
            let own = [("host", host), ("origin", &*format!("http://{host}"))];
            assert_eq!(
                judged_at(80, &Method::POST, "/runs", &own),
                Ok(()),
                "{host}"
            );
            let foreign = [("host", host), ("origin", "http://attacker.example")];
            assert_eq!(
                judged_at(80, &Method::POST, "/runs", &foreign),
                Err(RequestRefusal::OtherOrigin)
            );
        }
        for host in ["localhost", "127.0.0.1:8080", "attacker.example"] {
            let judged = judged_at(80, &Method::GET, "/", &[("host", host)]);
            assert_eq!(judged, Err(RequestRefusal::OtherHost), "{host}");
        }
    }

    #[test]
    fn what_changes_something_comes_from_the_page() {
        let host = ("host", "127.0.0.1:5000");
        let post =
            |more: &[(&str, &str)]| judged(&Method::POST, "/runs", &[&[host], more].concat());
        let own = ("origin", "http://127.0.0.1:5000");
        assert_eq!(post(&[own]), Ok(()));
        assert_eq!(post(&[own, ("sec-fetch-site", "same-origin")]), Ok(()));
        for foreign in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "http://attacker.example")],
            &[("origin", "https://127.0.0.1:5000")],
            &[("origin", "http://[::1]:5000")],
            &[("origin", "http://127.0.0.1:5001")],
            &[own, own],
            &[own, ("sec-fetch-site", "cross-site")],
            &[own, ("sec-fetch-site", "same-site")],
            &[own, ("sec-fetch-site", "none")],
        ] {
            assert_eq!(
                post(foreign),
                Err(RequestRefusal::OtherOrigin),
                "{foreign:?}"
            );
        }
    }

    #[test]
    fn there_are_three_ways_to_ask() {
        let host = [
            ("host", "127.0.0.1:5000"),
            ("origin", "http://127.0.0.1:5000"),
        ];
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "X"] {
            let method = method.parse().unwrap();
            assert_eq!(
                judged(&method, "/", &host),
                Err(RequestRefusal::Method),
                "{method}"
            );
        }
        assert_eq!(judged(&Method::HEAD, "/", &host), Ok(()));
    }
}
