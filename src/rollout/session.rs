//! A run and everything it needs, as every phase shares it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::dataverse::{Impersonated, Reader};
use crate::journal::{Journal, LockedRun, RunFile, RunHeader, RunUser};
use crate::model::{FilterId, Organization, ProblemKind, RunId, UserId};
use crate::pacing::{Breaker, BreakerOutcome, Pacer};
use crate::plan::{Guards, ImpactContext, RunSettings};

use super::control::Control;
use super::impersonation_proof::ImpersonationProof;
use super::pool::Pool;
use super::progress::ProgressSender;
use super::request_counts::RequestCounts;
use super::{RolloutError, StopReason};

/// Tells what has to be kept to in an organisation, as it stands when it is asked.
pub trait GuardSource: std::fmt::Debug + Send + Sync {
    /// The guards of now, or why they cannot be read.
    fn guards(&self) -> Result<Guards, String>;
}

/// Guards that do not change.
impl GuardSource for Guards {
    fn guards(&self) -> Result<Guards, String> {
        Ok(self.clone())
    }
}

/// An environment that has answered, and what has to be kept to there.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) reader: Reader,
    guards: Guards,
    pub(super) source: Arc<dyn GuardSource>,
}

impl Connection {
    /// The guards have to be those of the organisation that answers, under whatever address it is known.
    pub fn new(reader: Reader, guards: Guards) -> Self {
        let source = Arc::new(guards.clone());
        Self {
            reader,
            guards,
            source,
        }
    }

    /// The guards are read again from here before anybody agrees to anything.
    pub fn with_source(self, source: Arc<dyn GuardSource>) -> Self {
        Self { source, ..self }
    }

    /// Reads from the environment; it cannot write.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What has to be kept to.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }
}

/// A run being driven: where it reads and writes, its file, and how far it is.
#[derive(Debug)]
pub(super) struct Rollout {
    pub(super) reader: Reader,
    pub(super) guards: Arc<dyn GuardSource>,
    pub(super) file: RunFile,
    /// What this command says of how the run is carried out.
    pub(super) flags: RunSettings,
    /// How it is carried out: what its file keeps, and what this command says instead.
    pub(super) settings: RunSettings,
    /// The run that began to undo this one, where its own file does not know it.
    pub(super) undone_beside: Option<RunId>,
    /// Whether this command made its file: then nobody misses one that came to nothing.
    pub(super) is_new: bool,
    /// Whether somebody said where the file is to be: it stays, also when there is nothing to change.
    pub(super) file_was_named: bool,
    /// Whether its file is too old to tell how it was carried out.
    pub(super) settings_unknown: bool,
    pub(super) progress: ProgressSender,
    pub(super) control: Control,
    pub(super) proof: Mutex<Option<ImpersonationProof>>,
    pub(super) records_on_behalf: AtomicBool,
    /// Filters of which a write of ours was never proved, and that a later run wrote.
    pub(super) rewritten: Mutex<HashSet<FilterId>>,
    /// The rows that other runs wrote since this one was begun, as they stood at a time.
    pub(super) written_beside: tokio::sync::Mutex<Option<(Instant, Arc<HashSet<FilterId>>)>>,
    /// How users are named who are no users of the run.
    pub(super) names: Mutex<HashMap<UserId, String>>,
    breaker: Mutex<Breaker>,
    /// What has to be known to count what users lose; only where that is asked for.
    pub(super) around: Mutex<Option<Arc<ImpactContext>>>,
    pub(super) counted: Mutex<RequestCounts>,
    /// Whether what is switched off for the moment of a trial takes nothing from anybody.
    pub(super) harmless: AtomicBool,
    /// Whether the users of a run from elsewhere were compared with those of the environment.
    pub(super) users_checked: AtomicBool,
    /// The run that this one undoes, so that its file can say so before the first write.
    pub(super) undone: Mutex<Option<LockedRun>>,
}

