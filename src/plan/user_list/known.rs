//! Titles of columns that are known to contain names.

/// A kind of column with names.
pub(super) struct Known {
    /// The title in messages.
    pub(super) title: &'static str,
    /// The titles with the same meaning, in lower-case letters and digits only.
    pub(super) titles: &'static [&'static str],
}

const fn known(title: &'static str, titles: &'static [&'static str]) -> Known {
    Known { title, titles }
}

/// The columns of exports from Microsoft 365, Entra, Exchange, Dynamics and of our own reports. The first one in a
/// header is used: columns that identify a user come before those that several users can share.
pub(super) const KNOWN: [Known; 9] = [
    known(
        "User principal name",
        &["userprincipalname", "upn", "userprincipal", "userupn"],
    ),
    // Of our own reports, where `user` is a display name if there is no login.
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
    // Also used as the number of rows of other kinds.
    known("Id", &["id"]),
];
