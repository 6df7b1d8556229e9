//! `runs`: the contents of the run files.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::connect::config_file;
use crate::journal::RunHeader;
use crate::model::{CanonicalAddress, EnvironmentUrl};
use crate::report::{NamedRun, write_runs};
use crate::settings::ConfigFile;

use super::App;
use super::connect::store;
use super::error::CliError;
use super::exit::Exit;
use super::prune::prune;
use super::runs_args::{RunsArgs, RunsCommand, WhichRunsArgs};
use super::transfer::{export, import};

pub(super) async fn runs(app: &App, args: &RunsArgs) -> Result<Exit, CliError> {
    match &args.command {
        None => list(app, &args.which),
        Some(RunsCommand::Prune(args)) => prune(app, args).await,
        Some(RunsCommand::Export(args)) => export(app, args),
        Some(RunsCommand::Import(args)) => import(app, args),
    }
}

fn list(app: &App, which: &WhichRunsArgs) -> Result<Exit, CliError> {
    let names = EnvironmentNames::read(which)?;
    let (runs, unreadable) = store(&app.output, None)?.list()?;
    let with_names = runs.into_iter().map(|summary| NamedRun {
        environment: names.of(&summary.header),
        summary,
    });
    let runs: Vec<_> = with_names
        .filter(|run| names.is_asked_for(&run.summary.header))
        .collect();
    names.refuse_unknown()?;
    let mut out = app.printer.long_result();
    let (format, style) = (app.printer.format, app.printer.style());
    write_runs(&mut out, &runs, &unreadable, format, style)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

/// The names of environments in the configuration file, and those that were asked for.
pub(super) struct EnvironmentNames {
    known: Vec<(String, CanonicalAddress)>,
    asked: Vec<String>,
    /// Names of the organisations of the runs that were read.
    met: RefCell<BTreeSet<String>>,
}

impl EnvironmentNames {
    pub(super) fn read(which: &WhichRunsArgs) -> Result<Self, CliError> {
        Ok(Self::new(
            &config_file(which.file.config.as_deref())?,
            &which.environment,
        ))
    }

    pub(super) fn new(file: &ConfigFile, asked: &[String]) -> Self {
        let known = file.environments.iter().filter_map(|(name, profile)| {
            let url: EnvironmentUrl = profile.url.parse().ok()?;
            Some((name.clone(), CanonicalAddress::of(url.as_url())))
        });
        Self {
            known: known.collect(),
            asked: asked.to_vec(),
            met: RefCell::default(),
        }
    }

    /// Refuses a name that is neither in the configuration file nor in a run that was read. It is not repeated, because
    /// it may be a secret in the wrong place.
    pub(super) fn refuse_unknown(&self) -> Result<(), CliError> {
        let met = self.met.borrow();
        let known = self.known.iter().map(|(name, _)| name);
        let is_known = |asked: &String| {
            known.clone().any(|name| name == asked)
                || met.iter().any(|name| name.eq_ignore_ascii_case(asked))
        };
        if self.asked.iter().all(is_known) {
            return Ok(());
        }
        let names: BTreeSet<_> = known.chain(met.iter()).map(String::as_str).collect();
        let names: Vec<_> = names.into_iter().collect();
        let there_are = match &names[..] {
            [] => "there are no environments and no runs yet".to_owned(),
            names => format!("there are: {}", names.join(", ")),
        };
        Err(CliError::Usage(format!(
            "--environment names an environment that neither the configuration file nor a run has; {there_are}"
        )))
    }

    /// The name of a run's environment: that in the configuration file, else that of the organisation.
    pub(super) fn of(&self, run: &RunHeader) -> String {
        let names = self.names(run).next();
        names.map_or_else(|| run.organization.name.clone(), str::to_owned)
    }

    /// Whether the run's environment was asked for; all are where none was named.
    pub(super) fn is_asked_for(&self, run: &RunHeader) -> bool {
        self.met.borrow_mut().insert(run.organization.name.clone());
        let is_it = |asked: &String| {
            self.names(run).any(|name| name == asked)
                || run.organization.name.eq_ignore_ascii_case(asked)
        };
        self.asked.is_empty() || self.asked.iter().any(is_it)
    }

    fn names<'a>(&'a self, run: &RunHeader) -> impl Iterator<Item = &'a str> {
        let address = run.environment.canonical();
        let of_run = self
            .known
            .iter()
            .filter(move |(_, known)| *known == address);
        of_run.map(|(name, _)| name.as_str())
    }
}
