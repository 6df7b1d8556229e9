//! Drifted filters with who changed them, in the form of `check`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::journal::{ListedFilter, ListedUser, ProblemGroup, ProblemRow};
use crate::model::{Modification, UserId};

use super::Style;
use super::cell::{cell, maybe};
use super::grid::Column;
use super::paint::Tone;
use super::phrases;
use super::problems;
use super::text::{clean, minute};
use super::writer::{StyledWrite, paint_line};

pub(super) const COLUMNS: [Column; 5] = [
    Column::text("User", 20, 40),
    Column::text("Type", 11, 26),
    Column::text("Name", 14, 40),
    Column::text("Changed by", 16, 48),
    Column::text("Changed", 10, 16),
];

/// The columns of CSV in addition to those of a list.
pub(super) const MORE_HEADER: [&str; 5] = [
    "modified_on",
    "modified_by",
    "modified_by_id",
    "modified_on_behalf_by",
    "modified_on_behalf_by_id",
];

/// The names of users who changed something; others are shown by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<UserId, String>);

impl Names {
    /// Whether the name of this user is known.
    pub fn has(&self, id: UserId) -> bool {
        self.0.contains_key(&id)
    }

    pub(super) fn of(&self, id: UserId) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

impl Extend<(UserId, String)> for Names {
    fn extend<T: IntoIterator<Item = (UserId, String)>>(&mut self, names: T) {
        self.0.extend(names);
    }
}

/// Users who could not be read, by kind. Shown separately, because drift would be overlooked among them.
#[derive(Debug, Default)]
pub(super) struct Unread(Vec<ProblemGroup>);

impl Unread {
    pub(super) fn count(&mut self, user: &ListedUser, problem: &ProblemRow) {
        match self.0.iter_mut().find(|group| group.kind == problem.kind) {
            Some(group) => group.users += 1,
            None => self.0.push(ProblemGroup {
                kind: problem.kind,
                users: 1,
                example: user.user.clone(),
                message: problem.message.clone(),
            }),
        }
    }

    /// Writes them below the list.
    pub(super) fn write(
        mut self,
        out: &mut dyn StyledWrite,
        below: bool,
        style: Style,
    ) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|group| Reverse(group.users));
        if below {
            writeln!(out)?;
        }
        paint_line(out, Tone::Strong, "Could not be read")?;
        problems::write_groups(out, &self.0, self.0.len(), "", style)
    }
}

/// A row for each filter, and one for a problem.
pub(super) fn table_rows(
    user: &ListedUser,
    names: &Names,
    zone: &TimeZone,
) -> Vec<(Vec<String>, Tone)> {
    let name = clean(&user.user).into_owned();
    let filter = |filter: &ListedFilter| {
        let cells = vec![
            name.clone(),
            phrases::short_type(filter.filter_type.as_str()).into_owned(),
            clean(&filter.name).into_owned(),
            clean(&changed_by(&filter.modified, user.id, names)).into_owned(),
            filter
                .modified
                .on
                .map_or_else(String::new, |on| minute(on, zone)),
        ];
        (cells, Tone::Plain)
    };
    let mut rows: Vec<_> = user.filters.iter().map(filter).collect();
    if let Some(problem) = &user.problem {
        // The server's message would take many lines here; JSON and CSV contain it.
        let said = format!("failed: {}", problem.kind);
        let none = String::new;
        let cells = vec![name.clone(), none(), said, none(), none()];
        rows.push((cells, problems::tone(problem.kind)));
    }
    rows
}

/// Who changed it, and as whom if that is another user (Microsoft: "Impersonate another user using the
/// Web API": `modifiedby` is the impersonated user, `modifiedonbehalfby` the real caller).
fn changed_by(modified: &Modification, owner: UserId, names: &Names) -> String {
    let who = |id| {
        if id == owner {
            "the user".to_owned()
        } else {
            names.of(id)
        }
    };
    match (modified.by, modified.on_behalf) {
        (None, None) => "unknown".to_owned(),
        (Some(by), None) => who(by),
        (None, Some(caller)) => who(caller),
        (Some(by), Some(caller)) => format!("{} as {}", who(caller), who(by)),
    }
}

/// Who changed a row last, in JSON.
#[derive(Serialize)]
pub(super) struct Modified {
    on: Option<Timestamp>,
    by: Option<DriftRow>,
    on_behalf_by: Option<DriftRow>,
}

#[derive(Serialize)]
struct DriftRow {
    user: String,
    id: UserId,
}

impl Modified {
    pub(super) fn of(modified: &Modification, names: &Names) -> Self {
        let person = |id| DriftRow {
            user: names.of(id),
            id,
        };
        Self {
            on: modified.on,
            by: modified.by.map(person),
            on_behalf_by: modified.on_behalf.map(person),
        }
    }
}

