//! From settings to an environment that has answered.

use std::time::Duration;

use crate::auth::SignedIn;
use crate::dataverse::{Channel, Reader};
use crate::journal::RunStore;
use crate::pacing::Pacer;
use crate::plan::{GuardBook, Guards, KnownOrganization};
use crate::rollout::Connection;
use crate::settings::{
    Asked, ConfigFile, Pace, Profile, RunAddress, SignInKeys, Target, Variables, config_path,
    from_variables, resolve, state_dir,
};

use super::App;
use super::args::{ConnectionArgs, OutputArgs};
use super::error::CliError;
use super::sign_in::{self, SignIn, surroundings};

/// Decides which environment is meant; `run` is what a run file says.
pub(super) fn target(
    args: &ConnectionArgs,
    run: Option<RunAddress<'_>>,
) -> Result<Target, CliError> {
    if args.environment.len() > 1 {
        let why = "this command works on one environment; --environment was given several times";
        return Err(CliError::Usage(why.into()));
    }
    let named = args.environment.first();
    Layers::read(args)?.target(args, named.map(String::as_str), run)
}

/// What the configuration file and the variables say.
pub(super) struct Layers {
    file: ConfigFile,
    variables: Variables,
}

impl Layers {
    pub(super) fn read(args: &ConnectionArgs) -> Result<Self, CliError> {
        Ok(Self {
            file: config_file(args)?,
            variables: Variables {
                url: variable("SYNCFILTERS_URL"),
                environment: variable("SYNCFILTERS_ENVIRONMENT"),
                sign_in: from_variables(surroundings(&variable))?,
            },
        })
    }

    /// The environment of this name, or whichever is meant.
    pub(super) fn target(
        &self,
        args: &ConnectionArgs,
        named: Option<&str>,
        run: Option<RunAddress<'_>>,
    ) -> Result<Target, CliError> {
        let asked = asked(args, named);
        let mut target = resolve(&asked, &self.variables, &self.file, run)?;
        if let Some(window) = args.budget_window {
            target.pacing.budget_window = Duration::from_millis(window.get().into());
        }
        Ok(target)
    }
}

fn asked(args: &ConnectionArgs, named: Option<&str>) -> Asked {
    Asked {
        url: args.url.clone(),
        environment: named.map(str::to_owned),
        pace: Pace {
            concurrency: args.concurrency,
            max_requests_per_5m: args.max_requests_per_5m,
        },
        sign_in: asked_sign_in(args),
    }
}

fn asked_sign_in(args: &ConnectionArgs) -> SignInKeys {
    SignInKeys {
        sign_in: args.sign_in,
        tenant: args.tenant.clone(),
        client_id: args.client_id.clone(),
        ..SignInKeys::default()
    }
}

/// How to sign in where no environment is meant: the named profile may still say it.
pub(super) fn sign_in_keys(args: &ConnectionArgs) -> Result<SignInKeys, CliError> {
    let file = config_file(args)?;
    let name = args
        .environment
        .first()
        .or(file.default_environment.as_ref());
    let profile = name.and_then(|name| file.environments.get(name));
    let variables = from_variables(surroundings(&variable))?;
    let profile = profile.map(Profile::sign_in).unwrap_or_default();
    Ok(asked_sign_in(args).or(variables).or(profile))
}

/// The configuration file; an empty one where there is none and none was asked for.
pub(super) fn config_file(args: &ConnectionArgs) -> Result<ConfigFile, CliError> {
    let (path, asked_for) = config_path(args.config.as_deref())?;
    Ok(ConfigFile::read(&path, asked_for)?)
}

/// After so long without an answer it is said what is being tried, so that a wrong address is seen before a connection
/// is given up. An environment far away answers within one or two seconds.
const SAY_AFTER: Duration = Duration::from_secs(2);

/// Does the work, and says what it waits for where that takes long.
async fn saying<T>(app: &App, address: String, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = tokio::time::sleep(SAY_AFTER) => {}
    }
    app.printer
        .say(&format!("Connecting to {address} is taking long ..."));
    work.await
}

/// Signs in, finds out who answers, and says who that is where it was not settled beforehand.
pub(super) async fn connect(app: &App, target: Target) -> Result<Connection, CliError> {
    let address = target.environment.to_string();
    saying(app, address, sign_in_and_connect(app, target)).await
}

async fn sign_in_and_connect(app: &App, target: Target) -> Result<Connection, CliError> {
    let sign_in = SignIn::open(&target, &app.interrupted).await?;
    let connection = connect_with(app, target, sign_in.signed_in()).await?;
    sign_in::announce(&sign_in, connection.reader().identity());
    Ok(connection)
}

/// Finds out who answers to whoever signed in, and what has to be kept to there.
pub(super) async fn connect_with(
    app: &App,
    target: Target,
    signed_in: impl Into<SignedIn>,
) -> Result<Connection, CliError> {
    let (book, named) = (target.guard_book, target.named);
    let pacer = Pacer::new(target.pacing);
    let channel = Channel::new(
        target.environment,
        signed_in,
        pacer,
        app.interrupted.child_token(),
    );
    let reader = Reader::connect(channel.map_err(CliError::Http)?).await?;
    let guards = guards(app, &reader, &book, named.as_deref()).await?;
    Ok(Connection::new(reader, guards))
}

/// What has to be kept to in the organisation that answered, however it was named.
async fn guards(
    app: &App,
    reader: &Reader,
    book: &GuardBook,
    named: Option<&str>,
) -> Result<Guards, CliError> {
    if !book.asks_for_something() {
        return Ok(book.at_address(reader.environment().as_url(), named));
    }
    // An entry with another address can be about the same organisation.
    let own_addresses = reader.own_addresses().await?;
    let own_runs = store(&app.output)?.organizations()?;
    let known = KnownOrganization {
        address: reader.environment().as_url(),
        id: reader.identity().organization.id,
        own_addresses: &own_addresses,
        own_runs: &own_runs,
    };
    Ok(book.holding(known, named))
}

/// The folder of run files.
pub(super) fn store(args: &OutputArgs) -> Result<RunStore, CliError> {
    Ok(RunStore::new(&state_dir(args.state_dir.as_deref())?))
}

/// An empty variable is as good as none.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
}
