//! The users of a run: searched, chosen, sorted, a page at a time; ticked out of a plan and back into it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded::Serializer;

use crate::journal::{
    Narrowed, PageClass, PageOrder, PageQuery, PageUser, Phase, PlanEdit, ReadError, RunFile,
    RunReader, UserGroup, View,
};
use crate::model::{RunId, UserOutcome, count, number};
use crate::report::{ErrorReport, UserClass, hint, loss_words};
use crate::rollout::edit_plan;

use super::blocking::to_its_end;
use super::form::{Fields, Posted};
use super::live::usage;
use super::run_actions::{ScreenState, standing};
use super::run_files::run_id;
use super::screens::{ErrorScreen, look_at};
use super::site::{SharedSite, Site};

/// Users on a page: a few screens, and some 60 kilobytes.
const PAGE: u64 = 100;

/// An entry of a list: its value, its words, and whether it is chosen.
type Entry = (String, String, bool);

#[derive(Debug)]
struct Row {
    seq: i64,
    user: String,
    unit: String,
    outcome: &'static str,
    changes: String,
    items: String,
    note: String,
    can_be_chosen: bool,
    is_in: bool,
}

#[derive(Debug, Template)]
#[template(path = "users.html", config = "src/ui/askama.toml")]
struct UsersPart {
    id: String,
    token: String,
    search: String,
    query: String,
    classes: Vec<Entry>,
    units: Vec<Entry>,
    types: Vec<Entry>,
    orders: Vec<Entry>,
    found: String,
    /// How many were found.
    all: u64,
    /// Everybody who was found, as the object of a sentence; none where that is nobody.
    everybody: Option<String>,
    rows: Vec<Row>,
    is_editable: bool,
    has_items: bool,
    before: Option<String>,
    after: Option<String>,
}

/// Results and groups that can be chosen, with their words.
const CLASSES: [(&str, &str); 13] = [
    ("", "All users"),
    ("planned", "To change"),
    ("changed", "Changed"),
    ("failed", "Failed"),
    ("skipped", "Skipped"),
    ("left", "Left alone"),
    ("left-out", "Left out of the plan"),
    ("unchanged", "Without a change"),
    ("losing", "Losing items"),
    ("loss-unknown", "Loss not known"),
    ("no-mailbox", "Without a mailbox that synchronises"),
    ("no-filters", "Without a filter"),
    ("stays-on", "Kept on by another filter"),
];

const ORDERS: [(&str, &str, PageOrder); 4] = [
    ("", "By name", PageOrder::Name),
    ("unit", "By business unit", PageOrder::Unit),
    ("filters", "By number of filters", PageOrder::Changes),
    ("items", "By items", PageOrder::Loss),
];

/// Those that are known in a run: nobody in a group that was not looked for would read as nobody at all.
fn known_classes(view: &View<'_>) -> Result<Vec<(&'static str, &'static str)>, ReadError> {
    let mut known = Vec::new();
    for (word, words) in CLASSES {
        let unknown = match word.parse() {
            Ok(UserClass::Group(group)) => view.why_group_is_unknown(group)?,
            _ => None,
        };
        if unknown.is_none() {
            known.push((word, words));
        }
    }
    Ok(known)
}

/// What an address asks for.
pub(super) fn page_query(fields: &Fields) -> PageQuery {
    let class = fields
        .text("only")
        .parse::<UserClass>()
        .ok()
        .map(|class| match class {
            UserClass::Outcome(outcome) => PageClass::Outcome(outcome),
            UserClass::Group(group) => PageClass::Group(group),
            UserClass::Problem(kind) => PageClass::Problem(kind),
        });
    let order = ORDERS
        .iter()
        .find(|(word, ..)| *word == fields.text("sort"));
    let filter_type = fields.text("type");
    PageQuery {
        search: fields.text("search").to_owned(),
        class,
        unit: fields.text("unit").parse().ok(),
        filter_type: (!filter_type.is_empty()).then(|| filter_type.to_owned()),
        order: order.map(|(.., order)| *order).unwrap_or_default(),
        skip: fields.text("from").parse().unwrap_or(0),
        most: PAGE,
    }
}

/// The same address with another first user.
fn address(fields: &Fields, from: u64) -> String {
    let mut address = Serializer::new(String::new());
    for name in ["search", "only", "unit", "type", "sort"] {
        let value = fields.text(name);
        if !value.is_empty() {
            address.append_pair(name, value);
        }
    }
    if from > 0 {
        address.append_pair("from", &from.to_string());
    }
    address.finish()
}

