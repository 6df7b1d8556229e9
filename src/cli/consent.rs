//! What has to be agreed to before anything is written.

use std::io::{IsTerminal, stderr, stdin};

use tokio_util::sync::CancellationToken;

use super::args::ConsentArgs;
use super::error::CliError;
use super::printer::Printer;

/// What is about to happen, as far as agreeing to it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stakes {
    /// Filters to change.
    pub(super) filters: u64,
    /// Users they belong to.
    pub(super) users: u64,
    /// Whether items can be deleted from Exchange.
    pub(super) calendar_loss: bool,
}

/// What is to be done to get consent.
#[derive(Debug, PartialEq, Eq)]
enum Need {
    /// Nothing: it was given.
    Nothing,
    /// Ask for this word.
    Ask(&'static str),
    /// It cannot be asked for here.
    Refuse(String),
}

/// What to type where nothing can be lost.
const YES: &str = "yes";
/// What to type where something can.
const DELETE: &str = "delete";

/// Gets consent, by flag or by word; an error where there is none.
pub(super) async fn obtain(
    args: &ConsentArgs,
    stakes: Stakes,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    match need(args, stakes, can_ask()) {
        Need::Nothing => Ok(()),
        Need::Refuse(why) => Err(CliError::WouldAsk(why)),
        Need::Ask(word) => ask(stakes, word, interrupted).await,
    }
}

/// Refuses before anything was asked of the server where consent will be missing in the end: nobody should
/// wait for a survey that comes to nothing.
pub(super) fn foresee(args: &ConsentArgs, calendar_loss: bool) -> Result<(), CliError> {
    let stakes = Stakes {
        filters: 0,
        users: 0,
        calendar_loss,
    };
    match need(args, stakes, can_ask()) {
        Need::Refuse(why) => Err(CliError::WouldAsk(why)),
        Need::Nothing | Need::Ask(_) => Ok(()),
    }
}

/// Asks whether to go on; only where there is a terminal and nobody said not to ask.
pub(super) async fn go_on(
    args: &ConsentArgs,
    interrupted: &CancellationToken,
) -> Result<bool, CliError> {
    if args.yes || !can_ask() {
        return Ok(true);
    }
    match answer(&format!("Type `{YES}` to go on: "), YES, interrupted).await {
        Err(CliError::Declined) => Ok(false),
        answer => answer.map(|()| true),
    }
}

fn can_ask() -> bool {
    stdin().is_terminal() && stderr().is_terminal()
}

fn need(args: &ConsentArgs, stakes: Stakes, can_ask: bool) -> Need {
    if args.dry_run {
        return Need::Nothing;
    }
    let loss_is_open = stakes.calendar_loss && !args.accept_calendar_loss;
    match (args.yes, loss_is_open) {
        (true, false) => Need::Nothing,
        (_, true) if can_ask => Need::Ask(DELETE),
        (false, false) if can_ask => Need::Ask(YES),
        (yes, loss) => {
            let flags = match (yes, loss) {
                (false, true) => "--yes --accept-calendar-loss",
                (true, _) => "--accept-calendar-loss",
                (false, false) => "--yes",
            };
            Need::Refuse(format!(
                "there is no terminal to ask on; agree with {flags}, or look first with `syncfilters plan`"
            ))
        }
    }
}

/// Asks on the terminal. An interruption is an answer too: no.
async fn ask(
    stakes: Stakes,
    word: &'static str,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    let Stakes { filters, users, .. } = stakes;
    let question = format!(
        "Change {filters} filter{} of {users} user{}? Type `{word}` to go on: ",
        plural(filters),
        plural(users)
    );
    answer(&question, word, interrupted).await
}

async fn answer(
    question: &str,
    word: &str,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    Printer::ask(question);
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        stdin().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        () = interrupted.cancelled() => Err(CliError::InterruptedAtPrompt),
        answer = answer => match answer {
            Ok(Ok(answer)) if answer.trim().eq_ignore_ascii_case(word) => Ok(()),
            _ => Err(CliError::Declined),
        },
    }
}

const fn plural(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(yes: bool, accept: bool, dry_run: bool) -> ConsentArgs {
        ConsentArgs {
            yes,
            accept_calendar_loss: accept,
            dry_run,
            max_changes: None,
            stop_after_failures: None,
            wave: Vec::new(),
            wave_pause: None,
        }
    }

    fn stakes(calendar_loss: bool) -> Stakes {
        Stakes {
            filters: 3,
            users: 1,
            calendar_loss,
        }
    }

    #[test]
    fn yes_alone_never_agrees_to_a_calendar_loss() {
        let yes = args(true, false, false);
        assert_eq!(need(&yes, stakes(false), false), Need::Nothing);
        assert_eq!(need(&yes, stakes(true), true), Need::Ask(DELETE));
        let Need::Refuse(why) = need(&yes, stakes(true), false) else {
            panic!("refused");
        };
        assert!(why.contains("--accept-calendar-loss") && !why.contains("--yes"));
    }

    #[test]
    fn without_a_terminal_nothing_is_asked_and_the_flag_is_named() {
        let Need::Refuse(why) = need(&args(false, false, false), stakes(false), false) else {
            panic!("refused");
        };
        assert!(why.contains("--yes"), "{why}");
        let both = args(true, true, false);
        assert_eq!(need(&both, stakes(true), false), Need::Nothing);
    }

    #[test]
    fn a_dry_run_needs_no_consent() {
        assert_eq!(
            need(&args(false, false, true), stakes(true), false),
            Need::Nothing
        );
    }
}
