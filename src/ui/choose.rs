//! Choosing users and filters: the form, the count, and the run that it begins.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};

use crate::journal::ImpactOptions;
use crate::model::{CALENDAR_TYPES, FilterKind, FilterType, Operation, count};
use crate::plan::{
    Criteria, Groups, RunSettings, Selection, Types, UserLimit, UserRef, Waves, parse_user_list,
    read_user_list,
};
use crate::report::{ErrorReport, clean};
use crate::rollout::{NewRun, NewRunFile};

use super::blocking::blocking;
use super::environments::ListedEnvironments;
use super::form::{FILE, Fields, Posted};
use super::live::{RunStart, usage};
use super::new_run_command::{NewRunCommand, TYPED_EXCEPTIONS, TYPED_USERS, new_run_command};
use super::screens::{ErrorScreen, Frame, answer, look_at};
use super::site::{SharedSite, Site};

/// The fields of which there is one.
const SINGLE: [&str; 14] = [
    "environment",
    "operation",
    "list",
    "file-name",
    "column",
    "roles",
    "teams",
    "units",
    "views",
    "except",
    "other-types",
    "impact",
    "waves",
    "max-changes",
];

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
    /// The name of the file that was chosen. A browser sends a file once, and no page can choose it again.
    file: String,
    /// The title of its column with the names; empty where that is known.
    column: String,
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
    fn of(posted: &Posted) -> Self {
        let fields = &posted.fields;
        let text = |name| fields.text(name).to_owned();
        let file = match posted.file(FILE) {
            Some(file) => clean(&file.name).into_owned(),
            None if fields.has("without-file") => String::new(),
            // A form that is sent without parts has the name in place of the file.
            None => [fields.text("file-name"), fields.text(FILE)].concat(),
        };
        Self {
            environment: text("environment"),
            operation: text("operation"),
            list: text("list"),
            file,
            column: text("column"),
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

/// What is said of what was chosen.
#[derive(Debug, Default)]
struct FormMessages {
    /// How many users it is about.
    counted: Option<String>,
    /// What whoever looked at the list does not know.
    warning: Option<String>,
    /// Why users cannot be counted.
    not_counted: Option<ErrorReport>,
    /// Why there is no plan.
    problem: Option<ErrorReport>,
}

impl FormMessages {
    fn problem(problem: ErrorReport) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "choose.html", config = "src/ui/askama.toml")]
struct ChooseScreen {
    frame: Frame,
    environments: Vec<String>,
    /// Whether the one that was chosen is none of them.
    is_elsewhere: bool,
    types: Vec<(&'static str, &'static str, bool)>,
    chosen: Chosen,
    messages: FormMessages,
    /// What does the same in the terminal; none where the form makes no run.
    command: Option<NewRunCommand>,
}

/// The form as it was filled in, with the command of the run that it makes, where it makes one.
fn screen(
    site: &Site,
    (chosen, new): (Chosen, Option<&NewRun>),
    mut messages: FormMessages,
) -> Response {
    let all = site.environments.list().unwrap_or_else(|error| {
        messages.problem = Some(error);
        ListedEnvironments::default()
    });
    let place = all.named(&chosen.environment);
    let command = place.zip(new).map(|(place, new)| {
        new_run_command((new, chosen.column.trim()), place, site.store.context())
    });
    answer(&ChooseScreen {
        frame: Frame::new(site, "choose"),
        is_elsewhere: place.is_none(),
        environments: all.usable.into_iter().map(|one| one.name).collect(),
        types: chosen.types(),
        chosen,
        messages,
        command,
    })
}

pub(super) async fn show(State(site): State<SharedSite>, RawQuery(query): RawQuery) -> Response {
    let query = Fields::of_query(query.as_deref());
    let all = site.environments.list().unwrap_or_default();
    let first = all.usable.first().map(|one| one.name.clone());
    let asked = query.text("environment");
    let messages = if asked.is_empty() || all.named(asked).is_some() {
        FormMessages::default()
    } else {
        FormMessages::problem(usage(
            "there is no environment of this name; choose another",
        ))
    };
    let chosen = Chosen {
        environment: if asked.is_empty() {
            first.unwrap_or_default()
        } else {
            asked.to_owned()
        },
        operation: "deactivate".to_owned(),
        types: usual_types(),
        ..Chosen::default()
    };
    let requested = requested_run(&chosen, &Posted::default()).ok();
    screen(
        &site,
        (chosen, requested.as_ref().map(|requested| &requested.new)),
        messages,
    )
}

/// How many users are requested, without reading their filters.
pub(super) async fn number(State(site): State<SharedSite>, posted: Posted) -> Response {
    let (chosen, requested) = read(posted).await;
    let counted = async {
        let requested = requested.as_ref().map_err(Clone::clone)?;
        let on = site.connect(&chosen.environment).await?;
        let read = requested
            .new
            .clone()
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
        let counted = format!("{}{skipped}.", count(users.selected, "user"));
        Ok::<_, ErrorReport>(FormMessages {
            counted: Some(counted),
            warning: requested.warning.clone(),
            ..FormMessages::default()
        })
    };
    let messages = counted.await.unwrap_or_else(|problem| FormMessages {
        not_counted: Some(problem),
        ..FormMessages::default()
    });
    let new = requested.as_ref().ok().map(|requested| &requested.new);
    screen(&site, (chosen, new), messages)
}

/// Begins a run that reads the filters and plans.
pub(super) async fn begin(State(site): State<SharedSite>, posted: Posted) -> Response {
    let form = posted.digest();
    let _alone = site.start_locks.lock(&form).await;
    if let Some(run) = site.begun_by(&form) {
        return look_at(&format!("/runs/{run}"));
    }
    let (chosen, requested) = read(posted).await;
    let begun = async {
        let RequestedRun { new, warning } = requested.as_ref().map_err(Clone::clone)?;
        let on = site.connect(&chosen.environment).await?;
        let at = NewRunFile::InStore(site.store.clone());
        let created = new
            .clone()
            .create(&on, &at)
            .map_err(|error| ErrorReport::from(&error))?;
        let run = site.drive(chosen.environment.clone(), RunStart::New(created));
        site.keep_begun(form, run.clone());
        if let Some(warning) = warning {
            site.warn_of_list(run.clone(), warning.clone());
        }
        Ok::<_, ErrorReport>(run)
    };
    match begun.await {
        Ok(run) => look_at(&format!("/runs/{run}")),
        Err(problem) => {
            let new = requested.as_ref().ok().map(|requested| &requested.new);
            screen(&site, (chosen, new), FormMessages::problem(problem))
        }
    }
}

/// What a form says, and the run that it means. A workbook of many megabytes takes seconds.
async fn read(posted: Posted) -> (Chosen, Result<RequestedRun, ErrorReport>) {
    let chosen = Chosen::of(&posted);
    let of = chosen.clone();
    let requested = blocking(move || requested_run(&of, &posted)).await;
    (chosen, requested)
}

/// The run that a form begins, and what whoever looked at its list does not know.
#[derive(Debug)]
struct RequestedRun {
    new: NewRun,
    warning: Option<String>,
}

fn requested_run(chosen: &Chosen, posted: &Posted) -> Result<RequestedRun, ErrorReport> {
    if posted.fields.repeats(&SINGLE) {
        return Err(usage("the form says something twice; load its page again"));
    }
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
    let (selection, warning) = selection(chosen, posted)?;
    new.selection = selection;
    new.criteria = criteria(chosen)?;
    new.survey_is_chosen = false;
    new.asked = ImpactOptions {
        impact: chosen.impact && operation == Operation::Deactivate,
        other_engine: None,
    };
    new.settings = settings(chosen)?;
    Ok(RequestedRun { new, warning })
}

/// The users, and what whoever looked at their list does not know.
fn selection(chosen: &Chosen, posted: &Posted) -> Result<(Selection, Option<String>), ErrorReport> {
    let mut only = names(TYPED_USERS, &chosen.list)?;
    let mut warning = None;
    if let Some(file) = posted.file(FILE) {
        let column = Some(chosen.column.trim()).filter(|column| !column.is_empty());
        let list = read_user_list(&chosen.file, &file.bytes, column);
        let list = list.map_err(|error| ErrorReport::from(&error))?;
        warning = list.hidden_words(&chosen.file);
        only.extend(list.users);
    } else if !chosen.file.is_empty() {
        let why = format!("choose {} again: the form came without it", chosen.file);
        return Err(usage(&why).with_hint("Or tick that you want to continue without the file."));
    }
    let selection = Selection {
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
    };
    Ok((selection, warning))
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

impl From<ErrorScreen> for Response {
    fn from(failure: ErrorScreen) -> Self {
        failure.into_response()
    }
}

#[cfg(test)]
mod tests;
