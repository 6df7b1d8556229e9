//! Obtains the answers that the guards need: on the terminal, or by naming the flags.

use std::io::{IsTerminal, stdin};

use tokio_util::sync::CancellationToken;

use crate::model::Operation;
use crate::model::shell::quoted;
use crate::plan::{
    Confirmations, Decision, GivenBy, Guards, Need, Refusal, RunSettings, Stakes, Topic, decide,
};

use crate::report::{prompts, terminal};

use super::App;
use super::error::CliError;
use super::printer::Printer;
use super::shared_args::ConsentArgs;

/// How a command obtains consent: from its flags, and by asking for the rest.
#[derive(Clone, Debug)]
pub(super) struct Consent {
    /// The answers given so far.
    pub(super) said: Confirmations,
    /// Whether no change is sent.
    pub(super) dry_run: bool,
    /// Whether no user is asked, even on a terminal, because the command itself says `yes`.
    unattended: bool,
    /// Whether typed answers hold for all waves, because the waves follow each other after a pause.
    for_all_waves: bool,
}

impl Consent {
    /// The consent of a command that asks.
    pub(super) fn new(args: &ConsentArgs) -> Self {
        let mut said = Confirmations::default();
        let flags = [
            (args.yes, Topic::Change),
            (args.accept_calendar_loss, Topic::CalendarLoss),
            (args.after_undo, Topic::AfterUndo),
        ];
        for (given, topic) in flags {
            if given {
                said.give(topic, GivenBy::Flag);
            }
        }
        for name in &args.confirm_environment {
            said.name(name, GivenBy::Flag);
        }
        Self {
            said,
            dry_run: args.dry_run,
            unattended: false,
            for_all_waves: args.wave_pause.is_some(),
        }
    }

    /// The consent of a command that does not ask.
    pub(super) fn unattended(args: &ConsentArgs) -> Self {
        let mut consent = Self::new(args);
        consent.said.give(Topic::Change, GivenBy::Command);
        Self {
            unattended: true,
            ..consent
        }
    }

    /// The same consent without early checks, because there may be nothing to agree to.
    pub(super) fn when_known(&self) -> Self {
        Self {
            dry_run: true,
            ..self.clone()
        }
    }

    /// Whether a refused plan is kept to be applied later. A command that does not ask makes a new one each time.
    pub(super) const fn keeps_plans(&self) -> bool {
        !self.unattended
    }

    /// Whether missing answers are asked for.
    pub(super) fn can_ask(&self) -> bool {
        !self.unattended && is_terminal()
    }

    /// Refuses before any request if answers will be missing, so that no user waits for
    /// a survey without result.
    pub(super) fn check_early(&self, expected: &[Stakes]) -> Result<(), CliError> {
        let all: Vec<_> = expected.iter().collect();
        let Decision { runs, missing } = decide(&all, &self.said);
        // The name of another organisation refuses all of them.
        if let Some(Err(why)) = runs.into_iter().find(Result::is_err) {
            return Err(CliError::refused(&why, None));
        }
        if self.dry_run || missing.is_empty() || self.can_ask() {
            return Ok(());
        }
        Err(self.would_ask(&missing))
    }

    /// Obtains the missing answers for these runs; an error if that is not possible.
    pub(super) async fn obtain(
        &mut self,
        missing: &[Need],
        question: &str,
        interrupted: &CancellationToken,
    ) -> Result<(), CliError> {
        if interrupted.is_cancelled() {
            return Err(CliError::InterruptedAtPrompt);
        }
        if !self.can_ask() {
            return Err(self.would_ask(missing));
        }
        let how = if self.for_all_waves {
            GivenBy::TypedForAllWaves
        } else {
            GivenBy::Typed
        };
        for asked in prompts(missing, question) {
            let answer = read_answer(&asked.text, interrupted).await?;
            if !asked.take(&mut self.said, &answer, how) {
                return Err(CliError::Declined);
            }
        }
        Ok(())
    }

    /// The decision about these runs without `--dry-run`: refusals and missing answers.
    pub(super) fn dry_run(&self, runs: &[Stakes]) -> DryRunConsent {
        let all: Vec<_> = runs.iter().collect();
        let Decision { runs, missing } = decide(&all, &self.said);
        let flags: Vec<_> = missing.iter().map(flag).collect();
        DryRunConsent {
            refused: runs.into_iter().map(Result::err).collect(),
            missing: (!flags.is_empty()).then(|| flags.join(" ")),
        }
    }

