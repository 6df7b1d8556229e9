//! Which addresses lead to this machine.

use url::{Host, Url};

/// Whether an address certainly leads to this machine: a loopback address, or `localhost` itself.
///
/// It has to be certain, because a token may be sent there unencrypted. Some systems look up other names below
/// `localhost` at the name servers.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Names of this machine (the files `/etc/hosts` of Debian, Red Hat and SUSE).
const NAMES: [&str; 6] = [
    "localhost",
    "localhost.localdomain",
    "localhost6",
    "localhost6.localdomain6",
    "ip6-localhost",
    "ip6-loopback",
];

/// Whether an address is meant to lead to this machine, in any spelling (RFC 6761 6.3 for the names).
///
/// Through a proxy it would lead to another machine, and two such addresses are the same one.
pub fn means_this_machine(url: &Url) -> bool {
    match url.host() {
        // An unspecified address leads to this machine as well.
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => {
            let ip = ip.to_canonical();
            ip.is_loopback() || ip.is_unspecified()
        }
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            name.ends_with(".localhost") || NAMES.contains(&name.as_str())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_addresses_that_are_surely_this_machine_are_loopback() {
        for here in [
            "http://localhost:5000/",
            "http://127.8.9.1/",
            "http://[::1]:80/",
        ] {
            assert!(is_loopback(&url(here)), "{here}");
        }
        for unsure in [
            "http://crm.localhost/",
            "http://localhost./",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
            "https://localhost.example/",
            "https://10.0.0.1/",
        ] {
            assert!(!is_loopback(&url(unsure)), "{unsure}");
        }
    }

    #[test]
    fn every_spelling_of_this_machine_means_it() {
        for here in [
            "http://localhost:5000/",
            "https://LOCALHOST./",
            "http://crm.localhost/",
            "http://127.0.0.1/",
            "http://127.8.9.1/",
            "http://0.0.0.0/",
            "http://[::1]:80/",
            "http://[::ffff:127.0.0.1]/",
        ] {
            assert!(means_this_machine(&url(here)), "{here}");
        }
        for elsewhere in ["https://localhost.example/", "https://10.0.0.1/"] {
            assert!(!means_this_machine(&url(elsewhere)), "{elsewhere}");
        }
    }
}
