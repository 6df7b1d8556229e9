//! From a target to a connected environment.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::auth::{self, Http, SignedIn, UserPrompt};
use crate::dataverse::{self, Channel, Identity, Reader};
use crate::journal::RunStore;
use crate::model::CanonicalAddress;
use crate::pacing::{Limiting, Pacer, TroubleCount};
use crate::plan::{Guards, GuardsByOrganization, KnownOrganization};
use crate::rollout::{Connection, GuardSource};
use crate::settings::{ConfigSource, ResolvedTarget, state_dir};
use crate::trial::FactStore;

use super::ConnectError;
use super::sign_in::{SignIn, chosen, sign_in_target};

/// The guards that hold in a connected organisation, whatever name it was given.
#[derive(Debug)]
struct KnownGuards {
    address: Url,
    id: Uuid,
    own_addresses: Vec<Url>,
    own_runs: Vec<(CanonicalAddress, Uuid)>,
    named: Option<String>,
    config: ConfigSource,
}

impl KnownGuards {
    fn of(&self, all_guards: &GuardsByOrganization) -> Guards {
        let known = KnownOrganization {
            address: &self.address,
            id: self.id,
            own_addresses: &self.own_addresses,
            own_runs: &self.own_runs,
        };
        all_guards.holding(known, self.named.as_deref())
    }
}

impl GuardSource for KnownGuards {
    fn guards(&self) -> Result<Guards, String> {
        let all_guards = self.config.guards_by_organization();
        Ok(self.of(&all_guards.map_err(|error| error.to_string())?))
    }
}

/// Receives messages while environments are connected.
pub trait Notices: Send + Sync + fmt::Debug {
    /// Shows progress. A front end may omit it.
    fn status(&self, text: &str);

    /// Shows a message that must not be omitted.
    fn notice(&self, text: &str);
}

/// Connects to environments for a front end.
#[derive(Clone, Debug)]
pub struct Connector {
    /// The user, for sign-ins.
    pub prompt: Arc<dyn UserPrompt>,
    /// Receives messages.
    pub notices: Arc<dyn Notices>,
    /// The folder of run files; none for the usual one.
    pub state_dir: Option<PathBuf>,
    /// Cancels all work.
    pub interrupted: CancellationToken,
}

/// Time without an answer after which the attempted address is shown, so that a wrong address is seen before the
/// connection times out. A distant environment answers within one or two seconds.
const SAY_AFTER: Duration = Duration::from_secs(2);

impl Connector {
    /// The store of run files.
    pub fn store(&self) -> Result<RunStore, ConnectError> {
        Ok(RunStore::new(&state_dir(self.state_dir.as_deref())?))
    }

    /// Signs in, identifies the caller, and shows the caller where the sign-in method was not given.
    pub async fn connect(&self, target: ResolvedTarget) -> Result<Connection, ConnectError> {
        let sign_in = self.open_sign_in(None, &target).await?;
        let connection = self.connect_with(target, sign_in.signed_in()).await?;
        self.announce(&sign_in, connection.reader().identity());
        Ok(connection)
    }

