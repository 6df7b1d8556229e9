//! Users and their filters, as `list` and `check` show them.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::journal::{ListedFilter, ListedUser, ProblemRow};
use crate::model::{FilterId, State, Status, UserId};

use super::cell::{cell, maybe};
use super::document::{FORMAT, Problem};
use super::grid::{Column, Grid};
use super::json::write_json;
use super::paint::Tone;
use super::text::clean;
use super::{Format, Look, ReportError, markdown, problems};

const COLUMNS: [Column; 5] = [
    Column::text("User", 16, 48),
    Column::text("Type", 16, 26),
    Column::text("Name", 16, 48),
    Column::text("State", 8, 8),
    Column::text("Status", 6, 6),
];

const HEADER: [&str; 10] = [
    "user",
    "user_id",
    "filter_id",
    "name",
    "type",
    "kind",
    "state",
    "status",
    "problem",
    "message",
];

/// Writes users as they come, in bounded memory.
pub struct ListWriter<'a> {
    out: &'a mut dyn Write,
    format: Format,
    grid: Grid,
    /// Whether there was a user.
    begun: bool,
}

impl fmt::Debug for ListWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListWriter")
            .field("format", &self.format)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl<'a> ListWriter<'a> {
    /// Begins a list.
    pub fn new(out: &'a mut dyn Write, format: Format, look: Look) -> Result<Self, ReportError> {
        match format {
            Format::Table => {}
            Format::Json => write!(out, "{{\n  \"format\": {FORMAT},\n  \"users\": [")?,
            Format::Csv => csv_lines(out, &[HEADER.map(str::to_owned)])?,
            Format::Markdown => markdown::header(out, &COLUMNS)?,
            Format::Html => return Err(ReportError::OnlyOneRun),
        }
        Ok(Self {
            out,
            format,
            grid: Grid::streaming(&COLUMNS, look),
            begun: false,
        })
    }

    /// Writes some users.
    pub fn users(&mut self, users: &[ListedUser]) -> Result<(), ReportError> {
        for user in users {
            match self.format {
                Format::Table => self.table_user(user)?,
                Format::Json => self.json_user(user)?,
                Format::Csv => csv_lines(self.out, &csv_user(user))?,
                Format::Markdown => {
                    for (cells, _) in table_rows(user) {
                        markdown::row(self.out, &cells)?;
                    }
                }
                Format::Html => return Err(ReportError::OnlyOneRun),
            }
            self.begun = true;
        }
        Ok(())
    }

    /// Ends the list.
    pub fn finish(self) -> Result<(), ReportError> {
        match self.format {
            Format::Table if !self.begun => writeln!(self.out, "There is nothing to list.")?,
            Format::Json if self.begun => writeln!(self.out, "\n  ]\n}}")?,
            Format::Json => writeln!(self.out, "]\n}}")?,
            Format::Table | Format::Csv | Format::Markdown | Format::Html => {}
        }
        Ok(self.out.flush()?)
    }

    fn table_user(&mut self, user: &ListedUser) -> io::Result<()> {
        if !self.begun {
            self.grid.header(self.out)?;
        }
        for (cells, tone) in table_rows(user) {
            self.grid.row(self.out, &cells, tone)?;
        }
        Ok(())
    }

    /// Inside a list inside a document: each line is moved in. A JSON string holds no line break.
    fn json_user(&mut self, user: &ListedUser) -> Result<(), ReportError> {
        let mut text = Vec::new();
        write_json(&mut text, &Listed::of(user))?;
        self.out.write_all(if self.begun { b"," } else { b"" })?;
        for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            self.out.write_all(b"\n    ")?;
            self.out.write_all(line)?;
        }
        Ok(())
    }
}

/// A row for each filter, one for a problem, and one where there is neither.
fn table_rows(user: &ListedUser) -> Vec<([String; 5], Tone)> {
    let name = clean(&user.user).into_owned();
    let none = String::new;
    let mut rows: Vec<_> = user
        .filters
        .iter()
        .map(|filter| {
            let cells = [
                name.clone(),
                clean(&filter.filter_type).into_owned(),
                clean(&filter.name).into_owned(),
                filter.now.state.as_str().to_owned(),
                filter.now.status.to_string(),
            ];
            (cells, Tone::Plain)
        })
        .collect();
    if let Some(problem) = &user.problem {
        let said = format!("{}: {}", problem.kind, clean(&problem.message));
        let cells = [name.clone(), none(), said, fate(problem).into(), none()];
        rows.push((cells, problems::tone(problem.kind)));
    }
    if rows.is_empty() {
        let cells = [name, none(), "no matching filter".into(), none(), none()];
        rows.push((cells, Tone::Quiet));
    }
    rows
}

fn fate(problem: &ProblemRow) -> &'static str {
    if problem.is_skip() {
        "skipped"
    } else {
        "failed"
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    user: &'a str,
    id: UserId,
    filters: Vec<Entry<'a>>,
    problem: Option<Problem<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: FilterId,
    name: &'a str,
    #[serde(rename = "type")]
    filter_type: &'a str,
    kind: &'static str,
    state: State,
    status: Status,
}

impl<'a> Listed<'a> {
    fn of(user: &'a ListedUser) -> Self {
        let filters = user.filters.iter().map(|filter| Entry {
            id: filter.id,
            name: &filter.name,
            filter_type: &filter.filter_type,
            kind: filter.kind.as_str(),
            state: filter.now.state,
            status: filter.now.status,
        });
        Self {
            user: &user.user,
            id: user.id,
            filters: filters.collect(),
            problem: user.problem.as_ref().map(Problem::of),
        }
    }
}

