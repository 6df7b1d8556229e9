//! Colour, where it is wanted. It repeats what the words say; the writer adds it.

use anstyle::{AnsiColor, Style};

use crate::model::RowOutcome;

/// How a text is emphasised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Not emphasised.
    Plain,
    /// A heading.
    Strong,
    /// For changed rows.
    Good,
    /// For rows that were left alone or skipped.
    Warning,
    /// For failures.
    Bad,
    /// For hints.
    Dimmed,
}

impl Tone {
    pub(super) const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warning => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Dimmed => Style::new().dimmed(),
        }
    }

    /// The tone of an outcome.
    pub(super) const fn of_outcome(outcome: RowOutcome) -> Self {
        match outcome {
            RowOutcome::Changed => Self::Good,
            RowOutcome::ChangedSince | RowOutcome::Gone | RowOutcome::Sent => Self::Warning,
            RowOutcome::Failed => Self::Bad,
            RowOutcome::Planned | RowOutcome::Already | RowOutcome::LeftOut => Self::Plain,
        }
    }
}
