//! `check`: what is not in the wanted state, and putting it right.

use std::io::Write;

use crate::dataverse::Reader;
use crate::journal::{ListedUser, RunFile};
use crate::model::{Operation, RunId, State};
use crate::plan::Limit;
use crate::report::{Format, ListWriter};
use crate::rollout::Rollout;

use super::App;
use super::args::{CheckArgs, ConsentArgs, WantedState};
use super::change::{can_lose, started};
use super::connect::{connect, store, target};
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;
use super::list::{Shown, show, survey};
use super::many::{self, places};
use super::printer::Printer;

/// Lists what is not in the wanted state, and who changed it; puts it right where that was asked for.
pub(super) async fn check(app: &App, args: &CheckArgs) -> Result<Exit, CliError> {
    let (operation, wanted) = match args.state {
        WantedState::Active => (Operation::Reactivate, State::Active),
        WantedState::Inactive => (Operation::Deactivate, State::Inactive),
    };
    let places = places(&args.connection, &app.output)?;
    if args.fix && places.is_some() {
        let why = "--fix works on one environment; --environment was given several times";
        return Err(CliError::Usage(why.into()));
    }
    if args.fix {
        return fix(app, args, operation, wanted).await;
    }
    if args.consent != ConsentArgs::default() {
        let why = "`check` changes nothing without --fix, so what was given of its options for safety means \
            nothing; add --fix, or leave them out";
        return Err(CliError::Usage(why.into()));
    }
    if let Some(places) = places {
        let started = started(operation, &args.scope)?;
        return many::check(app, (started, wanted), args, &places).await;
    }
    let (rollout, reader) = survey(app, operation, &args.connection, &args.scope).await?;
    let mut out = Printer::result();
    let mut writer = ListWriter::drift(&mut out, app.printer.format, app.printer.look())?;
    let shown = show_drift(&rollout, &mut writer, &reader, wanted).await?;
    writer.finish()?;
    app.printer.say(&sentence(shown, wanted));
    Ok(exit_of(shown))
}

/// How what is out of line ends the command.
pub(super) const fn exit_of(shown: Shown) -> Exit {
    match (shown.filters, shown.failed) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Partial,
        _ => Exit::Pending,
    }
}

/// A run that asks nobody and keeps to its limit. Where there is nothing to put right, it leaves no file.
async fn fix(
    app: &App,
    args: &CheckArgs,
    operation: Operation,
    wanted: State,
) -> Result<Exit, CliError> {
    let started = started(operation, &args.scope)?;
    let target = target(&args.connection, None)?;
    let consent = Consent::unattended(&args.consent, target.guards.clone(), Limit::FIX);
    consent::foresee(&consent, false)?;
    let reader = connect(target, &app.interrupted).await?;
    consent::foresee(&consent, can_lose(operation, &reader))?;
    let id = RunId::random();
    let path = store(&app.output)?.path_for(&id)?;
    let file = RunFile::create(&path, started.head(id, &reader))?;
    let driver = Driver::new(&app.printer, reader.clone(), file, &app.interrupted)?;
    if let Err(error) = driver.gather_and_survey(args.scope.survey.into()).await {
        // Nothing was changed, and the next check begins anew: there is nothing to resume.
        driver.forget();
        return Err(error.into());
    }
    let shown = talk_of_drift(app, driver.rollout(), &reader, wanted).await?;
    if shown.filters == 0 {
        return nothing_to_fix(app, driver).await;
    }
    match driver.agree_and_apply(&consent).await? {
        Exit::Done if still_out_of_line(driver.rollout()).await? => Ok(Exit::Pending),
        exit => Ok(exit),
    }
}

/// People have read the sentence; programs get the document of a run in which nothing was to be done.
async fn nothing_to_fix(app: &App, driver: Driver<'_>) -> Result<Exit, CliError> {
    let exit = match app.printer.format {
        Format::Table => Exit::of_outcome(driver.rollout().finish().await?),
        _ => driver.end(Ok(())).await?,
    };
    driver.forget();
    Ok(exit)
}