    /// The error where no user can be asked: it names all missing flags.
    fn would_ask(&self, missing: &[Need]) -> CliError {
        let flags: Vec<_> = missing.iter().map(flag).collect();
        let (why, instead) = if self.unattended {
            ("--fix does not ask", "leave out --fix to only read")
        } else {
            (
                "there is no terminal for a question",
                "use --dry-run to only read",
            )
        };
        let flags = flags.join(" ");
        CliError::WouldAsk(format!("{why}; give {flags}, or {instead}"))
    }
}

/// The decision about runs without `--dry-run`.
#[derive(Debug)]
pub(super) struct DryRunConsent {
    /// For each run the refusals, if there are any.
    pub(super) refused: Vec<Option<Vec<Refusal>>>,
    /// The missing flags, or the answers that will be asked for.
    pub(super) missing: Option<String>,
}

impl DryRunConsent {
    /// Prints the missing answers, if nothing is refused.
    pub(super) fn print(&self, app: &App) {
        if let Some(flags) = &self.missing {
            app.printer.status_line(&format!(
                "To make the changes, leave out --dry-run and give {flags}."
            ));
        }
    }
}

/// The flag that gives an answer.
fn flag(need: &Need) -> String {
    match need {
        Need::Change => "--yes".to_owned(),
        Need::CalendarLoss(_) => "--accept-calendar-loss".to_owned(),
        Need::Production { names } => {
            let name = names.first().map_or("NAME", String::as_str);
            format!("--confirm-environment {}", quoted(name))
        }
        Need::AfterUndo { .. } => "--after-undo".to_owned(),
    }
}

/// The stakes that are expected before users are read.
pub(super) fn expected(operation: Operation, calendar_loss: bool, guards: &Guards) -> Stakes {
    Stakes::expected(operation, calendar_loss, guards.clone())
}

/// The settings of a run from the flags.
pub(super) fn settings(
    args: &ConsentArgs,
    connection: &super::shared_args::ConnectionArgs,
) -> RunSettings {
    RunSettings {
        waves: args.wave.clone().unwrap_or_default().0,
        wave_pause: args.wave_pause,
        stop_after_failures: args.stop_after_failures,
        max_changes: args.max_changes,
        concurrency: connection.concurrency,
        max_requests_per_5m: connection.max_requests_per_5m,
        ..RunSettings::default()
    }
}

/// Whether there is a user who can read a question and type an answer.
pub(super) fn is_terminal() -> bool {
    stdin().is_terminal() && terminal::stderr_is_screen()
}

/// Drops input from before the question: only an answer typed after it counts.
#[cfg(unix)]
fn forget_what_was_typed() {
    use rustix::termios::{QueueSelector, tcflush};
    // If that fails, there was no input.
    let _ = tcflush(stdin(), QueueSelector::IFlush);
}

/// On Windows this is not possible without unsafe code.
#[cfg(not(unix))]
fn forget_what_was_typed() {}