fn entries(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Entry> {
    all.map(|(value, words)| {
        let is_chosen = value == chosen;
        (value, words, is_chosen)
    })
    .collect()
}

/// The list of users; whole with what chooses them.
pub(super) fn users_part(
    site: &Site,
    run: &RunReader,
    fields: &Fields,
    (is_editable, is_whole): (bool, bool),
) -> Result<String, ErrorReport> {
    let query = page_query(fields);
    let read = |view: &View<'_>| {
        let page = view.user_page(&query)?;
        let has_items = view.why_group_is_unknown(UserGroup::Losing)?.is_none();
        // What chooses the users is there already where only the list is asked for.
        let choices = if is_whole {
            let classes = known_classes(view)?;
            (
                classes,
                view.units()?,
                view.type_names()?,
                view.problem_groups()?,
            )
        } else {
            Default::default()
        };
        Ok::<_, ReadError>((page, has_items, choices))
    };
    let (page, has_items, (classes, units, types, problems)) = run
        .view(|view| view.at_one_instant(read))
        .map_err(|error| ErrorReport::from(&error))?;
    let fixed = classes
        .into_iter()
        .map(|(word, words)| (word.to_owned(), words.to_owned()));
    let kinds = problems.iter().map(|group| {
        let kind = group.kind.as_str();
        (kind.to_owned(), format!("{kind} ({})", number(group.users)))
    });
    let last = page.skip + u64::try_from(page.users.len()).unwrap_or(0);
    let shown = match page.found {
        found if found <= PAGE => format!("{} found.", count(found, "user")),
        found => format!(
            "{} to {} of {} found.",
            number(page.skip + 1),
            number(last),
            count(found, "user")
        ),
    };
    let any = |words: &str| std::iter::once((String::new(), words.to_owned()));
    let units = units.into_iter().map(|(id, name)| (id.to_string(), name));
    let types = types.into_iter().map(|filter_type| {
        let name = filter_type.as_str().to_owned();
        (name.clone(), name)
    });
    let orders = ORDERS
        .iter()
        .map(|(word, words, _)| ((*word).to_owned(), (*words).to_owned()));
    let part = UsersPart {
        id: run.header.id.as_str().to_owned(),
        token: site.sessions.form_token().to_owned(),
        search: query.search.clone(),
        query: address(fields, page.skip),
        classes: entries(fixed.chain(kinds), fields.text("only")),
        units: entries(any("All business units").chain(units), fields.text("unit")),
        types: entries(any("All types").chain(types), fields.text("type")),
        orders: entries(orders, fields.text("sort")),
        found: shown,
        all: page.found,
        everybody: match page.found {
            0 => None,
            1 => Some("the 1 user found".to_owned()),
            found => Some(format!("all {} found", count(found, "user"))),
        },
        rows: page.users.into_iter().map(row).collect(),
        is_editable,
        has_items,
        before: (page.skip > 0).then(|| address(fields, page.skip.saturating_sub(PAGE))),
        after: (last < page.found).then(|| address(fields, last)),
    };
    part.render().map_err(|error| usage(&error.to_string()))
}

fn row(user: PageUser) -> Row {
    let note = user
        .problem
        .map_or_else(String::new, |(kind, message)| match hint(kind) {
            "" => message,
            hint => format!("{}. {hint}", message.trim_end_matches('.')),
        });
    Row {
        seq: user.seq,
        user: user.user,
        unit: user.unit.unwrap_or_default(),
        outcome: user.outcome.as_str(),
        changes: number(user.changes),
        items: user.loss.map(|loss| loss_words(&loss)).unwrap_or_default(),
        note,
        can_be_chosen: user.can_be_chosen,
        is_in: user.outcome != UserOutcome::LeftOut,
    }
}

/// The list alone.
pub(super) async fn list(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Fields::of_query(query.as_deref());
    let listed = {
        let site = Arc::clone(&site);
        let work = move || {
            let id = run_id(&id)?;
            let run = site.read(&id)?;
            let state = site.runs.get(&id).map(|live| live.state.borrow().clone());
            let is_editable = matches!(
                standing(state.as_ref(), &run),
                ScreenState::Waiting | ScreenState::Saved
            );
            users_part(&site, &run, &query, (is_editable, false))
        };
        tokio::task::spawn_blocking(work)
    };
    match listed.await {
        Ok(Ok(part)) => axum::response::Html(part).into_response(),
        Ok(Err(problem)) => ErrorScreen::new(&site, problem).into_response(),
        Err(_) => ErrorScreen::new(&site, usage("the users could not be listed")).into_response(),
    }
}

/// Takes users out of the plan, and back into it.
pub(super) async fn edit(
    State(site): State<SharedSite>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    posted: Posted,
) -> Response {
    let query = Fields::of_query(query.as_deref());
    let id = match run_id(&id) {
        Ok(id) => id,
        Err(problem) => return ErrorScreen::new(&site, problem).into_response(),
    };
    let address = address(&query, page_query(&query).skip);
    // A browser that sends more gives up the form before, which is obeyed all the same.
    let edited = to_its_end({
        let (site, id) = (Arc::clone(&site), id.clone());
        async move {
            let _one_after_another = site.edits.lock().await;
            edited(&site, &id, &query, &posted.fields).await
        }
    });
    let Err(problem) = edited.await else {
        return look_at(&format!("/runs/{id}?{address}#users"));
    };
    let key = site.keep_problem(problem);
    look_at(&format!("/runs/{id}?{address}&problem={key}#users"))
}

