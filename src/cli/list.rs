//! `list` and `check`: reading without a plan and without a trace.

use std::io::Write;
use std::sync::Arc;

use crate::journal::{ListedUser, RunFile};
use crate::model::{Operation, RunId, State};
use crate::report::ListWriter;
use crate::rollout::Rollout;

use super::App;
use super::args::{CheckArgs, ConnectionArgs, ListArgs, ScopeArgs, WantedState};
use super::change::started;
use super::connect::{connect, target};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

/// Users taken from the survey at a time.
const CHUNK: usize = 500;

/// Lists users and their filters.
pub(super) async fn list(app: &App, args: &ListArgs) -> Result<Exit, CliError> {
    let rollout = survey(app, Operation::Deactivate, &args.connection, &args.scope).await?;
    let found = show(app, &rollout, Some).await?;
    Ok(if found.failed {
        Exit::Partial
    } else {
        Exit::Done
    })
}

/// Lists what is not in the wanted state.
pub(super) async fn check(app: &App, args: &CheckArgs) -> Result<Exit, CliError> {
    let (operation, wanted) = match args.state {
        WantedState::Active => (Operation::Reactivate, State::Active),
        WantedState::Inactive => (Operation::Deactivate, State::Inactive),
    };
    let rollout = survey(app, operation, &args.connection, &args.scope).await?;
    let found = show(app, &rollout, |user| out_of_line(user, wanted)).await?;
    if found.filters == 0 {
        app.printer
            .say("Every filter that could be read is in the wanted state.");
    }
    Ok(match (found.filters, found.failed) {
        (0, false) => Exit::Done,
        (0, true) => Exit::Partial,
        _ => Exit::Pending,
    })
}

/// What is left of a user when only what is out of line is of interest.
fn out_of_line(mut user: ListedUser, wanted: State) -> Option<ListedUser> {
    user.filters.retain(|filter| filter.now.state != wanted);
    user.problem = user.problem.filter(|problem| !problem.is_skip());
    (!user.filters.is_empty() || user.problem.is_some()).then_some(user)
}

async fn survey(
    app: &App,
    operation: Operation,
    connection: &ConnectionArgs,
    scope: &ScopeArgs,
) -> Result<Arc<Rollout>, CliError> {
    let started = started(operation, scope)?;
    let target = target(connection, None)?;
    let reader = connect(target, &app.interrupted).await?;
    let file = RunFile::temporary(started.head(RunId::random(), &reader))?;
    let driver = Driver::new(&app.printer, reader, file, &app.interrupted)?;
    driver.gather_and_survey(scope.survey.into()).await?;
    Ok(driver.rollout().clone())
}

#[derive(Default)]
struct Shown {
    filters: usize,
    failed: bool,
}

async fn show(
    app: &App,
    rollout: &Rollout,
    keep: impl Fn(ListedUser) -> Option<ListedUser>,
) -> Result<Shown, CliError> {
    let mut out = Printer::result();
    let mut shown = Shown::default();
    let mut writer = ListWriter::new(&mut out, app.printer.format, app.printer.look())?;
    let mut after = 0;
    loop {
        let users = rollout
            .journal()
            .view(move |view| view.listed(after, CHUNK))
            .await?;
        let Some(last) = users.last() else {
            break;
        };
        after = last.seq;
        let users: Vec<_> = users.into_iter().filter_map(&keep).collect();
        shown.filters += users.iter().map(|user| user.filters.len()).sum::<usize>();
        let failed = |user: &ListedUser| user.problem.as_ref().is_some_and(|p| !p.is_skip());
        shown.failed |= users.iter().any(failed);
        writer.users(&users)?;
    }
    writer.finish()?;
    out.flush().map_err(CliError::Output)?;
    Ok(shown)
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
}
