//! The command that begins the run which a form begins.

use std::collections::BTreeSet;

use crate::journal::RunContext;
use crate::model::shell::quoted;
use crate::model::{CALENDAR_TYPES, FilterType, Operation};
use crate::plan::{NameSource, UserRef};
use crate::report::context_flags;
use crate::rollout::NewRun;

use super::environments::ListedEnvironment;

/// Names that stand in the command itself, at most; a longer list belongs in a file.
const MOST_NAMES: usize = 5;

/// The command, and what has to be there before it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NewRunCommand {
    /// As it is typed.
    pub(super) text: String,
    /// What its files hold, where they are not those that were given.
    pub(super) notes: Vec<&'static str>,
}

/// The command that reads, plans and asks as the form does. Names from a file of the form stay in that file; `column` is
/// the title of its column with the names, where it was given.
pub(super) fn new_run_command(
    (new, column): (&NewRun, &str),
    place: &ListedEnvironment,
    context: &RunContext,
) -> NewRunCommand {
    let mut command = Words {
        text: format!(
            "syncfilters {} {}",
            command_name(new.operation),
            place.flag()
        ),
        notes: Vec::new(),
    };
    let groups = &new.selection.groups;
    let users = new.selection.only.as_deref().unwrap_or_default();
    command.names(
        ("--user", "--users-from", "users.txt"),
        users,
        "users.txt holds the users, a line each.",
    );
    if !column.is_empty() && users.iter().any(|named| given_file(named).is_some()) {
        command.flag("--column", column);
    }
    command.each("--role", &groups.roles);
    command.each("--team", &groups.teams);
    command.each("--business-unit", &groups.units);
    command.each("--view", &groups.views);
    command.names(
        ("--exclude-user", "--exclude-from", "exceptions.txt"),
        &new.selection.except,
        "exceptions.txt holds the users who are left out, a line each.",
    );
    command.each("--type", &types(new));
    if new.asked.impact {
        command.text += " --impact";
    }
    let waves: Vec<_> = new.settings.waves.iter().map(ToString::to_string).collect();
    if !waves.is_empty() {
        command.flag("--wave", &waves.join(","));
    }
    if let Some(most) = new.settings.max_changes {
        command.flag("--max-changes", &most.to_string());
    }
    command.text += &context_flags(context);
    NewRunCommand {
        text: command.text,
        notes: command.notes,
    }
}

/// The command that begins such a run.
const fn command_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Reactivate => "reactivate",
        // An undo begins with no form.
        Operation::Deactivate | Operation::Undo => "deactivate",
    }
}

/// The types that have to be named, since they are not the usual ones.
fn types(new: &NewRun) -> Vec<String> {
    if new.criteria.is_about_every_type() {
        return vec!["all".to_owned()];
    }
    let named: BTreeSet<_> = new.criteria.types().map(FilterType::as_str).collect();
    if named == BTreeSet::from(CALENDAR_TYPES) {
        return Vec::new();
    }
    named.into_iter().map(str::to_owned).collect()
}

struct Words {
    text: String,
    notes: Vec<&'static str>,
}

impl Words {
    fn flag(&mut self, flag: &str, value: &str) {
        // What begins with a dash would be read as another flag.
        let between = if value.starts_with('-') { "=" } else { " " };
        let value = quoted(value);
        for part in [" ", flag, between, &value] {
            self.text.push_str(part);
        }
    }

    fn each(&mut self, flag: &str, values: &[String]) {
        for value in values {
            self.flag(flag, value);
        }
    }

    /// Names as they were given: those of a file by its name, few by themselves, more in a file that has to be written.
    fn names(
        &mut self,
        (one, from, written): (&str, &str, &str),
        names: &[UserRef],
        note: &'static str,
    ) {
        let (given, typed): (Vec<_>, Vec<_>) =
            names.iter().partition(|named| given_file(named).is_some());
        let file = given.first().and_then(|named| given_file(named));
        if let Some(file) = file {
            self.flag(from, file);
        }
        if file.is_none() && typed.len() > MOST_NAMES {
            self.flag(from, written);
            self.notes.push(note);
        } else {
            for named in typed {
                self.flag(one, &named.name);
            }
        }
    }
}

/// What names that were typed into the form are said to come from.
pub(super) const TYPED_USERS: &str = "the list";
/// The same of the users who are left out.
pub(super) const TYPED_EXCEPTIONS: &str = "the list of exceptions";

/// The file that a name was in.
fn given_file(named: &UserRef) -> Option<&str> {
    match &named.place {
        NameSource::Line(place, _) if place != TYPED_USERS && place != TYPED_EXCEPTIONS => {
            Some(place)
        }
        NameSource::Line(..) | NameSource::Flag(_) => None,
    }
}
