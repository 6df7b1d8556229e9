//! What people copy from the browser's address bar, a mail or documentation, cut down to the organisation.

/// Characters that mails, tables and commands put around an address. None of these is part of one.
const QUOTATION_MARKS: [char; 11] = [
    '"', '\'', '`', '<', '>', '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{ab}',
];

/// Sites of Microsoft from which people copy an address, by the end of their host, in all clouds (Microsoft: "Power
/// Platform URLs and IP address ranges", "National clouds").
const OTHER_SITES: [(&str, &str); 20] = [
    ("powerplatform.microsoft.com", ADMIN_CENTER),
    ("powerplatform.microsoft.us", ADMIN_CENTER),
    ("powerplatform.partner.microsoftonline.cn", ADMIN_CENTER),
    ("admin.appsplatform.us", ADMIN_CENTER),
    ("admin.powerplatform.com", ADMIN_CENTER),
    ("admin.microsoft.com", "the Microsoft 365 admin center"),
    ("powerapps.com", POWER_APPS),
    ("powerapps.us", POWER_APPS),
    ("powerapps.cn", POWER_APPS),
    ("apps.appsplatform.us", POWER_APPS),
    ("powerautomate.com", "Power Automate"),
    ("flow.microsoft.com", "Power Automate"),
    ("home.dynamics.com", "the list of Dynamics 365 apps"),
    ("portal.azure.com", "the Azure portal"),
    ("entra.microsoft.com", "the Microsoft Entra admin center"),
    ("login.windows.net", SIGN_IN_PAGE),
    ("login.microsoft.com", SIGN_IN_PAGE),
    ("microsoftonline.com", SIGN_IN_PAGE),
    ("microsoftonline.us", SIGN_IN_PAGE),
    ("microsoftonline.cn", SIGN_IN_PAGE),
];
// In constants because several hosts share them.
const ADMIN_CENTER: &str = "the Power Platform admin center";
const POWER_APPS: &str = "Power Apps";
const SIGN_IN_PAGE: &str = "the sign-in page of Entra ID";

/// Folders of the application below the organisation (`/apps/NAME`, `/WebResources/…`). Folders that begin with `_`,
/// such as `_static`, need no entry.
const FOLDERS: [&str; 14] = [
    "api",
    "apps",
    "activities",
    "crmreports",
    "dashboards",
    "home",
    "isv",
    "nga",
    "sfa",
    "tools",
    "uclient",
    "webresources",
    "workplace",
    "xrmservices",
];

/// Extensions of the application's pages and services.
const PAGES: [&str; 7] = [".aspx", ".ashx", ".asmx", ".axd", ".htm", ".html", ".svc"];

pub(super) fn without_quotation_marks(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || QUOTATION_MARKS.contains(&c))
}

/// The Microsoft site that a host belongs to, where it is a site and not an environment.
pub(super) fn other_site(host: &str) -> Option<&'static str> {
    let host = host.trim_end_matches('.');
    let is_below = |domain: &str| {
        host.strip_suffix(domain)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    let mut sites = OTHER_SITES.into_iter();
    sites.find_map(|(domain, site)| is_below(domain).then_some(site))
}

/// The version of the Web API that a path names, such as `9.2`.
pub(super) fn api_version(path: &str) -> Option<String> {
    let lower = path.to_ascii_lowercase();
    let (_, tail) = lower.split_once("/api/data/")?;
    let version = tail.split('/').next()?.strip_prefix('v')?;
    Some(version.to_owned())
}

/// The organisation's part of a path on-premises: everything before the first folder or page of the application. Ends
/// in `/`.
pub(super) fn organization_path(path: &str) -> String {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let end = (0..parts.len()).find(|at| is_of_the_application(&parts[*at..], *at == 0));
    let kept = &parts[..end.unwrap_or(parts.len())];
    if kept.is_empty() {
        return "/".to_owned();
    }
    format!("/{}/", kept.join("/"))
}

/// Whether the rest of a path belongs to the application. An organisation may have the name of one of its folders: such
/// a name is the organisation where it stands first, and either alone or before a part that is in no such folder.
fn is_of_the_application(parts: &[&str], is_first: bool) -> bool {
    let Some(part) = parts.first().map(|part| part.to_ascii_lowercase()) else {
        return false;
    };
    if PAGES.iter().any(|end| part.ends_with(end)) || part.starts_with(['_', '{']) {
        return true;
    }
    // A version that the browser may cache, as in `/{636…}/WebResources/a.js`.
    if part.starts_with("%7b") {
        return true;
    }
    let next = parts.get(1).map(|part| part.to_ascii_lowercase());
    let is_organization = is_first
        && match next.as_deref() {
            None => part != "api",
            Some(next) => next == "main.aspx" || (next == "api" && parts.len() > 2),
        };
    FOLDERS.contains(&part.as_str()) && !is_organization
}

