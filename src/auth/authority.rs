//! Which identity providers are trusted, and their endpoints.

use std::fmt;

use url::Url;
use uuid::Uuid;

use crate::model::disclosure::is_domain_name;
use crate::model::is_loopback;

use super::SignInError;

/// The hosts of Entra ID in every cloud (Microsoft: "National clouds"). The first two are the same.
const ENTRA_HOSTS: [&str; 5] = [
    "login.microsoftonline.com",
    "login.windows.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];

/// A trusted identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// A tenant of Entra ID, in one of its clouds.
    Entra {
        /// The host, for example `https://login.microsoftonline.com/`.
        base: Url,
        /// The tenant's id or domain, or `organizations`.
        tenant: String,
    },
    /// AD FS, which has no tenants.
    AdFs {
        /// The base address, for example `https://adfs.contoso.example/adfs/`.
        base: Url,
    },
}

impl Authority {
    /// Reads the `authorization_uri` of a challenge.
    ///
    /// The environment names its authority, and a wrong or hostile one could name any. Only the known hosts of
    /// Entra ID and `vouched`, the host that the profile names, are accepted. `tenant` overrides the challenge's.
    pub fn trust(
        authorization_uri: &str,
        vouched: Option<&str>,
        tenant: Option<&str>,
    ) -> Result<Self, SignInError> {
        let unreadable =
            |why: &dyn fmt::Display| SignInError::bad_answer("reading where to sign in", why);
        let mut base = Url::parse(authorization_uri).map_err(|error| unreadable(&error))?;
        let vouched = vouched.map(parse_host).transpose()?;
        let known = is_entra(&base) || vouched.is_some_and(|host| host.origin() == base.origin());
        if !known || !is_safe(&base) || !base.username().is_empty() {
            let host = base.origin().ascii_serialization();
            return Err(SignInError::Untrusted { host });
        }
        if base.host_str() == Some("login.windows.net") {
            base.set_host(Some(ENTRA_HOSTS[0]))
                .map_err(|error| unreadable(&error))?;
        }
        let segments = base.path_segments();
        let first = segments.and_then(|mut all| all.next()).unwrap_or_default();
        let (is_ad_fs, named) = (first.eq_ignore_ascii_case("adfs"), first.to_owned());
        base.set_query(None);
        base.set_fragment(None);
        if is_ad_fs {
            base.set_path("/adfs/");
            return Ok(Self::AdFs { base });
        }
        base.set_path("/");
        let tenant = match tenant {
            Some(given) => given_tenant(given)?,
            None => tenant_in_path(&named)?,
        };
        Ok(Self::Entra { base, tenant })
    }

    /// The token endpoint.
    pub fn token_url(&self) -> Url {
        self.endpoint("token")
    }

    /// The authorisation endpoint, for the browser.
    pub fn authorize_url(&self) -> Url {
        self.endpoint("authorize")
    }

    /// The device authorisation endpoint.
    pub fn device_url(&self) -> Url {
        self.endpoint("devicecode")
    }

    fn endpoint(&self, name: &str) -> Url {
        let (base, path) = match self {
            Self::Entra { base, tenant } => (base, format!("/{tenant}/oauth2/v2.0/{name}")),
            Self::AdFs { base } => (base, format!("/adfs/oauth2/{name}")),
        };
        let mut url = base.clone();
        url.set_path(&path);
        url
    }

    /// The page on which an administrator consents to an application.
    pub(super) fn consent_url(&self, client: &str) -> Option<String> {
        let Self::Entra { base, tenant } = self else {
            return None;
        };
        let mut url = base.clone();
        url.set_path(&format!("/{tenant}/adminconsent"));
        url.query_pairs_mut().append_pair("client_id", client);
        Some(url.into())
    }

    /// Refuses `organizations`: an application belongs to one tenant, and has to name it.
    pub(super) fn of_one_tenant(&self) -> Result<(), SignInError> {
        match self {
            Self::Entra { tenant, .. } if tenant == "organizations" => Err(SignInError::unusable(
                "signing in as an application",
                "the environment does not say which tenant it belongs to: name it with --tenant",
            )),
            _ => Ok(()),
        }
    }

    /// Whether this is AD FS.
    pub fn is_ad_fs(&self) -> bool {
        matches!(self, Self::AdFs { .. })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entra { base, tenant } => {
                let host = base.host_str().unwrap_or_default();
                write!(f, "Entra ID ({host}, tenant {tenant})")
            }
            Self::AdFs { base } => write!(f, "AD FS ({})", base.host_str().unwrap_or_default()),
        }
    }
}

/// The resource that a token has to be for: always the environment itself.
///
/// Online the spelling of the challenge is used where it means the same host (`org.api.crm4.…` is an alias of
/// `org.crm4.…`); a token for another environment is never requested. AD FS knows the organisation by the
/// identifier of its relying party, which only the challenge contains.
pub fn resource(
    environment: &Url,
    challenge: Option<&str>,
    authority: Option<&Authority>,
) -> String {
    let own = environment.origin().ascii_serialization();
    let named = challenge.map(|text| text.trim_end_matches('/').to_owned());
    match (named, authority) {
        (Some(named), Some(Authority::AdFs { .. })) => {
            // The identifier of a relying party is compared as text, with its slash.
            challenge.map_or(named, str::to_owned)
        }
        (Some(named), _) if without_api(&named) == without_api(&own) => named,
        _ => own,
    }
}

fn without_api(origin: &str) -> String {
    origin.to_ascii_lowercase().replacen(".api.", ".", 1)
}

