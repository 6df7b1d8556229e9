//! Where the page leads to: the environments of the configuration file, or the sandbox of a demonstration.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::connect::{
    Check, ConnectionOptions, Connector, Layers, NamedEnvironment, Notices, environment_of_run,
    environments,
};
use crate::journal::RunHeader;
use crate::model::shell::quoted;
use crate::report::ErrorReport;
use crate::rollout::Connection;
use crate::settings::{RunAddress, SignInKind};

/// Work that ends with a value.
pub type Working<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An environment as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEnvironment {
    /// Its name; for an environment without one its address.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// How to sign in.
    pub sign_in: String,
    /// Whether its name has to be given before anything is written.
    pub production: bool,
    /// Whether a command can name it with `--environment`.
    pub is_named: bool,
    /// Everything that is set for it, to be compared: where it differs, a sign-in from before is of another environment.
    pub settings: String,
}

/// Every environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedEnvironments {
    /// Those that runs can be made in.
    pub usable: Vec<ListedEnvironment>,
    /// The names of the others, with what is wrong with their settings.
    pub wrong: Vec<(String, ErrorReport)>,
}

impl ListedEnvironments {
    /// The one of this name, where it can be used.
    pub(super) fn named(&self, name: &str) -> Option<&ListedEnvironment> {
        self.usable.iter().find(|one| one.name == name)
    }
}

impl ListedEnvironment {
    /// What sign-ins and checks are kept by. It is another one as soon as a setting is another one.
    pub(super) fn key(&self) -> String {
        format!("{}\n{}\n{}", self.name, self.address, self.settings)
    }

    /// The flag that leads a command here, with its value.
    pub(super) fn flag(&self) -> String {
        // A name that no configuration file has leads a command nowhere.
        let (flag, value) = if self.is_named {
            ("--environment", &self.name)
        } else {
            ("--url", &self.address)
        };
        format!("{flag} {}", quoted(value))
    }
}

/// Where the page leads to.
pub trait Environments: Send + Sync + Debug {
    /// Every environment.
    ///
    /// # Errors
    /// A configuration file that cannot be read.
    fn list(&self) -> Result<ListedEnvironments, ErrorReport>;

    /// Whether the runs are there when the page is started again. Those of a demonstration are not.
    fn keep_runs(&self) -> bool {
        true
    }

    /// Signs in to one of them.
    fn connect<'a>(&'a self, name: &'a str) -> Working<'a, Result<Connection, ErrorReport>>;

    /// The environment of a run; `is_own` says that the run is in the own store.
    fn of_run(&self, run: &RunHeader, is_own: bool) -> Result<ListedEnvironment, ErrorReport>;

    /// Signs in to the environment of a run.
    fn connect_to_run<'a>(
        &'a self,
        run: &'a RunHeader,
        is_own: bool,
    ) -> Working<'a, Result<Connection, ErrorReport>>;

    /// Checks everything that a run depends on; each check is handed over when it is made. Whoever could sign in stays
    /// signed in.
    fn examine<'a>(
        &'a self,
        name: &'a str,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, Result<Option<Connection>, ErrorReport>>;

    /// The checks after the sign-in.
    fn examine_connected<'a>(
        &'a self,
        on: &'a Connection,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, ()>;
}

/// What is said while signing in, the last lines: the page shows them.
#[derive(Clone, Debug, Default)]
pub struct SignInLines(Arc<Mutex<Vec<String>>>);

/// Lines that are kept: a sign-in says two or three.
const LINES: usize = 12;

impl SignInLines {
    /// Adds one.
    pub fn add(&self, text: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.remove(0);
        }
        lines.push(text.to_owned());
    }

    /// Forgets those of an earlier sign-in.
    pub(super) fn clear(&self) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clear();
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Notices for SignInLines {
    fn status(&self, text: &str) {
        self.add(text);
    }

    fn notice(&self, text: &str) {
        self.add(text);
    }
}

