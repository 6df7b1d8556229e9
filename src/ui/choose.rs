//! Choosing users and filters: the form, the count, and the run that it begins.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};

use crate::journal::ImpactOptions;
use crate::model::{CALENDAR_TYPES, FilterKind, FilterType, Operation, count};
use crate::plan::{
    Criteria, Groups, RunSettings, Selection, Types, UserLimit, UserRef, Waves, parse_user_list,
};
use crate::report::ErrorReport;
use crate::rollout::{NewRun, NewRunFile};

use super::form::{Fields, Posted};
use super::live::{Start, usage};
use super::new_run_command::{NewRunCommand, TYPED_EXCEPTIONS, TYPED_USERS, new_run_command};
use super::screens::{Failure, Frame, answer, look_at};
use super::site::{SharedSite, Site};

/// Types that most people mean, with the words for them.
const TYPES: [(&str, &str); 3] = [
    (CALENDAR_TYPES[0], "Appointments"),
    (CALENDAR_TYPES[1], "Recurring appointments"),
    (CALENDAR_TYPES[2], "Service activities"),
];

fn usual_types() -> BTreeSet<String> {
    TYPES.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// What was chosen, as it stands in the form.
#[derive(Clone, Debug, Default)]
struct Chosen {
    environment: String,
    operation: String,
    list: String,
    roles: String,
    teams: String,
    units: String,
    views: String,
    except: String,
    types: BTreeSet<String>,
    other_types: String,
    impact: bool,
    waves: String,
    max_changes: String,
}

impl Chosen {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            environment: text("environment"),
            operation: text("operation"),
            list: text("list"),
            roles: text("roles"),
            teams: text("teams"),
            units: text("units"),
            views: text("views"),
            except: text("except"),
            types: fields.all("type").map(str::to_owned).collect(),
            other_types: text("other-types"),
            impact: fields.has("impact"),
            waves: text("waves"),
            max_changes: text("max-changes"),
        }
    }

    fn has_groups(&self) -> bool {
        [&self.roles, &self.teams, &self.units, &self.views]
            .iter()
            .any(|text| !text.trim().is_empty())
    }

    fn types(&self) -> Vec<(&'static str, &'static str, bool)> {
        TYPES
            .iter()
            .map(|(name, words)| (*name, *words, self.types.contains(*name)))
            .collect()
    }
}

#[derive(Debug, Template)]
#[template(path = "choose.html", config = "src/ui/askama.toml")]
struct ChooseScreen {
    frame: Frame,
    environments: Vec<String>,
    types: Vec<(&'static str, &'static str, bool)>,
    chosen: Chosen,
    counted: String,
    problem: Option<ErrorReport>,
    /// What does the same in the terminal; none where the form makes no run.
    command: Option<NewRunCommand>,
}

fn screen(
    site: &Site,
    (chosen, posted): (Chosen, &Posted),
    counted: String,
    problem: Option<ErrorReport>,
) -> Response {
    let (environments, problem) = match site.environments.list() {
        Ok(all) => (all, problem),
        Err(error) => (Vec::new(), Some(error)),
    };
    let named = environments
        .iter()
        .find(|one| one.name == chosen.environment);
    let command = named.or(environments.first()).and_then(|place| {
        let new = new_run(&chosen, posted).ok()?;
        Some(new_run_command(&new, place, site.store.context()))
    });
    answer(&ChooseScreen {
        frame: Frame::new(site, "choose"),
        environments: environments.into_iter().map(|one| one.name).collect(),
        types: chosen.types(),
        chosen,
        counted,
        problem,
        command,
    })
}

pub(super) async fn show(State(site): State<SharedSite>, RawQuery(query): RawQuery) -> Response {
    let query = Fields::of_query(query.as_deref());
    let chosen = Chosen {
        environment: query.text("environment").to_owned(),
        operation: "deactivate".to_owned(),
        types: usual_types(),
        ..Chosen::default()
    };
    screen(&site, (chosen, &Posted::default()), String::new(), None)
}

/// How many users are meant, without reading their filters.
pub(super) async fn number(State(site): State<SharedSite>, posted: Posted) -> Response {
    let chosen = Chosen::of(&posted.fields);
    let counted = async {
        let new = new_run(&chosen, &posted)?;
        let on = site.connect(&chosen.environment).await?;
        let read = new
            .read_only(&on)
            .map_err(|error| ErrorReport::from(&error))?;
        let users = read
            .count()
            .await
            .map_err(|halted| ErrorReport::from(&halted.why))?;
        let skipped = match users.skipped {
            0 => String::new(),
            skipped => format!(
                ", {} of them skipped: disabled, application and Microsoft accounts",
                crate::model::number(skipped)
            ),
        };
        Ok::<_, ErrorReport>(format!("{}{skipped}.", count(users.selected, "user")))
    };
    match counted.await {
        Ok(text) => screen(&site, (chosen, &posted), text, None),
        Err(problem) => {
            let said = problem.message.clone();
            screen(&site, (chosen, &posted), said, Some(problem))
        }
    }
}

/// Begins a run that reads the filters and plans.
pub(super) async fn begin(State(site): State<SharedSite>, posted: Posted) -> Response {
    let chosen = Chosen::of(&posted.fields);
    let begun = async {
        let new = new_run(&chosen, &posted)?;
        let on = site.connect(&chosen.environment).await?;
        let at = NewRunFile::InStore(site.store.clone());
        let created = new
            .create(&on, &at)
            .map_err(|error| ErrorReport::from(&error))?;
        Ok::<_, ErrorReport>(site.drive(chosen.environment.clone(), Start::New(created)))
    };
    match begun.await {
        Ok(run) => look_at(&format!("/runs/{run}")),
        Err(problem) => screen(&site, (chosen, &posted), String::new(), Some(problem)),
    }
}

