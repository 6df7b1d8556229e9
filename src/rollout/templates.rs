//! Setting the state of templates, one after the other: they are few, and belong to the organisation.

use crate::dataverse::{Error, Reader, TemplateWriter, TemplateWritten, fault_problem};
use crate::model::{Problem, ProblemKind, Stage, State, StateAndStatus, Template};
use crate::plan::{TemplateVerdict, judge_template};

/// What became of one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateFate {
    /// Not yet tried, or a dry run.
    Planned,
    /// Its state was set.
    Changed,
    /// It had the state already.
    Already,
    /// Its state could not be set.
    Failed,
}

/// A template with what was and is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChange {
    /// The template as it was before.
    pub template: Template,
    /// What it is to be.
    pub wanted: StateAndStatus,
    /// What became of it.
    pub fate: TemplateFate,
    /// What it is now, as far as the server has shown it.
    pub after: Option<StateAndStatus>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

impl TemplateChange {
    /// A change that is still to be made, or that is not needed.
    pub fn planned(template: Template, wanted: State) -> Self {
        let already = template.now.state == wanted;
        Self {
            wanted: wanted.with_default_status(),
            fate: if already {
                TemplateFate::Already
            } else {
                TemplateFate::Planned
            },
            after: already.then_some(template.now),
            problem: None,
            template,
        }
    }

    fn failed(&mut self, problem: Problem) {
        self.fate = TemplateFate::Failed;
        self.problem = Some(problem);
    }

    fn take(&mut self, verdict: TemplateVerdict, cause: Option<Problem>) {
        match verdict {
            TemplateVerdict::AsWanted(now) => {
                self.fate = TemplateFate::Changed;
                self.after = Some(now);
            }
            TemplateVerdict::Other(now) => {
                self.after = Some(now);
                self.failed(cause.unwrap_or_else(|| {
                    let why = format!("it was to be {}, and it is {now}", self.wanted);
                    Problem::seen(Stage::Verify, ProblemKind::NotAsWritten, why)
                }));
            }
            TemplateVerdict::Gone => {
                let why = "the template was deleted meanwhile";
                self.failed(Problem::seen(Stage::Apply, ProblemKind::Gone, why));
            }
        }
    }
}

/// Makes a change that is planned. An error means that no other template would fare better; the change stays
/// planned then, because nothing was sent.
pub async fn set_template(
    reader: &Reader,
    writer: &TemplateWriter,
    change: &mut TemplateChange,
) -> Result<(), Error> {
    if change.fate != TemplateFate::Planned {
        return Ok(());
    }
    let wanted = change.wanted.state;
    let cause = match writer.set_state(&change.template, change.wanted).await? {
        TemplateWritten::Dry => return Ok(()),
        TemplateWritten::Shown(row) => {
            change.take(judge_template(Some(&row), wanted), None);
            return Ok(());
        }
        TemplateWritten::Refused(fault) => {
            change.failed(fault_problem(Stage::Apply, &fault));
            return Ok(());
        }
        TemplateWritten::Stale => {
            let why = "somebody changed it since it was read, so nothing was done";
            let kind = ProblemKind::ChangedMeanwhile;
            Some(Problem::seen(Stage::Apply, kind, why))
        }
        TemplateWritten::Unknown { why } => {
            why.map(|why| Problem::seen(Stage::Apply, ProblemKind::ServerError, why))
        }
    };
    match reader.template(change.template.id).await {
        Ok(row) => change.take(judge_template(row.as_ref(), wanted), cause),
        Err(error) => {
            let kind = error.kind();
            let why = format!("whether it was set is not known: {error}");
            change.failed(Problem::seen(Stage::Verify, kind, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Kind, TemplateId};
    use uuid::Uuid;

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
        TemplateChange::planned(template, State::Inactive)
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
        let inactive = State::Inactive.with_default_status();
        let mut done = change();
        done.take(TemplateVerdict::AsWanted(inactive), lost());
        assert_eq!(done.fate, TemplateFate::Changed);
        let mut not_done = change();
        not_done.take(TemplateVerdict::Other(not_done.template.now), lost());
        assert_eq!(not_done.fate, TemplateFate::Failed);
        assert_eq!(not_done.problem.unwrap().message, "lost");
    }

    #[test]
    fn what_has_the_state_already_is_not_set() {
        let already = TemplateChange::planned(change().template, State::Active);
        assert_eq!(already.fate, TemplateFate::Already);
    }
}
