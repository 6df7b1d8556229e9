//! A run in one of its phases, and how it is left.
//!
//! A phase owns the run: its file, its lock, its stop token. The step to the next phase consumes it, so that a wrong
//! order, two drivers, or an agreement that is used twice do not compile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::dataverse::Reader;
use crate::journal::{
    HistoryEntry, HistoryKind, Journal, JournalError, Phase, Requests, RunHeader, RunRef, discard,
};
use crate::model::{Outcome, RunId};
use crate::pacing::Pacer;

use super::control::Control;
use super::progress::Progress;
use super::session::Rollout;
use super::{RolloutError, StopReason};

/// A run in a phase `S`, such as [`super::Planned`].
#[derive(Debug)]
pub struct Run<S> {
    pub(super) rollout: Arc<Rollout>,
    pub(super) state: S,
}

/// For showing and controlling a run. It cannot write.
#[derive(Clone, Debug)]
pub struct RunHandle {
    /// The run's id.
    pub id: RunId,
    /// The name of the run in commands.
    pub reference: RunRef,
    /// Its file; none for a run that leaves no file.
    pub path: Option<PathBuf>,
    /// How far it is.
    pub progress: watch::Receiver<Progress>,
    /// Pauses, continues or stops it.
    pub control: Control,
    /// The pace at which its requests are sent.
    pub pacer: Pacer,
    /// What the pacer counted before this run.
    pub requests_before: Requests,
}

/// A run that was left before its end.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Halted {
    /// The reason.
    #[source]
    pub why: RolloutError,
    /// The run according to its file; none where it had no effect and was removed.
    pub run: Option<EndedRun>,
}

/// A run whose file is closed.
#[derive(Debug)]
pub struct EndedRun {
    /// The run's id.
    pub id: RunId,
    /// Its file; none for a run that leaves no file.
    pub path: Option<PathBuf>,
    /// The name of the run in commands.
    pub reference: RunRef,
    /// How it ended, or was left.
    pub outcome: Outcome,
    /// Whether any request that writes may have been sent.
    pub has_written: bool,
    /// Whether the run had no effect: its file is removed when this value is dropped.
    came_to_nothing: bool,
}

impl EndedRun {
    /// Whether the run can be named in later commands.
    pub const fn is_kept(&self) -> bool {
        !self.came_to_nothing
    }

    /// Removes the file when this value is dropped, because nothing was changed and the run is not needed.
    pub fn forget(&mut self) {
        self.came_to_nothing = true;
    }
}

impl Drop for EndedRun {
    fn drop(&mut self) {
        if let Some(path) = self.path.as_deref().filter(|_| self.came_to_nothing) {
            discard(path);
        }
    }
}

impl<S> Run<S> {
    /// The header of the run, as it was when it was opened.
    pub fn header(&self) -> &RunHeader {
        self.rollout.header()
    }

    /// Reads from the environment. It cannot write.
    pub fn reader(&self) -> &Reader {
        &self.rollout.reader
    }

    /// The run file.
    pub fn journal(&self) -> &Journal {
        self.rollout.journal()
    }

    /// The name of the run in commands.
    pub fn reference(&self) -> &RunRef {
        &self.rollout.file.reference
    }

    /// The run file's path; none for a run that leaves no file.
    pub fn path(&self) -> Option<&Path> {
        self.rollout.file.path()
    }

    /// For showing and controlling the run.
    pub fn handle(&self) -> RunHandle {
        let rollout = &self.rollout;
        RunHandle {
            id: rollout.header().id.clone(),
            reference: rollout.file.reference.clone(),
            path: self.path().map(Path::to_owned),
            progress: rollout.progress.subscribe(),
            control: rollout.control.clone(),
            pacer: rollout.pacer().clone(),
            requests_before: rollout.counted_before.requests,
        }
    }

    pub(super) fn into_phase<T>(self, state: T) -> Run<T> {
        Run {
            rollout: self.rollout,
            state,
        }
    }

    /// Continues where `step` succeeded; else leaves the run and records that.
    pub(super) async fn then<T, V>(
        self,
        step: Result<V, RolloutError>,
        next: impl FnOnce(V) -> T,
    ) -> Result<Run<T>, Halted> {
        match step {
            Ok(value) => Ok(self.into_phase(next(value))),
            Err(why) => Err(self.halt(why).await),
        }
    }

