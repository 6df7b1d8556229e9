//! `check`: filters that are not in the wanted state, and correcting them.

use std::io::Write;
use std::num::NonZeroU64;

use crate::connect::NamedEnvironment;
use crate::journal::{ListedUser, ReadError, RunReader, UserTotals, View};
use crate::model::{Operation, State, count};
use crate::plan::RunSettings;
use crate::report::{Format, ListWriter};
use crate::rollout::{NewRun, NewRunFile, Planned, Run};

use super::App;
use super::args::{CheckArgs, WantedState};
use super::carry_out::RunGroup;
use super::change::{connect_for_a_change, new_run, plan_all};
use super::conclude::conclude;
use super::connect::{environments, store};
use super::consent::{self, Consent};
use super::destination::Destination;
use super::error::CliError;
use super::exit::Exit;
use super::list::{ListCounts, look_all, print_left_out, show, show_all};
use super::shared_args::ConsentArgs;
use super::site::{Ending, EnvironmentStage};

/// Lists filters that are not in the wanted state, with who changed them; corrects them if that was asked for.
pub(super) async fn check(app: &App, args: &CheckArgs) -> Result<Exit, CliError> {
    let (operation, wanted) = match args.state {
        WantedState::Active => (Operation::Reactivate, State::Active),
        WantedState::Inactive => (Operation::Deactivate, State::Inactive),
    };
    let places = environments(&args.connection, &app.output)?;
    let new = new_run(operation, &args.scope)?;
    let at_once = args.several.environments_at_once;
    if args.fix && (args.output.is_some() || args.limit.is_some()) {
        let why = "--output and --limit are for a check without --fix; `report latest` takes them for the run of one with it";
        return Err(CliError::Usage(why.into()));
    }
    if args.fix {
        return fix(app, args, (new, wanted), &places).await;
    }
    if args.consent != ConsentArgs::default() {
        let why = "`check` changes nothing without --fix, so what was given of its options for safety means \
            nothing; add --fix, or leave them out";
        return Err(CliError::Usage(why.into()));
    }
    let to = Destination::new(app, args.output.as_deref())?;
    to.check(places.len())?;
    let mut looked = look_all(app, new, at_once, &places).await;
    for (_, looked) in &mut looked {
        if let Ok(run) = looked
            && let Err(error) = something_to_compare(run).await
        {
            *looked = Err(error);
        }
    }
    show_all(app, &to, looked, async |looked, name, out| {
        let compared = compared(looked).await?;
        print_finding(app, looked, name, (&compared, wanted)).await?;
        let mut writer = ListWriter::drift(out, to.format, app.printer.style())?;
        let limit = args.limit.map(NonZeroU64::get);
        let shown = show_drift(looked, &mut writer, wanted, limit).await?;
        writer.compared(compared.filters);
        writer.finish()?;
        print_left_out(app, shown);
        Ok(exit_of(shown, compared.filters))
    })
    .await
}

/// The numbers of what was compared with the wanted state.
struct Compared {
    filters: u64,
    users: UserTotals,
}

async fn compared<S>(run: &Run<S>) -> Result<Compared, CliError> {
    Ok(run.journal().view(Compared::of).await?)
}

impl Compared {
    fn of(view: &View<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            filters: view.filters()?.matching,
            users: view.users()?,
        })
    }

    const fn nothing(&self) -> CliError {
        CliError::NothingCompared {
            users: self.users.selected,
            skipped: self.users.skipped,
            unread: self.users.failed,
        }
    }
}

/// An error if there is no filter to compare, because the check then shows nothing. Users who could not be read are
/// still shown.
async fn something_to_compare<S>(run: &Run<S>) -> Result<(), CliError> {
    let compared = compared(run).await?;
    if compared.filters == 0 && compared.users.failed == 0 {
        return Err(compared.nothing());
    }
    Ok(())
}

/// The exit code for the drift that was found. A check without comparisons has no result.
const fn exit_of(shown: ListCounts, compared: u64) -> Exit {
    match (shown.filters, shown.failed) {
        _ if compared == 0 => Exit::Usage,
        (0, 0) => Exit::Done,
        (0, _) => Exit::Partial,
        _ => Exit::Pending,
    }
}

/// Runs without questions that keep their limit. Where nothing is to be corrected, no file is left.
async fn fix(
    app: &App,
    args: &CheckArgs,
    (mut new, wanted): (NewRun, State),
    places: &[NamedEnvironment],
) -> Result<Exit, CliError> {
    let operation = new.operation;
    new.settings = RunSettings {
        survey: new.settings.survey,
        fix: true,
        ..consent::settings(&args.consent, &args.connection)
    };
    let mut consent = Consent::unattended(&args.consent);
    let at_once = args.several.environments_at_once;
    let what = (operation, operation == Operation::Deactivate);
    let connected = connect_for_a_change(app, places, at_once, what, &consent).await?;
    let at = NewRunFile::InStore(store(&app.output, Some(&args.connection))?);
    let mut sites = plan_all(app, new, &at, at_once, connected).await;
    let several = sites.len() > 1;
    for site in &mut sites {
        match &mut site.stage {
            EnvironmentStage::Planned(planned) => {
                let name = several.then_some(site.name.as_str());
                print_drift(app, planned, name, wanted).await?;
            }
            // Nothing was changed, and the next check starts again: there is nothing to resume.
            EnvironmentStage::Ended(ending) => {
                if let Some(run) = &mut ending.run {
                    run.forget();
                }
            }
        }
    }
    let mut group = RunGroup {
        app,
        sites,
        at_once,
        is_narrowed: false,
    };
    group.work(&mut consent).await?;
    for site in &mut group.sites {
        if let EnvironmentStage::Ended(ending) = &mut site.stage {
            judge(app, ending, several.then_some(site.name.as_str()))?;
        }
    }
    conclude(app, group.sites, false)
}

