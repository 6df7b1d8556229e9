//! One user's changes: intent, write, what the answer shows, and a new decision where that is not enough.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::dataverse::{Impersonated, SetState, Why, WriteReply, Writer};
use crate::journal::{PendingChange, PendingUser, RunUser, SettledChange};
use crate::model::{Filter, Problem, ProblemKind, RowOutcome, Stage};
use crate::plan::{Attribution, Change, RowDecision, RowResult, WriteKnown, judge};

use super::RolloutError;
use super::session::Rollout;
use super::undo::UserConditions;
use super::user_filters::UserFilters;

/// How often a user's rows are tried before they count as failed: each round reacts to something that
/// happened meanwhile. If that happens in one round of three, one user in 243 is left after five rounds. Such users are
/// reported, and `resume` tries them again.
const ROUNDS: usize = 5;

/// A change that is not settled yet.
#[derive(Clone, Debug)]
struct Open {
    change: Change,
    /// Whether a write of this run was done. "Maybe" stays "maybe".
    wrote: WriteKnown,
    /// Whether a later run wrote the row.
    rewritten: bool,
    /// Whether the row was read since its last write.
    fresh: bool,
    /// Why it is not settled yet.
    cause: Option<Problem>,
    /// The status that the platform refused to restore.
    lost_status: bool,
}

impl Open {
    fn new(pending: PendingChange, rewritten: bool) -> Self {
        Self {
            change: pending.change,
            wrote: if pending.maybe_written {
                WriteKnown::Maybe
            } else {
                WriteKnown::No
            },
            rewritten,
            fresh: false,
            cause: None,
            lost_status: false,
        }
    }

    fn settled(self, result: RowResult) -> SettledChange {
        let filter = self.change.filter;
        SettledChange {
            change: self.change,
            result: RowResult {
                problem: result.problem.map(|problem| problem.about(filter)),
                ..result
            },
        }
    }

    fn failed(self, problem: Option<Problem>) -> SettledChange {
        let problem = problem.or_else(|| self.cause.clone());
        let proved = self.wrote == WriteKnown::No;
        let result = RowResult::new(RowOutcome::Failed, None).with(problem);
        self.settled(RowResult { proved, ..result })
    }

    /// The result where nothing was sent and the change is still to be made.
    fn withdrawn(self) -> SettledChange {
        let proved = self.wrote == WriteKnown::No;
        let result = RowResult::new(RowOutcome::Planned, None);
        self.settled(RowResult { proved, ..result })
    }

    /// Whether it can be written without a new read. A row that may have been written is read first, and so is one
    /// whose version the server does not check.
    fn is_ready(&self, writer: &Writer) -> bool {
        let demands = writer.demands_versions() && self.change.etag.is_some();
        self.fresh || (self.wrote == WriteKnown::No && demands)
    }
}

#[derive(Default)]
struct Round {
    settled: Vec<SettledChange>,
    open: Vec<Open>,
    interrupted: bool,
    /// Whether one of the rows proved that the server names the real caller.
    records_on_behalf: bool,
}

impl Rollout {
    /// Makes one user's changes. Returns the kind of the worst problem, if there was any.
    pub(super) async fn apply_user(
        &self,
        writer: &Writer,
        user: PendingUser,
    ) -> Result<Option<ProblemKind>, RolloutError> {
        let PendingUser { run_user, changes } = user;
        let mut problem = None;
        let conditions = self.conditions(&run_user).await?;
        let mut open = Vec::with_capacity(changes.len());
        for pending in changes {
            let rewritten = self.is_rewritten(pending.change.filter);
            let mut one = Open::new(pending, rewritten);
            if !self.reader.first_attempts().null_status {
                one.gives_up_null_status();
            }
            open.push(one);
        }
        for _ in 0..ROUNDS {
            let (ready, to_read) = open.drain(..).partition(|one: &Open| one.is_ready(writer));
            let mut to_write: Vec<Open> = ready;
            let read = self.read_and_judge(&run_user, &conditions, to_read).await?;
            to_write.extend(self.settle(&run_user, read, &mut problem).await?);
            if to_write.is_empty() {
                return Ok(problem);
            }
            let round = self.write_round(writer, &run_user, to_write).await?;
            let interrupted = round.interrupted;
            open = self.settle(&run_user, round, &mut problem).await?;
            if interrupted {
                return Err(RolloutError::Interrupted);
            }
        }
        let (refused, to_read) = open.into_iter().partition(|one| one.is_ready(writer));
        let mut last = self.read_and_judge(&run_user, &conditions, to_read).await?;
        let failed = std::mem::take(&mut last.open).into_iter().chain(refused);
        last.settled.extend(failed.map(|one| one.failed(None)));
        self.settle(&run_user, last, &mut problem).await?;
        Ok(problem)
    }