#[cfg(test)]
mod tests {
    use super::super::{EnvironmentUrl, EnvironmentUrlError};
    use proptest::prelude::*;

    fn root(text: &str) -> String {
        let url: EnvironmentUrl = text.parse().unwrap();
        url.as_url().to_string()
    }

    #[test]
    fn every_page_of_an_environment_leads_to_its_root() {
        for page in [
            "",
            "/",
            "/main.aspx?appid=4f6c&pagetype=entitylist&etn=account#1",
            "/apps/saleshub/main.aspx",
            "/apps/saleshub",
            "/Apps/uniquename/Sales?x=1",
            "/WebResources/new_page.html",
            "/%7B636543210000000000%7D/WebResources/new_script.js",
            "/api/discovery/v9.2/Instances",
            "/api/data/v9.2/WhoAmI",
            "/api",
            "/XRMServices/2011/Organization.svc",
            "/_static/css/app.css",
            "/_forms/default.aspx",
            "/tools/solution/edit.aspx?id=1",
            "/crmreports/viewer/viewer.aspx",
            "/uclient/scripts/main.js",
        ] {
            let online = format!("https://contoso.crm4.dynamics.com{page}");
            assert_eq!(root(&online), "https://contoso.crm4.dynamics.com/");
            let by_host = format!("https://contoso.crm.example{page}");
            assert_eq!(root(&by_host), "https://contoso.crm.example/", "{page}");
            let by_path = format!("https://crm.contoso.example/Contoso{page}");
            assert_eq!(root(&by_path), "https://crm.contoso.example/Contoso/");
        }
    }

    #[test]
    fn an_organisation_may_have_the_name_of_a_folder() {
        for text in [
            "https://crm.contoso.example/tools",
            "https://crm.contoso.example/tools/main.aspx",
            "https://crm.contoso.example/tools/api/data/v9.1/WhoAmI",
        ] {
            assert_eq!(root(text), "https://crm.contoso.example/tools/");
        }
    }

    #[test]
    fn quotation_marks_and_blanks_around_an_address_are_no_part_of_it() {
        for text in [
            "\"https://contoso.crm4.dynamics.com/main.aspx\"",
            "'https://contoso.crm4.dynamics.com'",
            "<https://contoso.crm4.dynamics.com/>",
            " \u{201c}contoso.crm4.dynamics.com\u{201d} ",
            "`https://contoso.crm4.dynamics.com`",
        ] {
            assert_eq!(root(text), "https://contoso.crm4.dynamics.com/", "{text}");
        }
    }

    #[test]
    fn a_site_that_is_no_environment_is_refused_with_what_to_give_instead() {
        for text in [
            "https://make.powerapps.com/environments/1/home",
            "https://make.preview.powerapps.com",
            "https://make.gov.powerapps.us",
            "https://make.high.powerapps.us/",
            "https://make.apps.appsplatform.us",
            "https://make.powerapps.cn",
            "https://apps.powerapps.com/play/1",
            "https://admin.powerplatform.microsoft.com/manage/environments",
            "admin.powerplatform.microsoft.com",
            "https://gcc.admin.powerplatform.microsoft.us",
            "https://high.admin.powerplatform.microsoft.us",
            "https://admin.appsplatform.us",
            "https://admin.powerplatform.partner.microsoftonline.cn",
            "https://LOGIN.microsoftonline.com/common",
            "https://login.microsoftonline.us",
            "https://login.partner.microsoftonline.cn",
            "https://login.windows.net",
            "https://home.dynamics.com",
        ] {
            let error = text.parse::<EnvironmentUrl>().unwrap_err();
            assert!(matches!(error, EnvironmentUrlError::OtherSite(_)), "{text}");
            let said = error.to_string();
            assert!(said.contains("https://contoso.crm4.dynamics.com"), "{said}");
        }
        for text in [
            "https://contoso.crm.appsplatform.us",
            "https://powerapps.com.contoso.example",
            "https://notpowerapps.com",
        ] {
            assert!(text.parse::<EnvironmentUrl>().is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_root_is_cut_no_further(path in "(/[A-Za-z0-9_.%{}-]{0,9}){0,4}") {
            let once = super::organization_path(&path);
            prop_assert!(once.starts_with('/') && once.ends_with('/'));
            prop_assert_eq!(super::organization_path(&once), once.clone());
        }
    }
}
