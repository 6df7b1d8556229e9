//! Proxies: which requests do not use them, and how they fail.
//!
//! The HTTP library reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` and the settings of the system. This
//! module adds what the library does not support.

use std::fmt;

use url::{Host, Url};

use crate::model::disclosure::is_domain_name;
use crate::model::{causes, means_this_machine};

/// A proxy that did not let a request through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRefusal {
    /// Host and port of the proxy, without user and password.
    pub proxy: String,
    /// Its failure.
    pub why: ProxyFault,
}

/// How a proxy failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyFault {
    /// It requires another user or password (407).
    Password,
    /// It does not connect to this host, or closed the connection.
    Refused,
    /// It could not be reached.
    Unreachable,
}

impl fmt::Display for ProxyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { proxy, why } = self;
        match why {
            ProxyFault::Password => write!(
                f,
                "the proxy {proxy} does not accept the user and password given for it (407)"
            ),
            ProxyFault::Refused => write!(f, "the proxy {proxy} refuses to connect to this host"),
            ProxyFault::Unreachable => write!(f, "cannot connect to the proxy {proxy}"),
        }
    }
}

/// Whether requests to this address use no proxy, whatever the settings say.
pub(super) fn goes_direct(url: &Url) -> bool {
    let exceptions = variable(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    // Through a proxy a token would be sent unencrypted, and to another machine.
    means_this_machine(url) || is_exempt(url, &exceptions)
}

/// The forms of `NO_PROXY` that the HTTP library does not support: `*.domain`, as Windows and Java write it, and
/// entries separated by blanks or semicolons.
fn is_exempt(url: &Url, exceptions: &str) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    exceptions
        .split([',', ';', ' ', '\t'])
        .map(|entry| entry.trim().to_ascii_lowercase())
        .filter_map(|entry| {
            let domain = entry.strip_prefix('*').unwrap_or(&entry);
            let domain = domain.trim_start_matches('.').to_owned();
            (!domain.is_empty()).then_some(domain)
        })
        .any(|domain| {
            host.strip_suffix(&domain)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

/// The failure of a proxy, where that is why there is no answer.
pub(super) fn refusal(error: &reqwest::Error, url: &Url) -> Option<ProxyRefusal> {
    let why = causes(error).find_map(|inner| fault_of(&inner.to_string()))?;
    Some(ProxyRefusal {
        proxy: name(url),
        why,
    })
}

/// The HTTP library has no public type for this failure, so its message decides (hyper-util, `Tunnel`).
fn fault_of(message: &str) -> Option<ProxyFault> {
    let said = message.strip_prefix("tunnel error: ")?;
    Some(if said.starts_with("proxy authorization") {
        ProxyFault::Password
    } else if said.starts_with("failed to create underlying connection") {
        ProxyFault::Unreachable
    } else {
        ProxyFault::Refused
    })
}

/// A proxy answered the request itself with 407, instead of the server.
pub(crate) fn wants_password(url: &Url) -> ProxyRefusal {
    ProxyRefusal {
        proxy: name(url),
        why: ProxyFault::Password,
    }
}

/// Host and port of the proxy for this address, without user and password.
fn name(url: &Url) -> String {
    let own = match url.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy"],
        _ => ["HTTP_PROXY", "http_proxy"],
    };
    let all = ["ALL_PROXY", "all_proxy"];
    let found = variable(own).map(|text| (text, own[0]));
    let found = found.or_else(|| variable(all).map(|text| (text, all[0])));
    match found {
        Some((text, variable)) => {
            without_user(&text).unwrap_or_else(|| format!("that {variable} names"))
        }
        None => "of the system settings".to_owned(),
    }
}

/// Host and port of a proxy. A word without scheme, port and domain may be a secret in the wrong place.
fn without_user(proxy: &str) -> Option<String> {
    let absolute = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    let url = Url::parse(&absolute).ok()?;
    let host = url.host_str()?.to_owned();
    let named = proxy.contains("://")
        || url.port().is_some()
        || !matches!(url.host(), Some(Host::Domain(name)) if !is_domain_name(name));
    if !named {
        return None;
    }
    Some(match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// The first of these variables that is set, as the HTTP library reads them.
fn variable(names: [&str; 2]) -> Option<String> {
    let mut values = names.iter().filter_map(|name| std::env::var(name).ok());
    values.find(|value| !value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_star_before_a_domain_means_the_domain_and_all_below_it() {
        let exempt = |list: &str, host: &str| is_exempt(&url(&format!("https://{host}/")), list);
        for list in [
            "*.contoso.example",
            ".contoso.example",
            "contoso.example",
            "x;*.Contoso.Example , y",
        ] {
            assert!(exempt(list, "crm.contoso.example"), "{list}");
            assert!(exempt(list, "contoso.example"), "{list}");
            assert!(!exempt(list, "notcontoso.example"), "{list}");
        }
        assert!(!exempt("", "contoso.example"));
        assert!(!exempt(" , *., ", "contoso.example"));
    }

    #[test]
    fn a_refused_password_is_told_from_a_refused_connection() {
        for (message, fault) in [
            (
                "tunnel error: proxy authorization required",
                Some(ProxyFault::Password),
            ),
            ("tunnel error: unsuccessful", Some(ProxyFault::Refused)),
            (
                "tunnel error: failed to create underlying connection",
                Some(ProxyFault::Unreachable),
            ),
            ("tcp connect error", None),
        ] {
            assert_eq!(fault_of(message), fault, "{message}");
        }
    }

    #[test]
    fn a_proxy_is_named_without_its_password() {
        for text in [
            "http://svc:canary@proxy.example:8080",
            "svc:canary@proxy.example:8080",
        ] {
            assert_eq!(without_user(text).as_deref(), Some("proxy.example:8080"));
        }
        for (text, shown) in [
            ("http://proxy", Some("proxy:80")),
            ("proxy:8080", Some("proxy:8080")),
            ("proxy.example", Some("proxy.example:80")),
            ("10.0.0.1", Some("10.0.0.1:80")),
            // Each may be a secret.
            ("canary", None),
            ("Xb8Q~Canary.4711-abc", None),
            ("Can/ary+4711", None),
            ("Can.ary.4711a1", None),
        ] {
            assert_eq!(without_user(text).as_deref(), shown, "{text}");
        }
    }
}
