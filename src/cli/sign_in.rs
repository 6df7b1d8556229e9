//! The user who signs in at the terminal: messages and questions.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use secrecy::SecretString;

use crate::auth::{NoPrompt, PromptText, UserPrompt};
use crate::report::{capital, terminal};

use super::printer::Printer;

/// The user at the terminal, if there is one.
pub(super) fn prompt() -> Arc<dyn UserPrompt> {
    if io::stdin().is_terminal() && terminal::stderr_is_screen() {
        Arc::new(AtTheTerminal)
    } else {
        Arc::new(NoPrompt)
    }
}

#[derive(Debug)]
struct AtTheTerminal;

impl UserPrompt for AtTheTerminal {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&self, notice: &PromptText) {
        for line in notice_lines(notice) {
            Printer::warn(&line);
        }
    }

    fn open(&self, address: &str) -> bool {
        webbrowser::open(address).is_ok()
    }

    fn ask(&self, what: &str) -> Option<SecretString> {
        Printer::ask_secret(&capital(what))
    }
}

pub(super) fn notice_lines(notice: &PromptText) -> Vec<String> {
    match notice {
        PromptText::Code {
            address,
            code,
            minutes,
        } => vec![
            format!(
                "To sign in, open {address} on any device and enter the code {code}, within {minutes} minutes."
            ),
            "Enter a code only if you started this yourself.".to_owned(),
        ],
        PromptText::Browser {
            opened: true,
            address,
        } => vec![
            "Finish signing in in the browser that has opened. If none has, open".to_owned(),
            address.clone(),
        ],
        PromptText::Browser {
            opened: false,
            address,
        } => vec![
            "To sign in, open in a browser on this machine".to_owned(),
            address.clone(),
        ],
        PromptText::NotKept { why } => vec![format!(
            "The sign-in is not kept for later commands: {why}. `--keep file` keeps it in a private file."
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_told_where_to_go_and_with_what() {
        let lines = notice_lines(&PromptText::Code {
            address: "https://microsoft.com/devicelogin".into(),
            code: "ABC-DEF".into(),
            minutes: 15,
        });
        for part in ["https://microsoft.com/devicelogin", "ABC-DEF", "15 minutes"] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
    }
}