fn csv_lines(out: &mut dyn Write, lines: &[[String; HEADER.len()]]) -> Result<(), ReportError> {
    let mut csv = csv::Writer::from_writer(out);
    for line in lines {
        csv.write_record(line)?;
    }
    Ok(csv.flush()?)
}

/// A line for each filter with the user's problem, or one without a filter.
fn csv_user(user: &ListedUser) -> Vec<[String; HEADER.len()]> {
    let problem = user.problem.as_ref();
    let line = |filter: Option<&ListedFilter>| {
        [
            cell(&user.user),
            user.id.to_string(),
            maybe(filter.map(|f| f.id)),
            filter.map_or_else(String::new, |f| cell(&f.name)),
            filter.map_or_else(String::new, |f| cell(&f.filter_type)),
            maybe(filter.map(|f| f.kind.as_str())),
            maybe(filter.map(|f| f.now.state.as_str())),
            maybe(filter.map(|f| f.now.status)),
            maybe(problem.map(|p| p.kind)),
            problem.map_or_else(String::new, |p| cell(&p.message)),
        ]
    };
    if user.filters.is_empty() {
        return vec![line(None)];
    }
    user.filters
        .iter()
        .map(|filter| line(Some(filter)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::support::{Come, PLAIN, run};

    async fn listed(format: Format, page: usize) -> String {
        let run = run(Come::Planned).await;
        run.shown(|out, run| {
            let mut writer = ListWriter::new(out, format, PLAIN)?;
            let mut after = 0;
            loop {
                let users = run.view(|view| view.listed(after, page))?;
                let Some(last) = users.last() else {
                    return writer.finish();
                };
                after = last.seq;
                writer.users(&users)?;
            }
        })
    }

    #[tokio::test]
    async fn the_table_has_a_row_for_each_filter_and_for_each_user_without() {
        insta::assert_snapshot!(listed(Format::Table, 3).await, @r"
        User                  Type                 Name                 State     Status
        ada@contoso.example   appointment          My Outlook           active    null
                                                   appointments
        ada@contoso.example   serviceappointment   My Outlook           inactive  2
                                                   serviceappointments
        ben@contoso.example   appointment          My Outlook           inactive  2
                                                   appointments
        ben@contoso.example   serviceappointment   My Outlook           inactive  2
                                                   serviceappointments
        cara@contoso.example                       disabled: skipped    skipped
                                                   without a request
        dan·[2J@contoso.exam                       no-roles: The user   failed
        ple                                        has no roles·[31m
                                                   assigned
        eve@contoso.example   appointment          My Outlook           active    1
                                                   appointments
        eve@contoso.example   serviceappointment   My Outlook           inactive  2
                                                   serviceappointments
        finn@contoso.example  appointment          My Outlook           active    1
                                                   appointments
        finn@contoso.example  serviceappointment   My Outlook           inactive  2
                                                   serviceappointments
        gil@contoso.example   appointment          My Outlook           active    1
                                                   appointments
        gil@contoso.example   serviceappointment   My Outlook           inactive  2
                                                   serviceappointments
        =hana@contoso.exampl  appointment          My Outlook           active    1
        e                                          appointments
        =hana@contoso.exampl  serviceappointment   My Outlook           inactive  2
        e                                          serviceappointments
        ");
    }

    #[tokio::test]
    async fn the_document_is_whole_however_it_was_paged() {
        let text = listed(Format::Json, 3).await;
        assert_eq!(text, listed(Format::Json, 100).await);
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list["users"].as_array().unwrap().len(), 8);
        assert_eq!(
            list["users"][0]["filters"][0]["status"],
            serde_json::Value::Null
        );
        assert_eq!(list["users"][2]["problem"]["kind"], "disabled");
        let first: Vec<_> = text.lines().take(16).collect();
        insta::assert_snapshot!(first.join("\n"), @r#"
        {
          "format": 1,
          "users": [
            {
              "user": "ada@contoso.example",
              "id": "00000000-0000-0000-0000-000000000001",
              "filters": [
                {
                  "id": "00000000-0000-0000-0000-000000000011",
                  "name": "My Outlook appointments",
                  "type": "appointment",
                  "kind": "outlook",
                  "state": "active",
                  "status": null
                },
                {
        "#);
    }

    #[tokio::test]
    async fn csv_has_a_line_for_each_filter_and_for_each_user_without() {
        let text = listed(Format::Csv, 3).await;
        let lines = csv::Reader::from_reader(text.as_bytes())
            .records()
            .map(|line| line.unwrap())
            .collect::<Vec<_>>();
        assert_eq!(lines.len(), 14);
        assert_eq!(&lines[12][0], "'=hana@contoso.example");
        assert_eq!(&lines[5][8], "no-roles");
    }

    #[tokio::test]
    async fn markdown_has_the_rows_of_the_table() {
        let text = listed(Format::Markdown, 3).await;
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 16);
        assert_eq!(
            lines[2],
            "| ada@contoso.example | appointment | My Outlook appointments | active | null |"
        );
    }

    #[test]
    fn an_empty_list_is_a_document_too() {
        let empty = |format| {
            let mut out = Vec::new();
            ListWriter::new(&mut out, format, PLAIN)
                .and_then(ListWriter::finish)
                .unwrap();
            String::from_utf8(out).unwrap()
        };
        let list: serde_json::Value = serde_json::from_str(&empty(Format::Json)).unwrap();
        assert_eq!(list, serde_json::json!({ "format": 1, "users": [] }));
        assert_eq!(empty(Format::Table), "There is nothing to list.\n");
        assert_eq!(empty(Format::Csv).lines().count(), 1);
    }
}
