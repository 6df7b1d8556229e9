//! Where to connect: what a front end says, with the configuration file and the environment variables.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use crate::settings::{
    CommandLineSettings, ConfigFile, ConfigSource, PacingKeys, ProcessEnvironment, ResolvedTarget,
    RunAddress, SettingsError, SignInKeys, Variables, config_path, from_variables, resolve,
};

/// What a front end says about where and how to connect.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// The address of the environment.
    pub url: Option<String>,
    /// Names of environments in the configuration file.
    pub environments: Vec<String>,
    /// The configuration file; none for the usual one.
    pub config: Option<PathBuf>,
    /// How fast requests are sent.
    pub pace: PacingKeys,
    /// How to sign in.
    pub sign_in: SignInKeys,
    /// The time over which the server counts its budgets, where it is not the usual one.
    pub budget_window: Option<Duration>,
}

impl ConnectionOptions {
    /// The first named environment.
    pub fn first(&self) -> Option<&str> {
        self.environments.first().map(String::as_str)
    }

    /// The only environment. With a run it has to be that of the run.
    pub fn target(&self, run: Option<RunAddress<'_>>) -> Result<ResolvedTarget, SettingsError> {
        Layers::read(self)?.target(self, self.first(), run)
    }

    /// How to sign in where no environment is needed: the same as for the environment, where there is one.
    pub fn sign_in_keys(&self) -> Result<SignInKeys, SettingsError> {
        let layers = Layers::read(self)?;
        match layers.target(self, self.first(), None) {
            Ok(target) => Ok(target.sign_in),
            Err(SettingsError::NoEnvironment) => {
                Ok(self.sign_in.clone().or(layers.variables.sign_in))
            }
            Err(error) => Err(error),
        }
    }
}

/// The configuration file and the environment variables.
#[derive(Debug)]
pub struct Layers {
    file: ConfigFile,
    variables: Variables,
}

impl Layers {
    /// Reads both of them.
    pub fn read(options: &ConnectionOptions) -> Result<Self, SettingsError> {
        Ok(Self {
            file: config_file(options.config.as_deref())?,
            variables: variables()?,
        })
    }

    /// The same variables with another configuration file, before that is written.
    pub fn of_file(file: ConfigFile) -> Result<Self, SettingsError> {
        Ok(Self {
            file,
            variables: variables()?,
        })
    }

    /// The sign-in of an environment before it is written, without the variables that override the file. Variables that
    /// complete it, such as those with a secret, still count.
    pub fn sign_in_as_written(&self, written: &SignInKeys) -> SignInKeys {
        let completing = SignInKeys {
            sign_in: None,
            access_token_variable: None,
            ..self.variables.sign_in.clone()
        };
        written.clone().or(completing)
    }

    /// The names of the environments in the file, in order.
    pub fn names(&self) -> Vec<String> {
        self.file.environments.keys().cloned().collect()
    }

    /// The environment of this name, or the default.
    pub fn target(
        &self,
        options: &ConnectionOptions,
        named: Option<&str>,
        run: Option<RunAddress<'_>>,
    ) -> Result<ResolvedTarget, SettingsError> {
        let asked = CommandLineSettings {
            url: options.url.clone(),
            environment: named.map(str::to_owned),
            pace: options.pace,
            sign_in: options.sign_in.clone(),
        };
        let mut target = resolve(&asked, &self.variables, &self.file, run)?;
        if let Some(window) = options.budget_window {
            target.pacing.budget_window = window;
        }
        target.config = ConfigSource::File(options.config.clone());
        Ok(target)
    }
}

/// What the environment variables say.
fn variables() -> Result<Variables, SettingsError> {
    Ok(Variables {
        url: variable("SYNCFILTERS_URL"),
        environment: variable("SYNCFILTERS_ENVIRONMENT"),
        sign_in: from_variables(process_environment())?,
    })
}

/// The configuration file. A missing one counts as empty, unless it was asked for.
pub fn config_file(asked: Option<&Path>) -> Result<ConfigFile, SettingsError> {
    let (path, asked_for) = config_path(asked)?;
    ConfigFile::read(&path, asked_for)
}

// Read once, because `ProcessEnvironment` borrows it.
static PATH: LazyLock<Option<OsString>> = LazyLock::new(|| std::env::var_os("PATH"));

// Set once, before anything connects; see `use_state_dir`.
static STATE_DIR: OnceLock<PathBuf> = OnceLock::new();

/// Sets the folder of run files that a flag or variable names. Call it once, before anything connects; kept sign-ins
/// are in this folder, too.
pub fn use_state_dir(asked: Option<&Path>) {
    if let Some(path) = asked {
        STATE_DIR.get_or_init(|| path.to_owned());
    }
}

/// The environment variables and the `PATH` of this process.
pub fn process_environment() -> ProcessEnvironment<'static> {
    ProcessEnvironment {
        variable: &variable,
        path: PATH.as_deref(),
        state_dir: STATE_DIR.get().map(PathBuf::as_path),
    }
}

/// The value of a variable. An empty one counts as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