/// Asks on the terminal. An interruption counts as "no".
pub(super) async fn read_answer(
    question: &str,
    interrupted: &CancellationToken,
) -> Result<String, CliError> {
    forget_what_was_typed();
    Printer::ask(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        () = interrupted.cancelled() => Err(CliError::InterruptedAtPrompt),
        answer = answer => match answer {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(CliError::Declined),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RunId;
    use crate::plan::{LossBound, TimeRange, WaveStakes};
    use crate::report::question;

    fn stakes(calendar_loss: bool, names: &[&str]) -> Stakes {
        let guards = Guards {
            names: names.iter().map(ToString::to_string).collect(),
            production: !names.is_empty(),
            limits: Vec::new(),
        };
        Stakes {
            users: 263,
            items: 806,
            ..Stakes::expected(Operation::Deactivate, calendar_loss, guards)
        }
    }

    fn texts(missing: &[Need], question: &str) -> Vec<String> {
        let prompts = prompts(missing, question);
        prompts.into_iter().map(|prompt| prompt.text).collect()
    }

    #[test]
    fn the_question_says_what_and_how_many_and_the_word_says_what_can_be_lost() {
        let (lossy, plain) = (stakes(true, &[]), stakes(false, &[]));
        let asked = question(&[("contoso", &lossy)], &[]);
        let price = "Calendar items can be deleted from Exchange.";
        let what = "Deactivate 806 filters of 263 users in contoso?";
        assert_eq!(asked, format!("{what}\n{price}"));
        assert_eq!(
            texts(&lossy.needs(), &asked),
            [format!("{asked}\nType `deactivate` to continue: ")]
        );
        let counted = Stakes {
            coming_items: Some((4_945, crate::plan::LossBound::AtMost)),
            ..lossy
        };
        let asked = question(&[("contoso", &counted)], &[]);
        assert!(asked.contains("\nUp to 4,945 coming items can be deleted from Exchange."));
        assert_eq!(question(&[("contoso", &plain)], &[]), what);
        let yes = texts(&plain.needs(), &asked);
        assert!(yes[0].ends_with("Type `yes` to continue: "));
    }

    #[test]
    fn a_wave_is_asked_for_with_its_own_numbers_and_the_next_one_s() {
        let mut wave = stakes(false, &[]);
        wave.wave = Some(crate::plan::WaveStakes {
            number: 2,
            filters: 30,
            users: 10,
            next_users: 100,
            is_last_given: false,
        });
        assert_eq!(
            question(&[("contoso", &wave)], &[]),
            "Wave 2: Deactivate 30 filters of 10 users in contoso (next wave: 100 users)?"
        );
        if let Some(wave) = &mut wave.wave {
            wave.is_last_given = true;
        }
        assert!(
            question(&[("contoso", &wave)], &[])
                .ends_with("(the last wave given; `resume` continues)?")
        );
    }

    #[test]
    fn several_environments_are_one_question_with_their_names() {
        let (a, b) = (stakes(false, &["a"]), stakes(true, &["b"]));
        let left_out = ["c".to_owned()];
        let asked = question(&[("a", &a), ("b", &b)], &left_out);
        assert!(asked.starts_with("Deactivate 1,612 filters of 526 users in a and b?\n"));
        assert!(asked.ends_with("\nc is left out."), "{asked}");
        let needs = decide(&[&a, &b], &Confirmations::default()).missing;
        let prompts = prompts(&needs, &asked);
        assert_eq!(prompts.len(), 2);
        let mut said = Confirmations::default();
        assert!(!prompts[1].take(&mut said, "a", GivenBy::Typed));
        assert!(!prompts[1].take(&mut said, "a, b, c", GivenBy::Typed));
        assert!(prompts[1].take(&mut said, "b , a", GivenBy::Typed));
        assert!(prompts[0].take(&mut said, "deactivate", GivenBy::Typed));
        assert!(decide(&[&a, &b], &said).is_open());
    }

    #[test]
    fn a_question_says_the_items_and_the_time_of_what_it_asks_for() {
        let of = |items, seconds| Stakes {
            coming_items: Some((items, LossBound::default())),
            time: Some(TimeRange {
                least: std::time::Duration::from_secs(seconds),
                most: std::time::Duration::from_secs(seconds),
            }),
            ..stakes(true, &[])
        };
        let mut wave = of(120, 12);
        wave.wave = Some(WaveStakes {
            number: 2,
            filters: 30,
            users: 10,
            next_users: 5,
            is_last_given: false,
        });
        let asked = question(&[("contoso", &wave)], &[]);
        assert!(
            asked.starts_with("Wave 2: Deactivate 30 filters of 10 users"),
            "{asked}"
        );
        assert!(
            asked.ends_with("\n120 coming items can be deleted from Exchange. About 12 s."),
            "{asked}"
        );
        let asked = question(&[("a", &wave), ("b", &of(1_000, 25))], &[]);
        assert!(
            asked.ends_with("\n1,120 coming items can be deleted from Exchange. About 25 s."),
            "{asked}"
        );
        // Of one environment neither is known.
        let unknown = stakes(true, &[]);
        let asked = question(&[("a", &wave), ("b", &unknown)], &[]);
        assert!(
            asked.ends_with("\nCalendar items can be deleted from Exchange."),
            "{asked}"
        );
    }

    #[test]
    fn what_has_to_be_known_comes_before_the_question() {
        let mut old = stakes(false, &[]);
        old.settings_unknown = true;
        old.unknown_exclusions = vec!["eva@contoso.example".into()];
        old.undone_by = Some(RunId::random());
        let asked = question(&[("contoso", &old)], &[]);
        assert!(asked.starts_with("This run was begun by an older version"));
        assert!(asked.contains("1 name of the exclusion list match nobody: eva@contoso.example."));
        let prompts = texts(&old.needs(), &asked);
        assert!(prompts[0].starts_with("This run was undone by run "));
        assert_eq!(prompts.len(), 2);
    }

    #[test]
    fn without_a_terminal_every_missing_flag_is_named_at_once() {
        let mut all = stakes(true, &["contoso"]);
        all.undone_by = Some(RunId::random());
        let consent = Consent::new(&ConsentArgs::default());
        let why = consent.would_ask(&all.needs()).to_string();
        for flag in [
            "--yes",
            "--accept-calendar-loss",
            "--confirm-environment contoso",
            "--after-undo",
        ] {
            assert!(why.contains(flag), "{why}");
        }
    }
}
