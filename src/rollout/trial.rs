//! A trial: deactivates one filter of one user to find out what no document says. The undo of the run restores it.
//!
//! It is a run like any other, with its own file, its own agreement, and an intent before each write. Only its writes
//! and reads are different.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::dataverse::{
    self, Columns, FetchQuery, Fetched, Impersonated, MailboxMethod, Probe, ReadDepth, Reader,
};
use crate::journal::{Phase, RunUser, Surveyed};
use crate::model::{Filter, FilterId, State, StateAndStatus};
use crate::plan::{COUNT, Change, FetchXml, ImpactTable, foreign_row};
use crate::trial::{Candidate, Findings, TrialFilter, choose_filter};

use super::agreement::Agreed;
use super::impersonation_proof::ImpersonationProof;
use super::phases::{Gathered, Planned, states};
use super::progress::RunStep;
use super::run::{EndedRun, Halted};
use super::session::Rollout;
use super::trial_questions::TrialQuestions;
use super::{RolloutError, SurveyedAs};

/// A finished trial. The filter is still inactive, unless the server refused that.
#[derive(Debug)]
pub struct TrialEnd {
    /// The run.
    pub run: EndedRun,
    /// What was found.
    pub findings: Findings,
}

/// The row of a trial, as it was before.
#[derive(Clone, Debug)]
pub struct TrialRow {
    /// Its owner.
    pub user: Impersonated,
    /// The owner's name in output.
    pub label: String,
    /// Its id.
    pub filter: FilterId,
    /// State and status before the trial.
    pub before: StateAndStatus,
}

impl TrialRow {
    /// The row as its user sees it now; `None` where it no longer exists.
    pub(super) async fn read(&self, reader: &Reader) -> Result<Option<Filter>, dataverse::Error> {
        let kind = crate::model::FilterKind::Outlook;
        let filters = reader.filters(&self.user, kind, Columns::Needed).await?;
        let own = |row: &Filter| row.id == self.filter && row.owner == self.user.id;
        Ok(filters.into_iter().find(own))
    }

    /// Whether the row is as it was before the trial. A null status means the state's own.
    pub async fn is_as_before(&self, reader: &Reader) -> Result<bool, dataverse::Error> {
        let row = self.read(reader).await?;
        Ok(row.is_some_and(|row| row.now.means_the_same_as(self.before)))
    }
}

impl Gathered {
    /// Proves that the server honours impersonation, chooses a filter of the only user, and plans to deactivate it.
    ///
    /// # Errors
    /// [`RolloutError::NoTrial`] where this user is not suitable.
    pub async fn plan_trial(self) -> Result<(Planned, TrialFilter, TrialRow), Halted> {
        match self.rollout.plan_trial().await {
            Ok((chosen, row)) => {
                let planned = self.into_phase(states::Planned(SurveyedAs::Asked));
                Ok((planned, chosen, row))
            }
            Err(why) => Err(self.halt(why).await),
        }
    }
}

impl Agreed {
    /// Deactivates the filter of a trial and asks the questions. Reads the row again after `wait`.
    pub async fn try_out(self, row: &TrialRow, wait: Duration) -> Result<TrialEnd, Halted> {
        let asked = async {
            let writer = self.begin_trial().await?;
            let rollout = &self.rollout;
            rollout.progress.begin(RunStep::Apply, Some(1));
            let mut pending = rollout.journal().to_apply(0, 1).await?;
            let subject = match pending.pop() {
                Some(pending) => pending.run_user,
                None => return Err(RolloutError::StaleAgreement),
            };
            let questions = TrialQuestions::new(rollout, writer, subject, row).await?;
            let findings = rollout.recording(questions.ask(wait)).await?;
            rollout.progress.end();
            Ok(findings)
        };
        match asked.await {
            Ok(findings) => Ok(TrialEnd {
                run: self.finish().await?,
                findings,
            }),
            Err(why) => Err(self.halt(why).await),
        }
    }
}

