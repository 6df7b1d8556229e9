//! One environment, by its URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use uuid::Uuid;

use super::Cloud;
use super::browser_url::{api_version, organization_path, other_site, without_quotation_marks};
use super::disclosure::is_domain_name;
use super::is_loopback;

/// The address of an environment: scheme, host, port, and on-premises the path of the organisation.
///
/// Ends in `/`. `https`, or `http` for loopback addresses only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvironmentUrl {
    url: Url,
    api_version: Option<String>,
}

/// Why a text is not the address of an environment.
///
/// It does not repeat the text, which may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentUrlError {
    /// It cannot be parsed as a URL.
    #[error("what was given is not a URL: {0}")]
    NotAUrl(#[from] url::ParseError),
    /// It has no scheme and is not a host name.
    #[error(
        "what was given is not the address of an environment: write it as `https://HOST`, such as https://contoso.crm4.dynamics.com"
    )]
    NotAHost,
    /// `http` to another machine.
    #[error(
        "the URL is not safe: `http://` is accepted for loopback addresses only, because a token would travel in the clear"
    )]
    NotEncrypted,
    /// A scheme other than `https` and `http`.
    #[error("the URL is not the address of a CRM organisation: it has to begin with `https://`")]
    WrongScheme,
    /// It contains a user name or a password.
    #[error("the URL holds a user name or password; leave it out")]
    HasCredentials,
    /// A Microsoft site that is not an environment.
    #[error(
        "the URL is that of {0}, and not of an environment: give the environment URL, such as \
         https://contoso.crm4.dynamics.com; the Power Platform admin center shows it on the page of the environment"
    )]
    OtherSite(&'static str),
}

impl EnvironmentUrl {
    /// The environment's root, for example `https://contoso.crm4.dynamics.com/`.
    pub fn as_url(&self) -> &Url {
        &self.url
    }

    /// The Web API version that the address itself named, such as `9.2`.
    pub fn api_version(&self) -> Option<&str> {
        self.api_version.as_deref()
    }

    /// The root of the Web API in one version, for example `…/api/data/v9.2/`.
    pub fn service_root(&self, api_version: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}api/data/v{api_version}/", self.url.path()));
        url
    }

    /// Whether the address is that of a Dataverse environment in one of the five clouds.
    pub fn is_dataverse(&self) -> bool {
        Cloud::of(self).is_some()
    }

    /// Whether the address leads to this machine.
    pub fn is_this_machine(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Whether a URL from an answer has the same scheme, host and port.
    ///
    /// A token is sent only to the host that it is meant for.
    pub fn is_same_server(&self, other: &Url) -> bool {
        self.url.origin() == other.origin()
    }
}

impl FromStr for EnvironmentUrl {
    type Err = EnvironmentUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = without_quotation_marks(text);
        let has_scheme = text.contains("://");
        let absolute = if has_scheme {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&absolute)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EnvironmentUrlError::HasCredentials);
        }
        check_scheme(&url)?;
        if !is_host(&url, has_scheme) {
            return Err(EnvironmentUrlError::NotAHost);
        }
        if let Some(site) = url.domain().and_then(other_site) {
            return Err(EnvironmentUrlError::OtherSite(site));
        }
        let api_version = api_version(url.path());
        // Online an organisation has its own host, and no path.
        let path = match url.domain().and_then(Cloud::of_host) {
            Some(_) => "/".to_owned(),
            None => organization_path(url.path()),
        };
        let mut root = url;
        root.set_query(None);
        root.set_fragment(None);
        root.set_path(&path);
        Ok(Self {
            url: root,
            api_version,
        })
    }
}

fn check_scheme(url: &Url) -> Result<(), EnvironmentUrlError> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(EnvironmentUrlError::NotEncrypted),
        _ => Err(EnvironmentUrlError::WrongScheme),
    }
}

/// Whether this is a host. Without a scheme only a name with a domain counts: otherwise a secret in place of the
/// address would be sent to the name servers and be shown as the address.
fn is_host(url: &Url, has_scheme: bool) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            has_scheme || name.eq_ignore_ascii_case("localhost") || is_domain_name(name)
        }
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

impl TryFrom<String> for EnvironmentUrl {
    type Error = EnvironmentUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EnvironmentUrl> for String {
    fn from(environment: EnvironmentUrl) -> Self {
        environment.url.into()
    }
}

impl fmt::Display for EnvironmentUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// The organisation of an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// `OrganizationId` from WhoAmI.
    pub id: Uuid,
    /// Its name, or the id where the name may not be read.
    pub name: String,
    /// `DistinctPhysicalAndLogicalDeletesForExchangeSync`. False or unknown: rows that stop matching a filter can be
    /// deleted from Exchange.
    pub distinct_deletes: Option<bool>,
}

/// The server's version, such as 9.2.24114.181.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerVersion {
    /// The part before the first dot.
    pub major: u32,
    /// The part after the first dot.
    pub minor: u32,
}