async fn edited(site: &Site, id: &RunId, query: &Fields, form: &Fields) -> Result<(), ErrorReport> {
    let edit = wanted(site, id, query, form)?;
    if edit == PlanEdit::default() {
        return Ok(());
    }
    let narrowed = match site.runs.get(id).filter(|live| live.is_driven()) {
        Some(live) => live.edit(edit).await?,
        None => edit_saved(site, id, edit).await?,
    };
    match narrowed {
        Narrowed::NobodyLeft => {
            let why = "nobody would be left in the plan; the plan is as it was";
            Err(usage(why))
        }
        Narrowed::Done { .. } | Narrowed::OtherPlan(_) => Ok(()),
    }
}

fn wanted(site: &Site, id: &RunId, query: &Fields, form: &Fields) -> Result<PlanEdit, ErrorReport> {
    let everybody = || {
        let run = site.read(id)?;
        let numbers = run.view(|view| view.numbers_found(&page_query(query)));
        let numbers = numbers.map_err(|error| ErrorReport::from(&error))?;
        // What the button said is what is done.
        if form.text("found").parse() == Ok(numbers.len()) {
            Ok(numbers)
        } else {
            let why = "other users are found now than when the list was drawn; look at it again";
            Err(usage(why))
        }
    };
    match form.text("edit") {
        "none" => Ok(PlanEdit {
            out: everybody()?,
            back: Vec::new(),
        }),
        "all" => Ok(PlanEdit {
            out: Vec::new(),
            back: everybody()?,
        }),
        _ => Ok(ticks(form)),
    }
}

/// What was changed in a list: whoever was drawn in and is not ticked now goes out, whoever was drawn out and is ticked
/// now comes back. Of a box that somebody touched counts how it is: an earlier form may have said otherwise.
fn ticks(form: &Fields) -> PlanEdit {
    let numbers = |name| form.all(name).filter_map(|number| number.parse().ok());
    let ticked: HashSet<i64> = numbers("in").collect();
    let touched = || numbers("touched");
    let out: BTreeSet<_> = numbers("was-in")
        .chain(touched())
        .filter(|seq| !ticked.contains(seq))
        .collect();
    let back: BTreeSet<_> = numbers("was-out")
        .chain(touched())
        .filter(|seq| ticked.contains(seq))
        .collect();
    PlanEdit {
        out: out.into_iter().collect(),
        back: back.into_iter().collect(),
    }
}

/// Of a plan that nobody drives.
async fn edit_saved(site: &Site, id: &RunId, edit: PlanEdit) -> Result<Narrowed, ErrorReport> {
    let path = site
        .store
        .find(id.as_str())
        .map_err(|error| ErrorReport::from(&error))?;
    let file = RunFile::open_in(&site.store, &path).map_err(|error| ErrorReport::from(&error))?;
    if file.header.phase > Phase::Applying {
        return Err(usage("the run has ended; nobody can be taken out of it"));
    }
    edit_plan(&file, edit)
        .await
        .map_err(|error| ErrorReport::from(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_lists_is_one_of_the_report() {
        for (word, _) in &CLASSES[1..] {
            assert!(word.parse::<UserClass>().is_ok(), "{word}");
        }
    }

    #[test]
    fn only_boxes_that_were_changed_take_somebody_out_or_back() {
        for (form, out, back) in [
            ("was-in=1&was-in=2&in=2", vec![1], vec![]),
            ("was-out=1&was-out=2&in=2", vec![], vec![2]),
            ("was-in=1&in=1&was-out=2", vec![], vec![]),
            ("was-in=1&in=1&touched=1", vec![], vec![1]),
            ("was-in=1&touched=1&was-out=2&touched=2", vec![1, 2], vec![]),
            ("in=99&was-in=x&touched=&edit=page", vec![], vec![]),
        ] {
            let posted = Fields::of_query(Some(form));
            assert_eq!(ticks(&posted), PlanEdit { out, back }, "{form}");
        }
    }

    #[test]
    fn an_address_says_what_it_was_asked_for() {
        let asked = "search=%22%3Cb%3E&only=failed&sort=items&from=100";
        let fields = Fields::of_query(Some(asked));
        assert_eq!(address(&fields, 100), asked);
        let query = page_query(&fields);
        assert_eq!(query.search, "\"<b>");
        assert_eq!(query.class, Some(PageClass::Outcome(UserOutcome::Failed)));
        assert_eq!((query.order, query.skip), (PageOrder::Loss, 100));
        let nonsense = page_query(&Fields::of_query(Some("only=lost&sort=x&from=-1&unit=7")));
        let everybody = PageQuery {
            most: PAGE,
            ..PageQuery::default()
        };
        assert_eq!(nonsense, everybody);
    }
}
