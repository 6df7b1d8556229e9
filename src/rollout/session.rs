//! A run with everything that it needs, shared by all phases.

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

/// Reads the guards of an organisation as they are when it is asked.
pub trait GuardSource: std::fmt::Debug + Send + Sync {
    /// The present guards, or why they cannot be read.
    fn guards(&self) -> Result<Guards, String>;
}

/// Guards that do not change.
impl GuardSource for Guards {
    fn guards(&self) -> Result<Guards, String> {
        Ok(self.clone())
    }
}

/// A connected environment with its guards.
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) reader: Reader,
    guards: Guards,
    pub(super) source: Arc<dyn GuardSource>,
    /// Whether a run was driven over it: the requests so far are then those of that run.
    is_used: Arc<AtomicBool>,
}

impl Connection {
    /// The guards have to be those of the organisation that answers, under any of its addresses.
    pub fn new(reader: Reader, guards: Guards) -> Self {
        let source = Arc::new(guards.clone());
        Self {
            reader,
            guards,
            source,
            is_used: Arc::default(),
        }
    }

    /// Sets where the guards are read again before an agreement.
    pub fn with_source(self, source: Arc<dyn GuardSource>) -> Self {
        Self { source, ..self }
    }

    /// Reads from the environment. It cannot write.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The guards that hold here.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }
}

/// A run that is being driven: its environment, its file, and its progress.
#[derive(Debug)]
pub(super) struct Rollout {
    pub(super) reader: Reader,
    pub(super) guards: Arc<dyn GuardSource>,
    pub(super) file: RunFile,
    /// The settings of this command.
    pub(super) flags: RunSettings,
    /// The settings that hold: those in the file, overridden by this command.
    pub(super) settings: RunSettings,
    /// The run that began to undo this one, where its own file does not name it.
    pub(super) undone_beside: Option<RunId>,
    /// Whether this command made its file: then a run without effect can be removed.
    pub(super) is_new: bool,
    /// Whether the user chose the path of the file: then it stays, even if nothing is to be changed.
    pub(super) file_was_named: bool,
    /// Whether its file is too old to contain the settings.
    pub(super) settings_unknown: bool,
    pub(super) progress: ProgressSender,
    pub(super) control: Control,
    pub(super) proof: Mutex<Option<ImpersonationProof>>,
    pub(super) records_on_behalf: AtomicBool,
    /// Filters with an unproved write of this run that a later run wrote.
    pub(super) rewritten: Mutex<HashSet<FilterId>>,
    /// The rows that other runs wrote since this one began, with the time of that reading.
    pub(super) written_beside: tokio::sync::Mutex<Option<(Instant, Arc<HashSet<FilterId>>)>>,
    /// Names of users who are not in the run.
    pub(super) names: Mutex<HashMap<UserId, String>>,
    breaker: Mutex<Breaker>,
    /// What is needed to count what users lose; only where that was asked for.
    pub(super) around: Mutex<Option<Arc<ImpactContext>>>,
    /// The requests of earlier runs over the same connection.
    pub(super) counted_before: RequestCounts,
    pub(super) counted: Mutex<RequestCounts>,
    /// Whether deactivating the filter of a trial for a moment has no effect on users.
    pub(super) harmless: AtomicBool,
    /// Whether the users of a run from elsewhere were compared with those of the environment.
    pub(super) users_checked: AtomicBool,
    /// The run that this one undoes, so that its file can record that before the first write.
    pub(super) undone: Mutex<Option<LockedRun>>,
}

impl Rollout {
    /// A run to be driven in the environment that its file belongs to.
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
        let counted_before = if on.is_used.swap(true, Ordering::Relaxed) {
            RequestCounts::from(&reader.channel().pacer().status())
        } else {
            // Signing in and connecting belong to the first run.
            RequestCounts::now()
        };
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
            counted_before,
            counted: Mutex::new(counted_before),
            harmless: AtomicBool::new(false),
            users_checked: AtomicBool::new(false),
            undone: Mutex::new(None),
        })
    }

    /// Whether nothing can be lost, whatever the organisation's setting.
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

    /// The pace at which requests are sent.
    pub(super) fn pacer(&self) -> &Pacer {
        self.reader.channel().pacer()
    }

    /// As many users at once as there may be requests at once.
    pub(super) fn pool(&self) -> Pool<'_> {
        Pool {
            workers: self.pacer().max_concurrency(),
            control: &self.control,
            progress: &self.progress,
        }
    }

    /// The users who signed in when the run began, and now.
    pub(super) fn callers(&self) -> [UserId; 2] {
        [self.file.header.caller.id, self.reader.identity().caller.id]
    }

    /// Whether this server names the real caller in `modifiedonbehalfby`.
    pub(super) fn records_on_behalf(&self) -> bool {
        self.records_on_behalf.load(Ordering::Relaxed)
    }

    /// Counts the result of a user; an error once continuing would not help.
    ///
    /// Only failures of the server count: that a user has no role says nothing about the next one.
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

/// A run may only change the organisation that it is about.
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
