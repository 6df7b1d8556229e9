//! Makes a run.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::journal::{
    FirstContents, ImpactOptions, Phase, Requests, RunFile, RunHeader, RunStore, UserTotals,
};
use crate::model::{Operation, Outcome, RunId, Target};
use crate::plan::{Criteria, RunSettings, Selection, SurveyMode, TemplateChange};

use super::phases::{Created, ReadOnlySurvey, states};
use super::run::{Halted, Run};
use super::session::{Connection, Rollout};
use super::{RolloutError, SurveyedAs};

/// The properties of a new run.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// What it does.
    pub operation: Operation,
    /// What it changes: filters or templates.
    pub target: Target,
    /// The users that it is about.
    pub selection: Selection,
    /// The filters of these users that it is about.
    pub criteria: Criteria,
    /// What to find out before the user agrees.
    pub asked: ImpactOptions,
    /// How it is carried out.
    pub settings: RunSettings,
    /// Whether the user chose how filters are read; else the facts of a trial decide.
    pub survey_is_chosen: bool,
}

/// Where the file of a new run is made.
#[derive(Clone, Debug)]
pub enum NewRunFile {
    /// In the store.
    InStore(RunStore),
    /// At this path.
    At(PathBuf),
}

impl NewRunFile {
    /// Whether the user chose the path of the file.
    const fn is_named(&self) -> bool {
        matches!(self, Self::At(_))
    }

    fn create(&self, header: RunHeader, first: &FirstContents) -> Result<RunFile, RolloutError> {
        Ok(match self {
            Self::InStore(store) => {
                RunFile::create(&store.path_for(&header.id)?, header, first)?.of_store(store)
            }
            Self::At(path) => RunFile::create(path, header, first)?,
        })
    }
}

impl NewRun {
    /// A run of an operation for all users, without special settings.
    pub fn of(operation: Operation) -> Self {
        Self {
            operation,
            target: Target::Filters,
            selection: Selection::default(),
            criteria: Criteria::default(),
            asked: ImpactOptions::default(),
            settings: RunSettings::default(),
            survey_is_chosen: true,
        }
    }

    /// Reads as the administrator where the user did not choose and a trial found that it works.
    fn with_survey(mut self, on: &Connection) -> Self {
        if !self.survey_is_chosen && on.reader.first_attempts().as_administrator {
            self.settings.survey = SurveyMode::Administrator;
        }
        self
    }

    /// Makes the run file. Sends nothing.
    pub fn create(self, on: &Connection, at: &NewRunFile) -> Result<Created, RolloutError> {
        self.create_with(on, at, None, None)
    }

    /// As [`Self::create`], with the run that is undone or the templates that are set.
    pub(super) fn create_with(
        self,
        on: &Connection,
        at: &NewRunFile,
        undoes: Option<RunId>,
        templates: Option<Vec<TemplateChange>>,
    ) -> Result<Created, RolloutError> {
        let this = self.with_survey(on);
        let header = this.header(RunId::random(), undoes, on);
        let file = at.create(header, &this.first(templates))?;
        this.driven(on, file, at.is_named())
    }

    /// Starts a run that leaves no file, to collect users and read their filters.
    pub fn read_only(self, on: &Connection) -> Result<ReadOnlyRun, RolloutError> {
        let this = self.with_survey(on);
        let header = this.header(RunId::random(), None, on);
        let file = RunFile::temporary(header, &this.first(None))?;
        Ok(ReadOnlyRun(this.driven(on, file, false)?))
    }

    fn first(&self, templates: Option<Vec<TemplateChange>>) -> FirstContents {
        FirstContents {
            settings: self.settings.clone(),
            asked: self.asked.clone(),
            templates,
        }
    }

    fn driven(
        self,
        on: &Connection,
        file: RunFile,
        file_was_named: bool,
    ) -> Result<Created, RolloutError> {
        let mut rollout = Rollout::new(on, file, self.settings)?;
        rollout.file_was_named = file_was_named;
        Ok(Run {
            rollout: Arc::new(rollout),
            state: states::Created,
        })
    }

    fn header(&self, id: RunId, undoes: Option<RunId>, on: &Connection) -> RunHeader {
        let identity = on.reader.identity();
        RunHeader {
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
            records_on_behalf: false,
            requests: Requests::default(),
        }
    }
}

/// A run that only reads and leaves no file.
#[derive(Debug)]
pub struct ReadOnlyRun(Created);

impl ReadOnlyRun {
    /// For showing and controlling the run.
    pub fn handle(&self) -> super::RunHandle {
        self.0.handle()
    }

    /// Only collects the users, and counts them.
    pub async fn count(self) -> Result<UserTotals, Halted> {
        let gathered = self.0.gather().await?;
        let totals = gathered.journal().user_totals().await;
        match totals {
            Ok(totals) => {
                drop(gathered.close(Outcome::Nothing, true));
                Ok(totals)
            }
            Err(error) => Err(gathered.halt(error.into()).await),
        }
    }

    /// Collects the users and reads their filters.
    pub async fn read(self) -> Result<ReadOnlySurvey, Halted> {
        let planned = self.0.gather().await?.survey().await?;
        let surveyed_as = planned.state.0.clone();
        Ok(planned.into_phase(states::ReadOnlySurvey(surveyed_as)))
    }
}

impl ReadOnlySurvey {
    /// How the filters were read.
    pub fn surveyed_as(&self) -> &SurveyedAs {
        &self.state.0
    }
}