/// The result of a check that corrects. A run without changes leaves no file; users have read
/// the sentence, and programs get the document.
fn judge(app: &App, ending: &mut Ending, name: Option<&str>) -> Result<(), CliError> {
    let Some((run, path)) = ending.run.as_mut().and_then(|run| {
        let path = run.path.clone()?;
        Some((run, path))
    }) else {
        return Ok(());
    };
    // The file is closed before the run is removed, because Windows removes no open file.
    let (changes, left, compared) = RunReader::open(&path)?.view(|view| {
        let (changes, left) = (view.changes()?, view.not_as_wanted()?);
        Ok((changes, left, Compared::of(view)?))
    })?;
    if compared.filters == 0 && ending.error.is_none() {
        run.forget();
        *ending = Ending::badly(&compared.nothing());
        if name.is_some() {
            ending.print_status(app, name);
        }
        return Ok(());
    }
    if ending.exit == Exit::Done && left > 0 {
        ending.exit = Exit::Pending;
    }
    if changes == 0 {
        run.forget();
        if app.printer.format == Format::Table {
            ending.run = None;
        }
    }
    Ok(())
}

/// Shows the drift where people read messages before the result.
async fn print_drift(
    app: &App,
    planned: &Planned,
    name: Option<&str>,
    wanted: State,
) -> Result<(), CliError> {
    let compared = compared(planned).await?;
    print_finding(app, planned, name, (&compared, wanted)).await?;
    let (mut out, style) = app.printer.status();
    let mut writer = ListWriter::drift(&mut out, Format::Table, style)?;
    let shown = show_drift(planned, &mut writer, wanted, None).await?;
    writer.finish()?;
    if shown.users > 0 {
        writeln!(out)
            .and_then(|()| out.flush())
            .map_err(CliError::Output)?;
    }
    Ok(())
}

/// Prints the finding before the list.
async fn print_finding<S>(
    app: &App,
    run: &Run<S>,
    name: Option<&str>,
    (compared, wanted): (&Compared, State),
) -> Result<(), CliError> {
    let found = run.journal().view(move |view| view.not_in_state(wanted));
    let (users, filters) = found.await?;
    let found = ListCounts {
        users,
        filters,
        failed: compared.users.failed,
        ..ListCounts::default()
    };
    let whose = name.map_or_else(String::new, |name| format!("{name}: "));
    app.printer.status_line(&format!(
        "{whose}{}",
        sentence(found, compared.filters, wanted)
    ));
    Ok(())
}

/// Shows filters that are not in the wanted state, with who changed them.
async fn show_drift<S>(
    run: &Run<S>,
    writer: &mut ListWriter<'_>,
    wanted: State,
    limit: Option<u64>,
) -> Result<ListCounts, CliError> {
    let keep = |user| out_of_line(user, wanted);
    show(run, writer, Some(run.reader()), limit, keep).await
}

/// The user with drifted filters only; none where there are none.
fn out_of_line(mut user: ListedUser, wanted: State) -> Option<ListedUser> {
    user.filters.retain(|filter| filter.now.state != wanted);
    user.problem = user.problem.filter(|problem| !problem.is_skip());
    (!user.filters.is_empty() || user.problem.is_some()).then_some(user)
}

/// The finding in one sentence.
fn sentence(shown: ListCounts, compared: u64, wanted: State) -> String {
    let ListCounts {
        users,
        filters,
        failed,
        ..
    } = shown;
    let mut said = match filters {
        0 => "Every filter that could be read is in the wanted state.".to_owned(),
        filters => format!(
            "{} of {} should be {}.",
            count(filters, "filter"),
            count(users, "user"),
            wanted.as_str(),
        ),
    };
    let were = if compared == 1 { "was" } else { "were" };
    said = match compared {
        0 => "No filter was compared.".to_owned(),
        n => format!("{said} {} {were} compared.", count(n, "filter")),
    };
    if failed > 0 {
        said = format!("{said} {} could not be read.", count(failed, "user"));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::ListedFilter;
    use crate::model::{FilterId, FilterKind, FilterType, Modification, UserId};
    use uuid::Uuid;

    fn user(states: &[State]) -> ListedUser {
        let filter = |state: &State| ListedFilter {
            id: FilterId(Uuid::from_u128(1)),
            name: "My Appointments".into(),
            filter_type: FilterType::new("appointment"),
            kind: FilterKind::Outlook,
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
        let shown = |users, filters, failed| ListCounts {
            users,
            filters,
            failed,
            ..ListCounts::default()
        };
        let said = |shown| sentence(shown, 7, State::Inactive);
        assert_eq!(
            said(shown(0, 0, 0)),
            "Every filter that could be read is in the wanted state. 7 filters were compared."
        );
        assert_eq!(
            said(shown(1, 2, 0)),
            "2 filters of 1 user should be inactive. 7 filters were compared."
        );
        assert_eq!(
            said(shown(2, 2, 1)),
            "2 filters of 2 users should be inactive. 7 filters were compared. 1 user could not be read."
        );
        assert_eq!(exit_of(shown(0, 0, 1), 0), Exit::Usage);
    }
}
