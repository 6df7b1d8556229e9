//! `list`: reading without a plan and without a trace.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::dataverse::Reader;
use crate::journal::{ListedUser, RunFile};
use crate::model::{Operation, RunId, UserId};
use crate::report::{ListWriter, Names};
use crate::rollout::Rollout;

use super::App;
use super::args::{ConnectionArgs, ListArgs};
use super::change::started;
use super::connect::{connect, target};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;
use super::many::{self, places};
use super::printer::Printer;
use super::scope_args::ScopeArgs;

/// Users taken from the survey at a time.
const CHUNK: usize = 500;

/// Lists users and their filters.
pub(super) async fn list(app: &App, args: &ListArgs) -> Result<Exit, CliError> {
    if let Some(places) = places(&args.connection, &app.output)? {
        let started = started(Operation::Deactivate, &args.scope)?;
        return many::list(app, started, args, &places).await;
    }
    let (rollout, _) = survey(app, Operation::Deactivate, &args.connection, &args.scope).await?;
    let mut out = Printer::result();
    let mut writer = ListWriter::new(&mut out, app.printer.format, app.printer.look())?;
    let shown = show(&rollout, &mut writer, None, Some).await?;
    writer.finish()?;
    Ok(exit_of(shown))
}

/// How a list ends the command.
pub(super) const fn exit_of(shown: Shown) -> Exit {
    if shown.failed > 0 {
        Exit::Partial
    } else {
        Exit::Done
    }
}

/// Reads users and filters into a run that leaves no file.
pub(super) async fn survey(
    app: &App,
    operation: Operation,
    connection: &ConnectionArgs,
    scope: &ScopeArgs,
) -> Result<(Arc<Rollout>, Reader), CliError> {
    let started = started(operation, scope)?;
    let target = target(connection, None)?;
    let reader = connect(target, &app.interrupted).await?;
    let file = RunFile::temporary(started.head(RunId::random(), &reader))?;
    let driver = Driver::new(&app.printer, reader.clone(), file, &app.interrupted)?;
    driver.gather_and_survey(scope.survey.into()).await?;
    Ok((driver.rollout().clone(), reader))
}

/// What was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// Users with a filter among those shown.
    pub(super) users: u64,
    /// Filters.
    pub(super) filters: u64,
    /// Users who could not be read.
    pub(super) failed: u64,
}

impl Shown {
    fn add(&mut self, user: &ListedUser) {
        self.users += u64::from(!user.filters.is_empty());
        self.filters += u64::try_from(user.filters.len()).unwrap_or(u64::MAX);
        self.failed += u64::from(user.problem.as_ref().is_some_and(|p| !p.is_skip()));
    }
}

/// Shows what is kept of each user; with a reader, people who changed filters are named.
pub(super) async fn show(
    rollout: &Rollout,
    writer: &mut ListWriter<'_>,
    reader: Option<&Reader>,
    keep: impl Fn(ListedUser) -> Option<ListedUser>,
) -> Result<Shown, CliError> {
    let mut shown = Shown::default();
    let mut names = Names::default();
    let mut after = 0;
    loop {
        let users = rollout
            .journal()
            .view(move |view| view.listed(after, CHUNK))
            .await?;
        let Some(last) = users.last() else {
            return Ok(shown);
        };
        after = last.seq;
        let users: Vec<_> = users.into_iter().filter_map(&keep).collect();
        for user in &users {
            shown.add(user);
        }
        if let Some(reader) = reader {
            look_up(rollout, reader, &users, &mut names).await?;
        }
        writer.users(&users, &names)?;
    }
}

/// Names the people who changed these users' filters: from the run, else by asking. Whoever cannot be named is
/// asked about once.
async fn look_up(
    rollout: &Rollout,
    reader: &Reader,
    users: &[ListedUser],
    names: &mut Names,
) -> Result<(), CliError> {
    let filters = users.iter().flat_map(|user| &user.filters);
    let changed_by = filters.flat_map(|filter| [filter.modified.by, filter.modified.on_behalf]);
    let nameless: BTreeSet<UserId> = changed_by.flatten().filter(|id| !names.has(*id)).collect();
    let nameless: Vec<_> = nameless.into_iter().collect();
    let asked = nameless.clone();
    let labels = rollout.journal().view(move |view| view.labels(&asked));
    names.extend(labels.await?);
    let strangers: Vec<_> = nameless.into_iter().filter(|id| !names.has(*id)).collect();
    names.extend(reader.labels(&strangers).await?);
    let unknown = strangers.iter().filter(|id| !names.has(**id));
    let unknown: Vec<_> = unknown.map(|id| (*id, id.to_string())).collect();
    names.extend(unknown);
    Ok(())
}
