//! What an undo copies from the run that it undoes, and what it does with each row.

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::journal::{
    Claim, HistoryEntry, HistoryKind, RelatedRuns, RunReader, RunUser, UndoFinding, Undone,
    Unproved, WrittenRow, written_beside,
};
use crate::model::{
    Filter, FilterId, Operation, Problem, ProblemKind, RowOutcome, Stage, Target, UserId,
};
use crate::plan::{
    AsLeft, Attribution, RowDecision, UndoRow, UndoTerms, WriteCondition, WriteKnown,
    changed_since, judge,
};

use super::RolloutError;
use super::progress::RunStep;
use super::session::{Rollout, belongs_together};
use super::survey::SurveyedFilters;

/// Users copied from another run at a time: some hundred kilobytes.
const CHUNK: usize = 500;

/// When the rows of one user are to be written.
#[derive(Debug, Default)]
pub(super) struct UserConditions {
    undo: Option<(UndoTerms, Vec<UndoRow>)>,
    include_changed: bool,
}

impl UserConditions {
    fn rows(&self) -> &[UndoRow] {
        self.undo.as_ref().map_or(&[], |(_, rows)| rows)
    }

    /// The row that is undone; none in a run that is not an undo.
    pub(super) fn row(&self, filter: FilterId) -> Option<&UndoRow> {
        self.rows().iter().find(|row| row.filter == filter)
    }

    /// When a filter of this user is to be written.
    pub(super) fn of(&self, filter: FilterId, user: UserId) -> WriteCondition<'_> {
        match (&self.undo, self.row(filter)) {
            (Some((terms, _)), Some(row)) => WriteCondition::AsLeft(AsLeft {
                row,
                terms,
                user,
                include_changed: self.include_changed,
            }),
            _ => WriteCondition::StateDiffers,
        }
    }
}

/// Stores what other runs did to a row that is to be undone.
fn claim(
    related: &RelatedRuns,
    source: &RunReader,
    user: UserId,
    row: &mut UndoRow,
) -> Result<(), RolloutError> {
    let Some(written) = row.written else {
        return Ok(());
    };
    let Claim {
        undone,
        rewritten_by,
    } = related.claim(&source.header.id, user, row.filter, written)?;
    row.rewritten_by = rewritten_by;
    match undone {
        None => {}
        Some(Undone::PutBack(put_back)) => row.put_back = Some(put_back),
        // The run is undone from the state in which the undo of its undo left the row.
        Some(Undone::SetAgain(left)) => (row.left, row.proved) = (left, true),
    }
    Ok(())
}

impl Rollout {
    /// Collects the users whose rows another run changed, with these rows: the state that it left, the undo that
    /// already restored it, and the later run that wrote it.
    ///
    /// # Errors
    /// [`RolloutError::OtherOrganization`] where that run belongs to another organisation.
    pub(super) async fn gather_undo(&self, source: &RunReader) -> Result<(), RolloutError> {
        belongs_together(&source.header.organization, &self.header().organization)?;
        self.progress.begin(RunStep::Gather, None);
        self.journal().forget_users().await?;
        let time = source.writing_time()?;
        let terms = UndoTerms {
            caller: source.header.caller.id,
            from: time.from,
            until: time.until,
        };
        self.journal().set_undo_terms(terms).await?;
        if source.header.records_on_behalf {
            self.journal().record_on_behalf_proved().await?;
            self.records_on_behalf.store(true, Ordering::Relaxed);
        }
        let related = RelatedRuns::beside(
            source.path(),
            &source.header,
            (self.journal().path(), &self.header().id),
            time.from,
        )?;
        if !source.is_of_this_computer()? {
            let from = Some(format!("users of run {}", source.header.id));
            let entry = HistoryEntry::now(HistoryKind::Imported, from);
            self.journal().add_history(entry).await?;
        }
        if source.header.target == Target::Templates {
            self.gather_templates(source, &related).await?;
            return self.gathered().await;
        }
        let mut after = 0;
        loop {
            let mut users = source.done(after, CHUNK)?;
            for (run_user, rows) in &mut users {
                for row in rows {
                    claim(&related, source, run_user.id, row)?;
                }
            }
            let Some((last, _)) = users.last() else {
                break;
            };
            after = last.seq;
            let count = u64::try_from(users.len()).unwrap_or(u64::MAX);
            self.journal().add_undo(users).await?;
            self.progress.found(count);
        }
        self.journal().add_units(source.units()?).await?;
        self.gathered().await
    }

    /// Finds unproved writes whose row a later run wrote: the present state of such a row comes from
    /// that run.
    pub(super) async fn find_rewritten(&self) -> Result<(), RolloutError> {
        let unproved = self.journal().unproved().await?;
        let Some(first) = unproved.iter().map(|row| row.intended).min() else {
            return Ok(());
        };
        let (header, path) = (self.header(), self.journal().path());
        let related = RelatedRuns::beside(path, header, (path, &header.id), first)?;
        let mut rewritten = HashSet::new();
        for Unproved {
            user,
            filter,
            intended,
        } in unproved
        {
            let claim = related.claim(&header.id, user, filter, intended)?;
            if claim.is_any() {
                rewritten.insert(filter);
            }
        }
        *self
            .rewritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = rewritten;
        Ok(())
    }

    /// How many rows of this run were restored since and are still so, according to the runs beside it.
    pub(super) async fn put_back(&self) -> Result<u64, RolloutError> {
        let written = self.journal().written().await?;
        let Some(first) = written.iter().map(|row| row.intended).min() else {
            return Ok(0);
        };
        let (header, path) = (self.header(), self.journal().path());
        let related = RelatedRuns::beside(path, header, (path, &header.id), first)?;
        let mut put_back = 0;
        for WrittenRow {
            user,
            filter,
            intended,
        } in written
        {
            let claim = related.claim(&header.id, user, filter, intended)?;
            put_back += u64::from(matches!(claim.undone, Some(Undone::PutBack(_))));
        }
        Ok(put_back)
    }

