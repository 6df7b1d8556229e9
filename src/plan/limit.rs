//! How many users a plan may change, and who says so.

use std::fmt;

use super::UserLimit;

/// A limit to the users that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    bound: UserLimit,
    /// Users that may be changed in any case.
    at_least: u64,
    set_by: SetBy,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SetBy {
    Flag,
    Run,
    Profile(String),
    Fix,
}

impl Limit {
    /// What holds for `check --fix` where nobody says otherwise: 30 % of the selected users, and ten in any
    /// case. A drift is small; what is not is no drift, and somebody should look at it.
    pub const FIX: Self = Self {
        bound: UserLimit::Percent(30),
        at_least: 10,
        set_by: SetBy::Fix,
    };

    /// The limit of `--max-changes`.
    pub const fn of_flag(bound: UserLimit) -> Self {
        Self {
            bound,
            at_least: 0,
            set_by: SetBy::Flag,
        }
    }

    /// The limit that was given when the run was begun.
    pub const fn of_run(bound: UserLimit) -> Self {
        Self {
            bound,
            at_least: 0,
            set_by: SetBy::Run,
        }
    }

    /// The limit of `max-changes` in this environment of the configuration file.
    pub const fn of_profile(bound: UserLimit, name: String) -> Self {
        Self {
            bound,
            at_least: 0,
            set_by: SetBy::Profile(name),
        }
    }

    /// Whether so many of the selected users may be changed.
    pub fn allows(&self, users: u64, selected: u64) -> bool {
        users <= self.bound.of(selected).max(self.at_least)
    }
}

/// Who says what, such as "the limit of this command is 10%".
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bound,
            at_least,
            set_by,
        } = self;
        match set_by {
            SetBy::Flag => write!(f, "the limit of this command is {bound}"),
            SetBy::Run => write!(f, "the limit that was given with the run is {bound}"),
            SetBy::Profile(name) => write!(
                f,
                "`max-changes` of environment `{name}` in the configuration file is {bound}"
            ),
            SetBy::Fix => write!(
                f,
                "an unattended fix changes at most {bound}, or {at_least} users if that is more"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_may_change_ten_users_however_few_there_are_and_a_third_of_many() {
        for (users, selected, allowed) in [
            (10, 10, true),
            (11, 12, false),
            (30, 100, true),
            (31, 100, false),
        ] {
            let allows = Limit::FIX.allows(users, selected);
            assert_eq!(allows, allowed, "{users} of {selected}");
        }
    }

    #[test]
    fn a_limit_says_who_set_it() {
        let bound = UserLimit::Percent(10);
        assert_eq!(
            Limit::of_flag(bound).to_string(),
            "the limit of this command is 10%"
        );
        assert_eq!(
            Limit::of_profile(bound, "contoso".into()).to_string(),
            "`max-changes` of environment `contoso` in the configuration file is 10%"
        );
        assert!(!Limit::of_flag(UserLimit::Users(0)).allows(1, 10));
    }
}
