//! The answers that are needed before a write, and those that were given.

use crate::model::{Operation, RunId};

use super::PlanDigest;

/// An answer that is needed before a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// The change is to be made.
    Change,
    /// Items can be deleted from Exchange by this operation.
    CalendarLoss(Operation),
    /// One of the names of a production organisation.
    Production {
        /// Its names in the configuration file.
        names: Vec<String>,
    },
    /// The run is to continue although it was undone.
    AfterUndo {
        /// The undo.
        by: RunId,
    },
}

impl Need {
    /// Whether a typed or sent text gives this answer.
    pub fn is_met_by(&self, text: &str) -> bool {
        let text = text.trim();
        match self {
            Self::Change | Self::AfterUndo { .. } => text.eq_ignore_ascii_case(YES),
            Self::CalendarLoss(operation) => text.eq_ignore_ascii_case(operation.as_str()),
            Self::Production { names } => names.iter().any(|name| name == text),
        }
    }

    /// The word to type.
    pub fn word(&self) -> &str {
        match self {
            Self::Change | Self::AfterUndo { .. } => YES,
            Self::CalendarLoss(operation) => operation.as_str(),
            Self::Production { names } => names.first().map_or("", String::as_str),
        }
    }

    pub(super) fn topic(&self) -> Topic {
        match self {
            Self::Change => Topic::Change,
            Self::CalendarLoss(_) => Topic::CalendarLoss,
            Self::Production { .. } => Topic::Production,
            Self::AfterUndo { .. } => Topic::AfterUndo,
        }
    }
}

/// The answer where nothing can be lost.
const YES: &str = "yes";

/// How an answer was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenBy {
    /// By a flag, for the whole command.
    Flag,
    /// Typed on a terminal, for one agreement.
    Typed,
    /// Typed on a terminal, for the whole command, because the waves of the run follow each other after a pause.
    TypedForAllWaves,
    /// Sent with a form, for one agreement.
    Form,
    /// By the command itself, which asks no user, for the whole command.
    Command,
}

impl GivenBy {
    /// The stable word, for the run file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Typed => "typed",
            Self::TypedForAllWaves => "typed-for-all-waves",
            Self::Form => "form",
            Self::Command => "command",
        }
    }

    const fn is_for_one_agreement(self) -> bool {
        matches!(self, Self::Typed | Self::Form)
    }
}

/// The subject of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The change.
    Change,
    /// The items that can be deleted from Exchange.
    CalendarLoss,
    /// The name of a production organisation.
    Production,
    /// The undo of the run.
    AfterUndo,
}

impl Topic {
    /// The stable word, for the run file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::CalendarLoss => "calendar-loss",
            Self::Production => "production",
            Self::AfterUndo => "after-undo",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    topic: Topic,
    /// The name of an organisation; empty for other subjects.
    name: String,
    how: GivenBy,
}

/// The answers given so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmations {
    pub(super) shown: Option<PlanDigest>,
    answers: Vec<Answer>,
}

impl Confirmations {
    /// Accepts only a plan with this digest.
    pub fn expect(&mut self, digest: PlanDigest) {
        self.shown = Some(digest);
    }

    /// Adds an answer that needs no name.
    pub fn give(&mut self, topic: Topic, how: GivenBy) {
        self.answers.push(Answer {
            topic,
            name: String::new(),
            how,
        });
    }

    /// Adds the name of an organisation.
    pub fn name(&mut self, name: &str, how: GivenBy) {
        self.answers.push(Answer {
            topic: Topic::Production,
            name: name.to_owned(),
            how,
        });
    }

    /// Takes the answer to several needs that were asked as one question. Returns whether it is sufficient. A stronger
    /// word counts for all of them.
    pub fn answer(&mut self, needs: &[Need], text: &str, how: GivenBy) -> bool {
        let Some(said) = needs.iter().find(|need| need.is_met_by(text)) else {
            return false;
        };
        // `yes` is not enough where items can be lost.
        let needs_more = needs.iter().any(|need| {
            matches!(need, Need::CalendarLoss(_)) && !matches!(said, Need::CalendarLoss(_))
        });
        if needs_more {
            return false;
        }
        for need in needs {
            match need {
                Need::Production { .. } => self.name(text.trim(), how),
                need => self.give(need.topic(), how),
            }
        }
        true
    }

    /// Removes the answers that hold for one agreement only.
    pub fn spend(&mut self) {
        self.answers
            .retain(|answer| !answer.how.is_for_one_agreement());
    }

    /// How this need was answered, if it was.
    pub(super) fn to(&self, need: &Need) -> Option<GivenBy> {
        let of_topic = |answer: &&Answer| match need {
            Need::Production { names } => {
                answer.topic == Topic::Production && names.contains(&answer.name)
            }
            need => answer.topic == need.topic(),
        };
        self.answers.iter().find(of_topic).map(|answer| answer.how)
    }

    /// The names of organisations that were given.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.answers.iter().map(|answer| answer.name.as_str());
        names.filter(|name| !name.is_empty())
    }
}
