//! What has to be agreed to before anything is written.

use std::io::{IsTerminal, stdin};

use tokio_util::sync::CancellationToken;

use crate::plan::Limit;
use crate::report::terminal;
use crate::rollout::RolloutError;
use crate::settings::Guards;

use super::args::ConsentArgs;
use super::error::CliError;
use super::printer::Printer;

/// What a command was told, and what it has to keep to: flags, profile and built-in limits as one.
#[derive(Clone, Debug)]
pub(super) struct Consent<'a> {
    /// The flags.
    pub(super) args: &'a ConsentArgs,
    guards: Guards,
    /// The limit where neither flag nor profile sets one.
    built_in: Option<Limit>,
    /// Whether nobody is asked, terminal or not, because the command itself says `yes`.
    unattended: bool,
}

impl<'a> Consent<'a> {
    /// The consent of a command that asks.
    pub(super) const fn new(args: &'a ConsentArgs, guards: Guards) -> Self {
        Self {
            args,
            guards,
            built_in: None,
            unattended: false,
        }
    }

    /// The consent of a command that asks nobody and changes no more than this limit allows.
    pub(super) const fn unattended(args: &'a ConsentArgs, guards: Guards, limit: Limit) -> Self {
        Self {
            args,
            guards,
            built_in: Some(limit),
            unattended: true,
        }
    }

    /// The limit that holds: of the flag, else of the profile, else built in.
    pub(super) fn limit(&self) -> Option<Limit> {
        let flag = self.args.max_changes.map(Limit::of_flag);
        flag.or_else(|| self.guards.limit.clone())
            .or_else(|| self.built_in.clone())
    }
}

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
    /// Ask for this word, then for this name; nothing where both were given.
    Ask {
        word: Option<&'static str>,
        name: Option<String>,
    },
    /// It cannot be had here.
    Refuse(String),
}

/// What to type where nothing can be lost.
const YES: &str = "yes";
/// What to type where something can.
const DELETE: &str = "delete";

/// Gets consent, by flag or by word; an error where there is none.
pub(super) async fn obtain(
    consent: &Consent<'_>,
    stakes: Stakes,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    let Stakes { filters, users, .. } = stakes;
    let change = format!(
        "Change {filters} filter{} of {users} user{}?",
        plural(filters),
        plural(users)
    );
    obtain_for(&change, consent, stakes.calendar_loss, interrupted).await
}

/// The same for any change that can be put as a question.
pub(super) async fn obtain_for(
    change: &str,
    consent: &Consent<'_>,
    calendar_loss: bool,
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    let (word, name) = match need(consent, calendar_loss, can_ask()) {
        Need::Refuse(why) => return Err(CliError::WouldAsk(why)),
        Need::Ask { word, name } => (word, name),
    };
    if let Some(word) = word {
        let question = format!("{change} Type `{word}` to go on: ");
        let fits = |answer: &str| answer.eq_ignore_ascii_case(word);
        answer(&question, fits, interrupted).await?;
    }
    if let Some(name) = name {
        let question = "This environment is in production. Type its name to go on: ";
        answer(question, |answer| answer == name, interrupted).await?;
    }
    Ok(())
}

/// Refuses before anything was asked of the server where consent will be missing in the end: nobody should
/// wait for a survey that comes to nothing.
pub(super) fn foresee(consent: &Consent<'_>, calendar_loss: bool) -> Result<(), CliError> {
    match need(consent, calendar_loss, can_ask()) {
        Need::Refuse(why) => Err(CliError::WouldAsk(why)),
        Need::Ask { .. } => Ok(()),
    }
}

