//! Whether two addresses lead to the same environment, however they are written.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use super::{EnvironmentUrl, EnvironmentUrlError, means_this_machine};

/// An address in one form for all its spellings: without scheme, letter case, final dot, default port or the `.api.` of
/// the Web API's own host, and with one name for every loopback address.
///
/// For comparison only. Requests go to the address as it was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalAddress(String);

/// Stands for every loopback address, because they all lead to this machine.
const LOOPBACK: &str = "localhost";

impl CanonicalAddress {
    /// The canonical form of an address.
    pub fn of(url: &Url) -> Self {
        let port = match url.port_or_known_default() {
            None | Some(443) => String::new(),
            Some(port) => format!(":{port}"),
        };
        Self(format!("{}{port}{}", host(url), path(url)))
    }
}

impl fmt::Display for CanonicalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address that a run file names. Whoever wrote the file chose it, so the file alone is no reason to send anything
/// there: see `settings::resolve`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedAddress(EnvironmentUrl);

impl ClaimedAddress {
    /// The form for comparing.
    pub fn canonical(&self) -> CanonicalAddress {
        CanonicalAddress::of(self.0.as_url())
    }

    /// The address. Only for callers that have checked it.
    pub(crate) fn believed(&self) -> &EnvironmentUrl {
        &self.0
    }
}

impl From<EnvironmentUrl> for ClaimedAddress {
    fn from(address: EnvironmentUrl) -> Self {
        Self(address)
    }
}

impl FromStr for ClaimedAddress {
    type Err = EnvironmentUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for ClaimedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether two addresses lead to the same environment.
pub fn is_same_place(one: &Url, other: &Url) -> bool {
    CanonicalAddress::of(one) == CanonicalAddress::of(other)
}

fn host(url: &Url) -> String {
    if means_this_machine(url) {
        return LOOPBACK.to_owned();
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => ip.to_canonical().to_string(),
        Some(Host::Domain(name)) => domain(name),
        None => String::new(),
    }
}

fn domain(name: &str) -> String {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    // Dataverse answers at ORG.crm4.dynamics.com and at ORG.api.crm4.dynamics.com, in every cloud.
    let labels: Vec<_> = name.split('.').collect();
    match &labels[..] {
        [organization, "api", region, rest @ ..]
            if region.starts_with("crm") && rest.len() >= 2 =>
        {
            format!("{organization}.{region}.{}", rest.join("."))
        }
        _ => name,
    }
}

/// The organisation's path: IIS takes it in any case, and encoded or not.
fn path(url: &Url) -> String {
    let names = url.path().split('/').filter(|name| !name.is_empty());
    names.fold(String::new(), |path, name| {
        format!("{path}/{}", decoded(name).to_lowercase())
    })
}

/// A part of a path without percent-encoding. What is not encoded correctly stays as it is.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let byte = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = byte {
            bytes.push(high * 16 + low);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        CanonicalAddress::of(&Url::parse(text).unwrap()).to_string()
    }

    #[test]
    fn every_spelling_of_an_address_is_the_same_place() {
        for (place, spellings) in [
            (
                "contoso.crm4.dynamics.com",
                &[
                    "https://contoso.crm4.dynamics.com",
                    "https://CONTOSO.CRM4.Dynamics.com/",
                    "https://contoso.crm4.dynamics.com./",
                    "https://contoso.crm4.dynamics.com:443/",
                    "https://contoso.api.crm4.dynamics.com/",
                    "https://Contoso.API.crm4.dynamics.com.:443",
                ][..],
            ),
            (
                "crm.contoso.example/contoso",
                &[
                    "https://crm.contoso.example/Contoso",
                    "https://crm.contoso.example//CONTOSO/",
                    "https://crm.contoso.example/%43ontoso/",
                ],
            ),
            (
                "localhost:5000",
                &[
                    "http://localhost:5000",
                    "https://LOCALHOST.:5000",
                    "http://127.0.0.1:5000",
                    "http://127.1.2.3:5000",
                    "http://127.1:5000",
                    "http://0x7f000001:5000",
                    "http://0.0.0.0:5000",
                    "http://[::1]:5000",
                    "http://[::ffff:127.0.0.1]:5000",
                    "http://a.localhost:5000",
                ],
            ),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(spelling), place, "{spelling}");
            }
        }
    }

    #[test]
    fn other_hosts_ports_and_organisations_are_other_places() {
        let texts = [
            "https://contoso.crm4.dynamics.com",
            "https://contoso.crm.dynamics.com",
            "https://contoso.crm4.dynamics.com:444",
            "https://contoso.crm4.dynamics.com.evil.example",
            "https://api.crm4.dynamics.com",
            "https://contoso.api.example",
            "https://contoso.example",
            "https://crm.contoso.example/a",
            "https://crm.contoso.example/b",
            "https://crm.contoso.example/a/b",
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5001",
            "https://localhost.example:5000",
        ];
        let places: std::collections::BTreeSet<_> =
            texts.iter().map(|text| canonical(text)).collect();
        assert_eq!(places.len(), texts.len(), "{places:?}");
    }
}
