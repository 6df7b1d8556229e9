//! The phases of a run, in the one order in which they follow each other.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::journal::{
    Asked, Head, HistoryEntry, HistoryKind, Phase, Requests, RunFile, RunReader, RunRef, RunStore,
    undone_beside,
};
use crate::model::{Operation, Outcome, RunId, Target};
use crate::plan::{Criteria, CriteriaError, RunSettings, Selection, Types};

use super::fits::Differences;
use super::run::{EndedRun, Halted, Run};
use super::session::{Connection, Rollout};
use super::{RolloutError, SurveyedAs};

/// A new run: its users are not collected yet.
pub type Created = Run<states::Created>;
/// A run whose users are collected and not all read.
pub type Gathered = Run<states::Gathered>;
/// A run that was read and leaves no trace: there is no way from it to a write.
pub type Looked = Run<states::Looked>;
/// A plan that was made earlier: it has to be compared with what is there now.
pub type SavedPlan = Run<states::SavedPlan>;
/// A run with a plan, or with what is left of one.
pub type Planned = Run<states::Planned>;
/// A run that has ended, and is still open.
pub type Finished = Run<states::Finished>;

/// What each phase knows beyond the run.
pub(super) mod states {
    use crate::model::Outcome;
    use crate::rollout::SurveyedAs;

    /// See [`super::Created`].
    #[derive(Debug)]
    pub struct Created;
    /// See [`super::Gathered`].
    #[derive(Debug)]
    pub struct Gathered;
    /// See [`super::Looked`].
    #[derive(Debug)]
    pub struct Looked(pub(crate) SurveyedAs);
    /// See [`super::SavedPlan`].
    #[derive(Debug)]
    pub struct SavedPlan;
    /// See [`super::Planned`].
    #[derive(Debug)]
    pub struct Planned(pub(crate) SurveyedAs);
    /// See [`super::Finished`].
    #[derive(Debug)]
    pub struct Finished(pub(crate) Option<Outcome>);
}

/// What a new run is to be.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// What it does.
    pub operation: Operation,
    /// What it changes.
    pub target: Target,
    /// Which users.
    pub selection: Selection,
    /// Which of their filters.
    pub criteria: Criteria,
    /// What is to be found out before anything is agreed to.
    pub asked: Asked,
    /// How it is carried out.
    pub settings: RunSettings,
}

/// Where the file of a new run goes.
#[derive(Clone, Debug)]
pub enum NewRunFile {
    /// Among the others.
    InStore(RunStore),
    /// There.
    At(PathBuf),
}

impl NewRunFile {
    /// Whether somebody said where the file is to be.
    const fn is_named(&self) -> bool {
        matches!(self, Self::At(_))
    }

    /// Makes the file of a new run.
    fn create(&self, head: Head) -> Result<RunFile, RolloutError> {
        Ok(match self {
            Self::InStore(store) => {
                RunFile::create(&store.path_for(&head.id)?, head)?.of_store(store)
            }
            Self::At(path) => RunFile::create(path, head)?,
        })
    }
}

impl NewRun {
    /// A run of an operation, of everybody and without anything special.
    pub fn of(operation: Operation) -> Self {
        Self {
            operation,
            target: Target::Filters,
            selection: Selection::default(),
            criteria: Criteria::default(),
            asked: Asked::default(),
            settings: RunSettings::default(),
        }
    }

    /// Makes the run file. Nothing is asked of the server yet.
    pub async fn create(self, on: &Connection, at: &NewRunFile) -> Result<Created, RolloutError> {
        let id = RunId::random();
        let file = at.create(self.head(id, None, on))?;
        self.fill(on, file, at.is_named()).await
    }

    /// Collects the users and reads their filters into a run that leaves no file.
    pub async fn look(self, on: &Connection) -> Result<Looking, RolloutError> {
        let file = RunFile::temporary(self.head(RunId::random(), None, on))?;
        Ok(Looking(self.fill(on, file, false).await?))
    }

    async fn fill(
        self,
        on: &Connection,
        file: RunFile,
        file_was_named: bool,
    ) -> Result<Created, RolloutError> {
        let mut rollout = Rollout::new(on, file, self.settings.clone())?;
        rollout.file_was_named = file_was_named;
        let journal = rollout.journal();
        journal.keep_settings(self.settings).await?;
        if !self.asked.is_nothing() {
            journal.ask(self.asked).await?;
        }
        Ok(Run {
            rollout: Arc::new(rollout),
            state: states::Created,
        })
    }

