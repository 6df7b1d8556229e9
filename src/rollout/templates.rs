//! Setting templates, one after the other: they are few, and belong to the organisation.

use crate::dataverse::{Error, Fault, Reader, TemplateWriter, Why, WriteReply, fault_problem};
use crate::model::{
    Problem, ProblemKind, RowOutcome, Stage, Template, TemplateState, TemplateWrite,
};
use crate::plan::{
    TemplateWish, judge_template, template_half_back, template_halves, template_write,
};

/// A template with what was and is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChange {
    /// The template as it was before.
    pub template: Template,
    /// What it is to be.
    pub wanted: TemplateState,
    /// What became of it.
    pub outcome: RowOutcome,
    /// What it is now, as far as the server has shown it.
    pub after: Option<TemplateState>,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// Whether it failed after one of two writes, and that one could not be put back.
    pub halfway: bool,
}

impl TemplateChange {
    /// A change that is still to be made, or that is not needed.
    pub fn planned(template: Template, wish: TemplateWish) -> Self {
        let already = wish.is_met(&template);
        Self {
            wanted: wish.of(&template),
            outcome: if already {
                RowOutcome::Already
            } else {
                RowOutcome::Planned
            },
            after: already.then_some(template.state()),
            problem: None,
            halfway: false,
            template,
        }
    }

    fn failed(&mut self, problem: Problem, seen: Option<&Template>) {
        self.outcome = RowOutcome::Failed;
        self.problem = Some(problem);
        self.after = seen.map(Template::state).or(self.after);
    }

    fn take(&mut self, step: Step) {
        match step {
            Ok(row) => {
                self.outcome = RowOutcome::Changed;
                self.after = Some(row.state());
            }
            Err(missed) => self.failed(missed.problem, missed.seen.as_deref()),
        }
    }
}

/// The row as it was to be, or why it is not.
type Step = Result<Box<Template>, Missed>;

/// A write that did not make of the row what it was to be.
#[derive(Debug)]
struct Missed {
    problem: Problem,
    /// The row, where it was seen after.
    seen: Option<Box<Template>>,
    /// What the server refused with; then nothing was done.
    refused: Option<Box<Fault>>,
}

impl Missed {
    const fn new(problem: Problem, seen: Option<Box<Template>>) -> Self {
        Self {
            problem,
            seen,
            refused: None,
        }
    }
}

fn judged(seen: Option<Box<Template>>, wanted: TemplateState, cause: Option<Problem>) -> Step {
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

/// Makes a change that is planned. An error means that no other template would fare better; the change stays
/// planned then where nothing was sent.
pub async fn set_template(
    reader: &Reader,
    writer: &TemplateWriter,
    change: &mut TemplateChange,
) -> Result<(), Error> {
    if change.outcome != RowOutcome::Planned {
        return Ok(());
    }
    let before = change.template.state();
    let whole = template_write(before, change.wanted);
    let step = write(reader, writer, &change.template, whole).await?;
    let halves = template_halves(before, change.wanted);
    let apart = |missed: &Missed| {
        let refused = missed.refused.as_ref();
        refused.is_some_and(|fault| fault.may_be_accepted_in_two())
    };
    match (&step, halves) {
        (Err(missed), Some(halves)) if apart(missed) => {
            in_two(reader, writer, change, halves).await
        }
        _ => {
            change.take(step);
            Ok(())
        }
    }
}

/// Sets what the server refused together one after the other, and takes the first back where the second fails.
async fn in_two(
    reader: &Reader,
    writer: &TemplateWriter,
    change: &mut TemplateChange,
    (first, second): (TemplateWrite, TemplateWrite),
) -> Result<(), Error> {
    let between = match write(reader, writer, &change.template, first).await? {
        Ok(row) => row,
        missed => {
            change.take(missed);
            return Ok(());
        }
    };
    let (problem, seen, ended) = match write(reader, writer, &between, second).await {
        Ok(Err(missed)) => {
            let seen = match missed.refused {
                Some(_) => Some(between),
                None => missed.seen,
            };
            (missed.problem, seen, Ok(()))
        }
        Ok(step) => {
            change.take(step);
            return Ok(());
        }
        Err(error) => {
            let problem = error_problem(&error);
            (problem, Some(between), Err(error))
        }
    };
    let back = put_back(reader, writer, &change.template, first, seen).await;
    let problem = Problem {
        message: format!("{}; {}", problem.message, back.said),
        ..problem
    };
    change.failed(problem, back.seen.as_deref());
    change.halfway = back.halfway;
    ended
}

/// What came of taking back the first of two writes.
struct PutBack {
    said: String,
    seen: Option<Box<Template>>,
    /// Whether the first write still stands.
    halfway: bool,
}

/// Takes back the first of two writes where the template is as that left it.
async fn put_back(
    reader: &Reader,
    writer: &TemplateWriter,
    template: &Template,
    first: TemplateWrite,
    seen: Option<Box<Template>>,
) -> PutBack {
    let what = named(first);
    let left = |said: &str, seen| PutBack {
        said: format!("{what} was set before that, {said}"),
        seen,
        halfway: true,
    };
    let Some(row) = seen else {
        return left("and what the template is now is not known", None);
    };
    let Some(back) = template_half_back(template.state(), first, row.state()) else {
        let said = "and was left so, because somebody changed the template since";
        return PutBack {
            halfway: false,
            ..left(said, Some(row))
        };
    };
    let (why, seen) = match write(reader, writer, &row, back).await {
        Ok(Ok(now)) => {
            return PutBack {
                halfway: false,
                ..left("and was put back", Some(now))
            };
        }
        Ok(Err(missed)) => (missed.problem.message, missed.seen.unwrap_or(row)),
        Err(error) => (error.to_string(), row),
    };
    left(&format!("and could not be put back: {why}"), Some(seen))
}

const fn named(first: TemplateWrite) -> &'static str {
    if first.default.is_some() {
        "isdefault"
    } else {
        "the state"
    }
}

