//! Questions about settings on the terminal.

use std::fmt::Display;

use tokio_util::sync::CancellationToken;

use super::consent::read_answer;
use super::error::CliError;
use super::printer::Printer;

/// Invalid answers before the question is given up, because at the end of the input every answer is empty.
const TRIES: usize = 3;

/// Asks the user at the terminal.
pub(super) struct Questions<'a> {
    pub(super) interrupted: &'a CancellationToken,
}

/// One of several answers: the word to type, and its value.
pub(super) struct Choice<T> {
    pub(super) value: T,
    pub(super) word: String,
    pub(super) meaning: String,
}

impl Questions<'_> {
    /// Asks until the answer is valid; an empty one is the default, where there is one.
    pub(super) async fn ask<T, E: Display>(
        &self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, CliError> {
        let shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
        for _ in 0..TRIES {
            let answer = read_answer(&format!("{question}{shown}: "), self.interrupted).await?;
            let answer = answer.trim();
            let answer = match default {
                Some(default) if answer.is_empty() => default,
                _ => answer,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => Printer::warn(&why.to_string()),
            }
        }
        Err(CliError::Usage(
            "no answer could be used; nothing was written".into(),
        ))
    }

    /// Shows the choices and asks for one; the first is the default.
    pub(super) async fn choose<T: Clone>(
        &self,
        question: &str,
        choices: &[Choice<T>],
    ) -> Result<T, CliError> {
        let widest = choices.iter().map(|choice| choice.word.len()).max();
        let widest = widest.unwrap_or(0);
        for (at, Choice { word, meaning, .. }) in choices.iter().enumerate() {
            Printer::warn(&format!("  {}  {word:<widest$}  {meaning}", at + 1));
        }
        let words: Vec<_> = choices.iter().map(|choice| choice.word.as_str()).collect();
        let default = words.first().copied();
        let at = self
            .ask(question, default, |answer| chosen(answer, &words))
            .await?;
        Ok(choices[at].value.clone())
    }

    /// Asks a question whose answer is "no" unless "yes" is typed.
    pub(super) async fn is_so(&self, question: &str) -> Result<bool, CliError> {
        self.ask(question, Some("no"), |answer| match answer {
            "yes" | "y" => Ok(true),
            "no" | "n" => Ok(false),
            _ => Err("Type `yes` or `no`."),
        })
        .await
    }
}

/// The index of the word that was typed, by itself or by its number.
fn chosen(answer: &str, words: &[&str]) -> Result<usize, String> {
    let by_number = answer.parse().ok().and_then(|n: usize| n.checked_sub(1));
    let by_word = words.iter().position(|word| *word == answer);
    by_word
        .or(by_number)
        .filter(|at| *at < words.len())
        .ok_or_else(|| {
            format!(
                "Type a number from 1 to {}, or one of the words.",
                words.len()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_typed_by_its_number_or_its_word() {
        let words = ["browser", "device-code"];
        assert_eq!(chosen("2", &words), Ok(1));
        assert_eq!(chosen("browser", &words), Ok(0));
        for answer in ["", "0", "3", "-1", "canary", "99999999999999999999"] {
            let why = chosen(answer, &words).unwrap_err();
            assert!(!why.contains("canary"), "{why}");
        }
    }
}
