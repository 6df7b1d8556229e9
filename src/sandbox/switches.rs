//! Behaviours on which sources are silent or contradictory, and hostile variants, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! switches {
    ($($variant:ident $name:literal $about:literal),+ $(,)?) => {
        /// One behaviour that can differ from its default.
        ///
        /// The default (off) is the documented behaviour or, where nothing is documented, the one that
        /// is more dangerous for a client that trusts too much.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Switch {
            $(#[doc = concat!("`", $name, "`: see [`Switch::about`].")] $variant,)+
        }

        impl Switch {
            /// Every switch.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One line for the help text.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)+ }
            }
        }
    };
}

switches! {
    DropImpersonation "drop-impersonation"
        "Ignore impersonation headers on every request, silently",
    IgnoreCallerObjectId "ignore-caller-object-id"
        "Ignore CallerObjectId silently, as 8.x does and as on-premises may",
    IgnoreMscrmCallerId "ignore-mscrm-caller-id"
        "Ignore MSCRMCallerID silently",
    DropImpersonationForSome "drop-impersonation-for-some"
        "Ignore impersonation headers silently for one user in ten",
    WhoAmIIgnoresImpersonation "whoami-ignores-impersonation"
        "WhoAmI names the caller even when impersonating",
    UnknownUserIsError "unknown-user-is-error"
        "Refuse an impersonation header that names nobody (default: run as the caller, silently)",
    DisabledUserIsDropped "disabled-user-is-dropped"
        "Run as the caller when the impersonated user is disabled (default on 8.x; 9.x refuses)",
    SpecialUsersRefused "special-users-refused"
        "Refuse to impersonate stub, support, delegated-administrator and application users",
    CallerCannotActOnBehalf "caller-cannot-act-on-behalf"
        "The administrator lacks prvActOnBehalfOfAnotherUser",
    ActOnBehalfAsMissingPrivilege "act-on-behalf-as-missing-privilege"
        "A missing prvActOnBehalfOfAnotherUser is told as 0x80040220 (default 0x8004A110)",
    CallerLacksAdminFilter "caller-lacks-admin-filter"
        "The administrator lacks prvAdminFilter",
    AdminQueryConditionsOnly "admin-query-conditions-only"
        "$select, $orderby, $top and paging break the administrator's two-condition query too",
    AdminWritesOthers "admin-writes-others"
        "With prvAdminFilter, another user's filter can be changed without impersonation",
    HiddenRowsForbidden "hidden-rows-forbidden"
        "Reading a hidden row answers 403 (default 404)",
    NoOptimisticConcurrency "no-optimistic-concurrency"
        "userquery has no optimistic concurrency: If-Match with an ETag is refused",
    RefuseNullStatus "refuse-null-status"
        "Refuse statuscode null in a write (default: accepted)",
    RefuseStateInPatch "refuse-state-in-patch"
        "Refuse statecode and statuscode in a PATCH of a filter",
    RefuseOmittedStatus "refuse-omitted-status"
        "Refuse statecode without statuscode in a write of a filter (default: the state's own status)",
    IgnoreIfMatchVersion "ignore-if-match-version"
        "A version in If-Match is not held against the row's: every write of a filter that exists is accepted",
    VersionStays "version-stays"
        "A write of a filter leaves its version as it was",
    VersionMovesByItself "version-moves-by-itself"
        "The third time that filters are read after a write, all have new versions, as a synchronisation might bring",
    NoRepresentation "no-representation"
        "return=representation is ignored: a write is answered 204",
    NoOnBehalf "no-on-behalf"
        "modifiedonbehalfby stays empty when impersonating",
    CurrentUserIgnoresImpersonation "current-user-ignores-impersonation"
        "Conditions over the current user mean the caller even when impersonating",
    BatchIgnoresImpersonation "batch-ignores-impersonation"
        "Headers that impersonate are ignored on the outer request of a batch",
    PartImpersonates "part-impersonates"
        "Headers that impersonate are honoured on a part of a batch",
    InactiveRowsReadOnly "inactive-rows-read-only"
        "An inactive row refuses changes of other columns than its state",
    TemplateHalvesApart "template-halves-apart"
        "isdefault and state of a template in one request are refused (default: the row as it would be is judged)",
    TemplateStaysActive "template-stays-active"
        "No template can be made inactive, default or not",
    NoContinueOnError "no-continue-on-error"
        "Ignore odata.continue-on-error, as 8.x always does",
    BatchStopOmitsEarlier "batch-stop-omits-earlier"
        "A stopped batch answers with the failing part alone",
    LimitsPerImpersonatedUser "limits-per-impersonated-user"
        "Count service protection limits against the impersonated user (default: the caller)",
    RetryAfterDate "retry-after-date"
        "Retry-After is an HTTP date instead of seconds",
    ChallengeBare "challenge-bare"
        "The 401 challenge names the authority without /oauth2/authorize and without a resource",
    ChallengeResource "challenge-resource"
        "The 401 challenge also carries resource_id",
    ChallengeQuoted "challenge-quoted"
        "The 401 challenge quotes its values",
    EmptyErrorCodes "empty-error-codes"
        "Conditional failures carry an empty error code, as older builds do",
    DistinctDeletes "distinct-deletes"
        "The organisation distinguishes logical from physical deletes for Exchange",
    DistinctDeletesAbsent "distinct-deletes-absent"
        "That setting is absent from the organisation",
    LowAggregateLimit "low-aggregate-limit"
        "Aggregates over more than 10 rows are refused (default 50,000)",
    CalendarSystemFilter "calendar-system-filter"
        "A system filter gives everybody all appointments, whatever their own filters say",
    OutlookClient "outlook-client"
        "Mailboxes that the server would synchronise are left to Dynamics 365 for Outlook, as on-premises with the add-in",
    RefuseSecondRootFilter "refuse-second-root-filter"
        "FetchXML with more than one filter below entity is refused",
    FirstRootFilterOnly "first-root-filter-only"
        "Of several filters below entity in FetchXML only the first is read",
    NextLinkToOtherHost "next-link-to-other-host"
        "@odata.nextLink points to another host",
    Redirect "redirect"
        "Every request is redirected to another host",
    HtmlInsteadOfJson "html-instead-of-json"
        "Every answer is an HTML page with status 200",
}

