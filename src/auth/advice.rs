//! What an administrator can do when Entra ID or AD FS refuses.
//!
//! The meanings are those of Microsoft's list of AADSTS codes and of AD FS's event texts. Texts and numbers may
//! change (the list says so), so only advice depends on them.

use super::refusal::SignInRefusal;

/// Advice for a refusal: one sentence, without a full stop.
pub(super) fn advice(refusal: &SignInRefusal) -> Option<&'static str> {
    let code = refusal.code();
    let by_code = code.as_deref().and_then(|code| {
        if let Some(number) = code.strip_prefix("AADSTS") {
            entra(number.parse().ok()?)
        } else {
            ad_fs(code)
        }
    });
    by_code.or_else(|| by_word(&refusal.error))
}

fn entra(code: u64) -> Option<&'static str> {
    application(code)
        .or_else(|| tenant(code))
        .or_else(|| person(code))
        .or_else(|| session(code))
}

/// About the application and its credentials.
fn application(code: u64) -> Option<&'static str> {
    Some(match code {
        7_000_215 => {
            "the secret is wrong: use the secret's Value, not its Secret ID, and check tenant and client id"
        }
        7_000_222 => {
            "the secret has expired: create a new one or, better, use a certificate or federation"
        }
        7_000_218 => {
            "the application has no right to sign in without a secret: set Allow public client flows to Yes, or give it a secret or certificate"
        }
        700_025 => {
            "the application is a public client: leave the secret out, or use an application of the other type"
        }
        700_027 => {
            "upload the public part of exactly this certificate to the application's Certificates & secrets"
        }
        700_024 => "check this machine's clock: the signed statement is not valid at this time",
        700_016 | 700_011 => {
            "check the client id, and that --tenant is the tenant of the environment"
        }
        7_000_229 => {
            "create the application's service principal: `az ad sp create --id CLIENT_ID`, or give admin consent"
        }
        7_000_112 | 70_001 => "enable the application under Enterprise applications",
        700_211..=700_213 => {
            "copy the issuer, subject and audience that the message shows into the application's federated credential"
        }
        50_011 => {
            "register the redirect address http://localhost for the application, as Mobile and desktop"
        }
        50_105 => {
            "assign the user to the application, or set Assignment required to No under Enterprise applications"
        }
        65_001 | 90_094 | 65_004 => "have an administrator give consent to the application",
        65_002 => {
            "use an application registration of your own: this one may not ask for the environment"
        }
        _ => return None,
    })
}

/// About tenant, cloud and resource.
fn tenant(code: u64) -> Option<&'static str> {
    Some(match code {
        90_002 | 900_023 => "check --tenant: there is no such tenant in this cloud",
        50_059 | 9_001_023 | 50_194 => {
            "name the tenant with --tenant: an application belongs to one"
        }
        90_038 | 900_382 | 900_432 => {
            "use an application that is registered in the cloud of the environment's tenant"
        }
        500_011 | 50_001 | 650_057 => {
            "check the address of the environment, the tenant, and the application's permission Dynamics CRM user_impersonation"
        }
        _ => return None,
    })
}

/// About the user who signs in.
fn person(code: u64) -> Option<&'static str> {
    Some(match code {
        50_020 | 50_034 | 51_004 | 90_072 => {
            "name the tenant of the environment with --tenant, and sign in with an account of that tenant or an invited guest"
        }
        50_072 | 50_074 | 50_076 | 50_078 | 50_079 => {
            "sign in interactively with `syncfilters login`: a second factor is asked for; for automation use an application"
        }
        53_000 | 53_001 | 53_003 | 50_097 | 530_032 => {
            "Conditional Access blocks this sign-in: try --sign-in browser, ask the Entra administrator, or use an application"
        }
        530_035 => "the tenant's security defaults block passwords: use an application",
        50_126 => {
            "the user name or password is wrong; it is not tried again, so that the account is not locked"
        }
        50_053 => "the account is locked: wait, or have it unlocked",
        50_055 => "the password has expired: change it, then sign in again",
        50_057 => "the account is disabled",
        _ => return None,
    })
}

/// About sign-ins that have expired or are too short.
fn session(code: u64) -> Option<&'static str> {
    Some(match code {
        50_132 | 50_133 | 50_173 | 70_008 | 70_043 | 700_082 => {
            "sign in again with `syncfilters login`: the kept sign-in is no longer accepted"
        }
        70_018 | 70_019 | 54_005 => "start over: the code is used up or has expired",
        50_196 => "stop, and wait some minutes: this application has asked too often",
        50_033 | 90_006 | 90_012 | 90_024 | 90_055 => {
            "try again later: the identity provider is busy"
        }
        _ => return None,
    })
}

fn ad_fs(code: &str) -> Option<&'static str> {
    Some(match code {
        "MSIS9605" => {
            "on the AD FS server: Grant-AdfsApplicationPermission -ClientRoleIdentifier CLIENT_ID -ServerRoleIdentifier RESOURCE -ScopeNames openid"
        }
        "MSIS9329" => {
            "the resource is not a relying party of this AD FS: compare it with the identifiers of the CRM relying party"
        }
        "MSIS9224" | "MSIS9223" => {
            "on the AD FS server: Add-AdfsClient -ClientId CLIENT_ID -Name syncfilters -RedirectUri http://localhost:PORT"
        }
        "MSIS9659" | "MSIS7068" => {
            "the user name or password is wrong; it is not tried again, so that the account is not locked"
        }
        _ => return None,
    })
}

fn by_word(error: &str) -> Option<&'static str> {
    Some(match error {
        "authorization_declined" | "access_denied" => {
            "the sign-in was declined; start over to sign in"
        }
        "logon_denied" => {
            "check user and password, and whether the account is locked or NTLM is switched off; it is not tried again, so \
             that the account is not locked"
        }
        "expired_token" => "start over and finish the sign-in in time",
        "interaction_required" | "invalid_grant" => {
            "sign in again with `syncfilters login`, or check the credentials"
        }
        "unauthorized_client" | "invalid_client" => {
            "check the client id and how the application is registered"
        }
        "invalid_resource" => "check the address of the environment",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_that_administrators_meet_have_advice() {
        for code in [
            7_000_215, 7_000_222, 7_000_218, 700_025, 700_027, 700_024, 700_016, 700_011,
            7_000_229, 7_000_112, 70_001, 700_213, 90_002, 900_023, 90_038, 500_011, 50_001,
            650_057, 65_001, 90_094, 65_004, 65_002, 50_020, 50_034, 50_076, 50_079, 53_003,
            530_032, 50_097, 530_035, 50_126, 50_053, 50_055, 50_057, 50_105, 50_011, 50_194,
            50_173, 700_082, 70_043, 70_008, 70_018, 70_019, 50_196, 90_055,
        ] {
            let refusal = SignInRefusal {
                error: "an_unknown_word".into(),
                error_codes: vec![code],
                ..SignInRefusal::default()
            };
            let text = advice(&refusal).unwrap_or_else(|| panic!("{code}"));
            assert!(!text.ends_with('.') && text.len() < 200, "{text}");
        }
    }

    #[test]
    fn a_refusal_without_a_known_code_is_explained_by_its_word() {
        let refusal = SignInRefusal::plain("authorization_declined", Some("AADSTS99999: no"));
        assert!(advice(&refusal).unwrap().contains("declined"));
        assert_eq!(advice(&SignInRefusal::plain("something_new", None)), None);
    }
}
