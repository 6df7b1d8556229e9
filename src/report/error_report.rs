//! An error in the form that people and programs get.

use std::fmt::Write as _;

use std::fmt::Display;

use serde::Serialize;

use crate::model::number;
use crate::model::text::one_line;

/// What failed, why, and what to do next. Every front end shows an error in this form only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// The stable word.
    pub kind: &'static str,
    /// What failed, and why. Only this program adds line breaks: one before each entry of a list.
    pub message: String,
    /// What to do next, with a command where there is one.
    pub hint: Option<String>,
    /// The meaning of the error for the caller of the command.
    #[serde(skip)]
    pub class: ErrorClass,
}

/// The meaning of an error for the caller of the command. The command line derives exit codes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Something failed that usually works: the server, the network, a disk.
    Unexpected,
    /// Wrong usage or configuration; nothing was changed.
    Usage,
    /// Sign-in refused or expired.
    SignIn,
    /// Refused: a safety limit, impersonation not honoured, or declined.
    Refused,
    /// Stopped early; it can be resumed.
    Stopped,
    /// Interrupted; it can be resumed.
    Interrupted,
}

/// The most entries of a list in an error: with the message and the hint they fit a terminal of 24 lines.
const LISTED: usize = 20;

impl ErrorReport {
    /// A report without a hint. The text is kept on one line, so that text from elsewhere adds no lines.
    pub fn new(kind: &'static str, class: ErrorClass, error: &dyn Display) -> Self {
        Self {
            kind,
            message: one_line(&error.to_string()).into_owned(),
            hint: None,
            class,
        }
    }

    /// The same report with what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The same report with a list below the message, one entry per line. A long list is cut, with the number of
    /// omitted entries.
    #[must_use]
    pub fn with_list<T: Display>(self, entries: &[T]) -> Self {
        let shown = &entries[..entries.len().min(LISTED)];
        self.with_examples(shown, entries.len())
    }

    /// The same report with examples of `count` entries.
    #[must_use]
    pub fn with_examples<T: Display>(mut self, examples: &[T], count: usize) -> Self {
        for entry in examples {
            self.message.push_str("\n  ");
            self.message.push_str(&one_line(&entry.to_string()));
        }
        if let left @ 1.. = count.saturating_sub(examples.len()) {
            // Writing to a string cannot fail.
            let left = number(u64::try_from(left).unwrap_or(u64::MAX));
            let _ = write!(self.message, "\n  … and {left} more");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_from_elsewhere_adds_no_line_to_a_list() {
        let report = ErrorReport::new("usage", ErrorClass::Usage, &"wrong:\nhere")
            .with_list(&["a\nerror: b", "c"]);
        assert_eq!(report.message, "wrong: here\n  a error: b\n  c");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let names: Vec<_> = (0..25).map(|n| n.to_string()).collect();
        let report = ErrorReport::new("usage", ErrorClass::Usage, &"wrong:").with_list(&names);
        assert_eq!(report.message.lines().count(), 1 + LISTED + 1);
        assert!(report.message.ends_with("\n  19\n  … and 5 more"));
        let report = ErrorReport::new("usage", ErrorClass::Usage, &"wrong:");
        let report = report.with_examples(&names[..2], 2);
        assert_eq!(report.message, "wrong:\n  0\n  1");
    }

    #[test]
    fn a_program_reads_kind_message_and_hint() {
        let report = ErrorReport::new("usage", ErrorClass::Usage, &"wrong").with_hint("look");
        let json = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({ "kind": "usage", "message": "wrong", "hint": "look" });
        assert_eq!(json, expected);
    }
}
