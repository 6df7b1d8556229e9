//! `demo`: all steps on an embedded sandbox.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::Duration;

use uuid::Uuid;

use crate::auth::GivenToken;
use crate::connect::ConnectError;
use crate::journal::RunStore;
use crate::model::{Operation, RunId, count};
use crate::pacing;
use crate::plan::{Guards, GuardsByOrganization, RunSettings};
use crate::report::Format;
use crate::rollout::{Connection, NewRun, NewRunFile, SourceRun};
use crate::sandbox::{Fault, Faults, Options, Sandbox};
use crate::settings::{Address, ConfigSource, Origin, PacingKeys, ResolvedTarget, SignInKeys};

use super::App;
use super::carry_out::RunGroup;
use super::change::plan_all;
use super::connect::connector;
use super::consent::Consent;
use super::demo_args::DemoArgs;
use super::demo_page;
use super::error::CliError;
use super::exit::Exit;
use super::shared_args::ConsentArgs;
use super::site::EnvironmentRun;
use super::undo::put_back_at;

/// Deactivates all calendar filters, undoes that, and compares.
pub(super) async fn demo(app: &App, args: &DemoArgs) -> Result<Exit, CliError> {
    if app.printer.format != Format::Table {
        let why = "`demo` prints text only; for programs, start `syncfilters sandbox`";
        return Err(CliError::Usage(why.into()));
    }
    // The runs are deleted with the demo.
    let app = &App {
        command: app.command,
        output: app.output.clone(),
        printer: app.printer.clone(),
        interrupted: app.interrupted.clone(),
        under_way: app.under_way.clone(),
        keeps_runs: false,
        until: None,
        details: false,
        said_remote: Once::new(),
    };
    let sandbox = Sandbox::start(options(args)).await;
    let sandbox = sandbox.map_err(CliError::Sandbox)?;
    let folder = Folder::new();
    let store = RunStore::new(&folder.0);
    if args.ui {
        return demo_page::show(app, sandbox, store, args.page).await;
    }
    let say = |text: &str| print(app, text);
    let before = states(&sandbox);
    say(&format!(
        "Sandbox with {} at {}",
        count(args.users.into(), "user"),
        sandbox.url()
    ))?;
    say(
        "\n1. Deactivate the appointment, recurring appointment and service activity filters of every user.\n",
    )?;
    let mut agreed = Consent::new(&AGREED);
    let name = || "sandbox".to_owned();
    let at = NewRunFile::InStore(store.clone());
    let connected = vec![(name(), connect(app, &sandbox).await)];
    let sites = plan_all(app, deactivate(), &at, NonZeroUsize::MIN, connected).await;
    let changed = carry_out(app, sites, &mut agreed).await?;
    say(&format!(
        "\nServer-side check: {} changed, {} answered.",
        count(differences(&before, &states(&sandbox)), "filter"),
        count(sandbox.counts().total, "request"),
    ))?;
    say("\n2. Undo it.\n")?;
    let (runs, _) = store.list()?;
    let Some(run) = runs.first().map(|run| &run.header.id) else {
        return Ok(changed);
    };
    let source = SourceRun::open_in(&store, &store.find(run.as_str())?)?;
    let on = connect(app, &sandbox).await?;
    let undo = (name(), source);
    let site = put_back_at(app, &on, undo, RunSettings::default(), &store).await;
    carry_out(app, vec![site], &mut agreed).await?;
    let left = differences(&before, &states(&sandbox));
    if left > 0 {
        let why = format!("{left} filters are not as they were before");
        return Err(CliError::Unexpected(why));
    }
    say("\nServer-side check: every filter is exactly as it was before, state and status.")?;
    say("\nNext\n  syncfilters sandbox        the same sandbox as a server, to practise")?;
    say("  syncfilters plan --help    a plan for your own environment; it changes nothing")?;
    sandbox.stop().await;
    Ok(Exit::Done)
}

async fn carry_out(
    app: &App,
    sites: Vec<EnvironmentRun>,
    agreed: &mut Consent,
) -> Result<Exit, CliError> {
    let group = RunGroup {
        app,
        sites,
        at_once: NonZeroUsize::MIN,
        is_narrowed: false,
    };
    group.carry_out(agreed).await
}

/// Prints explanations to the same output as the results, so that the order is kept.
fn print(app: &App, text: &str) -> Result<(), CliError> {
    let (mut out, _) = app.printer.status();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(CliError::Output)
}

/// No real calendar depends on the sandbox.
static AGREED: ConsentArgs = ConsentArgs {
    until: None,
    yes: true,
    accept_calendar_loss: true,
    confirm_environment: Vec::new(),
    after_undo: false,
    dry_run: false,
    max_changes: None,
    stop_after_failures: None,
    wave: None,
    wave_pause: None,
    details: false,
};

fn options(args: &DemoArgs) -> Options {
    let faults = if args.faults {
        // No other user edits filters meanwhile: the undo would leave them alone, and the comparison at
        // the end includes every filter.
        Faults::standard().with(Fault::Meanwhile, 0.0)
    } else {
        Faults::none()
    };
    Options {
        users: usize::try_from(args.users).unwrap_or(usize::MAX),
        faults,
        ..Options::default()
    }
}

fn deactivate() -> NewRun {
    NewRun::of(Operation::Deactivate)
}

async fn connect(app: &App, sandbox: &Sandbox) -> Result<Connection, ConnectError> {
    let target = target(&sandbox.url())?;
    let token = Arc::new(GivenToken::new(sandbox.token())?);
    connector(app).connect_with(target, token).await
}

/// The sandbox as an environment.
pub(super) fn target(url: &str) -> Result<ResolvedTarget, ConnectError> {
    let origin = Origin::Flag("demo");
    Ok(ResolvedTarget {
        environment: Address::given(url, &origin)?,
        named_by: origin.clone(),
        origin,
        // The sandbox has no limits except those of its faults.
        pacing: pacing::Settings {
            budget_window: Duration::from_secs(1),
            ..pacing::Settings::default()
        },
        sign_in: SignInKeys::default(),
        guards: Guards::default(),
        guards_by_organization: GuardsByOrganization::default(),
        config: ConfigSource::None,
        named: None,
        flags: PacingKeys::default(),
    })
}

/// State and status of every filter, by its id.
type States = BTreeMap<Uuid, (i32, Option<i32>)>;

fn states(sandbox: &Sandbox) -> States {
    let filters = sandbox.filters().into_iter();
    filters
        .map(|filter| (filter.id, (filter.statecode, filter.statuscode)))
        .collect()
}

fn differences(before: &States, after: &States) -> u64 {
    let changed = before
        .iter()
        .filter(|(id, state)| after.get(id) != Some(state));
    let new = after.keys().filter(|id| !before.contains_key(id));
    u64::try_from(changed.count() + new.count()).unwrap_or(u64::MAX)
}

/// The run files of a demo, which are deleted with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("syncfilters-demo-{}", RunId::random())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A file left in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