    fn head(&self, id: RunId, undoes: Option<RunId>, on: &Connection) -> Head {
        let identity = on.reader.identity();
        Head {
            id,
            operation: self.operation,
            target: self.target,
            undoes,
            environment: on.reader.environment().into(),
            organization: identity.organization.clone(),
            version: identity.version,
            caller: identity.caller.clone(),
            selection: self.selection.clone(),
            criteria: self.criteria.clone(),
            started: Timestamp::now(),
            phase: Phase::Gathering,
            finished: None,
            outcome: None,
            stamps: false,
            requests: Requests::default(),
        }
    }
}

/// A run that only looks.
#[derive(Debug)]
pub struct Looking(Created);

impl Looking {
    /// Shows and steers the run.
    pub fn handle(&self) -> super::RunHandle {
        self.0.handle()
    }

    /// Collects the users and reads their filters.
    pub async fn read(self) -> Result<Looked, Halted> {
        let planned = self.0.gather().await?.survey().await?;
        let surveyed_as = planned.state.0.clone();
        Ok(planned.into_phase(states::Looked(surveyed_as)))
    }
}

impl Looked {
    /// How the filters were read.
    pub fn surveyed_as(&self) -> &SurveyedAs {
        &self.state.0
    }
}

/// A run that is to be undone: nobody can go on with it meanwhile.
#[derive(Debug)]
pub struct SourceRun {
    // Closed first: the file can end its log only when nobody else has it open.
    reader: RunReader,
    file: RunFile,
}

impl SourceRun {
    /// Opens the run file.
    pub fn open(path: &std::path::Path) -> Result<Self, RolloutError> {
        let file = RunFile::open(path)?;
        let reader = RunReader::open(path)?;
        Ok(Self { reader, file })
    }

    /// The same for a file that may be in this store, or a copy of one in it.
    pub fn open_in(store: &RunStore, path: &std::path::Path) -> Result<Self, RolloutError> {
        let file = RunFile::open_in(store, path)?;
        let reader = RunReader::open(path)?;
        Ok(Self { reader, file })
    }

    /// What the run is.
    pub fn head(&self) -> &Head {
        &self.reader.head
    }

    /// How the run is named in a command.
    pub fn reference(&self) -> &RunRef {
        &self.file.reference
    }

    /// The undo that was begun last, if any was.
    pub async fn undone_by(&self) -> Result<Option<RunId>, RolloutError> {
        let history = self.file.journal.view(|view| view.undone_by()).await?;
        Ok(history)
    }

    /// Begins a run that undoes this one: takes its rows over.
    pub async fn undo(
        self,
        on: &Connection,
        at: &NewRunFile,
        settings: RunSettings,
    ) -> Result<Gathered, Halted> {
        let failed = |why: RolloutError| Halted { why, run: None };
        let criteria = self.criteria().map_err(|error| failed(error.into()))?;
        let new = NewRun {
            criteria,
            settings,
            target: self.head().target,
            ..NewRun::of(Operation::Undo)
        };
        let id = RunId::random();
        let undoes = Some(self.head().id.clone());
        let file = at.create(new.head(id, undoes, on));
        let file = file.map_err(failed)?;
        let created = new.fill(on, file, at.is_named()).await.map_err(failed)?;
        let Self { file, reader } = self;
        let gathered = created.rollout.gather_undo(&reader).await;
        {
            let kept = created.rollout.undone.lock();
            *kept.unwrap_or_else(PoisonError::into_inner) = Some(file);
        }
        created.then(gathered, |()| states::Gathered).await
    }

    fn criteria(&self) -> Result<Criteria, CriteriaError> {
        Criteria::new(Types::All, self.head().criteria.kinds().to_vec(), None)
    }
}

/// A run that was opened, by the phase in which it was left.
#[derive(Debug)]
pub enum Opened {
    /// Its users are not all collected.
    Created(Created),
    /// Its users are not all read.
    Gathered(Gathered),
    /// Its plan is complete and nothing was changed.
    Saved(SavedPlan),
    /// Changes were begun.
    Begun(Planned),
    /// It has ended.
    Finished(Finished),
}

