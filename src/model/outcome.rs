//! What happened to a row and to a user: the same words in the engine, the run file and the reports.

use std::fmt;

use serde::{Serialize, Serializer};

use super::UnknownCode;

macro_rules! codes {
    ($(#[$of:meta])* $type:ident, $what:literal: $($(#[$doc:meta])* $name:ident = $code:literal $word:literal,)*) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$doc])* $name = $code,)*
        }

        impl $type {
            /// Every value, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number in the run file. Its meaning never changes.
            pub const fn code(self) -> i32 {
                self as i32
            }

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }

        impl TryFrom<i32> for $type {
            type Error = UnknownCode;

            fn try_from(code: i32) -> Result<Self, UnknownCode> {
                match code {
                    $($code => Ok(Self::$name),)*
                    code => Err(UnknownCode { what: $what, code }),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

codes! {
    /// What happened to one row of a run.
    RowOutcome, "stage":
    /// Nothing was sent yet.
    Planned = 0 "planned",
    /// The request may have been sent, and its result is not known.
    Sent = 1 "unknown",
    /// The run changed it.
    Changed = 2 "changed",
    /// It was in the wanted state without this run.
    Already = 3 "already",
    /// Somebody changed it since, so the run did not.
    ChangedSince = 4 "left",
    /// The row no longer exists.
    Gone = 5 "gone",
    /// It could not be changed.
    Failed = 6 "failed",
    /// It was removed from the plan.
    LeftOut = 7 "left-out",
}

codes! {
    /// Whether the filters of a user were read.
    ReadState, "survey":
    /// Not read yet.
    ToRead = 0 "to-read",
    /// Read.
    Read = 1 "read",
    /// The user was skipped before any request.
    Skipped = 2 "skipped",
    /// The server or the network failed.
    Failed = 3 "failed",
    /// The user was removed from the plan.
    LeftOut = 4 "left-out",
}

/// What happened to one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserOutcome {
    /// Not read yet, or with changes still to be made.
    Planned,
    /// At least one filter was changed, and none failed.
    Changed,
    /// Nothing was changed, and a filter was left alone or no longer exists.
    Left,
    /// Nothing had to be changed.
    Unchanged,
    /// Removed from the plan.
    LeftOut,
    /// Skipped before any request.
    Skipped,
    /// Not read, or a filter could not be changed.
    Failed,
}

/// Which outcomes the rows of one user have.
#[expect(
    clippy::struct_excessive_bools,
    reason = "rows of one user can have any of these outcomes at once"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsOfUser {
    /// At least one failed.
    pub failed: bool,
    /// At least one is not done yet, or its result is not known.
    pub open: bool,
    /// At least one was changed.
    pub changed: bool,
    /// At least one was left alone, or no longer exists.
    pub left: bool,
}

impl UserOutcome {
    /// Derived from whether the filters were read and what happened to them.
    pub const fn of(read: ReadState, rows: RowsOfUser) -> Self {
        match (read, rows) {
            (ReadState::Failed, _) | (_, RowsOfUser { failed: true, .. }) => Self::Failed,
            (ReadState::Skipped, _) => Self::Skipped,
            (ReadState::LeftOut, _) => Self::LeftOut,
            (ReadState::ToRead, _) | (_, RowsOfUser { open: true, .. }) => Self::Planned,
            (ReadState::Read, RowsOfUser { changed: true, .. }) => Self::Changed,
            (ReadState::Read, RowsOfUser { left: true, .. }) => Self::Left,
            (ReadState::Read, _) => Self::Unchanged,
        }
    }

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Changed => "changed",
            Self::Left => "left",
            Self::Unchanged => "unchanged",
            Self::LeftOut => "left-out",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for UserOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_back_and_an_unknown_one_is_an_error() {
        for &outcome in RowOutcome::ALL {
            assert_eq!(RowOutcome::try_from(outcome.code()), Ok(outcome));
        }
        for &read in ReadState::ALL {
            assert_eq!(ReadState::try_from(read.code()), Ok(read));
        }
        let unknown = RowOutcome::try_from(8).unwrap_err();
        assert_eq!(unknown.to_string(), "unknown stage 8");
        assert!(ReadState::try_from(-1).is_err());
    }

    #[test]
    fn the_words_that_programs_match_on_stay() {
        let words: Vec<_> = RowOutcome::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(
            words.join(" "),
            "planned unknown changed already left gone failed left-out"
        );
    }

    #[test]
    fn a_failure_of_one_row_is_what_there_is_to_say_of_the_user() {
        let all = RowsOfUser {
            failed: true,
            open: true,
            changed: true,
            left: true,
        };
        assert_eq!(UserOutcome::of(ReadState::Read, all), UserOutcome::Failed);
        let open = RowsOfUser {
            failed: false,
            ..all
        };
        assert_eq!(UserOutcome::of(ReadState::Read, open), UserOutcome::Planned);
        let left = RowsOfUser {
            left: true,
            ..RowsOfUser::default()
        };
        assert_eq!(UserOutcome::of(ReadState::Read, left), UserOutcome::Left);
        let none = RowsOfUser::default();
        assert_eq!(
            UserOutcome::of(ReadState::Skipped, none),
            UserOutcome::Skipped
        );
        assert_eq!(
            UserOutcome::of(ReadState::Read, none),
            UserOutcome::Unchanged
        );
    }
}