    /// Whether a later run wrote this row after an unproved write of this run.
    pub(super) fn is_rewritten(&self, filter: FilterId) -> bool {
        let rewritten = self.rewritten.lock();
        rewritten
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&filter)
    }

    /// The rows that other runs wrote since this one began, read after the start of this call. A row that was read
    /// before may have been written by another run a moment earlier, with the same stamp as this run's.
    pub(super) async fn written_beside(&self) -> Result<Arc<HashSet<FilterId>>, RolloutError> {
        let asked = Instant::now();
        let mut known = self.written_beside.lock().await;
        if let Some((looked_up, rows)) = &*known
            && *looked_up >= asked
        {
            return Ok(Arc::clone(rows));
        }
        let looked_up = Instant::now();
        let rows = Arc::new(written_beside(self.journal().path(), self.header())?);
        *known = Some((looked_up, Arc::clone(&rows)));
        Ok(rows)
    }

    /// When the rows of this user are to be written.
    pub(super) async fn conditions(
        &self,
        run_user: &RunUser,
    ) -> Result<UserConditions, RolloutError> {
        if self.header().operation != Operation::Undo {
            return Ok(UserConditions::default());
        }
        let rows = self.journal().to_undo(run_user.seq).await?;
        let terms = self.journal().undo_terms().await?;
        let settings = self.journal().settings().await?;
        Ok(UserConditions {
            include_changed: settings.is_some_and(|settings| settings.include_changed),
            undo: Some((terms.unwrap_or_else(|| self.terms_of_older_file()), rows)),
        })
    }

    /// An undo of an earlier version does not know when the undone run wrote, so no row is attributed to that run by
    /// its stamp.
    fn terms_of_older_file(&self) -> UndoTerms {
        let header = self.header();
        UndoTerms {
            caller: header.caller.id,
            from: jiff::Timestamp::MIN,
            until: jiff::Timestamp::MIN,
        }
    }

    /// What to do with each row of one user.
    pub(super) async fn plan_undo(
        &self,
        run_user: &RunUser,
        filters: &[Filter],
    ) -> Result<SurveyedFilters, RolloutError> {
        let conditions = self.conditions(run_user).await?;
        let attribution = self.attribution(run_user, WriteKnown::No);
        let mut findings: Vec<UndoFinding> = Vec::new();
        for row in conditions.rows() {
            let seen = filters.iter().find(|filter| filter.id == row.filter);
            let condition = conditions.of(row.filter, run_user.id);
            let mut decision = judge(&row.change(), condition, seen, attribution);
            if let RowDecision::Done(result) = &mut decision {
                result.problem = self
                    .undo_problem(run_user, row, result.outcome, seen)
                    .await?;
            }
            findings.push((row.clone(), decision));
        }
        let marked = filters.iter().map(|filter| {
            let concerned = conditions.row(filter.id).is_some();
            (filter.clone(), concerned)
        });
        Ok(SurveyedFilters::Undo(marked.collect(), findings))
    }

    /// The problem of a row that undo does not restore.
    async fn undo_problem(
        &self,
        run_user: &RunUser,
        row: &UndoRow,
        outcome: RowOutcome,
        seen: Option<&Filter>,
    ) -> Result<Option<Problem>, RolloutError> {
        let problem = match (outcome, seen) {
            (RowOutcome::ChangedSince, Some(seen)) => {
                self.changed_since(Stage::Survey, run_user, row, seen)
                    .await?
            }
            (RowOutcome::Gone, _) => {
                Problem::seen(Stage::Survey, ProblemKind::Gone, "the filter is gone")
            }
            _ => return Ok(None),
        };
        Ok(Some(problem.about(row.filter)))
    }

    /// Why a row was left alone, with who changed it last.
    pub(super) async fn changed_since(
        &self,
        stage: Stage,
        run_user: &RunUser,
        row: &UndoRow,
        seen: &Filter,
    ) -> Result<Problem, RolloutError> {
        let who = self.changer(run_user, seen).await?;
        let why = changed_since(row, seen, who.as_deref());
        Ok(Problem::seen(stage, ProblemKind::ChangedSince, why))
    }

    /// Who changed a row last, by name: the user, or a caller on the user's behalf.
    async fn changer(
        &self,
        run_user: &RunUser,
        seen: &Filter,
    ) -> Result<Option<String>, RolloutError> {
        let Some(by) = seen.modified.by else {
            return Ok(None);
        };
        let by = self.name_of(run_user, by).await?;
        Ok(Some(match seen.modified.on_behalf {
            Some(caller) => {
                let caller = self.name_of(run_user, caller).await?;
                format!("{caller} on behalf of {by}")
            }
            None => by,
        }))
    }

    /// The name of a user, requested from the server once for each.
    async fn name_of(&self, run_user: &RunUser, user: UserId) -> Result<String, RolloutError> {
        if user == run_user.id {
            return Ok(run_user.label.clone());
        }
        let known = {
            let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.get(&user).cloned()
        };
        if let Some(name) = known {
            return Ok(name);
        }
        let found = self.names_of(BTreeSet::from([user])).await?;
        let name = found.get(&user).cloned();
        let name = name.unwrap_or_else(|| user.to_string());
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(user, name.clone());
        Ok(name)
    }

    pub(super) fn attribution(&self, run_user: &RunUser, wrote: WriteKnown) -> Attribution {
        Attribution {
            callers: self.callers(),
            user: run_user.id,
            wrote,
            records_on_behalf: self.records_on_behalf(),
            rewritten: false,
        }
    }
}