/// The additional cells of CSV; empty where there is no filter.
pub(super) fn more_cells(filter: Option<&ListedFilter>, names: &Names) -> Vec<String> {
    let modified = filter.map(|filter| filter.modified).unwrap_or_default();
    let name = |id: Option<UserId>| id.map_or_else(String::new, |id| cell(&names.of(id)));
    vec![
        maybe(modified.on),
        name(modified.by),
        maybe(modified.by),
        name(modified.on_behalf),
        maybe(modified.on_behalf),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterId, FilterKind, FilterType, ProblemKind, State};
    use crate::report::test_runs::PLAIN;
    use crate::report::{Format, ListWriter};
    use uuid::Uuid;

    fn id(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn modified(by: Option<u128>, on_behalf: Option<u128>) -> Modification {
        Modification {
            on: Some(Timestamp::from_millisecond(1_795_529_040_000).unwrap()),
            by: by.map(id),
            on_behalf: on_behalf.map(id),
        }
    }

    fn ada(modifications: &[Modification]) -> ListedUser {
        let filter = |modified: &Modification| ListedFilter {
            id: FilterId(Uuid::from_u128(9)),
            name: "My Appointments".into(),
            filter_type: FilterType::new("recurringappointmentmaster"),
            kind: FilterKind::Outlook,
            now: State::Active.with_default_status(),
            modified: *modified,
        };
        ListedUser {
            seq: 1,
            user: "ada@contoso.example".into(),
            id: id(1),
            filters: modifications.iter().map(filter).collect(),
            problem: None,
        }
    }

    fn problem() -> ProblemRow {
        ProblemRow {
            user: "bob@contoso.example".into(),
            id: id(2),
            filter: None,
            stage: crate::model::Stage::Survey,
            kind: ProblemKind::NoRoles,
            code: None,
            message: "no roles".into(),
            request_id: None,
            unit: None,
            over: false,
        }
    }

    fn names() -> Names {
        let mut names = Names::default();
        names.extend([(id(2), "admin\u{1b}[2J@contoso.example".into())]);
        names
    }

    fn shown(format: Format, user: &ListedUser) -> String {
        shown_all(format, std::slice::from_ref(user))
    }

    fn shown_all(format: Format, users: &[ListedUser]) -> String {
        let mut out = Vec::new();
        let mut writer = ListWriter::drift(&mut out, format, PLAIN).unwrap();
        writer.zone(TimeZone::UTC);
        writer.users(users, &names()).unwrap();
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whoever_did_it_is_named_and_as_whom() {
        for (by, on_behalf, said) in [
            (Some(1), None, "the user"),
            (
                Some(1),
                Some(2),
                "admin\u{1b}[2J@contoso.example as the user",
            ),
            (Some(2), None, "admin\u{1b}[2J@contoso.example"),
            (Some(3), None, "00000000-0000-0000-0000-000000000003"),
            (None, None, "unknown"),
        ] {
            let modified = modified(by, on_behalf);
            assert_eq!(changed_by(&modified, id(1), &names()), said);
        }
    }

    #[test]
    fn whoever_could_not_be_read_is_counted_below_the_drift_and_not_among_it() {
        let mut user = ada(&[modified(Some(1), None)]);
        let unread = ListedUser {
            user: "bob@contoso.example".into(),
            problem: Some(problem()),
            ..ada(&[])
        };
        let text = shown_all(
            Format::Table,
            &[unread.clone(), user.clone(), unread.clone()],
        );
        let (drift, below) = text.split_once("Could not be read").unwrap();
        assert!(drift.contains("ada@") && !drift.contains("bob@"), "{text}");
        assert!(below.contains("no-roles      2  bob@"), "{text}");
        user.filters.clear();
        assert_eq!(shown(Format::Table, &user), "");
        assert!(shown(Format::Table, &unread).starts_with("Could not be read"));
        assert!(shown(Format::Csv, &unread).contains("bob@"));
    }

    #[test]
    fn the_table_says_who_and_when_in_80_columns() {
        let user = ada(&[modified(Some(1), None), modified(Some(1), Some(2))]);
        let text = shown(Format::Table, &user);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        insta::assert_snapshot!(text, @r"
        User                  Type         Name            Changed by        Changed
        ada@contoso.example   recurring    My              the user          2026-11-24
                                           Appointments                      14:04
        ada@contoso.example   recurring    My              admin·[2J@contos  2026-11-24
                                           Appointments    o.example as the  14:04
                                                           user
        ");
    }

    #[test]
    fn json_and_csv_have_names_and_ids() {
        let user = ada(&[modified(Some(1), Some(2))]);
        let list: serde_json::Value = serde_json::from_str(&shown(Format::Json, &user)).unwrap();
        let modified = &list["users"][0]["filters"][0]["modified"];
        assert_eq!(modified["on"], "2026-11-24T14:04:00Z");
        assert_eq!(modified["by"]["id"], id(1).to_string());
        assert_eq!(
            modified["on_behalf_by"]["user"],
            "admin\u{1b}[2J@contoso.example"
        );
        let csv = shown(Format::Csv, &user);
        let mut lines = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(&lines.headers().unwrap()[13], "modified_on_behalf_by");
        let line = lines.records().next().unwrap().unwrap();
        assert_eq!(&line[13], "admin·[2J@contoso.example");
        assert_eq!(line[14], id(2).to_string());
    }

    #[test]
    fn a_table_without_drift_is_empty() {
        let mut out = Vec::new();
        let writer = ListWriter::drift(&mut out, Format::Table, PLAIN).unwrap();
        writer.finish().unwrap();
        assert!(out.is_empty());
    }
}
