//! Templates as a run: planned, read again, set one after the other, and restored. They are few, and belong to the
//! organisation, so the caller acts as itself.

use std::collections::BTreeSet;

use crate::dataverse::{Error, ServerFault, TemplateWriter, Why, WriteReply, fault_problem};
use crate::journal::{Claim, RelatedRuns, RunReader, Undone};
use crate::model::{
    Modification, Problem, ProblemKind, RowOutcome, Stage, Template, TemplateStamp, TemplateState,
    TemplateWrite,
};
use crate::plan::{
    TemplateChange, TemplateDecision, TemplateLeft, UndoTerms, is_template_by_other,
    judge_template, judge_template_again, judge_template_undo, template_changed_since,
    template_half_back, template_halves, template_write,
};

use super::new_run::{NewRun, NewRunFile};
use super::phases::{Planned, states};
use super::progress::RunStep;
use super::session::{Connection, Rollout};
use super::{RolloutError, SurveyedAs};

impl NewRun {
    /// Makes the file of a run that sets templates, with its plan. Sends nothing.
    pub fn plan_templates(
        self,
        on: &Connection,
        at: &NewRunFile,
        changes: Vec<TemplateChange>,
    ) -> Result<Planned, RolloutError> {
        let created = self.create_with(on, at, None, Some(changes));
        Ok(created?.into_phase(states::Planned(SurveyedAs::Asked)))
    }
}

/// The row in its wanted state, or why it is not.
type TemplateResult = Result<Box<Template>, Missed>;

/// A write after which the row is not in the wanted state.
#[derive(Debug)]
struct Missed {
    problem: Problem,
    /// The row after it, where it was read.
    seen: Option<Box<Template>>,
    /// The refusal of the server; then nothing was done.
    refused: Option<Box<ServerFault>>,
    /// Whether it is not known if the write was done.
    unknown: bool,
}

impl Missed {
    const fn new(problem: Problem, seen: Option<Box<Template>>) -> Self {
        Self {
            problem,
            seen,
            refused: None,
            unknown: false,
        }
    }
}

fn judged(
    seen: Option<Box<Template>>,
    wanted: TemplateState,
    cause: Option<Problem>,
) -> TemplateResult {
    match (judge_template(seen.as_deref(), wanted), seen) {
        (RowOutcome::Changed, Some(row)) => Ok(row),
        (RowOutcome::Gone, seen) | (_, seen @ None) => {
            let why = "the template was deleted meanwhile";
            let problem = Problem::seen(Stage::Apply, ProblemKind::Gone, why);
            Err(Missed::new(problem, seen))
        }
        (_, Some(row)) => {
            let problem = cause.unwrap_or_else(|| {
                let why = format!("it was to be {wanted}, and it is {}", row.state());
                Problem::seen(Stage::Verify, ProblemKind::NotAsWritten, why)
            });
            Err(Missed::new(problem, Some(row)))
        }
    }
}

/// Stores what later runs did to a template that is to be undone.
fn claim_template(left: &mut TemplateLeft, claim: Claim<TemplateStamp>) {
    // A row that an undo restored has no stamp, and is left alone if it is not as it was before.
    if let Some(Undone::SetAgain(stamp)) = claim.undone {
        *left = TemplateLeft {
            stamp,
            proved: true,
        };
    }
    if claim.rewritten_by.is_some() {
        // Its stamp may be that of the other run: only the version identifies the write.
        left.stamp.modified = Modification::default();
        left.proved = true;
    }
}

impl Rollout {
    /// Copies the templates that another run changed or may have changed, with what later runs did to them.
    pub(super) async fn gather_templates(
        &self,
        source: &RunReader,
        related: &RelatedRuns,
    ) -> Result<(), RolloutError> {
        let mut changes = Vec::new();
        for (mut change, written) in source.templates_done()? {
            let claim = related.claim_template(&source.header.id, change.template.id, written)?;
            if let Some(left) = &mut change.left {
                claim_template(left, claim);
            }
            changes.push(change);
        }
        Ok(self.journal().add_templates(changes).await?)
    }