    /// Records what a round settled, and returns the rest.
    async fn settle(
        &self,
        run_user: &RunUser,
        round: Round,
        problem: &mut Option<ProblemKind>,
    ) -> Result<Vec<Open>, RolloutError> {
        for one in &round.settled {
            let bad = one.result.outcome == RowOutcome::Failed;
            let said = one.result.problem.as_ref();
            let said = said.filter(|p| bad || p.stage == Stage::Verify);
            *problem = problem.or(said.map(|p| p.kind));
        }
        if !round.settled.is_empty() {
            let (seq, journal) = (run_user.seq, self.journal());
            journal
                .settle(seq, round.settled, round.records_on_behalf)
                .await?;
        }
        Ok(round.open)
    }

    /// Records intents, sends the request, and interprets each answer.
    async fn write_round(
        &self,
        writer: &Writer,
        run_user: &RunUser,
        open: Vec<Open>,
    ) -> Result<Round, RolloutError> {
        let changes = open.iter().map(|one| one.change.clone()).collect();
        self.journal().intend(run_user.seq, changes).await?;
        let demands = writer.demands_versions();
        let states: Vec<_> = open.iter().map(|one| one.set_state(demands)).collect();
        let who = Impersonated::from(run_user);
        let replies = match writer.set_states(&who, &states).await {
            Ok(replies) => replies,
            Err(error) => {
                // Nothing was done: the changes are as before.
                let withdrawn = open.into_iter().map(Open::withdrawn).collect();
                self.journal()
                    .settle(run_user.seq, withdrawn, false)
                    .await?;
                return Err(error.into());
            }
        };
        let mut round = Round::default();
        for (one, reply) in open.into_iter().zip(replies) {
            self.understand(run_user, one, reply, &mut round);
        }
        Ok(round)
    }

    fn understand(
        &self,
        run_user: &RunUser,
        mut one: Open,
        reply: WriteReply<Filter>,
        round: &mut Round,
    ) {
        one.fresh = false;
        match reply {
            WriteReply::Shown(row) => self.verify(run_user, one, &row, round),
            WriteReply::Refused(fault) if one.gives_up_status(fault.status.as_u16()) => {
                // Nothing was done, so the row is as before.
                one.fresh = true;
                round.open.push(one);
            }
            WriteReply::Refused(fault) => {
                let problem = self.refusal(run_user, Stage::Apply, &fault);
                round.settled.push(one.failed(Some(problem)));
            }
            WriteReply::Unclear(why) => {
                one.cause = Some(why.problem(Stage::Apply));
                one.wrote = wrote(one.wrote, &why);
                round.open.push(one);
            }
            WriteReply::NotSent(Why::Interrupted) => {
                round.interrupted = true;
                round.settled.push(one.withdrawn());
            }
            WriteReply::NotSent(why) => {
                let problem = why.problem(Stage::Apply);
                round.settled.push(one.failed(Some(problem)));
            }
        }
    }

    /// Checks the row in the answer: the state, the owner, and the author of the change.
    fn verify(&self, run_user: &RunUser, mut one: Open, row: &Filter, round: &mut Round) {
        if row.id != one.change.filter || row.now.state != one.change.to.state {
            one.wrote = WriteKnown::Maybe;
            let why = format!("the server showed it {} after it was set", row.now);
            one.cause = Some(Problem::seen(Stage::Verify, ProblemKind::NotAsWritten, why));
            round.open.push(one);
            return;
        }
        round.records_on_behalf |= self.learn_stamp(run_user, row);
        let problem = dropped_impersonation(run_user, row).or_else(|| one.status_problem(row));
        let result = RowResult::new(RowOutcome::Changed, Some(row.stamp())).with(problem);
        round.settled.push(one.settled(result));
    }

    /// Whether this row is the first to prove that this server names the real caller. That decides who wrote a row
    /// after a lost answer.
    fn learn_stamp(&self, run_user: &RunUser, row: &Filter) -> bool {
        let caller = self.reader.identity().caller.id;
        let named = run_user.id != caller && row.modified.on_behalf == Some(caller);
        named && !self.records_on_behalf.swap(true, Ordering::Relaxed)
    }