impl ServerVersion {
    /// Whether the server is of version 9 or later.
    pub const fn is_nine(self) -> bool {
        self.major >= 9
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ServerVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut numbers = text.trim().split('.');
        let major = numbers.next().unwrap_or_default().parse()?;
        let minor = numbers.next().unwrap_or("0").parse()?;
        Ok(Self { major, minor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> EnvironmentUrl {
        text.parse().unwrap()
    }

    #[test]
    fn what_people_paste_is_cut_down_to_the_environment() {
        for (text, root, version) in [
            (
                "https://contoso.crm4.dynamics.com",
                "https://contoso.crm4.dynamics.com/",
                None,
            ),
            (
                "contoso.crm4.dynamics.com",
                "https://contoso.crm4.dynamics.com/",
                None,
            ),
            (
                "https://contoso.crm4.dynamics.com/main.aspx?appid=1#x",
                "https://contoso.crm4.dynamics.com/",
                None,
            ),
            (
                "https://contoso.api.crm4.dynamics.com/api/data/v9.2/",
                "https://contoso.api.crm4.dynamics.com/",
                Some("9.2"),
            ),
            (
                "https://crm.contoso.example/Contoso",
                "https://crm.contoso.example/Contoso/",
                None,
            ),
            (
                "https://crm.contoso.example/Contoso/api/data/v8.2/WhoAmI",
                "https://crm.contoso.example/Contoso/",
                Some("8.2"),
            ),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711/", None),
            ("http://[::1]:4711/org", "http://[::1]:4711/org/", None),
        ] {
            let environment = parse(text);
            assert_eq!(environment.as_url().as_str(), root, "{text}");
            assert_eq!(environment.api_version(), version, "{text}");
        }
    }

    #[test]
    fn a_token_never_travels_in_the_clear() {
        for text in [
            "http://contoso.crm4.dynamics.com",
            "http://127.0.0.1.example.org",
            "http://10.0.0.1",
        ] {
            let error = text.parse::<EnvironmentUrl>().unwrap_err();
            assert_eq!(error, EnvironmentUrlError::NotEncrypted, "{text}");
        }
    }

    #[test]
    fn other_schemes_credentials_and_nonsense_are_refused() {
        for text in [
            "ftp://contoso.example",
            "https://me:secret@contoso.example",
            "https://",
            "",
            "https://a b",
        ] {
            assert!(text.parse::<EnvironmentUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_neither_repeated_nor_taken_for_a_host() {
        for text in [
            "https://me:canary@contoso.example",
            "https://canary@contoso.example",
            "https://me:can@ary b",
            "http://contoso.example/canary?canary#canary",
            "ftp://canary.example",
            "https://canary canary",
            "canary",
            "CANARY4711",
            "Xb8Q~canary.secret",
            "canary.4711",
            "me:canary@contoso.example",
        ] {
            let error = text.parse::<EnvironmentUrl>().unwrap_err().to_string();
            assert!(
                !error.contains("anary") && !error.contains("ARY"),
                "{error}"
            );
        }
        assert_eq!(
            parse("https://contoso.example?code=canary#canary").to_string(),
            "https://contoso.example"
        );
        for host in [
            "localhost:4711",
            "contoso.example/org",
            "127.0.0.1:1",
            "https://crm",
        ] {
            assert!(host.parse::<EnvironmentUrl>().is_ok(), "{host}");
        }
    }

    #[test]
    fn the_service_root_keeps_the_organisations_path() {
        let root = parse("https://crm.contoso.example/Contoso").service_root("8.2");
        assert_eq!(
            root.as_str(),
            "https://crm.contoso.example/Contoso/api/data/v8.2/"
        );
    }

    #[test]
    fn another_host_port_or_scheme_is_another_server() {
        let environment = parse("https://contoso.crm4.dynamics.com");
        for (text, same) in [
            ("https://contoso.crm4.dynamics.com/api/data/v9.2/x", true),
            ("https://contoso.crm4.dynamics.com:443/x", true),
            ("https://contoso.crm4.dynamics.com:444/x", false),
            ("http://contoso.crm4.dynamics.com/x", false),
            ("https://contoso.crm4.dynamics.com.evil.example/x", false),
        ] {
            assert_eq!(
                environment.is_same_server(&Url::parse(text).unwrap()),
                same,
                "{text}"
            );
        }
    }

    #[test]
    fn hosts_of_the_five_clouds_are_told_from_all_others() {
        for (text, dataverse) in [
            ("https://contoso.crm.dynamics.com", true),
            ("https://contoso.api.crm4.dynamics.com", true),
            ("https://contoso.crm9.dynamics.com", true),
            ("https://contoso.crm.microsoftdynamics.us", true),
            ("https://contoso.crm.appsplatform.us", true),
            ("https://contoso.crm.dynamics.cn", true),
            ("https://crm.contoso.example/Contoso", false),
            ("https://contoso.crm4.dynamics.com.evil.example", false),
            ("https://contoso.crmx.dynamics.com", false),
            ("https://contoso.notdynamics.com", false),
            ("https://dynamics.com", false),
            ("http://127.0.0.1:4711", false),
        ] {
            assert_eq!(parse(text).is_dataverse(), dataverse, "{text}");
        }
        assert!(parse("http://127.0.0.1:4711").is_this_machine());
        assert!(!parse("https://crm.contoso.example").is_this_machine());
    }

    #[test]
    fn versions_compare_as_numbers() {
        let version = |text: &str| text.parse::<ServerVersion>().unwrap();
        assert!(version("9.10.1") > version("9.2.24114.181"));
        assert!(!version("8.2.2.112").is_nine());
    }
}
