//! How many users a plan may change, and where that limit was set.

use std::fmt;

use super::UserLimit;

/// A limit on the number of users that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    bound: UserLimit,
    /// The number of users that may be changed in any case.
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
    /// The limit of `check --fix` if no other was set: 30 % of the selected users, and ten in any
    /// case. Drift is small; a larger difference should be looked at by the user.
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

    /// The limit that was given when the run began.
    pub const fn of_run(bound: UserLimit) -> Self {
        Self {
            bound,
            at_least: 0,
            set_by: SetBy::Run,
        }
    }

    /// The limit `max-changes` of an environment in the configuration file.
    pub const fn of_profile(bound: UserLimit, name: String) -> Self {
        Self {
            bound,
            at_least: 0,
            set_by: SetBy::Profile(name),
        }
    }

    /// Whether this number of the selected users may be changed.
    pub fn allows(&self, users: u64, selected: u64) -> bool {
        users <= self.bound.of(selected).max(self.at_least)
    }
}

/// The source and the limit, such as "the limit of this command is 10%".
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