/// Opens a run to go on with it; `flags` is what this command says of how it is carried out.
///
/// # Errors
/// Where the run belongs to another organisation.
pub async fn open(
    file: RunFile,
    on: &Connection,
    flags: RunSettings,
) -> Result<Opened, RolloutError> {
    let mut rollout = Rollout::new(on, file, flags)?;
    rollout.is_new = false;
    rollout.undone_beside = undone_beside(rollout.journal().path(), rollout.head())?;
    let kept = rollout.journal().settings().await?;
    let begun = rollout.head().phase > Phase::Planned;
    rollout.settings_unknown = begun && kept.is_none();
    let mut settings = kept.unwrap_or_default().overridden_by(&rollout.flags);
    if !rollout.flags.waves.is_empty() {
        settings.first_wave = rollout.journal().next_wave_number().await?;
    }
    rollout.settings = settings;
    let (phase, outcome) = (rollout.head().phase, rollout.head().outcome);
    let rollout = Arc::new(rollout);
    Ok(match phase {
        Phase::Gathering => Opened::Created(Run {
            rollout,
            state: states::Created,
        }),
        Phase::Surveying => Opened::Gathered(Run {
            rollout,
            state: states::Gathered,
        }),
        Phase::Planned => Opened::Saved(Run {
            rollout,
            state: states::SavedPlan,
        }),
        Phase::Applying => Opened::Begun(Run {
            rollout,
            state: states::Planned(SurveyedAs::Asked),
        }),
        Phase::Finished => Opened::Finished(Run {
            rollout,
            state: states::Finished(outcome),
        }),
    })
}

/// What to do with a saved plan that is not as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drifted {
    /// Refuse it.
    #[default]
    Refuse,
    /// Plan anew the users whose filters differ.
    Replan,
}

/// What leads an opened run to its plan, or that there is nothing to lead on.
#[derive(Debug)]
pub enum IntoPlan {
    /// The plan, and how it differs from the one that was saved, where that was asked for.
    Planned(Box<Planned>, Option<Differences>),
    /// The run has ended, and nobody failed in it.
    Nothing(EndedRun),
}

impl Opened {
    fn run(&self) -> super::RunHandle {
        match self {
            Self::Created(run) => run.handle(),
            Self::Gathered(run) => run.handle(),
            Self::Saved(run) => run.handle(),
            Self::Begun(run) => run.handle(),
            Self::Finished(run) => run.handle(),
        }
    }

    /// Shows and steers the run.
    pub fn handle(&self) -> super::RunHandle {
        self.run()
    }

    /// Leads any run to its plan, whatever it was left in: no caller has to know the order.
    pub async fn into_plan(self, drifted: Drifted) -> Result<IntoPlan, Halted> {
        let planned = match self {
            Self::Created(created) => created.gather().await?.survey().await?,
            Self::Gathered(gathered) => gathered.survey().await?,
            Self::Begun(planned) => planned,
            Self::Saved(saved) if drifted == Drifted::Replan => {
                let (planned, differences) = saved.replan().await?;
                return Ok(IntoPlan::Planned(Box::new(planned), Some(differences)));
            }
            Self::Saved(saved) => saved.compare().await?,
            Self::Finished(finished) => match finished.retry_failed().await? {
                Ok(gathered) => gathered.survey().await?,
                Err(ended) => return Ok(IntoPlan::Nothing(ended)),
            },
        };
        Ok(IntoPlan::Planned(Box::new(planned), None))
    }
}

impl Created {
    /// Collects the users.
    pub async fn gather(self) -> Result<Gathered, Halted> {
        let gathered = match &self.head().undoes {
            // The rows of an undo are taken over when it is begun: there is nothing to go on with.
            Some(undoes) => Err(RolloutError::UndoNotBegun {
                undoes: undoes.clone(),
            }),
            None if self.head().target == Target::Templates => {
                Err(RolloutError::TemplatesNotPlanned)
            }
            None => self.rollout.gather().await,
        };
        self.then(gathered, |()| states::Gathered).await
    }
}

