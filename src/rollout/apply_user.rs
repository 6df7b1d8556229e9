//! One user's changes: intent, write, what the answer shows, and deciding again where it does not settle it.

use std::sync::atomic::Ordering;

use crate::dataverse::{Impersonated, SetState, Writer, Written, fault_problem};
use crate::journal::{PendingChange, PendingUser, Settled, Settlement, Subject};
use crate::model::{Filter, Operation, Problem, ProblemKind, Stage};
use crate::plan::{Change, Rule, Verdict, Wrote, judge};

use super::RolloutError;
use super::session::Rollout;

/// How often a user's rows are tried before they count as failed: each round answers something that
/// happened in between.
const ROUNDS: usize = 5;

/// A change on its way.
#[derive(Clone, Debug)]
struct Open {
    change: Change,
    /// Whether a write of ours was done; what may have been done stays so.
    wrote: Wrote,
    /// Why it is not settled yet.
    cause: Option<Problem>,
    /// The status that the platform would not take back.
    lost_status: bool,
}

impl Open {
    fn new(pending: PendingChange) -> Self {
        Self {
            change: pending.change,
            wrote: if pending.maybe_written {
                Wrote::Maybe
            } else {
                Wrote::No
            },
            cause: None,
            lost_status: false,
        }
    }

    fn settled(self, settlement: Settlement, problem: Option<Problem>) -> Settled {
        Settled {
            problem: problem.map(|problem| problem.about(self.change.filter)),
            change: self.change,
            settlement,
        }
    }

    fn failed(self, problem: Option<Problem>) -> Settled {
        let maybe_written = self.wrote != Wrote::No;
        let problem = problem.or_else(|| self.cause.clone());
        self.settled(Settlement::Failed { maybe_written }, problem)
    }

    fn withdrawn(self) -> Settled {
        let maybe_written = self.wrote != Wrote::No;
        self.settled(Settlement::Withdrawn { maybe_written }, None)
    }
}

/// What is to be done with a change after an answer.
enum Next {
    Settled(Settled),
    /// Try it again as it is.
    Again(Open),
    /// The row has to be read first.
    Read(Open),
    /// The run is being interrupted.
    Withdraw(Open),
}

impl Rollout {
    /// Makes one user's changes; the kind of the worst problem, if there was any.
    pub(super) async fn apply_user(
        &self,
        writer: &Writer,
        user: PendingUser,
    ) -> Result<Option<ProblemKind>, RolloutError> {
        let PendingUser { subject, changes } = user;
        let mut problem = None;
        let mut open: Vec<Open> = changes.into_iter().map(Open::new).collect();
        // What may have been written in an earlier life is read before anything is written again.
        let (mut to_read, mut to_write): (Vec<_>, Vec<_>) =
            open.drain(..).partition(|one| one.wrote != Wrote::No);
        for _ in 0..ROUNDS {
            if !to_read.is_empty() {
                let (settled, again) = self.read_and_judge(&subject, to_read).await?;
                self.settle(&subject, settled, &mut problem).await?;
                to_write.extend(again);
            }
            if to_write.is_empty() {
                return Ok(problem);
            }
            let round = self.write_round(writer, &subject, to_write).await?;
            self.settle(&subject, round.settled, &mut problem).await?;
            if round.interrupted {
                return Err(RolloutError::Interrupted);
            }
            (to_read, to_write) = (round.to_read, round.to_write);
        }
        let (settled, again) = self.read_and_judge(&subject, to_read).await?;
        let failed = again
            .into_iter()
            .chain(to_write)
            .map(|one| one.failed(None));
        let settled = settled.into_iter().chain(failed).collect();
        self.settle(&subject, settled, &mut problem).await?;
        Ok(problem)
    }

    async fn settle(
        &self,
        subject: &Subject,
        settled: Vec<Settled>,
        problem: &mut Option<ProblemKind>,
    ) -> Result<(), RolloutError> {
        for one in &settled {
            let bad = matches!(one.settlement, Settlement::Failed { .. });
            let said = one
                .problem
                .as_ref()
                .filter(|p| bad || p.stage == Stage::Verify);
            *problem = problem.or(said.map(|p| p.kind));
        }
        if !settled.is_empty() {
            self.journal().settle(subject.seq, settled).await?;
        }
        Ok(())
    }

