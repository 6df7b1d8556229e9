//! Setting templates, one after the other: they are few, and belong to the organisation.

use crate::dataverse::{Error, Fault, Reader, TemplateWriter, TemplateWritten, fault_problem};
use crate::model::{Problem, ProblemKind, Stage, Template, TemplateState, TemplateWrite};
use crate::plan::{
    TemplateVerdict, TemplateWish, judge_template, template_half_back, template_halves,
    template_write,
};

/// What became of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFate {
    /// Not yet tried, or a dry run.
    Planned,
    /// It was set.
    Changed,
    /// It was as wanted already.
    Already,
    /// It could not be set.
    Failed,
}

/// A template with what was and is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChange {
    /// The template as it was before.
    pub template: Template,
    /// What it is to be.
    pub wanted: TemplateState,
    /// What became of it.
    pub fate: TemplateFate,
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
            fate: if already {
                TemplateFate::Already
            } else {
                TemplateFate::Planned
            },
            after: already.then_some(template.state()),
            problem: None,
            halfway: false,
            template,
        }
    }

    fn failed(&mut self, problem: Problem, seen: Option<&Template>) {
        self.fate = TemplateFate::Failed;
        self.problem = Some(problem);
        self.after = seen.map(Template::state).or(self.after);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Dry => {}
            Step::Done(row) => {
                self.fate = TemplateFate::Changed;
                self.after = Some(row.state());
            }
            Step::Refused(fault) => self.failed(fault_problem(Stage::Apply, &fault), None),
            Step::Failed { problem, seen } => self.failed(problem, seen.as_deref()),
        }
    }
}

/// What became of one write.
#[derive(Debug)]
enum Step {
    /// A dry run: nothing was sent.
    Dry,
    /// The row is as it was to be.
    Done(Box<Template>),
    /// The server refused, and nothing was done.
    Refused(Box<Fault>),
    /// The row is something else, gone, or not known.
    Failed {
        problem: Problem,
        seen: Option<Box<Template>>,
    },
}

impl Step {
    fn judged(seen: Option<Template>, wanted: TemplateState, cause: Option<Problem>) -> Self {
        let verdict = judge_template(seen.as_ref(), wanted);
        let problem = match (verdict, &seen) {
            (TemplateVerdict::AsWanted, Some(row)) => return Self::Done(Box::new(row.clone())),
            (TemplateVerdict::Gone, _) | (_, None) => {
                let why = "the template was deleted meanwhile";
                Problem::seen(Stage::Apply, ProblemKind::Gone, why)
            }
            (_, Some(row)) => cause.unwrap_or_else(|| {
                let why = format!("it was to be {wanted}, and it is {}", row.state());
                Problem::seen(Stage::Verify, ProblemKind::NotAsWritten, why)
            }),
        };
        let seen = seen.map(Box::new);
        Self::Failed { problem, seen }
    }
}

/// Makes a change that is planned. An error means that no other template would fare better; the change stays
/// planned then where nothing was sent.
pub async fn set_template(
    reader: &Reader,
    writer: &TemplateWriter,
    change: &mut TemplateChange,
) -> Result<(), Error> {
    if change.fate != TemplateFate::Planned {
        return Ok(());
    }
    let before = change.template.state();
    let whole = template_write(before, change.wanted);
    let step = write(reader, writer, &change.template, whole).await?;
    let halves = template_halves(before, change.wanted);
    match (&step, halves) {
        (Step::Refused(fault), Some(halves)) if fault.may_be_accepted_in_two() => {
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
        Step::Done(row) => row,
        other => {
            change.take(other);
            return Ok(());
        }
    };
    let (problem, seen, ended) = match write(reader, writer, &between, second).await {
        Ok(Step::Refused(fault)) => (fault_problem(Stage::Apply, &fault), Some(between), Ok(())),
        Ok(Step::Failed { problem, seen }) => (problem, seen, Ok(())),
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
        Ok(Step::Done(now)) => {
            return PutBack {
                halfway: false,
                ..left("and was put back", Some(now))
            };
        }
        Ok(Step::Failed { problem, seen }) => (problem.message, seen.unwrap_or(row)),
        Ok(Step::Refused(fault)) => (fault.message, row),
        Ok(Step::Dry) => ("this is a dry run".to_owned(), row),
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
        TemplateWritten::Dry => return Ok(Step::Dry),
        TemplateWritten::Shown(row) => return Ok(Step::judged(Some(*row), wanted, None)),
        TemplateWritten::Refused(fault) => return Ok(Step::Refused(fault)),
        TemplateWritten::Stale => {
            let why = "somebody changed it since it was read, so nothing was done";
            let kind = ProblemKind::ChangedMeanwhile;
            Some(Problem::seen(Stage::Apply, kind, why))
        }
        TemplateWritten::Unknown { why } => {
            why.map(|why| Problem::seen(Stage::Apply, ProblemKind::ServerError, why))
        }
    };
    Ok(match reader.template(template.id).await {
        Ok(row) => Step::judged(row, wanted, cause),
        Err(error) => {
            let why = format!("whether it was set is not known: {error}");
            let problem = Problem::seen(Stage::Verify, error.kind(), why);
            Step::Failed {
                problem,
                seen: None,
            }
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
        done.take(Step::judged(Some(row), done.wanted, lost()));
        assert_eq!(done.fate, TemplateFate::Changed);
        let mut not_done = change();
        let row = not_done.template.clone();
        not_done.take(Step::judged(Some(row), not_done.wanted, lost()));
        assert_eq!(not_done.fate, TemplateFate::Failed);
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
        assert_eq!(already.fate, TemplateFate::Already);
    }
}