impl Gathered {
    /// Proves that impersonation is honoured, reads the filters, and plans.
    pub async fn survey(self) -> Result<Planned, Halted> {
        let surveyed = match self.head().target {
            Target::Filters => self.rollout.prove_and_survey().await,
            Target::Templates => {
                let surveyed = Box::pin(self.rollout.survey_templates()).await;
                surveyed.map(|()| SurveyedAs::Asked)
            }
        };
        self.then(surveyed, states::Planned).await
    }
}

impl SavedPlan {
    /// Compares the plan with what is there now.
    ///
    /// # Errors
    /// [`RolloutError::Stale`] where a filter is not as it was; the plan is kept.
    pub async fn compare(self) -> Result<Planned, Halted> {
        let compared = match self.head().target {
            Target::Filters => self.rollout.check_fits().await,
            // Each write demands the version that was read.
            Target::Templates => Ok(()),
        };
        self.then(compared, |()| states::Planned(SurveyedAs::Asked))
            .await
    }

    /// Plans anew the users whose filters are not as they were.
    pub async fn replan(self) -> Result<(Planned, Differences), Halted> {
        let replanned = match self.head().target {
            Target::Filters => self.rollout.replan().await,
            Target::Templates => {
                let surveyed = Box::pin(self.rollout.survey_templates()).await;
                surveyed.map(|()| Differences::default())
            }
        };
        match replanned {
            Ok(differences) => {
                let state = states::Planned(SurveyedAs::Asked);
                Ok((self.into_phase(state), differences))
            }
            Err(why) => Err(self.halt(why).await),
        }
    }
}

impl Planned {
    /// How the filters were read.
    pub fn surveyed_as(&self) -> &SurveyedAs {
        &self.state.0
    }

    /// Keeps the plan for later; where there is nothing to change, the run ends.
    pub async fn keep(self) -> Result<EndedRun, Halted> {
        let left = match self.journal().items_to_change().await {
            Ok(left) => left,
            Err(error) => return Err(self.halt(error.into()).await),
        };
        if left == 0 {
            return self.finish().await;
        }
        let begun = match self.journal().has_written().await {
            Ok(begun) => begun,
            Err(error) => return Err(self.halt(error.into()).await),
        };
        let outcome = if begun {
            Outcome::Stopped
        } else {
            Outcome::Planned
        };
        match self.leave(outcome, HistoryKind::Planned, None).await {
            Ok(()) => Ok(self.close(outcome, false)),
            Err(why) => Err(self.halt(why).await),
        }
    }

    /// Closes a run that was only looked at: a new plan goes, and one that was opened stays as it was.
    pub async fn set_aside(self) -> Result<EndedRun, Halted> {
        if self.rollout.file.is_copy() {
            let outcome = self.head().outcome.unwrap_or(Outcome::Planned);
            return Ok(self.close(outcome, false));
        }
        let mut run = self.keep().await?;
        run.forget();
        Ok(run)
    }

    /// The pause between two waves; none where each is asked for.
    pub fn wave_pause(&self) -> Option<Duration> {
        self.rollout.settings.wave_pause
    }
}

impl Finished {
    /// Sets back what failed, so that it is tried again; or the run, where nobody failed.
    pub async fn retry_failed(self) -> Result<Result<Gathered, EndedRun>, Halted> {
        let outcome = self.state.0.unwrap_or(Outcome::Complete);
        if outcome != Outcome::Partial {
            return Ok(Err(self.close(outcome, false)));
        }
        match self.journal().set_back_failed().await {
            Ok(0) => Ok(Err(self.close(outcome, false))),
            Ok(_) => Ok(Ok(self.into_phase(states::Gathered))),
            Err(error) => Err(self.halt(error.into()).await),
        }
    }
}

impl From<CriteriaError> for RolloutError {
    fn from(error: CriteriaError) -> Self {
        // The criteria of a run file were sound when it was written.
        Self::Stopped(super::StopReason::Defect(error.to_string()))
    }
}

/// An entry of the history with the numbers of what is left.
pub(super) fn entry(
    kind: HistoryKind,
    left: &crate::journal::Left,
    detail: Option<String>,
) -> HistoryEntry {
    HistoryEntry {
        digest: Some(left.digest.clone()),
        users: Some(left.users),
        filters: Some(left.filters),
        ..HistoryEntry::now(kind, detail)
    }
}