/// The environments of the configuration file, and the one that was given with the command.
#[derive(Debug)]
pub struct ConfiguredEnvironments {
    /// What the command line says.
    pub options: ConnectionOptions,
    /// Signs in.
    pub connector: Connector,
}

impl ConfiguredEnvironments {
    fn place(&self, name: &str) -> Result<NamedEnvironment, ErrorReport> {
        let is_given = environments(&self.options).ok().and_then(|all| {
            let mut all = all.into_iter();
            all.find(|one| one.name == name)
        });
        if let Some(given) = is_given {
            return Ok(given);
        }
        let options = ConnectionOptions {
            url: None,
            environments: vec![name.to_owned()],
            ..self.options.clone()
        };
        let mut all = environments(&options).map_err(|error| ErrorReport::from(&error))?;
        Ok(all.swap_remove(0))
    }

    fn place_of_run(&self, run: &RunHeader, is_own: bool) -> Result<NamedEnvironment, ErrorReport> {
        let address = RunAddress {
            claimed: &run.environment,
            is_own,
        };
        let mut options = self.options.clone();
        // The run says where it belongs; what was given with the command is about new runs.
        (options.url, options.environments) = (None, Vec::new());
        let place = environment_of_run(&options, address)
            .or_else(|_| environment_of_run(&self.options, address));
        place.map_err(|error| ErrorReport::from(&error))
    }
}

fn listed(one: &NamedEnvironment, is_named: bool) -> ListedEnvironment {
    let target = &one.target;
    let kind = target.sign_in.sign_in.unwrap_or(SignInKind::Auto);
    let settings = (
        &target.sign_in,
        &target.guards,
        &target.guards_by_organization,
        &target.pacing,
    );
    ListedEnvironment {
        name: one.name.clone(),
        address: target.environment.to_string(),
        sign_in: kind.to_string(),
        production: target.guards.production,
        is_named,
        settings: format!("{settings:?}"),
    }
}

impl Environments for ConfiguredEnvironments {
    fn list(&self) -> Result<ListedEnvironments, ErrorReport> {
        let layers = Layers::read(&self.options).map_err(|error| ErrorReport::from(&error))?;
        let mut all = ListedEnvironments::default();
        for name in layers.names() {
            match self.place(&name) {
                Ok(place) => all.usable.push(listed(&place, true)),
                Err(problem) => all.wrong.push((name, problem)),
            }
        }
        // What was given by flag or variable, where the file does not name it.
        if let Ok(given) = environments(&self.options) {
            for place in given {
                if all.named(&place.name).is_none() {
                    all.usable.insert(0, listed(&place, false));
                }
            }
        }
        Ok(all)
    }

    fn connect<'a>(&'a self, name: &'a str) -> Working<'a, Result<Connection, ErrorReport>> {
        Box::pin(async move {
            let place = self.place(name)?;
            let connected = self.connector.connect(place.target).await;
            connected.map_err(|error| ErrorReport::from(&error))
        })
    }

    fn of_run(&self, run: &RunHeader, is_own: bool) -> Result<ListedEnvironment, ErrorReport> {
        Ok(listed(&self.place_of_run(run, is_own)?, false))
    }

    fn connect_to_run<'a>(
        &'a self,
        run: &'a RunHeader,
        is_own: bool,
    ) -> Working<'a, Result<Connection, ErrorReport>> {
        Box::pin(async move {
            let place = self.place_of_run(run, is_own)?;
            let connected = self.connector.connect(place.target).await;
            connected.map_err(|error| ErrorReport::from(&error))
        })
    }

    fn examine<'a>(
        &'a self,
        name: &'a str,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, Result<Option<Connection>, ErrorReport>> {
        Box::pin(async move {
            let place = self.place(name)?;
            let examined = self.connector.examine_watched(place.target, seen).await;
            examined.map_err(|error| ErrorReport::from(&error))
        })
    }

    fn examine_connected<'a>(
        &'a self,
        on: &'a Connection,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, ()> {
        Box::pin(self.connector.examine_connected(on, seen))
    }
}
