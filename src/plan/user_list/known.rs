//! Titles of the columns that are known to hold names.

/// What a column that holds names may be called.
pub(super) struct Known {
    /// The title that people are told.
    pub(super) title: &'static str,
    /// The titles that mean the same, in small letters and digits only.
    pub(super) titles: &'static [&'static str],
}

const fn known(title: &'static str, titles: &'static [&'static str]) -> Known {
    Known { title, titles }
}

/// The columns of exports from Microsoft 365, Entra, Exchange, Dynamics and of our own reports. The first one that a
/// header has is taken: what names a user for certain stands before what several users can have.
pub(super) const KNOWN: [Known; 9] = [
    known(
        "User principal name",
        &["userprincipalname", "upn", "userprincipal", "userupn"],
    ),
    // Of our own reports; `user` is there the name of a person where there is no login.
    known(
        "user_id",
        &["userid", "systemuserid", "systemuser", "donotmodifyuser"],
    ),
    known(
        "Object ID",
        &[
            "objectid",
            "azureadobjectid",
            "azureactivedirectoryobjectid",
            "entraobjectid",
            "externaldirectoryobjectid",
        ],
    ),
    known(
        "Username",
        &[
            "username",
            "domainname",
            "signinname",
            "microsoftonlineservicesid",
            "user",
        ],
    ),
    known(
        "Windows Live ID",
        &["windowsliveid", "windowsliveidaddress"],
    ),
    known(
        "Login",
        &[
            "login",
            "loginname",
            "logonname",
            "userlogin",
            "userlogonname",
        ],
    ),
    known(
        "Primary Email",
        &[
            "primaryemail",
            "primaryemailaddress",
            "primarysmtpaddress",
            "primarysmtp",
            "internalemailaddress",
        ],
    ),
    known(
        "Email Address",
        &[
            "emailaddress",
            "email",
            "mail",
            "mailaddress",
            "windowsemailaddress",
            "smtpaddress",
        ],
    ),
    // Also what rows of other things are numbered by.
    known("Id", &["id"]),
];
