//! The facts: the name, the question, the expected answer and the answer of each.

use std::collections::BTreeMap;
use std::fmt;

use http::StatusCode;

use crate::dataverse::{FirstAttempts, ImpersonationHeader};

macro_rules! facts {
    ($($variant:ident $name:literal $question:literal $expected:expr),+ $(,)?) => {
        /// A property of a server that no document states, or in which servers are known to differ.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fact {
            $(#[doc = concat!("`", $name, "`: see [`Fact::question`].")] $variant,)+
        }

        impl Fact {
            /// Every fact, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What is asked.
            pub const fn question(self) -> &'static str {
                match self { $(Self::$variant => $question,)+ }
            }

            /// The answer that this program is made for; none where no answer is preferred.
            pub const fn expected(self) -> Option<Answer> {
                match self { $(Self::$variant => $expected,)+ }
            }
        }
    };
}

facts! {
    SetState "set-state" "Is PATCH of state and status accepted?" Some(Answer::Yes),
    NullStatus "null-status" "Is a null status accepted?" Some(Answer::Yes),
    OmittedStatus "omitted-status" "Is a state without a status accepted?" Some(Answer::Yes),
    StaleVersion "stale-version" "Is a stale If-Match refused with 412, and the row unchanged?" Some(Answer::Yes),
    VersionMoves "version-moves" "Does a write change the version?" Some(Answer::Yes),
    OnlyByWrites "version-only-by-writes" "Does only a write change the version?" Some(Answer::Yes),
    Representation "representation" "Is the row returned with the write?" Some(Answer::Yes),
    BatchHeader "batch-header" "Does the outer header of $batch impersonate?" Some(Answer::Yes),
    PartHeader "part-header-ignored" "Is the header in a part of $batch ignored?" Some(Answer::Yes),
    ContinueOnError "continue-on-error" "Is odata.continue-on-error honoured?" Some(Answer::Yes),
    WhoAmI "who-am-i" "Does WhoAmI name the impersonated user?" Some(Answer::Yes),
    CurrentUser "current-user" "Does the current-user condition mean the impersonated user?" Some(Answer::Yes),
    OnBehalf "modified-on-behalf" "Is modifiedonbehalfby the caller?" Some(Answer::Yes),
    AdminQuery "administrator-query" "Does the administrator's query show the same rows?" Some(Answer::Yes),
    AdminQueryAll "administrator-query-all-columns" "And without $select?" Some(Answer::Yes),
    AdminWrite "administrator-write" "May the administrator write without impersonation?" Some(Answer::No),
    Budget "budget" "Whose request budget counts?" Some(Answer::Caller),
    ObjectIdHeader "caller-object-id" "Is CallerObjectId honoured?" None,
    UserIdHeader "mscrm-caller-id" "Is MSCRMCallerID honoured?" None,
    Hint "parallelism-hint" "How many requests at once does the server recommend?" None,
    Servers "servers" "How many web servers answered?" None,
}

/// The answer to the question of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The statement is true.
    Yes,
    /// The statement is false.
    No,
    /// That of the caller.
    Caller,
    /// That of the impersonated user.
    User,
    /// A number.
    Number(u32),
    /// The server did not say, or it could not be asked.
    Unknown,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("yes"),
            Self::No => f.write_str("no"),
            Self::Caller => f.write_str("caller"),
            Self::User => f.write_str("user"),
            Self::Number(number) => number.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl Answer {
    /// The answer with this stable word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "yes" => Self::Yes,
            "no" => Self::No,
            "caller" => Self::Caller,
            "user" => Self::User,
            "unknown" => Self::Unknown,
            number => Self::Number(number.parse().ok()?),
        })
    }
}

/// A further observation. It contains no text from the server, because it is meant to be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The server refused, with this status and error code.
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The error code of Dataverse.
        code: Option<u32>,
    },
    /// The status of the row afterwards.
    Status(Option<i32>),
    /// The row was changed by a write that required another version.
    WrittenAllTheSame,
    /// The caller sees other rows than the user.
    OtherRows,
    /// Not asked, because of an earlier answer.
    NotAsked,
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, code } => {
                write!(f, "refused: {}", status.as_u16())?;
                code.map_or(Ok(()), |code| write!(f, ", 0x{code:08x}"))
            }
            Self::Status(Some(status)) => write!(f, "status {status} after it"),
            Self::Status(None) => f.write_str("status null after it"),
            Self::WrittenAllTheSame => f.write_str("the row was changed"),
            Self::OtherRows => f.write_str("other rows than the user sees"),
            Self::NotAsked => f.write_str("not asked"),
        }
    }
}