    async fn read_and_judge(
        &self,
        run_user: &RunUser,
        conditions: &UserConditions,
        open: Vec<Open>,
    ) -> Result<Round, RolloutError> {
        let mut round = Round::default();
        if open.is_empty() {
            return Ok(round);
        }
        let filters = match self.read_user(run_user).await? {
            UserFilters::Read(filters) => filters,
            UserFilters::Failed(problem) => {
                let problem = Problem {
                    stage: Stage::Apply,
                    ..problem
                };
                let failed = |one: Open| one.failed(Some(problem.clone()));
                round.settled.extend(open.into_iter().map(failed));
                return Ok(round);
            }
        };
        let unclear = open.iter().any(|one| one.wrote == WriteKnown::Maybe);
        let others = if unclear {
            self.written_beside().await?
        } else {
            Arc::default()
        };
        for mut one in open {
            let seen = filters.iter().find(|filter| filter.id == one.change.filter);
            let attribution = Attribution {
                rewritten: one.rewritten || others.contains(&one.change.filter),
                ..self.attribution(run_user, one.wrote)
            };
            let condition = conditions.of(one.change.filter, run_user.id);
            match judge(&one.change, condition, seen, attribution) {
                RowDecision::Write(change) => {
                    one.change = change;
                    one.fresh = true;
                    round.open.push(one);
                }
                RowDecision::Done(result) => {
                    let problem = self
                        .row_problem(run_user, conditions, &one, &result, seen)
                        .await?;
                    if result.outcome == RowOutcome::Changed {
                        round.records_on_behalf |=
                            seen.is_some_and(|row| self.learn_stamp(run_user, row));
                    }
                    round.settled.push(one.settled(result.with(problem)));
                }
            }
        }
        Ok(round)
    }

    async fn row_problem(
        &self,
        run_user: &RunUser,
        conditions: &UserConditions,
        one: &Open,
        result: &RowResult,
        seen: Option<&Filter>,
    ) -> Result<Option<Problem>, RolloutError> {
        Ok(match (result.outcome, seen) {
            (RowOutcome::Changed, Some(row)) => one.status_problem(row),
            (RowOutcome::ChangedSince, Some(row)) => match conditions.row(one.change.filter) {
                Some(undone) => Some(
                    self.changed_since(Stage::Apply, run_user, undone, row)
                        .await?,
                ),
                None => None,
            },
            (RowOutcome::Gone, _) => {
                let why = "the filter was deleted meanwhile";
                Some(Problem::seen(Stage::Apply, ProblemKind::Gone, why))
            }
            _ => None,
        })
    }
}

/// What is known about writes of this run after this answer.
fn wrote(before: WriteKnown, why: &Why) -> WriteKnown {
    match why {
        Why::Silent => WriteKnown::Yes,
        Why::Said(fault) if fault.is_concurrency_unsupported() => before,
        Why::Said(_) | Why::Seen { .. } | Why::Interrupted => match before {
            WriteKnown::Yes => WriteKnown::Yes,
            WriteKnown::No | WriteKnown::Maybe => WriteKnown::Maybe,
        },
    }
}

impl Open {
    /// The write. A row may be written in any version only if it was read just before: that the server does not check
    /// versions can become known between the selection of the rows and this.
    fn set_state(&self, demands_versions: bool) -> SetState {
        let any_version = self.fresh && !demands_versions;
        SetState {
            filter: self.change.filter,
            to: self.change.to,
            etag: self.change.etag.clone().filter(|_| !any_version),
        }
    }

    /// Whether to restore the state with its own status instead, because the platform refuses the former status.
    /// Whether null is accepted is not documented.
    fn gives_up_status(&mut self, status: u16) -> bool {
        let usual = self.change.to.state.with_default_status();
        if status != 400 || self.change.to == usual {
            return false;
        }
        self.lost_status = !self.change.to.means_the_same_as(usual);
        self.change.to = usual;
        true
    }

    /// Restores the state's own status in place of null if null was refused in this organisation before. Both have
    /// the same meaning.
    fn gives_up_null_status(&mut self) {
        if self.change.to.status.0.is_none() {
            self.change.to = self.change.to.state.with_default_status();
        }
    }

    /// Reports another status than the one that was set. Null that became the state's own is no problem.
    fn status_problem(&self, row: &Filter) -> Option<Problem> {
        let lost = self.lost_status || !row.now.means_the_same_as(self.change.to);
        let why = || format!("its state was set; its status is {} now", row.now.status);
        lost.then(|| Problem::seen(Stage::Verify, ProblemKind::StatusNotRestored, why()))
    }
}

/// A change by impersonation is recorded as the user's own; one recorded as the caller's was not impersonated.
fn dropped_impersonation(run_user: &RunUser, row: &Filter) -> Option<Problem> {
    let kind = ProblemKind::ImpersonationDropped;
    if row.owner != run_user.id {
        let why = format!("the row belongs to {}", row.owner);
        return Some(Problem::seen(Stage::Verify, ProblemKind::ForeignRow, why));
    }
    let by = row.modified.by.filter(|by| *by != run_user.id)?;
    let why = format!("it was changed as {by} and not as its owner");
    Some(Problem::seen(Stage::Verify, kind, why))
}
