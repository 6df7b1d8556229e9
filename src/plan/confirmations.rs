//! What has to be said before anything is written, and what was said.

use crate::model::{Operation, RunId};

use super::PlanDigest;

/// Something that has to be said before anything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// That the change is to be made.
    Change,
    /// That items can be deleted from Exchange, by this operation.
    CalendarLoss(Operation),
    /// One of the names of an organisation in production.
    Production {
        /// Its names in the configuration file.
        names: Vec<String>,
    },
    /// That a run is to go on although it was undone.
    AfterUndo {
        /// The run that undid it.
        by: RunId,
    },
}

impl Need {
    /// Whether a text that was typed or sent says it.
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

/// What to type where nothing can be lost.
const YES: &str = "yes";

/// How something was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenBy {
    /// By a flag: it holds for the whole command.
    Flag,
    /// Typed on a terminal: it holds for one agreement.
    Typed,
    /// Typed on a terminal for a run whose waves follow each other after a pause: it holds for the whole command.
    TypedForAllWaves,
    /// Sent with a form: it holds for one agreement.
    Form,
    /// By the command itself, which asks nobody: it holds for the whole command.
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

/// What an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The change.
    Change,
    /// Items that can be deleted from Exchange.
    CalendarLoss,
    /// The name of an organisation in production.
    Production,
    /// A run that was undone.
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
    /// The name of an organisation; empty for all else.
    name: String,
    how: GivenBy,
}

/// What was said so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmations {
    pub(super) shown: Option<PlanDigest>,
    answers: Vec<Answer>,
}

impl Confirmations {
    /// Only a plan with this digest is agreed to.
    pub fn expect(&mut self, digest: PlanDigest) {
        self.shown = Some(digest);
    }

    /// Something was said that needs no name.
    pub fn give(&mut self, topic: Topic, how: GivenBy) {
        self.answers.push(Answer {
            topic,
            name: String::new(),
            how,
        });
    }

    /// The name of an organisation was given.
    pub fn name(&mut self, name: &str, how: GivenBy) {
        self.answers.push(Answer {
            topic: Topic::Production,
            name: name.to_owned(),
            how,
        });
    }

    /// Takes an answer to needs that are put as one question; whether it says what is needed. A word that says more
    /// counts for all of them.
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

    /// Forgets what holds for one agreement only.
    pub fn spend(&mut self) {
        self.answers
            .retain(|answer| !answer.how.is_for_one_agreement());
    }

    /// How it was said, where it was.
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