    /// Intents, then the request, then what each answer means.
    async fn write_round(
        &self,
        writer: &Writer,
        subject: &Subject,
        open: Vec<Open>,
    ) -> Result<Round, RolloutError> {
        if !writer.is_dry_run() {
            let changes = open.iter().map(|one| one.change.clone()).collect();
            self.journal().intend(subject.seq, changes).await?;
        }
        let states: Vec<_> = open.iter().map(|one| set_state(&one.change)).collect();
        let written = match writer
            .set_states(&Impersonated::from(subject), &states)
            .await
        {
            Ok(written) => written,
            Err(error) => {
                // Nothing was done: the changes are as they were before.
                let withdrawn = open.into_iter().map(Open::withdrawn).collect();
                self.journal().settle(subject.seq, withdrawn).await?;
                return Err(error.into());
            }
        };
        let mut round = Round::default();
        for (one, written) in open.into_iter().zip(written) {
            if matches!(written, Written::Dry) {
                continue;
            }
            match self.understand(subject, one, written) {
                Next::Settled(settled) => round.settled.push(settled),
                Next::Again(one) => round.to_write.push(one),
                Next::Read(one) => round.to_read.push(one),
                Next::Withdraw(one) => {
                    round.interrupted = true;
                    round.settled.push(one.withdrawn());
                }
            }
        }
        Ok(round)
    }

    fn understand(&self, subject: &Subject, mut one: Open, written: Written) -> Next {
        let seen = |kind, why: String| Some(Problem::seen(Stage::Apply, kind, why));
        match written {
            Written::Shown(row) => self.verify(subject, one, &row),
            Written::Silent => {
                let why = "the server said that it was done, and the row does not show it";
                one.cause = seen(ProblemKind::NotAsWritten, why.into());
                one.wrote = Wrote::Yes;
                Next::Read(one)
            }
            Written::Stale(fault) => {
                one.cause = Some(fault_problem(Stage::Apply, &fault));
                Next::Read(one)
            }
            Written::NotNow(fault) => {
                one.cause = Some(fault_problem(Stage::Apply, &fault));
                Next::Again(one)
            }
            Written::Unknown { why } => {
                one.cause = seen(ProblemKind::ServerError, why);
                one.wrote = Wrote::Maybe;
                Next::Read(one)
            }
            Written::Refused(fault) if one.gives_up_status(fault.status.as_u16()) => {
                Next::Again(one)
            }
            Written::Refused(fault) => {
                let problem = self.refusal(subject, Stage::Apply, &fault);
                Next::Settled(one.failed(Some(problem)))
            }
            Written::NotSent { kind, why } => Next::Settled(one.failed(seen(kind, why))),
            Written::Interrupted | Written::Dry => Next::Withdraw(one),
        }
    }

    /// The answer itself shows what was written, of whom, and as whom.
    fn verify(&self, subject: &Subject, mut one: Open, row: &Filter) -> Next {
        if row.id != one.change.filter || row.now.state != one.change.to.state {
            one.wrote = Wrote::Maybe;
            let why = format!("the server showed it {} after it was set", row.now);
            one.cause = Some(Problem::seen(Stage::Verify, ProblemKind::NotAsWritten, why));
            return Next::Read(one);
        }
        self.learn_stamp(subject, row);
        let problem = dropped_impersonation(subject, row).or_else(|| one.status_problem(row));
        Next::Settled(one.settled(changed(row), problem))
    }

    /// Whether this server names the real caller decides whose work a row is after a lost answer.
    fn learn_stamp(&self, subject: &Subject, row: &Filter) {
        let caller = self.reader.identity().caller.id;
        if subject.id != caller && row.modified.on_behalf == Some(caller) {
            self.stamps.store(true, Ordering::Relaxed);
        }
    }