    /// Does the work, and shows what it waits for if that takes long. The pace tells which failures have come.
    pub(super) async fn with_progress<T>(
        &self,
        address: String,
        pacer: Option<&Pacer>,
        waits_for: impl Fn() -> Option<String>,
        work: impl Future<Output = T>,
    ) -> T {
        tokio::pin!(work);
        let mut said = None;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = tokio::time::sleep(SAY_AFTER) => {}
            }
            let seen = pacer.and_then(Pacer::trouble);
            let limiting = pacer.map(|pacer| pacer.status().limiting);
            let throttled = limiting.filter(|now| matches!(now, Limiting::Cooldown { .. }));
            let signing_in = waits_for();
            let kind = (
                signing_in.is_some(),
                throttled.is_some(),
                seen.map(|seen| seen.trouble),
            );
            if said != Some(kind) {
                said = Some(kind);
                let text = match signing_in {
                    Some(method) => format!("Signing in with {method} is taking long ..."),
                    None => taking_long(&address, throttled, seen),
                };
                self.notices.status(&text);
            }
        }
    }

    /// Identifies the signed-in caller, and finds the guards that hold there.
    pub async fn connect_with(
        &self,
        target: ResolvedTarget,
        signed_in: impl Into<SignedIn>,
    ) -> Result<Connection, ConnectError> {
        let address = target.environment.to_string();
        let pacer = Pacer::new(target.pacing);
        let signed_in = signed_in.into();
        let waits_for = || signed_in.waits_for();
        let work = Box::pin(self.ask_who_answers(target, signed_in.clone(), pacer.clone()));
        self.with_progress(address, Some(&pacer), waits_for, work)
            .await
    }

    async fn ask_who_answers(
        &self,
        target: ResolvedTarget,
        signed_in: SignedIn,
        pacer: Pacer,
    ) -> Result<Connection, ConnectError> {
        let (all_guards, named, config) =
            (target.guards_by_organization, target.named, target.config);
        let token = self.interrupted.child_token();
        let channel = Channel::new(target.environment, signed_in, pacer, token);
        let reader = Reader::connect(channel.map_err(ConnectError::Http)?).await?;
        self.begin_with_facts(&reader);
        let known = self.known(&reader, &all_guards, named, config).await?;
        let guards = known.of(&all_guards);
        Ok(Connection::new(reader, guards).with_source(Arc::new(known)))
    }

    /// Starts with the facts of a trial in this organisation, where they still hold.
    fn begin_with_facts(&self, reader: &Reader) {
        // Without a state folder there are no facts.
        let Ok(folder) = state_dir(self.state_dir.as_deref()) else {
            return;
        };
        let Identity {
            organization,
            version,
            ..
        } = reader.identity();
        let kept = FactStore::new(&folder).load(organization.id, *version, Timestamp::now());
        if let Some(findings) = kept {
            reader.begin_with(findings.first_attempts());
        }
    }

    /// What is known of the connected organisation.
    async fn known(
        &self,
        reader: &Reader,
        all_guards: &GuardsByOrganization,
        named: Option<String>,
        config: ConfigSource,
    ) -> Result<KnownGuards, ConnectError> {
        // An entry with another address may be about the same organisation.
        let (own_addresses, own_runs) = if all_guards.asks_for_something() {
            let own_runs = self.store()?.organizations()?;
            (reader.own_addresses().await?, own_runs)
        } else {
            (Vec::new(), Vec::new())
        };
        Ok(KnownGuards {
            address: reader.environment().as_url().clone(),
            id: reader.identity().organization.id,
            own_addresses,
            own_runs,
            named,
            config,
        })
    }

    /// Chooses a sign-in method and makes it ready. Where there are several environments, messages contain the name
    /// of this one.
    pub async fn open_sign_in(
        &self,
        name: Option<&str>,
        target: &ResolvedTarget,
    ) -> Result<SignIn, ConnectError> {
        let (chosen, at) = (chosen(target)?, sign_in_target(target));
        let http = Http::new().map_err(ConnectError::Http)?;
        let opening = Box::pin(auth::sign_in(&chosen.method, &at, &http, &self.prompt));
        let opening = self.with_progress(target.environment.to_string(), None, || None, opening);
        let signed_in = tokio::select! {
            () = self.interrupted.cancelled() => return Err(dataverse::Error::Interrupted.into()),
            signed_in = opening => signed_in?,
        };
        if chosen.found {
            let (whose, how) = (whose(name), signed_in.describe());
            self.notices
                .notice(&format!("{whose}Signing in with {how}."));
        }
        Ok(SignIn {
            name: name.map(str::to_owned),
            chosen,
            signed_in,
        })
    }

    /// Signs in now: gets a token, or signs a connection in.
    pub async fn sign_in_now(&self, sign_in: &SignIn) -> Result<(), ConnectError> {
        let now = sign_in.signed_in.now();
        let waits_for = || sign_in.signed_in.waits_for();
        tokio::select! {
            () = self.interrupted.cancelled() => Err(dataverse::Error::Interrupted.into()),
            done = self.with_progress(String::new(), None, waits_for, now) => Ok(done?),
        }
    }

    /// Shows who signed in, except with a given token or a named method, which the user knows.
    pub(super) fn announce(&self, sign_in: &SignIn, identity: &Identity) {
        if sign_in.chosen.found {
            let (who, name) = (&identity.caller.user, &identity.organization.name);
            let whose = whose(sign_in.name.as_deref());
            self.notices
                .notice(&format!("{whose}Signed in to {name} as {who}."));
        }
    }
}

fn taking_long(address: &str, throttled: Option<Limiting>, seen: Option<TroubleCount>) -> String {
    let why = match (throttled, seen) {
        (Some(throttled), _) => format!(": {throttled} ..."),
        (None, Some(seen)) => format!(": {seen}; retrying ..."),
        (None, None) => " ...".to_owned(),
    };
    format!("Connecting to {address} is taking long{why}")
}

fn whose(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("{name}: "))
}