/// The answers of one trial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(BTreeMap<Fact, (Answer, Option<Detail>)>);

impl Findings {
    /// Records an answer.
    pub fn found(&mut self, fact: Fact, answer: Answer) {
        self.0.insert(fact, (answer, None));
    }

    /// Records an answer with a further observation.
    pub fn found_with(&mut self, fact: Fact, (answer, detail): (Answer, Option<Detail>)) {
        self.0.insert(fact, (answer, detail));
    }

    /// The answer to a fact; unknown where it was not asked.
    pub fn answer(&self, fact: Fact) -> Answer {
        self.0
            .get(&fact)
            .map_or(Answer::Unknown, |(answer, _)| *answer)
    }

    /// The further observation; for a fact without an answer, that it was not asked.
    pub fn detail(&self, fact: Fact) -> Option<Detail> {
        match self.0.get(&fact) {
            Some((_, detail)) => *detail,
            None => Some(Detail::NotAsked),
        }
    }

    /// Whether the answer is another one than this program is made for; an unknown one is not.
    pub fn differs(&self, fact: Fact) -> bool {
        let answer = self.answer(fact);
        answer != Answer::Unknown && fact.expected().is_some_and(|expected| expected != answer)
    }

    /// The first attempts of a later run: the header that was honoured, the server's behaviour with versions, a null
    /// status and batches, and the way of reading that worked.
    pub fn first_attempts(&self) -> FirstAttempts {
        let is = |fact, answer| self.answer(fact) == answer;
        let header = match (
            is(Fact::ObjectIdHeader, Answer::Yes),
            is(Fact::UserIdHeader, Answer::Yes),
        ) {
            (true, false) => Some(ImpersonationHeader::ObjectId),
            (false, true) => Some(ImpersonationHeader::UserId),
            // Both work, or neither does: use the documented one first.
            (true, true) | (false, false) => None,
        };
        FirstAttempts {
            header,
            versions_hold: !is(Fact::StaleVersion, Answer::No),
            null_status: !is(Fact::NullStatus, Answer::No),
            batches: !is(Fact::BatchHeader, Answer::No),
            as_administrator: is(Fact::AdminQuery, Answer::Yes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_a_name_of_its_own_and_every_answer_reads_back() {
        let names: std::collections::BTreeSet<_> = Fact::ALL.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), Fact::ALL.len());
        for answer in [
            Answer::Yes,
            Answer::No,
            Answer::Caller,
            Answer::User,
            Answer::Number(52),
            Answer::Unknown,
        ] {
            assert_eq!(Answer::of_word(&answer.to_string()), Some(answer));
        }
        assert_eq!(Answer::of_word("perhaps"), None);
    }

    #[test]
    fn what_was_found_chooses_the_first_attempt_and_what_is_unknown_changes_nothing() {
        let nothing = Findings::default().first_attempts();
        assert_eq!(nothing, FirstAttempts::default());
        let mut findings = Findings::default();
        findings.found(Fact::ObjectIdHeader, Answer::No);
        findings.found(Fact::UserIdHeader, Answer::Yes);
        findings.found(Fact::NullStatus, Answer::No);
        findings.found(Fact::StaleVersion, Answer::No);
        findings.found(Fact::BatchHeader, Answer::No);
        findings.found(Fact::AdminQuery, Answer::Yes);
        let expected = FirstAttempts {
            header: Some(ImpersonationHeader::UserId),
            versions_hold: false,
            null_status: false,
            batches: false,
            as_administrator: true,
        };
        assert_eq!(findings.first_attempts(), expected);
    }

    #[test]
    fn an_unknown_answer_is_no_other_one_than_expected() {
        let mut findings = Findings::default();
        assert!(!findings.differs(Fact::SetState));
        findings.found(Fact::SetState, Answer::No);
        assert!(findings.differs(Fact::SetState));
        findings.found(Fact::Hint, Answer::Number(4));
        assert!(!findings.differs(Fact::Hint));
    }
}