    async fn read_and_judge(
        &self,
        subject: &Subject,
        open: Vec<Open>,
    ) -> Result<(Vec<Settled>, Vec<Open>), RolloutError> {
        if open.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let filters = match self.read_user(subject).await? {
            Ok(filters) => filters,
            Err(problem) => {
                let problem = Problem {
                    stage: Stage::Apply,
                    ..problem
                };
                let failed = |one: Open| one.failed(Some(problem.clone()));
                return Ok((open.into_iter().map(failed).collect(), Vec::new()));
            }
        };
        let (mut settled, mut again) = (Vec::new(), Vec::new());
        for one in open {
            let row = filters.iter().find(|filter| filter.id == one.change.filter);
            match self.judge_one(subject, one, row) {
                Ok(one) => again.push(one),
                Err(one) => settled.push(*one),
            }
        }
        Ok((settled, again))
    }

    /// `Ok` is to be written again, `Err` is settled.
    fn judge_one(
        &self,
        subject: &Subject,
        mut one: Open,
        row: Option<&Filter>,
    ) -> Result<Open, Box<Settled>> {
        let attribution = self.attribution(subject, one.wrote);
        let told = |kind, why: String| Some(Problem::seen(Stage::Apply, kind, why));
        let settled = match judge(&one.change, self.rule(), row, attribution) {
            Verdict::Changed { now, etag } => {
                let problem = row.and_then(|row| one.status_problem(row));
                one.settled(Settlement::Changed { now, etag }, problem)
            }
            Verdict::Already => one.settled(Settlement::Already, None),
            Verdict::Left { now } => {
                let why = format!("left alone: somebody made it {now} meanwhile");
                one.settled(Settlement::Left, told(ProblemKind::ChangedSince, why))
            }
            Verdict::Gone => {
                let why = "the filter was deleted meanwhile";
                one.settled(Settlement::Gone, told(ProblemKind::Gone, why.into()))
            }
            Verdict::Again(change) => {
                one.change = change;
                return Ok(one);
            }
        };
        Err(Box::new(settled))
    }

    fn rule(&self) -> Rule {
        match self.head().operation {
            Operation::Deactivate | Operation::Reactivate => Rule::State,
            Operation::Undo => Rule::Exact,
        }
    }
}

#[derive(Default)]
struct Round {
    settled: Vec<Settled>,
    to_read: Vec<Open>,
    to_write: Vec<Open>,
    interrupted: bool,
}

impl Open {
    /// Whether to put back the state with its own status, because the platform refuses the one that the
    /// row had: null is documented neither to be accepted nor to be refused.
    fn gives_up_status(&mut self, status: u16) -> bool {
        let usual = self.change.to.state.with_default_status();
        if status != 400 || self.change.to == usual {
            return false;
        }
        self.change.to = usual;
        self.lost_status = true;
        true
    }

    fn status_problem(&self, row: &Filter) -> Option<Problem> {
        let lost = self.lost_status || row.now.status != self.change.to.status;
        let why = || format!("its state was set; its status is {} now", row.now.status);
        lost.then(|| Problem::seen(Stage::Verify, ProblemKind::StatusNotRestored, why()))
    }
}

fn set_state(change: &Change) -> SetState {
    SetState {
        filter: change.filter,
        to: change.to,
        etag: change.etag.clone(),
    }
}

fn changed(row: &Filter) -> Settlement {
    Settlement::Changed {
        now: row.now,
        etag: row.etag.clone(),
    }
}

/// A change made by impersonation is the user's own change; one that is not, was made as the caller.
fn dropped_impersonation(subject: &Subject, row: &Filter) -> Option<Problem> {
    let kind = ProblemKind::ImpersonationDropped;
    if row.owner != subject.id {
        let why = format!("the row belongs to {}", row.owner);
        return Some(Problem::seen(Stage::Verify, ProblemKind::ForeignRow, why));
    }
    let by = row.modified.by.filter(|by| *by != subject.id)?;
    let why = format!("it was changed as {by} and not as its owner");
    Some(Problem::seen(Stage::Verify, kind, why))
}