    /// Records that the run is left, and closes its file. A run without effect is removed.
    pub(super) async fn halt(self, why: RolloutError) -> Halted {
        // A waiting request of a stopped run fails as interrupted, whoever stopped the run.
        let why = match self.rollout.control.ended() {
            Some(ended) if why.is_interruption() => ended,
            _ => why,
        };
        let (kept, has_written) = match self.record_halt(&why).await {
            Ok(recorded) => recorded,
            // An error of the file is the reason already, or less important.
            Err(_) => (Some(Outcome::Stopped), true),
        };
        let is_gone = matches!(why, RolloutError::Journal(JournalError::RunFileGone { .. }));
        let run = match kept {
            // There is no file at its path that could be shown or continued.
            Some(outcome) if is_gone => {
                drop(self.close(outcome, false));
                None
            }
            Some(outcome) => {
                let mut run = self.close(outcome, false);
                run.has_written = has_written;
                Some(run)
            }
            None => {
                drop(self.close(Outcome::Nothing, true));
                None
            }
        };
        Halted { why, run }
    }

    /// The outcome with which the run is kept, none where it had no effect; and whether anything may have been changed.
    async fn record_halt(
        &self,
        why: &RolloutError,
    ) -> Result<(Option<Outcome>, bool), RolloutError> {
        let journal = self.journal();
        let (phase, has_written) = (journal.phase().await?, journal.has_written().await?);
        if !why.is_resumable() && phase < Phase::Planned && !has_written {
            return Ok((None, false));
        }
        let begun = phase == Phase::Applying || has_written;
        let outcome = if why.is_resumable() || begun {
            Outcome::Stopped
        } else {
            Outcome::Planned
        };
        let reason = match why {
            RolloutError::Stopped(reason) => reason.as_str().to_owned(),
            RolloutError::Interrupted => "interrupted".to_owned(),
            error => error.to_string(),
        };
        self.leave(outcome, HistoryKind::Stopped, Some(reason))
            .await?;
        Ok((Some(outcome), has_written))
    }

    /// Records how the run was left.
    pub(super) async fn leave(
        &self,
        outcome: Outcome,
        kind: HistoryKind,
        detail: Option<String>,
    ) -> Result<(), RolloutError> {
        self.rollout.record_requests().await?;
        let journal = self.journal();
        journal.add_history(HistoryEntry::now(kind, detail)).await?;
        Ok(journal.set_outcome(outcome).await?)
    }

    /// Records how the run ended, according to its file, and closes the file.
    pub(super) async fn finish(self) -> Result<EndedRun, Halted> {
        match self.record_end().await {
            Ok((outcome, came_to_nothing)) => {
                let goes = came_to_nothing && !self.rollout.file_was_named;
                Ok(self.close(outcome, goes))
            }
            Err(why) => Err(self.halt(why).await),
        }
    }

    async fn record_end(&self) -> Result<(Outcome, bool), RolloutError> {
        let (outcome, came_to_nothing) = self.journal().view(|view| view.outcome()).await?;
        self.leave(outcome, HistoryKind::Ended, None).await?;
        if outcome != Outcome::Stopped {
            self.journal().set_phase(Phase::Finished).await?;
        }
        Ok((outcome, came_to_nothing))
    }

    /// Closes the file: no process holds it when this returns.
    pub(super) fn close(self, outcome: Outcome, came_to_nothing: bool) -> EndedRun {
        let ended = EndedRun {
            id: self.header().id.clone(),
            path: self.path().map(Path::to_owned),
            reference: self.rollout.file.reference.clone(),
            outcome,
            has_written: true,
            came_to_nothing: came_to_nothing && self.rollout.is_new,
        };
        drop(self.rollout);
        ended
    }
}

impl<S> Run<S> {
    /// Leaves the run for `resume`.
    pub async fn stop(self, why: StopReason) -> Halted {
        self.halt(RolloutError::Stopped(why)).await
    }

    /// Leaves the run for `resume`, because of an interruption.
    pub async fn interrupt(self) -> Halted {
        self.halt(RolloutError::Interrupted).await
    }
}