fn is_entra(url: &Url) -> bool {
    let known = url
        .host_str()
        .is_some_and(|host| ENTRA_HOSTS.contains(&host));
    known && url.scheme() == "https" && url.port().is_none()
}

/// `https`, or `http` on loopback.
pub(super) fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn parse_host(text: &str) -> Result<Url, SignInError> {
    let absolute = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    Url::parse(&absolute)
        .map_err(|error| SignInError::unusable("`authority` of the configuration file", error))
}

/// The tenant from the settings. A text that cannot be a tenant may be a secret in the wrong place and is not repeated.
pub(super) fn given_tenant(tenant: &str) -> Result<String, SignInError> {
    /// Names that stand for several tenants (Microsoft: "OAuth 2.0 authorization code flow", `tenant`).
    const NAMED: [&str; 3] = ["common", "organizations", "consumers"];
    if !NAMED.contains(&tenant) && !is_domain_name(tenant) && Uuid::try_parse(tenant).is_err() {
        return Err(no_tenant());
    }
    tenant_in_path(tenant)
}

/// Checks the characters of a tenant, because it becomes part of a path and of an argument list.
fn tenant_in_path(tenant: &str) -> Result<String, SignInError> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if tenant.is_empty() || tenant.starts_with('-') || !tenant.chars().all(good) {
        return Err(no_tenant());
    }
    Ok(match tenant {
        "common" => "organizations".to_owned(),
        other => other.to_owned(),
    })
}

fn no_tenant() -> SignInError {
    SignInError::unusable(
        "the tenant",
        "it is named by its id or by one of its domains, with --tenant, AZURE_TENANT_ID or `tenant`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_url(uri: &str, vouched: Option<&str>, tenant: Option<&str>) -> Result<String, String> {
        Authority::trust(uri, vouched, tenant)
            .map(|authority| authority.token_url().into())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_hosts_of_entra_are_trusted_in_every_cloud() {
        for (uri, expected) in [
            (
                "https://login.microsoftonline.com/1-2/oauth2/authorize",
                "https://login.microsoftonline.com/1-2/oauth2/v2.0/token",
            ),
            (
                "https://login.windows.net/common/oauth2/authorize",
                "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
            ),
            (
                "https://login.microsoftonline.us/1-2/oauth2/authorize",
                "https://login.microsoftonline.us/1-2/oauth2/v2.0/token",
            ),
            (
                "https://login.partner.microsoftonline.cn/1-2/oauth2/authorize",
                "https://login.partner.microsoftonline.cn/1-2/oauth2/v2.0/token",
            ),
        ] {
            assert_eq!(token_url(uri, None, None).as_deref(), Ok(expected), "{uri}");
        }
        let named = token_url(
            "https://login.microsoftonline.com/common/oauth2/authorize",
            None,
            Some("contoso.example"),
        );
        assert!(named.unwrap().contains("/contoso.example/"));
    }

    #[test]
    fn secrets_go_to_no_host_that_nobody_vouched_for() {
        for uri in [
            "https://login.microsoftonline.com.evil.example/1/oauth2/authorize",
            "https://evil.example/adfs/oauth2/authorize",
            "http://login.microsoftonline.com/1/oauth2/authorize",
            "https://login.microsoftonline.com:444/1/oauth2/authorize",
            "https://me@login.microsoftonline.com/1/oauth2/authorize",
        ] {
            let error = Authority::trust(uri, Some("adfs.contoso.example"), None).unwrap_err();
            assert!(matches!(error, SignInError::Untrusted { .. }), "{uri}");
        }
        for uri in ["", "nowhere", "https://login.microsoftonline.com/a b/x"] {
            assert!(Authority::trust(uri, None, None).is_err(), "{uri}");
        }
    }

    #[test]
    fn ad_fs_is_trusted_where_the_profile_names_it() {
        let uri = "https://adfs.contoso.example/adfs/oauth2/authorize";
        for vouched in ["adfs.contoso.example", "https://ADFS.contoso.example/adfs"] {
            assert_eq!(
                token_url(uri, Some(vouched), None).as_deref(),
                Ok("https://adfs.contoso.example/adfs/oauth2/token"),
            );
        }
    }

    #[test]
    fn a_token_is_asked_for_this_environment_only() {
        let environment = Url::parse("https://contoso.crm4.dynamics.com/").unwrap();
        let entra = Authority::trust("https://login.microsoftonline.com/1/x", None, None).unwrap();
        for (named, expected) in [
            (None, "https://contoso.crm4.dynamics.com"),
            (
                Some("https://contoso.crm4.dynamics.com/"),
                "https://contoso.crm4.dynamics.com",
            ),
            (
                Some("https://contoso.api.crm4.dynamics.com/"),
                "https://contoso.api.crm4.dynamics.com",
            ),
            (
                Some("https://victim.crm4.dynamics.com/"),
                "https://contoso.crm4.dynamics.com",
            ),
            (
                Some("00000007-0000-0000-c000-000000000000"),
                "https://contoso.crm4.dynamics.com",
            ),
        ] {
            assert_eq!(resource(&environment, named, Some(&entra)), expected);
        }
        let uri = "https://adfs.contoso.example/adfs/oauth2/authorize";
        let ad_fs = Authority::trust(uri, Some("adfs.contoso.example"), None).unwrap();
        let named = Some("https://auth.contoso.example/");
        assert_eq!(
            resource(&environment, named, Some(&ad_fs)),
            "https://auth.contoso.example/"
        );
    }
}