async fn still_out_of_line(rollout: &Rollout) -> Result<bool, CliError> {
    let some = |left| left > 0;
    let left = rollout
        .journal()
        .view(move |view| view.not_as_wanted().map(some));
    Ok(left.await?)
}

/// Shows the drift where people read what leads to the result.
async fn talk_of_drift(
    app: &App,
    rollout: &Rollout,
    reader: &Reader,
    wanted: State,
) -> Result<Shown, CliError> {
    let (mut out, look) = app.printer.talk();
    let mut writer = ListWriter::drift(&mut out, Format::Table, look)?;
    let shown = show_drift(rollout, &mut writer, reader, wanted).await?;
    writer.finish()?;
    if shown.users > 0 {
        writeln!(out)
            .and_then(|()| out.flush())
            .map_err(CliError::Output)?;
    }
    app.printer.say(&sentence(shown, wanted));
    Ok(shown)
}

/// Shows what is not in the wanted state, and who changed it.
pub(super) async fn show_drift(
    rollout: &Rollout,
    writer: &mut ListWriter<'_>,
    reader: &Reader,
    wanted: State,
) -> Result<Shown, CliError> {
    let keep = |user| out_of_line(user, wanted);
    show(rollout, writer, Some(reader), keep).await
}

/// What is left of a user when only what is out of line is of interest.
fn out_of_line(mut user: ListedUser, wanted: State) -> Option<ListedUser> {
    user.filters.retain(|filter| filter.now.state != wanted);
    user.problem = user.problem.filter(|problem| !problem.is_skip());
    (!user.filters.is_empty() || user.problem.is_some()).then_some(user)
}

/// The finding in one sentence.
pub(super) fn sentence(shown: Shown, wanted: State) -> String {
    let Shown {
        users,
        filters,
        failed,
    } = shown;
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let mut said = match filters {
        0 => "Every filter that could be read is in the wanted state.".to_owned(),
        filters => format!(
            "{filters} filter{} of {users} user{} should be {}.",
            plural(filters),
            plural(users),
            wanted.as_str(),
        ),
    };
    if failed > 0 {
        said = format!("{said} {failed} user{} could not be read.", plural(failed));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::ListedFilter;
    use crate::model::{FilterId, Kind, Modification, UserId};
    use uuid::Uuid;

    fn user(states: &[State]) -> ListedUser {
        let filter = |state: &State| ListedFilter {
            id: FilterId(Uuid::from_u128(1)),
            name: "My Appointments".into(),
            filter_type: "appointment".into(),
            kind: Kind::Outlook,
            now: state.with_default_status(),
            modified: Modification::default(),
        };
        ListedUser {
            seq: 1,
            user: "anna@contoso.example".into(),
            id: UserId(Uuid::from_u128(1)),
            filters: states.iter().map(filter).collect(),
            problem: None,
        }
    }

    #[test]
    fn only_what_is_out_of_line_is_left_of_a_user() {
        let mixed = user(&[State::Active, State::Inactive]);
        let left = out_of_line(mixed, State::Inactive).unwrap();
        assert_eq!(left.filters.len(), 1);
        assert_eq!(left.filters[0].now.state, State::Active);
        assert_eq!(out_of_line(user(&[State::Inactive]), State::Inactive), None);
        assert_eq!(out_of_line(user(&[]), State::Inactive), None);
    }

    #[test]
    fn the_finding_is_one_sentence_with_the_numbers() {
        let shown = |users, filters, failed| Shown {
            users,
            filters,
            failed,
        };
        let said = |shown| sentence(shown, State::Inactive);
        assert_eq!(
            said(shown(0, 0, 0)),
            "Every filter that could be read is in the wanted state."
        );
        assert_eq!(
            said(shown(1, 2, 0)),
            "2 filters of 1 user should be inactive."
        );
        assert_eq!(
            said(shown(2, 2, 1)),
            "2 filters of 2 users should be inactive. 1 user could not be read."
        );
    }
}
