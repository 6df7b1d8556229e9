//! Microsoft's public client for Dataverse tools, for signing in without an own application.

use crate::auth::SignInMethod;
use crate::model::{Cloud, EnvironmentUrl};

use super::SettingsError;

/// The application id (Microsoft: "Use OAuth with Dataverse" registers it for samples, "Apps to allow" names it). Its
/// redirect address is `http://localhost`.
pub const MICROSOFT_APP: &str = "51f81489-12ee-4a9e-aaae-a2591f45987d";

/// Its name on the consent page and in the sign-in logs.
pub const MICROSOFT_APP_NAME: &str = "Dynamics 365 Example Client Application";

/// Refuses Microsoft's client outside the commercial cloud, where it is not known to exist.
pub fn check_microsoft_app(
    method: &SignInMethod,
    environment: &EnvironmentUrl,
) -> Result<(), SettingsError> {
    let (SignInMethod::DeviceCode { client_id, .. } | SignInMethod::Browser { client_id, .. }) =
        method
    else {
        return Ok(());
    };
    if !client_id.eq_ignore_ascii_case(MICROSOFT_APP)
        || Cloud::of(environment) == Some(Cloud::Commercial)
    {
        return Ok(());
    }
    let cloud = Cloud::of(environment)
        .map_or_else(|| "on-premises".to_owned(), |cloud| format!("in {cloud}"));
    Err(SettingsError::SignIn {
        why: format!(
            "{MICROSOFT_APP_NAME} ({MICROSOFT_APP}) is an application of the commercial cloud, and {environment} is \
             {cloud}: set `client-id` to an application of your own; `syncfilters setup --create-app` shows how to make one"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::TokenStore;

    #[test]
    fn the_client_of_microsoft_is_used_in_the_commercial_cloud_only() {
        let checked = |client: &str, url: &str| {
            let method = SignInMethod::Browser {
                client_id: client.into(),
                port: None,
                keep: TokenStore::No,
            };
            check_microsoft_app(&method, &url.parse().unwrap())
        };
        let commercial = "https://contoso.crm4.dynamics.com";
        assert!(checked(MICROSOFT_APP, commercial).is_ok());
        for url in [
            "https://contoso.crm9.dynamics.com",
            "https://contoso.crm.dynamics.cn",
            "https://crm.contoso.example/contoso",
        ] {
            let why = checked(&MICROSOFT_APP.to_uppercase(), url).unwrap_err();
            assert!(why.to_string().contains("client-id"), "{why}");
            assert!(checked("00000000-0000-0000-0000-000000000001", url).is_ok());
        }
    }
}