/// The switches that are on.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Switches(u64);

/// A name that is not a switch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown switch {0:?}")]
pub struct UnknownSwitch(String);

impl Switches {
    /// None on.
    pub const fn none() -> Self {
        Self(0)
    }

    /// Also turns this one on.
    pub const fn with(self, switch: Switch) -> Self {
        Self(self.0 | 1 << switch as u64)
    }

    /// Whether it is on.
    pub const fn on(self, switch: Switch) -> bool {
        self.0 & (1 << switch as u64) != 0
    }

    /// Those that are on.
    pub fn iter(self) -> impl Iterator<Item = Switch> {
        Switch::ALL.iter().copied().filter(move |&it| self.on(it))
    }

    /// Names separated by commas; empty for none.
    pub fn parse(text: &str) -> Result<Self, UnknownSwitch> {
        text.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .try_fold(Self::none(), |all, name| Ok(all.with(name.parse()?)))
    }
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, switch) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{switch}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Switch {
    type Err = UnknownSwitch;

    fn from_str(name: &str) -> Result<Self, UnknownSwitch> {
        Self::ALL
            .iter()
            .copied()
            .find(|switch| switch.as_str() == name)
            .ok_or_else(|| UnknownSwitch(name.to_owned()))
    }
}

impl FromStr for Switches {
    type Err = UnknownSwitch;

    fn from_str(text: &str) -> Result<Self, UnknownSwitch> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_has_its_own_name_and_place() {
        assert!(Switch::ALL.len() <= 64);
        for &switch in Switch::ALL {
            assert_eq!(switch.as_str().parse(), Ok(switch));
            let only = Switches::none().with(switch);
            assert_eq!(only.iter().collect::<Vec<_>>(), [switch]);
        }
    }

    #[test]
    fn a_list_of_names_reads_back_what_it_writes() {
        let some = Switches::parse("redirect, drop-impersonation").unwrap();
        assert!(some.on(Switch::Redirect) && some.on(Switch::DropImpersonation));
        assert_eq!(Switches::parse(&some.to_string()), Ok(some));
        assert_eq!(Switches::parse(""), Ok(Switches::none()));
        assert!(Switches::parse("redirect,nonsense").is_err());
    }
}
