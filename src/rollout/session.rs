//! A run and everything it needs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::dataverse::{Impersonated, Reader};
use crate::journal::{Head, Journal, Phase, Requests, RunFile, Subject};
use crate::model::{Operation, Organization, Outcome, ProblemKind, RunId, UserId};
use crate::pacing::{Breaker, BreakerOutcome, Pacer};
use crate::plan::{Criteria, Selection, Surroundings};

use super::prove::Proof;
use super::record::Counted;
use super::{Event, Events, RolloutError};

/// What a new run is to be.
#[derive(Clone, Debug)]
pub struct Started {
    /// What it does.
    pub operation: Operation,
    /// The run that it undoes.
    pub undoes: Option<RunId>,
    /// Which users.
    pub selection: Selection,
    /// Which of their filters.
    pub criteria: Criteria,
}

impl Started {
    /// The head of a new run, as this reader sees the world.
    pub fn head(self, id: RunId, reader: &Reader) -> Head {
        let identity = reader.identity();
        Head {
            id,
            operation: self.operation,
            undoes: self.undoes,
            environment: reader.environment().clone(),
            organization: identity.organization.clone(),
            version: identity.version,
            caller: identity.caller.clone(),
            selection: self.selection,
            criteria: self.criteria,
            started: Timestamp::now(),
            phase: Phase::Gathering,
            finished: None,
            outcome: None,
            stamps: false,
            requests: Requests::default(),
        }
    }
}

/// A run being driven: where it reads and writes, its file, and who is told.
#[derive(Debug)]
pub struct Rollout {
    pub(super) reader: Reader,
    pub(super) file: RunFile,
    events: Mutex<Events>,
    pub(super) interrupted: CancellationToken,
    pub(super) proof: Mutex<Option<Proof>>,
    pub(super) stamps: AtomicBool,
    breaker: Mutex<Breaker>,
    /// What has to be known to count what users lose; only where that is asked for.
    pub(super) around: Mutex<Option<Arc<Surroundings>>>,
    pub(super) counted: Mutex<Counted>,
}

impl Rollout {
    /// A run to be driven, with an environment that its file belongs to. Nobody is told of it yet.
    pub fn new(reader: Reader, file: RunFile) -> Result<Self, RolloutError> {
        belongs_together(&file.head.organization, &reader.identity().organization)?;
        let interrupted = reader.channel().interrupted().clone();
        let breaker = reader.channel().pacer().breaker();
        Ok(Self {
            stamps: AtomicBool::new(file.head.stamps),
            reader,
            file,
            events: Mutex::new(Events::ignored()),
            interrupted,
            proof: Mutex::new(None),
            breaker: Mutex::new(breaker),
            around: Mutex::new(None),
            counted: Mutex::new(Counted::now()),
        })
    }

    /// Who is told from now on; whoever was told before hears no more.
    pub fn set_events(&self, events: Events) {
        *self.events.lock().unwrap_or_else(PoisonError::into_inner) = events;
    }

    pub(super) async fn tell(&self, event: Event) {
        let events = self
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        events.send(event).await;
    }

    /// What the run is.
    pub fn head(&self) -> &Head {
        &self.file.head
    }

    /// The run file.
    pub fn journal(&self) -> &Journal {
        &self.file.journal
    }

    /// The pace at which requests leave.
    pub fn pacer(&self) -> &Pacer {
        self.reader.channel().pacer()
    }

    /// How many users may be worked on at once: as many as may ever be asked about at once.
    pub(super) fn workers(&self) -> usize {
        self.reader.channel().pacer().max_concurrency()
    }

    /// Who signed in when the run began, and who did now.
    pub(super) fn callers(&self) -> [UserId; 2] {
        [self.file.head.caller.id, self.reader.identity().caller.id]
    }

    /// Whether this server names the real caller in what it changes.
    pub(super) fn server_stamps(&self) -> bool {
        self.stamps.load(Ordering::Relaxed)
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
            Some(tripped) => Err(RolloutError::Stopped(tripped.to_string())),
            None => Ok(()),
        }
    }

    /// Records how the run ended, from what its file says, and says it.
    pub async fn finish(&self) -> Result<Outcome, RolloutError> {
        self.record_requests().await?;
        let outcome = self.journal().view(outcome_of).await?;
        if matches!(
            outcome,
            Outcome::Complete | Outcome::Partial | Outcome::Nothing
        ) {
            self.journal().set_phase(Phase::Finished).await?;
        }
        self.journal().set_outcome(outcome).await?;
        Ok(outcome)
    }

    /// Records that the run was left before its end; it can be resumed.
    pub async fn leave(&self, outcome: Outcome) -> Result<(), RolloutError> {
        self.record_requests().await?;
        Ok(self.journal().set_outcome(outcome).await?)
    }
}

fn outcome_of(view: &crate::journal::View<'_>) -> rusqlite::Result<Outcome> {
    let (users, filters) = (view.users()?, view.filters()?);
    Ok(if users.planned > 0 {
        Outcome::Stopped
    } else if users.failed > 0 || view.has_verify_problems()? {
        Outcome::Partial
    } else if filters.changed > 0 {
        Outcome::Complete
    } else {
        Outcome::Nothing
    })
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

impl From<&Subject> for Impersonated {
    fn from(subject: &Subject) -> Self {
        Self {
            id: subject.id,
            object_id: subject.object_id,
        }
    }
}
