//! Colour, where it is wanted. It never says what the words do not say.

use anstyle::{AnsiColor, Style};

use super::Look;

/// What a text is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// A heading.
    Strong,
    /// Changed.
    Good,
    /// Left alone or skipped.
    Odd,
    /// Failed.
    Bad,
    /// A hint.
    Quiet,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Odd => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Quiet => Style::new().dimmed(),
        }
    }

    /// The tone of what became of a change.
    pub(super) fn of_outcome(outcome: &str) -> Self {
        match outcome {
            "changed" => Self::Good,
            "left" | "gone" | "unknown" => Self::Odd,
            "failed" => Self::Bad,
            _ => Self::Plain,
        }
    }
}

impl Look {
    /// The text in its tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.color || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = tone.style();
        format!("{style}{text}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_a_text_stays_as_it_is() {
        let look = |color| Look { width: 80, color };
        assert_eq!(look(false).paint(Tone::Bad, "failed"), "failed");
        assert_eq!(
            look(true).paint(Tone::Bad, "failed"),
            "\u{1b}[31mfailed\u{1b}[0m"
        );
    }
}