/// Waits for the word, or the time, to go on with the next wave; the error is why not to.
pub(super) async fn between_waves(
    consent: &Consent<'_>,
    printer: &Printer,
    interrupted: &CancellationToken,
) -> Result<Result<(), RolloutError>, CliError> {
    if let Some(pause) = consent.args.wave_pause {
        printer.say(&format!("Waiting for {} s.", pause.as_secs()));
        return Ok(tokio::select! {
            () = interrupted.cancelled() => Err(RolloutError::Interrupted),
            () = tokio::time::sleep(pause) => Ok(()),
        });
    }
    Ok(match go_on(consent, interrupted).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(RolloutError::Stopped("the next wave was declined".into())),
        Err(CliError::InterruptedAtPrompt) => Err(RolloutError::Interrupted),
        Err(error) => return Err(error),
    })
}

/// Asks whether to go on; only where there is a terminal and nobody said not to ask.
async fn go_on(consent: &Consent<'_>, interrupted: &CancellationToken) -> Result<bool, CliError> {
    if consent.args.yes || consent.unattended || !can_ask() {
        return Ok(true);
    }
    let question = format!("Type `{YES}` to go on: ");
    let fits = |answer: &str| answer.eq_ignore_ascii_case(YES);
    match answer(&question, fits, interrupted).await {
        Err(CliError::Declined) => Ok(false),
        answer => answer.map(|()| true),
    }
}

fn can_ask() -> bool {
    stdin().is_terminal() && terminal::stderr_is_screen()
}

fn need(consent: &Consent<'_>, calendar_loss: bool, can_ask: bool) -> Need {
    let Consent { args, guards, .. } = consent;
    if let Some(why) = wrong_name(&args.confirm_environment, guards) {
        return Need::Refuse(why);
    }
    let nothing = Need::Ask {
        word: None,
        name: None,
    };
    if args.dry_run {
        return nothing;
    }
    let word = match (
        calendar_loss && !args.accept_calendar_loss,
        args.yes || consent.unattended,
    ) {
        (true, _) => Some(DELETE),
        (false, false) => Some(YES),
        (false, true) => None,
    };
    let unconfirmed = guards.production && args.confirm_environment.is_empty();
    let name = unconfirmed.then(|| guards.name.clone()).flatten();
    if can_ask && !consent.unattended || word.is_none() && name.is_none() {
        return Need::Ask { word, name };
    }
    Need::Refuse(missing(consent, word, name.as_deref()))
}

/// Somebody who says which environment it is has to be right, whether it is in production or not.
fn wrong_name(said: &[String], guards: &Guards) -> Option<String> {
    let said = said
        .iter()
        .find(|said| guards.name.as_ref() != Some(said))?;
    match &guards.name {
        Some(name) => Some(format!(
            "--confirm-environment is `{said}`, and this is environment `{name}` of the configuration file; nothing was changed"
        )),
        None => Some(format!(
            "--confirm-environment is `{said}`, and the address is not in the configuration file; nothing was changed"
        )),
    }
}

/// What to say where nobody can be asked: the flags that are missing.
fn missing(consent: &Consent<'_>, word: Option<&str>, name: Option<&str>) -> String {
    let mut flags = Vec::new();
    if word.is_some() && !consent.args.yes && !consent.unattended {
        flags.push("--yes".to_owned());
    }
    if word == Some(DELETE) {
        flags.push("--accept-calendar-loss".to_owned());
    }
    flags.extend(name.map(|name| format!("--confirm-environment {name}")));
    let (why, look) = if consent.unattended {
        ("--fix asks nobody", "leave out --fix to look first")
    } else {
        (
            "there is no terminal to ask on",
            "look first with `syncfilters plan`",
        )
    };
    format!("{why}; agree with {}, or {look}", flags.join(" "))
}

