//! Microsoft's clouds, and which of them an environment is in.

use std::fmt;

use super::EnvironmentUrl;

/// A cloud of Microsoft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// The commercial cloud.
    Commercial,
    /// US Government: GCC.
    Gcc,
    /// US Government: GCC High.
    GccHigh,
    /// US Government: Department of Defense.
    Dod,
    /// China, by 21Vianet.
    China,
}

impl Cloud {
    /// The cloud of an environment; `None` for one on-premises.
    ///
    /// Hosts are `org.crmN.dynamics.com` and, with `api` in between, the same in the clouds of GCC High, `DoD` and
    /// China (Microsoft: "Datacenter regions", "Discovery service"; GCC is `crm9`).
    pub fn of(environment: &EnvironmentUrl) -> Option<Self> {
        environment.as_url().domain().and_then(Self::of_host)
    }

    /// As [`Self::of`], from the host alone.
    pub(super) fn of_host(host: &str) -> Option<Self> {
        const DOMAINS: [(&str, Cloud); 4] = [
            ("dynamics.com", Cloud::Commercial),
            ("microsoftdynamics.us", Cloud::GccHigh),
            ("appsplatform.us", Cloud::Dod),
            ("dynamics.cn", Cloud::China),
        ];
        DOMAINS.into_iter().find_map(|(domain, cloud)| {
            let region = host.strip_suffix(domain)?.strip_suffix('.')?;
            let (_, label) = region.rsplit_once('.')?;
            let number = label.strip_prefix("crm")?;
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Some(match (cloud, number) {
                (Self::Commercial, "9") => Self::Gcc,
                (cloud, _) => cloud,
            })
        })
    }

    /// The URL of the Global Discovery Service (Microsoft: "Global Discovery Service").
    pub const fn discovery_service(self) -> &'static str {
        match self {
            Self::Commercial => "https://globaldisco.crm.dynamics.com",
            Self::Gcc => "https://globaldisco.crm9.dynamics.com",
            Self::GccHigh => "https://globaldisco.crm.microsoftdynamics.us",
            Self::Dod => "https://globaldisco.crm.appsplatform.us",
            Self::China => "https://globaldisco.crm.dynamics.cn",
        }
    }

    /// Where users of any organisation sign in (Microsoft: "National clouds").
    pub const fn authorization_uri(self) -> &'static str {
        match self {
            Self::Commercial | Self::Gcc => {
                "https://login.microsoftonline.com/organizations/oauth2/authorize"
            }
            Self::GccHigh | Self::Dod => {
                "https://login.microsoftonline.us/organizations/oauth2/authorize"
            }
            Self::China => {
                "https://login.partner.microsoftonline.cn/organizations/oauth2/authorize"
            }
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commercial => "the commercial cloud",
            Self::Gcc => "the cloud of GCC",
            Self::GccHigh => "the cloud of GCC High",
            Self::Dod => "the cloud of the Department of Defense",
            Self::China => "the cloud of China (21Vianet)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_environment_says_its_cloud() {
        for (url, cloud) in [
            ("https://contoso.crm.dynamics.com", Some(Cloud::Commercial)),
            (
                "https://contoso.api.crm4.dynamics.com",
                Some(Cloud::Commercial),
            ),
            ("https://contoso.crm9.dynamics.com", Some(Cloud::Gcc)),
            (
                "https://contoso.crm.microsoftdynamics.us",
                Some(Cloud::GccHigh),
            ),
            ("https://contoso.crm.appsplatform.us", Some(Cloud::Dod)),
            ("https://contoso.crm.dynamics.cn", Some(Cloud::China)),
            ("https://crm.contoso.example/contoso", None),
            ("https://contoso.crmx.dynamics.com", None),
            ("https://contoso.crm.dynamics.com.evil.example", None),
            ("http://127.0.0.1:5000", None),
        ] {
            assert_eq!(Cloud::of(&url.parse().unwrap()), cloud, "{url}");
        }
    }

    #[test]
    fn the_discovery_service_of_a_cloud_is_in_it() {
        for cloud in [
            Cloud::Commercial,
            Cloud::Gcc,
            Cloud::GccHigh,
            Cloud::Dod,
            Cloud::China,
        ] {
            let service = cloud.discovery_service().parse().unwrap();
            assert_eq!(Cloud::of(&service), Some(cloud));
        }
    }
}