fn error_problem(error: &Error) -> Problem {
    Problem::seen(Stage::Apply, error.kind(), error.to_string())
}

/// One write, and what the row is after it.
async fn write(
    reader: &Reader,
    writer: &TemplateWriter,
    template: &Template,
    to: TemplateWrite,
) -> Result<Step, Error> {
    let wanted = to.on(template.state());
    let cause = match writer.write(template, to).await? {
        WriteReply::Shown(row) => return Ok(judged(Some(row), wanted, None)),
        WriteReply::Refused(fault) => {
            return Ok(Err(Missed {
                problem: fault_problem(Stage::Apply, &fault),
                seen: None,
                refused: Some(fault),
            }));
        }
        WriteReply::NotSent(why) => return Ok(Err(Missed::new(why.problem(Stage::Apply), None))),
        WriteReply::Unclear(Why::Silent) => None,
        WriteReply::Unclear(why) => Some(why.problem(Stage::Apply)),
    };
    Ok(match reader.template(template.id).await {
        Ok(row) => judged(row.map(Box::new), wanted, cause),
        Err(error) => {
            let why = format!("whether it was set is not known: {error}");
            let problem = Problem::seen(Stage::Verify, error.kind(), why);
            Err(Missed::new(problem, None))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Kind, State, TemplateId};
    use uuid::Uuid;

    const OFF: TemplateWish = TemplateWish {
        state: State::Inactive,
        default: None,
    };

    fn change() -> TemplateChange {
        let template = Template {
            id: TemplateId(Uuid::from_u128(1)),
            name: "Appointments".into(),
            filter_type: FilterType::new("appointment"),
            kind: Kind::Outlook,
            default: false,
            now: State::Active.with_default_status(),
            etag: None,
        };
        TemplateChange::planned(template, OFF)
    }

    #[test]
    fn a_write_without_an_answer_is_judged_by_the_row() {
        let lost = || {
            Some(Problem::seen(
                Stage::Apply,
                ProblemKind::ServerError,
                "lost",
            ))
        };
        let mut done = change();
        let row = Template {
            now: State::Inactive.with_default_status(),
            ..done.template.clone()
        };
        done.take(judged(Some(Box::new(row)), done.wanted, lost()));
        assert_eq!(done.outcome, RowOutcome::Changed);
        let mut not_done = change();
        let row = not_done.template.clone();
        not_done.take(judged(Some(Box::new(row)), not_done.wanted, lost()));
        assert_eq!(not_done.outcome, RowOutcome::Failed);
        assert_eq!(not_done.after, Some(not_done.template.state()));
        assert_eq!(not_done.problem.unwrap().message, "lost");
    }

    #[test]
    fn what_is_as_wanted_already_is_not_set() {
        let on = TemplateWish {
            state: State::Active,
            ..OFF
        };
        let already = TemplateChange::planned(change().template, on);
        assert_eq!(already.outcome, RowOutcome::Already);
    }
}