fn new_run(chosen: &Chosen, posted: &Posted) -> Result<NewRun, ErrorReport> {
    let operation = match &*chosen.operation {
        "deactivate" => Operation::Deactivate,
        "reactivate" => Operation::Reactivate,
        _ => {
            return Err(usage(
                "choose whether filters are deactivated or reactivated",
            ));
        }
    };
    let mut new = NewRun::of(operation);
    new.selection = selection(chosen, posted)?;
    new.criteria = criteria(chosen)?;
    new.survey_is_chosen = false;
    new.asked = ImpactOptions {
        impact: chosen.impact && operation == Operation::Deactivate,
        other_engine: None,
    };
    new.settings = settings(chosen)?;
    Ok(new)
}

fn selection(chosen: &Chosen, posted: &Posted) -> Result<Selection, ErrorReport> {
    let mut only = names(TYPED_USERS, &chosen.list)?;
    if let Some(file) = posted.file("file") {
        let named = parse_user_list(&crate::report::clean(&file.name), &file.bytes, None);
        only.extend(named.map_err(|error| ErrorReport::from(&error))?);
    }
    Ok(Selection {
        only: (!only.is_empty()).then_some(only),
        except: names(TYPED_EXCEPTIONS, &chosen.except)?,
        groups: Groups {
            roles: lines(&chosen.roles),
            teams: lines(&chosen.teams),
            units: lines(&chosen.units),
            views: lines(&chosen.views),
            ..Groups::default()
        },
        skip_unknown: false,
    })
}

/// The names of a list that was typed; none where it is empty.
fn names(what: &str, text: &str) -> Result<Vec<UserRef>, ErrorReport> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    parse_user_list(what, text.as_bytes(), None).map_err(|error| ErrorReport::from(&error))
}

fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

fn criteria(chosen: &Chosen) -> Result<Criteria, ErrorReport> {
    let named = chosen.types.iter().map(String::as_str);
    let others = chosen
        .other_types
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let types: BTreeSet<_> = named.chain(others).map(FilterType::new).collect();
    if types.is_empty() {
        return Err(usage("choose a type of filter"));
    }
    // As `--type all` is.
    let is_all = types.iter().any(|one| one.as_str() == "all");
    let types = if is_all {
        Types::All
    } else {
        Types::Only(types)
    };
    Criteria::new(types, vec![FilterKind::Outlook], None).map_err(|error| ErrorReport::from(&error))
}

fn settings(chosen: &Chosen) -> Result<RunSettings, ErrorReport> {
    let (waves, most) = (chosen.waves.trim(), chosen.max_changes.trim());
    let waves = if waves.is_empty() {
        Waves::default()
    } else {
        waves
            .parse()
            .map_err(|error| usage(&format!("waves: {error}")))?
    };
    let max_changes: Option<UserLimit> = if most.is_empty() {
        None
    } else {
        Some(
            most.parse()
                .map_err(|error| usage(&format!("the limit: {error}")))?,
        )
    };
    Ok(RunSettings {
        waves: waves.0,
        max_changes,
        ..RunSettings::default()
    })
}

impl From<Failure> for Response {
    fn from(failure: Failure) -> Self {
        failure.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen() -> Chosen {
        Chosen {
            operation: "deactivate".into(),
            ..Chosen::default()
        }
    }

    #[test]
    fn an_empty_form_means_everybody_and_the_three_types() {
        let typed = Chosen {
            types: usual_types(),
            ..chosen()
        };
        let new = new_run(&typed, &Posted::default()).unwrap();
        assert_eq!(new.selection, Selection::default());
        assert_eq!(new.criteria.describe(), Criteria::default().describe());
        assert_eq!(new.settings, RunSettings::default());
    }

    #[test]
    fn what_cannot_be_understood_is_said_and_nothing_is_dropped() {
        let types: BTreeSet<_> = ["appointment".to_owned()].into();
        let fine = Chosen { types, ..chosen() };
        for (wrong, said) in [
            (
                Chosen {
                    operation: "delete".into(),
                    ..fine.clone()
                },
                "choose whether",
            ),
            (
                Chosen {
                    types: BTreeSet::new(),
                    ..fine.clone()
                },
                "choose a type",
            ),
            (
                Chosen {
                    waves: "10,rest,5".into(),
                    ..fine.clone()
                },
                "waves: nobody is left",
            ),
            (
                Chosen {
                    max_changes: "many".into(),
                    ..fine.clone()
                },
                "the limit: ",
            ),
            (
                Chosen {
                    list: "name,age\nanna,7".into(),
                    ..fine.clone()
                },
                "the list",
            ),
        ] {
            let error = new_run(&wrong, &Posted::default()).unwrap_err();
            assert!(error.message.contains(said), "{}", error.message);
        }
        let named = Chosen {
            list: "anna@contoso.example\n\nbert@contoso.example\n".into(),
            roles: " Sales \n\n".into(),
            other_types: "contact, task".into(),
            waves: "1,rest".into(),
            max_changes: "10%".into(),
            ..fine
        };
        let new = new_run(&named, &Posted::default()).unwrap();
        assert_eq!(new.selection.only.unwrap().len(), 2);
        assert_eq!(new.selection.groups.roles, ["Sales"]);
        assert_eq!(new.criteria.types().count(), 3);
        assert_eq!(new.settings.waves.len(), 2);
    }
}
