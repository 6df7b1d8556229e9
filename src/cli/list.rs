//! `list`: reads without a plan, and leaves no file.

use std::collections::BTreeSet;
use std::num::{NonZeroU64, NonZeroUsize};

use crate::connect::{NamedEnvironment, side_by_side};
use crate::dataverse::Reader;
use crate::journal::{ListedUser, TypeTotals};
use crate::model::{Operation, UserId, count, number};
use crate::report::{Format, ListWriter, Names, StyledWrite};
use crate::rollout::{NewRun, ReadOnlySurvey, Run, SurveyedAs};

use super::App;
use super::args::ListArgs;
use super::carry_out::watches;
use super::change::{fell_back, new_run};
use super::conclude::Conclusion;
use super::connect::{connector, environments};
use super::destination::Destination;
use super::error::CliError;
use super::exit::Exit;
use super::site::Ending;
use super::skipped_names::print_skipped;

/// Users taken from the survey at a time: some hundred kilobytes.
const CHUNK: usize = 500;

/// Lists users and their filters.
pub(super) async fn list(app: &App, args: &ListArgs) -> Result<Exit, CliError> {
    let places = environments(&args.connection, &app.output)?;
    let to = Destination::new(app, args.output.as_deref())?;
    to.check(places.len())?;
    let new = new_run(Operation::Deactivate, &args.scope)?;
    let looked = look_all(app, new, args.several.environments_at_once, &places).await;
    show_all(app, &to, looked, async |looked, _, out| {
        if to.format == Format::Table {
            writeln!(out, "{}\n", summary(looked).await?).map_err(CliError::Output)?;
        }
        let mut writer = ListWriter::new(out, to.format, app.printer.style())?;
        let limit = args.limit.map(NonZeroU64::get);
        let shown = show(looked, &mut writer, None, limit, Some).await?;
        writer.finish()?;
        print_left_out(app, shown);
        Ok(exit_of(shown))
    })
    .await
}

/// Reads users and filters of all environments, into runs that leave no file.
pub(super) async fn look_all(
    app: &App,
    new: NewRun,
    at_once: NonZeroUsize,
    places: &[NamedEnvironment],
) -> Vec<(String, Result<ReadOnlySurvey, CliError>)> {
    let connected = connector(app).connect_all(places, at_once).await;
    let names: Vec<_> = places.iter().map(|place| &*place.name).collect();
    let (board, watches) = watches(app, &names);
    let work = connected
        .into_iter()
        .zip(watches)
        .map(|((name, on), watch)| {
            let new = new.clone();
            async move {
                let looked = async {
                    let looking = new.read_only(&on?)?;
                    let run = looking.handle();
                    let looked = watch.during(run, looking.read()).await;
                    let looked = looked.map_err(|halted| CliError::from(halted.why))?;
                    print_skipped(&looked, &watch).await?;
                    if let SurveyedAs::FellBack(why) = looked.surveyed_as() {
                        watch.print_line(&fell_back(why));
                    }
                    Ok(looked)
                };
                (name, looked.await)
            }
        });
    let all = side_by_side(at_once, work).await;
    drop(board);
    all
}

/// Writes what was read from all environments; for one environment only its list.
pub(super) async fn show_all(
    app: &App,
    to: &Destination,
    mut looked: Vec<(String, Result<ReadOnlySurvey, CliError>)>,
    show: impl AsyncFn(&ReadOnlySurvey, Option<&str>, &mut dyn StyledWrite) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    if looked.len() == 1 {
        let (_, looked) = looked.remove(0);
        let looked = looked?;
        let mut out = to.open(app)?;
        let shown = show(&looked, None, &mut out).await;
        drop(out);
        return to.keep_whole(shown);
    }
    let mut conclusion = Conclusion::new(app)?;
    for (name, looked) in looked {
        let looked = match looked {
            Ok(looked) => looked,
            Err(error) => {
                let ending = Ending::badly(&error);
                ending.print_status(app, Some(&name));
                conclusion.without_result(&name, &ending)?;
                continue;
            }
        };
        let mut out = conclusion.begin(&name, None)?;
        let exit = show(&looked, Some(&name), &mut out).await?;
        drop(out);
        let ending = Ending::well(word(exit), exit);
        conclusion.end(ending.line(&name)?, exit)?;
    }
    conclusion.finish()
}

const fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "complete",
        Exit::Pending => "out-of-line",
        Exit::Usage => "nothing-compared",
        _ => "partial",
    }
}

/// The exit code for a list.
pub(super) const fn exit_of(shown: ListCounts) -> Exit {
    if shown.failed > 0 {
        Exit::Partial
    } else {
        Exit::Done
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ListCounts {
    /// Users with at least one shown filter.
    pub(super) users: u64,
    pub(super) filters: u64,
    /// Users who could not be read.
    pub(super) failed: u64,
    /// Users who were written.
    pub(super) written: u64,
    /// Users beyond the limit.
    pub(super) left_out: u64,
}

impl ListCounts {
    fn add(&mut self, user: &ListedUser) {
        self.users += u64::from(!user.filters.is_empty());
        self.filters += u64::try_from(user.filters.len()).unwrap_or(u64::MAX);
        self.failed += u64::from(user.problem.as_ref().is_some_and(|p| !p.is_skip()));
    }
}

/// Shows the users. With a reader, the users who changed filters are named.
pub(super) async fn show<S>(
    rollout: &Run<S>,
    writer: &mut ListWriter<'_>,
    reader: Option<&Reader>,
    limit: Option<u64>,
    keep: impl Fn(ListedUser) -> Option<ListedUser>,
) -> Result<ListCounts, CliError> {
    let mut shown = ListCounts::default();
    let mut names = Names::default();
    let numbers = rollout.journal().view(|view| view.users_by_name()).await?;
    for chunk in numbers.chunks(CHUNK) {
        let chunk = chunk.to_vec();
        let users = rollout
            .journal()
            .view(move |view| view.listed_users(&chunk))
            .await?;
        let mut users: Vec<_> = users.into_iter().filter_map(&keep).collect();
        for user in &users {
            shown.add(user);
        }
        let room = limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit.saturating_sub(shown.written)).unwrap_or(usize::MAX)
        });
        shown.left_out += users.len().saturating_sub(room) as u64;
        users.truncate(room);
        shown.written += users.len() as u64;
        if let Some(reader) = reader {
            look_up(rollout, reader, &users, &mut names).await?;
        }
        writer.users(&users, &names)?;
    }
    Ok(shown)
}

/// Prints how many users the limit leaves out.
pub(super) fn print_left_out(app: &App, shown: ListCounts) {
    if shown.left_out > 0 {
        app.printer.status_line(&format!(
            "--limit leaves out {} of {}",
            number(shown.left_out),
            count(shown.written + shown.left_out, "user")
        ));
    }
}

/// The first lines of a list.
async fn summary<S>(run: &Run<S>) -> Result<String, CliError> {
    let (users, types) = run
        .journal()
        .view(|view| Ok((view.users()?, view.types()?)))
        .await?;
    let total = |of: fn(&TypeTotals) -> u64| types.iter().map(of).sum::<u64>();
    Ok(format!(
        "{}: {} skipped, {} failed. {}: {} active, {} inactive.",
        count(users.selected, "user"),
        number(users.skipped),
        number(users.failed),
        count(total(|of| of.filters), "filter"),
        number(total(|of| of.active)),
        number(total(|of| of.inactive)),
    ))
}

/// Looks up the names of the users who changed these users' filters: in the run, else on the server. An unknown user is
/// requested once.
async fn look_up<S>(
    rollout: &Run<S>,
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