    /// Reads the templates that are not changed yet, and plans them again. One that may have been written is judged
    /// before it is written again.
    pub(super) async fn survey_templates(&self) -> Result<(), RolloutError> {
        self.progress.begin(RunStep::Survey, None);
        let mut planned = Vec::new();
        for change in self.journal().open_templates().await? {
            if change.maybe_written {
                planned.push(change);
                continue;
            }
            let seen = self.reader.template(change.template.id).await?;
            planned.push(match (&change.left, seen) {
                (None, Some(seen)) => change.on(seen),
                (None, None) => self.done(change, RowOutcome::Gone, None).await?,
                (Some(left), seen) => {
                    match self.judge_undo(left, change.wanted, seen.as_ref()).await? {
                        (TemplateDecision::Write, Some(seen)) => change.on(seen.clone()),
                        (TemplateDecision::Done(outcome), seen) => {
                            let seen = seen.cloned();
                            self.done(change, outcome, seen.as_ref()).await?
                        }
                        (TemplateDecision::Write, None) => change,
                    }
                }
            });
        }
        self.journal().plan_templates(planned).await?;
        self.record_requests().await?;
        self.progress.end();
        Ok(())
    }

    async fn judge_undo<'a>(
        &self,
        left: &TemplateLeft,
        wanted: TemplateState,
        seen: Option<&'a Template>,
    ) -> Result<(TemplateDecision, Option<&'a Template>), RolloutError> {
        let terms = self.journal().undo_terms().await?;
        let terms = terms.unwrap_or(UndoTerms {
            caller: self.header().caller.id,
            from: jiff::Timestamp::MIN,
            until: jiff::Timestamp::MIN,
        });
        let include = self.settings.include_changed;
        let decision = judge_template_undo(left, wanted, seen, &terms, include);
        Ok((decision, seen))
    }

    /// A change that needs no write, with its problem if there is one.
    async fn done(
        &self,
        change: TemplateChange,
        outcome: RowOutcome,
        seen: Option<&Template>,
    ) -> Result<TemplateChange, RolloutError> {
        let problem = match (outcome, seen) {
            (RowOutcome::Gone, _) => Some(Problem::seen(
                Stage::Survey,
                ProblemKind::Gone,
                "the template is gone",
            )),
            (RowOutcome::ChangedSince, Some(seen)) => {
                let why = self.since(change.left.as_ref(), seen).await?;
                Some(Problem::seen(Stage::Survey, ProblemKind::ChangedSince, why))
            }
            (RowOutcome::Failed, Some(seen)) => {
                let now = seen.state();
                let why = format!("somebody changed the template while it was set; it is {now}");
                Some(Problem::seen(
                    Stage::Apply,
                    ProblemKind::ChangedMeanwhile,
                    why,
                ))
            }
            _ => None,
        };
        Ok(TemplateChange {
            outcome,
            problem,
            maybe_written: false,
            after: seen.map(Template::stamp),
            ..change
        })
    }

    async fn since(
        &self,
        left: Option<&TemplateLeft>,
        seen: &Template,
    ) -> Result<String, RolloutError> {
        let Some(left) = left else {
            return Ok(format!("it is {}", seen.state()));
        };
        let users: BTreeSet<_> = seen.modified.by.into_iter().collect();
        let names = self.names_of(users).await?;
        let who = seen.modified.by.map(|by| {
            let name = names.get(&by).cloned();
            name.unwrap_or_else(|| by.to_string())
        });
        Ok(template_changed_since(left, seen, who.as_deref()))
    }

    /// Sets the templates that are not settled yet. Repeating it is harmless, because the state of a template decides,
    /// and not what was attempted.
    pub(super) async fn apply_templates(
        &self,
        writer: &TemplateWriter,
    ) -> Result<(), RolloutError> {
        for change in self.journal().open_templates().await? {
            while self.control.is_paused() && self.control.ended().is_none() {
                self.control.wait(&self.progress).await;
            }
            if let Some(ended) = self.control.ended() {
                return Err(ended);
            }
            self.apply_template(writer, change).await?;
        }
        self.record_requests().await
    }

    async fn apply_template(
        &self,
        writer: &TemplateWriter,
        change: TemplateChange,
    ) -> Result<(), RolloutError> {
        let mut change = change;
        let mut current = change.template.clone();
        if change.maybe_written || change.left.is_some() {
            let seen = self.reader.template(change.template.id).await?;
            let decision = match (&change.left, change.maybe_written) {
                (Some(left), false) => {
                    let judged = self.judge_undo(left, change.wanted, seen.as_ref());
                    judged.await?.0
                }
                _ => judge_template_again(&change, seen.as_ref(), &self.callers()),
            };
            match (decision, seen) {
                (TemplateDecision::Write, Some(seen)) => {
                    // The former state stays: the first of two writes may have been done already.
                    change.template.etag.clone_from(&seen.etag);
                    current = seen;
                }
                (TemplateDecision::Done(outcome), seen) => {
                    let done = self.done(change, outcome, seen.as_ref()).await?;
                    return Ok(self.journal().settle_template(done).await?);
                }
                (TemplateDecision::Write, None) => return Ok(()),
            }
        }
        self.journal().intend_template(change.clone()).await?;
        let step = self.set(writer, &current, change.wanted).await?;
        let settled = self.settled(change, step).await?;
        Ok(self.journal().settle_template(settled).await?)
    }

    /// The outcome of a change whose write was answered.
    async fn settled(
        &self,
        change: TemplateChange,
        step: TemplateResult,
    ) -> Result<TemplateChange, RolloutError> {
        let Missed {
            problem,
            seen,
            refused: _,
            unknown,
        } = match step {
            Ok(row) => {
                return Ok(TemplateChange {
                    outcome: RowOutcome::Changed,
                    maybe_written: false,
                    problem: None,
                    after: Some(row.stamp()),
                    ..change
                });
            }
            Err(missed) => missed,
        };
        if problem.kind == ProblemKind::Gone {
            return self.done(change, RowOutcome::Gone, None).await;
        }
        let seen = seen.as_deref();
        if let (Some(left), Some(row)) = (&change.left, seen) {
            let (decision, _) = self.judge_undo(left, change.wanted, seen).await?;
            if is_template_by_other(row, &self.callers())
                && let TemplateDecision::Done(outcome) = decision
            {
                return self.done(change, outcome, seen).await;
            }
        }
        if let Some(row) = seen
            && row.state().means_the_same_as(change.wanted)
        {
            return self.done(change, RowOutcome::Already, seen).await;
        }
        let before = change.template.state();
        let stands = seen.is_some_and(|row| {
            !row.state().means_the_same_as(before) && !is_template_by_other(row, &self.callers())
        });
        Ok(TemplateChange {
            outcome: RowOutcome::Failed,
            maybe_written: unknown || stands,
            problem: Some(problem),
            after: seen.map(Template::stamp),
            ..change
        })
    }

    /// Sets a template that is in the state `current`. An error means that every other template would fail in the same
    /// way, and that the result for this one is not known.
    async fn set(
        &self,
        writer: &TemplateWriter,
        current: &Template,
        wanted: TemplateState,
    ) -> Result<TemplateResult, Error> {
        let before = current.state();
        let step = self
            .write(writer, current, template_write(before, wanted))
            .await?;
        let apart = |missed: &Missed| {
            let refused = missed.refused.as_ref();
            refused.is_some_and(|fault| fault.may_be_accepted_in_two())
        };
        match (step, template_halves(before, wanted)) {
            (Err(missed), Some(halves)) if apart(&missed) => {
                self.in_two(writer, current, halves).await
            }
            (step, _) => Ok(step),
        }
    }

    /// Sets one after the other what the server refused together, and reverts the first where the second fails.
    async fn in_two(
        &self,
        writer: &TemplateWriter,
        current: &Template,
        (first, second): (TemplateWrite, TemplateWrite),
    ) -> Result<TemplateResult, Error> {
        let between = match self.write(writer, current, first).await? {
            Ok(row) => row,
            missed => return Ok(missed),
        };
        let missed = match self.write(writer, &between, second).await? {
            Ok(row) => return Ok(Ok(row)),
            Err(missed) => missed,
        };
        let seen = match missed.refused {
            Some(_) => Some(between),
            None => missed.seen,
        };
        let (said, seen) = self.take_back(writer, current, first, seen).await?;
        let message = format!("{}; {said}", missed.problem.message);
        let unknown = seen.is_none();
        Ok(Err(Missed {
            unknown,
            ..Missed::new(
                Problem {
                    message,
                    ..missed.problem
                },
                seen,
            )
        }))
    }

    /// Reverts the first of two writes where the template is as that write left it. Returns the result and the row.
    async fn take_back(
        &self,
        writer: &TemplateWriter,
        template: &Template,
        first: TemplateWrite,
        seen: Option<Box<Template>>,
    ) -> Result<(String, Option<Box<Template>>), Error> {
        let what = named(first);
        let said = |said: &str| format!("{what} was set before that, {said}");
        let Some(row) = seen else {
            return Ok((said("and what the template is now is not known"), None));
        };
        let Some(back) = template_half_back(template.state(), first, row.state()) else {
            let why = "and was left so, because somebody changed the template since";
            return Ok((said(why), Some(row)));
        };
        Ok(match self.write(writer, &row, back).await? {
            Ok(now) => (said("and was put back"), Some(now)),
            Err(missed) => {
                let why = format!("and could not be put back: {}", missed.problem.message);
                (said(&why), Some(missed.seen.unwrap_or(row)))
            }
        })
    }

    /// One write, and the row after it.
    async fn write(
        &self,
        writer: &TemplateWriter,
        template: &Template,
        to: TemplateWrite,
    ) -> Result<TemplateResult, Error> {
        let wanted = to.on(template.state());
        let cause = match writer.write(template, to).await? {
            WriteReply::Shown(row) => return Ok(judged(Some(row), wanted, None)),
            WriteReply::Refused(fault) => {
                return Ok(Err(Missed {
                    refused: Some(fault.clone()),
                    ..Missed::new(fault_problem(Stage::Apply, &fault), None)
                }));
            }
            WriteReply::NotSent(Why::Interrupted) => return Err(Error::Interrupted),
            WriteReply::NotSent(why) => {
                return Ok(Err(Missed::new(why.problem(Stage::Apply), None)));
            }
            WriteReply::Unclear(Why::Silent) => None,
            WriteReply::Unclear(why) => Some(why.problem(Stage::Apply)),
        };
        Ok(match self.reader.template(template.id).await {
            // Somebody else brought it into the wanted state.
            Ok(Some(row)) if cause.is_some() && is_template_by_other(&row, &self.callers()) => {
                let problem = cause.unwrap_or_else(|| {
                    Problem::seen(
                        Stage::Apply,
                        ProblemKind::ChangedMeanwhile,
                        "changed meanwhile",
                    )
                });
                Err(Missed::new(problem, Some(Box::new(row))))
            }
            Ok(row) => judged(row.map(Box::new), wanted, cause),
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                let why = format!("whether it was set is not known: {error}");
                let problem = Problem::seen(Stage::Verify, error.kind(), why);
                Err(Missed {
                    unknown: true,
                    ..Missed::new(problem, None)
                })
            }
        })
    }
}

const fn named(first: TemplateWrite) -> &'static str {
    if first.default.is_some() {
        "isdefault"
    } else {
        "the state"
    }
}