impl Rollout {
    async fn plan_trial(&self) -> Result<(TrialFilter, TrialRow), RolloutError> {
        self.prove().await?;
        let subjects = self.journal().to_survey(0, 2).await?;
        let [subject] = &subjects[..] else {
            let why = "the user is disabled, or an account that has no sync filters";
            return Err(RolloutError::NoTrial(why));
        };
        if subject.id == self.reader.identity().caller.id {
            let why = "the user is the caller, and nobody impersonates themselves";
            return Err(RolloutError::NoTrial(why));
        }
        self.progress.begin(RunStep::Survey, Some(1));
        let who = Impersonated::from(subject);
        let kind = crate::model::FilterKind::Outlook;
        let columns = Columns::WithQueries;
        let filters = self.reader.filters(&who, kind, columns).await?;
        if foreign_row(&filters, subject.id).is_some() {
            let why = "the answer held filters of another owner: impersonation is not honoured";
            return Err(RolloutError::NoTrial(why));
        }
        let chosen = self.choose(subject, &who, &filters).await?;
        let Some(chosen) = chosen else {
            let why = "the user has no active sync filter for a calendar type";
            return Err(RolloutError::NoTrial(why));
        };
        self.harmless
            .store(chosen.harmless.is_some(), Ordering::Relaxed);
        let filter = &chosen.filter;
        let change = Change {
            filter: filter.id,
            from: filter.now,
            to: State::Inactive.with_default_status(),
            etag: filter.etag.clone(),
        };
        let row = TrialRow {
            user: who,
            label: subject.label.clone(),
            filter: filter.id,
            before: filter.now,
        };
        let marked = filters.into_iter().map(|filter| {
            let is_tried = filter.id == change.filter;
            (filter, is_tried)
        });
        let surveyed = Surveyed {
            seq: subject.seq,
            filters: marked.collect(),
            changes: vec![change],
        };
        let journal = self.journal();
        journal.surveyed(surveyed).await?;
        journal.record_digest().await?;
        journal.set_phase(Phase::Planned).await?;
        self.record_requests().await?;
        self.progress.user(false);
        self.progress.end();
        Ok((chosen, row))
    }

    async fn choose(
        &self,
        subject: &RunUser,
        who: &Impersonated,
        filters: &[Filter],
    ) -> Result<Option<TrialFilter>, RolloutError> {
        let nothing = self.mailbox_synchronises_nothing(subject).await?;
        let criteria = &self.header().criteria;
        let mut candidates = Vec::new();
        for filter in filters.iter().filter(|it| criteria.matches(it)) {
            let selects = if nothing || filter.now.state != State::Active {
                None
            } else {
                self.selects(who, filter).await?
            };
            candidates.push(Candidate {
                filter: filter.clone(),
                selects,
            });
        }
        Ok(choose_filter(candidates, nothing))
    }

    /// Where it cannot be read, the mailbox counts as one that synchronises.
    async fn mailbox_synchronises_nothing(&self, subject: &RunUser) -> Result<bool, RolloutError> {
        let condition = MailboxMethod::Nothing.condition();
        let condition = format!("systemuserid eq {} and ({condition})", subject.id);
        let mut found = HashSet::new();
        match self.reader.users_where(&condition, &mut found).await {
            Ok(()) => Ok(found.contains(&subject.id)),
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    /// How many rows a filter selects now; `None` where that is not certain. With impersonation the caller
    /// sees what both may see, so a caller who cannot read everything would count too few.
    async fn selects(
        &self,
        who: &Impersonated,
        filter: &Filter,
    ) -> Result<Option<u64>, RolloutError> {
        let Some(table) = ImpactTable::known(&filter.filter_type) else {
            return Ok(None);
        };
        let query = filter.query.as_deref().map(FetchXml::parse);
        let (Some(Ok(query)), Some(privilege)) = (query, table.privilege) else {
            return Ok(None);
        };
        let depth = match self.reader.read_depth(privilege).await {
            Ok(depth) => depth,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => None,
        };
        if depth != Some(ReadDepth::Organization) || query.table() != filter.filter_type.as_str() {
            return Ok(None);
        }
        let count = FetchQuery {
            fetch: query.count(&table.key, &[]),
            set: table.set,
            column: COUNT.to_owned(),
        };
        let probe = match self.proof() {
            ImpersonationProof::CurrentUser => Probe::CurrentUser,
            ImpersonationProof::WhoAmI | ImpersonationProof::OnlyOurselves => Probe::WhoAmI,
        };
        let asked = self.reader.fetch_as(who, Some(probe), &[count], &[]).await;
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        Ok(match (asked.user, asked.answers.first()) {
            (Some(user), Some(Fetched::Values(values))) if user == who.id => {
                values.first().and_then(serde_json::Value::as_u64)
            }
            _ => None,
        })
    }
}