/// Gets one consent for several environments, by flag or by word, and the name of each that is in production.
///
/// # Errors
/// Where there is no consent; then there is none for any of them.
pub(super) async fn obtain_for_all(
    environments: &[(&Consent<'_>, Stakes)],
    names: &[&str],
    interrupted: &CancellationToken,
) -> Result<(), CliError> {
    let (word, confirm) = match need_of_all(environments, can_ask()) {
        Need::Refuse(why) => return Err(CliError::WouldAsk(why)),
        Need::Ask { word, name } => (word, name),
    };
    if let Some(word) = word {
        let question = question_for_all(environments, names, word);
        let fits = |answer: &str| answer.eq_ignore_ascii_case(word);
        answer(&question, fits, interrupted).await?;
    }
    if let Some(names) = confirm {
        let question = "Among them are environments in production. Type the names of these, as `a, b`, to go on: ";
        answer(question, |answer| same_names(answer, &names), interrupted).await?;
    }
    Ok(())
}

/// The gravest of the needs; the names of those in production, one after the other.
fn need_of_all(environments: &[(&Consent<'_>, Stakes)], can_ask: bool) -> Need {
    let (mut gravest, mut names) = (None, Vec::new());
    for (consent, stakes) in environments {
        match need(consent, stakes.calendar_loss, can_ask) {
            refused @ Need::Refuse(_) => return refused,
            Need::Ask { word, name } => {
                gravest = match (gravest, word) {
                    (Some(DELETE), _) | (_, Some(DELETE)) => Some(DELETE),
                    (before, word) => before.or(word),
                };
                names.extend(name);
            }
        }
    }
    Need::Ask {
        word: gravest,
        name: (!names.is_empty()).then(|| names.join(", ")),
    }
}

/// Whether the same names are given, in whatever order.
fn same_names(said: &str, names: &str) -> bool {
    let sorted = |text: &str| {
        let names = text.split(',').map(|name| name.trim().to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names
    };
    sorted(said) == sorted(names)
}

fn question_for_all(environments: &[(&Consent<'_>, Stakes)], names: &[&str], word: &str) -> String {
    let total = |of: fn(&Stakes) -> u64| environments.iter().map(|(_, stakes)| of(stakes)).sum();
    let (filters, users) = (total(|stakes| stakes.filters), total(|stakes| stakes.users));
    format!(
        "Change {filters} filter{} of {users} user{} in {}? Type `{word}` to go on: ",
        plural(filters),
        plural(users),
        names.join(", ")
    )
}

/// Asks on the terminal. An interruption is an answer too: no.
async fn answer(
    question: &str,
    fits: impl Fn(&str) -> bool,
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
            Ok(Ok(answer)) if fits(answer.trim()) => Ok(()),
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
    use crate::plan::Bound;

    fn args(yes: bool, accept: bool) -> ConsentArgs {
        ConsentArgs {
            yes,
            accept_calendar_loss: accept,
            ..ConsentArgs::default()
        }
    }

    fn production() -> Guards {
        Guards {
            name: Some("contoso".into()),
            production: true,
            limit: None,
        }
    }

    fn ask(word: Option<&'static str>, name: Option<&str>) -> Need {
        let name = name.map(str::to_owned);
        Need::Ask { word, name }
    }

    fn refused(need: Need) -> String {
        match need {
            Need::Refuse(why) => why,
            need @ Need::Ask { .. } => panic!("{need:?}"),
        }
    }

    #[test]
    fn yes_alone_never_agrees_to_a_calendar_loss() {
        let args = args(true, false);
        let yes = Consent::new(&args, Guards::default());
        assert_eq!(need(&yes, false, false), ask(None, None));
        assert_eq!(need(&yes, true, true), ask(Some(DELETE), None));
        let why = refused(need(&yes, true, false));
        assert!(why.contains("--accept-calendar-loss") && !why.contains("--yes"));
    }

    #[test]
    fn one_question_names_every_environment_and_the_gravest_stakes_decide_the_word() {
        let stakes = |calendar_loss| Stakes {
            filters: 3,
            users: 1,
            calendar_loss,
        };
        let nothing = ConsentArgs::default();
        let (test, real) = (
            Consent::new(&nothing, Guards::default()),
            Consent::new(&nothing, production()),
        );
        let both = [(&real, stakes(true)), (&test, stakes(false))];
        assert_eq!(
            question_for_all(&both, &["production", "test"], DELETE),
            "Change 6 filters of 2 users in production, test? Type `delete` to go on: "
        );
        assert_eq!(need_of_all(&both, true), ask(Some(DELETE), Some("contoso")));
        assert_eq!(need_of_all(&both[1..], true), ask(Some(YES), None));
        let why = refused(need_of_all(&both, false));
        assert!(why.contains("--accept-calendar-loss"), "{why}");
    }

    #[test]
    fn names_may_be_given_in_any_order_and_none_may_be_left_out() {
        assert!(same_names("b , a", "a, b"));
        assert!(!same_names("a", "a, b") && !same_names("a, a", "a, b"));
    }

    #[test]
    fn without_a_terminal_nothing_is_asked_and_the_flag_is_named() {
        let nothing = ConsentArgs::default();
        let none = Consent::new(&nothing, Guards::default());
        let why = refused(need(&none, false, false));
        assert!(why.contains("agree with --yes, or"), "{why}");
        let args = args(true, true);
        let both = Consent::new(&args, Guards::default());
        assert_eq!(need(&both, true, false), ask(None, None));
    }

    #[test]
    fn a_dry_run_needs_no_consent() {
        let dry = ConsentArgs {
            dry_run: true,
            ..ConsentArgs::default()
        };
        let dry = Consent::new(&dry, production());
        assert_eq!(need(&dry, true, false), ask(None, None));
    }

    #[test]
    fn production_has_to_be_named_beside_every_other_consent() {
        let both = args(true, true);
        let consent = Consent::new(&both, production());
        assert_eq!(need(&consent, true, true), ask(None, Some("contoso")));
        let why = refused(need(&consent, true, false));
        assert!(why.contains("--confirm-environment contoso"), "{why}");
        let nothing = ConsentArgs::default();
        let consent = Consent::new(&nothing, production());
        let asked = ask(Some(DELETE), Some("contoso"));
        assert_eq!(need(&consent, true, true), asked);
        let named = ConsentArgs {
            confirm_environment: vec!["contoso".into()],
            ..both
        };
        let consent = Consent::new(&named, production());
        assert_eq!(need(&consent, true, false), ask(None, None));
    }

    #[test]
    fn a_wrong_name_is_refused_also_where_none_is_needed() {
        let named = ConsentArgs {
            confirm_environment: vec!["Contoso".into()],
            ..args(true, true)
        };
        let test = Guards {
            production: false,
            ..production()
        };
        for guards in [production(), test, Guards::default()] {
            let why = refused(need(&Consent::new(&named, guards), false, true));
            assert!(
                why.starts_with("--confirm-environment is `Contoso`"),
                "{why}"
            );
        }
    }

    #[test]
    fn what_is_unattended_asks_nobody_not_even_on_a_terminal() {
        let nothing = ConsentArgs::default();
        let of = |guards| Consent::unattended(&nothing, guards, Limit::FIX);
        assert_eq!(need(&of(Guards::default()), false, true), ask(None, None));
        let why = refused(need(&of(production()), true, true));
        let flags = "--accept-calendar-loss --confirm-environment contoso";
        assert!(why.contains(flags) && !why.contains("--yes"), "{why}");
    }

    #[test]
    fn the_limit_of_the_flag_counts_before_that_of_the_profile_and_that_before_the_built_in() {
        let profile = Limit::of_profile(Bound::Users(5), "contoso".into());
        let guards = |limit| Guards {
            limit,
            ..Guards::default()
        };
        let flagged = ConsentArgs {
            max_changes: Some(Bound::Users(3)),
            ..ConsentArgs::default()
        };
        let nothing = ConsentArgs::default();
        let limit = |args, limit| Consent::unattended(args, guards(limit), Limit::FIX).limit();
        let of_flag = Limit::of_flag(Bound::Users(3));
        assert_eq!(limit(&flagged, Some(profile.clone())), Some(of_flag));
        assert_eq!(limit(&nothing, Some(profile.clone())), Some(profile));
        assert_eq!(limit(&nothing, None), Some(Limit::FIX));
        assert_eq!(Consent::new(&nothing, Guards::default()).limit(), None);
    }
}