impl Rollout {
    /// A run to be driven, with an environment that its file belongs to.
    pub(super) fn new(
        on: &Connection,
        file: RunFile,
        settings: RunSettings,
    ) -> Result<Self, RolloutError> {
        belongs_together(
            &file.header.organization,
            &on.reader.identity().organization,
        )?;
        let token = on.reader.channel().interrupted().child_token();
        let reader = on.reader.under(token.clone());
        let breaker = reader.channel().pacer().breaker();
        Ok(Self {
            records_on_behalf: AtomicBool::new(file.header.records_on_behalf),
            guards: Arc::clone(&on.source),
            reader,
            file,
            flags: settings.clone(),
            settings,
            undone_beside: None,
            is_new: true,
            file_was_named: false,
            settings_unknown: false,
            progress: ProgressSender::default(),
            control: Control::new(token),
            rewritten: Mutex::default(),
            written_beside: tokio::sync::Mutex::default(),
            names: Mutex::default(),
            proof: Mutex::new(None),
            breaker: Mutex::new(breaker),
            around: Mutex::new(None),
            counted: Mutex::new(RequestCounts::now()),
            harmless: AtomicBool::new(false),
            users_checked: AtomicBool::new(false),
            undone: Mutex::new(None),
        })
    }

    /// Whether nothing can be lost, whatever the organisation's setting is.
    pub(super) fn is_harmless(&self) -> bool {
        self.harmless.load(Ordering::Relaxed)
    }

    pub(super) fn header(&self) -> &RunHeader {
        &self.file.header
    }

    /// The run file.
    pub(super) fn journal(&self) -> &Journal {
        &self.file.journal
    }

    /// The pace at which requests leave.
    pub(super) fn pacer(&self) -> &Pacer {
        self.reader.channel().pacer()
    }

    /// As many users at once as may ever be asked about at once.
    pub(super) fn pool(&self) -> Pool<'_> {
        Pool {
            workers: self.pacer().max_concurrency(),
            control: &self.control,
            progress: &self.progress,
        }
    }

    /// Who signed in when the run began, and who did now.
    pub(super) fn callers(&self) -> [UserId; 2] {
        [self.file.header.caller.id, self.reader.identity().caller.id]
    }

    /// Whether this server names the real caller in what it changes.
    pub(super) fn records_on_behalf(&self) -> bool {
        self.records_on_behalf.load(Ordering::Relaxed)
    }

    /// Counts what became of a user; an error once going on would not help.
    ///
    /// Only what is about the server counts: that a user has no role says nothing about the next one.
    pub(super) fn count(&self, problem: Option<ProblemKind>) -> Result<(), RolloutError> {
        let outcome = match problem {
            Some(kind) if is_systemic(kind) => BreakerOutcome::Failed,
            _ => BreakerOutcome::Fine,
        };
        let mut breaker = self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        match breaker.record(outcome) {
            Some(tripped) => Err(RolloutError::Stopped(StopReason::ServerFailing(tripped))),
            None => Ok(()),
        }
    }
}

/// A run may only touch the organisation that it is about.
pub(super) fn belongs_together(
    run: &Organization,
    server: &Organization,
) -> Result<(), RolloutError> {
    if run.id == server.id {
        return Ok(());
    }
    let named =
        |organization: &Organization| format!("{} ({})", organization.name, organization.id);
    Err(RolloutError::OtherOrganization {
        run: named(run),
        server: named(server),
    })
}

fn is_systemic(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::Throttled
            | ProblemKind::ServerError
            | ProblemKind::Unreachable
            | ProblemKind::BadAnswer
            | ProblemKind::ForeignRow
            | ProblemKind::ImpersonationDropped
            | ProblemKind::NotAsWritten
            | ProblemKind::Refused
    )
}

impl From<&RunUser> for Impersonated {
    fn from(run_user: &RunUser) -> Self {
        Self {
            id: run_user.id,
            object_id: run_user.object_id,
        }
    }
}
