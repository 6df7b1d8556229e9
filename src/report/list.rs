//! Users and their filters, in the form of `list` and `check`.

use std::fmt;
use std::io;

use jiff::tz::TimeZone;

use crate::journal::{ListedUser, ProblemRow};

use super::drift::{self, Names, Unread};
use super::grid::{Column, Grid};
use super::json::{FORMAT, write_json};
use super::list_documents::{Listed, csv_header, csv_lines, csv_user};
use super::paint::Tone;
use super::phrases;
use super::text::clean;
use super::workbook::ListBook;
use super::writer::StyledWrite;
use super::{Format, ReportError, Style, markdown, problems};

const COLUMNS: [Column; 5] = [
    // An address is broken once at most on a terminal of 80 columns.
    Column::text("User", 28, 48),
    Column::text("Type", 11, 26),
    Column::text("Name", 19, 48),
    Column::text("State", 8, 8),
    Column::text("Status", 6, 6),
];

/// The contents of a filter's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    States,
    /// Who changed it, and when.
    Drift,
}

impl Layout {
    const fn columns(self) -> &'static [Column] {
        match self {
            Self::States => &COLUMNS,
            Self::Drift => &drift::COLUMNS,
        }
    }
}

/// Writes users as they come, in bounded memory.
pub struct ListWriter<'a> {
    out: &'a mut dyn StyledWrite,
    format: Format,
    layout: Layout,
    zone: TimeZone,
    grid: Grid,
    style: Style,
    unread: Unread,
    /// Whether anything was written.
    begun: bool,
    /// How many filters were compared with the wanted state.
    compared: Option<u64>,
    /// The workbook, which is written at the end.
    book: Option<ListBook>,
}

impl fmt::Debug for ListWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListWriter")
            .field("format", &self.format)
            .field("layout", &self.layout)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

impl<'a> ListWriter<'a> {
    /// Starts a list of users and their filters.
    pub fn new(
        out: &'a mut dyn StyledWrite,
        format: Format,
        style: Style,
    ) -> Result<Self, ReportError> {
        Self::begin(out, format, style, Layout::States)
    }

    /// Starts a list of drifted filters, with who changed them last. Without drift, a table is empty.
    pub fn drift(
        out: &'a mut dyn StyledWrite,
        format: Format,
        style: Style,
    ) -> Result<Self, ReportError> {
        Self::begin(out, format, style, Layout::Drift)
    }

    fn begin(
        out: &'a mut dyn StyledWrite,
        format: Format,
        style: Style,
        layout: Layout,
    ) -> Result<Self, ReportError> {
        let mut book = None;
        match format {
            Format::Table => {}
            Format::Json => write!(out, "{{\n  \"format\": {FORMAT},\n  \"users\": [")?,
            Format::Csv => csv_lines(out, &[csv_header(layout == Layout::Drift)])?,
            Format::Markdown => markdown::header_row(out, layout.columns())?,
            Format::Html => return Err(ReportError::OnlyOneRun),
            Format::Xlsx => book = Some(ListBook::new()?),
        }
        Ok(Self {
            book,
            out,
            format,
            layout,
            zone: TimeZone::system(),
            grid: Grid::streaming(layout.columns(), style),
            style,
            unread: Unread::default(),
            begun: false,
            compared: None,
        })
    }

    /// Sets the time zone of displayed times; the default is that of the machine.
    #[cfg(test)]
    pub(super) fn zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// Writes some users; the users who changed their filters are named from `names`.
    pub fn users(&mut self, users: &[ListedUser], names: &Names) -> Result<(), ReportError> {
        for user in users {
            match self.format {
                Format::Table => {
                    self.table_user(user, names)?;
                    continue;
                }
                Format::Json => self.json_user(user, names)?,
                Format::Csv => {
                    let lines = csv_user(user, self.named_by(names));
                    csv_lines(self.out, &lines)?;
                }
                Format::Markdown => {
                    for (cells, _) in self.rows(user, names) {
                        markdown::row(self.out, &cells)?;
                    }
                }
                Format::Html => return Err(ReportError::OnlyOneRun),
                Format::Xlsx => {
                    let names = self.named_by(names);
                    if let Some(book) = &mut self.book {
                        book.user(user, names)?;
                    }
                }
            }
            self.begun = true;
        }
        Ok(())
    }

    /// Sets how many filters were compared. Call it before the end.
    pub const fn compared(&mut self, filters: u64) {
        self.compared = Some(filters);
    }

    /// Finishes the list.
    pub fn finish(self) -> Result<(), ReportError> {
        if let Some(book) = self.book {
            return book.finish(self.compared, self.out);
        }
        match (self.format, self.layout) {
            (Format::Table, Layout::States) if !self.begun => {
                writeln!(self.out, "There is nothing to list.")?;
            }
            (Format::Table, Layout::Drift) => {
                self.unread.write(self.out, self.begun, self.style)?;
            }
            (Format::Json, _) => {
                let end = if self.begun { "\n  ]" } else { "]" };
                let compared = self.compared.map(|n| format!(",\n  \"compared\": {n}"));
                writeln!(self.out, "{end}{}\n}}", compared.unwrap_or_default())?;
            }
            (Format::Table | Format::Csv | Format::Markdown | Format::Html | Format::Xlsx, _) => {}
        }
        Ok(self.out.flush()?)
    }

    /// The names, if the list shows who changed a filter.
    fn named_by<'n>(&self, names: &'n Names) -> Option<&'n Names> {
        (self.layout == Layout::Drift).then_some(names)
    }

    fn rows(&self, user: &ListedUser, names: &Names) -> Vec<(Vec<String>, Tone)> {
        match self.layout {
            Layout::States => table_rows(user),
            Layout::Drift => drift::table_rows(user, names, &self.zone),
        }
    }

    fn table_user(&mut self, user: &ListedUser, names: &Names) -> io::Result<()> {
        let mut rows = self.rows(user, names);
        if let (Layout::Drift, Some(problem)) = (self.layout, &user.problem) {
            rows.truncate(user.filters.len());
            self.unread.count(user, problem);
        }
        for (cells, tone) in rows {
            if !std::mem::replace(&mut self.begun, true) {
                self.grid.header(self.out)?;
            }
            self.grid.row(self.out, &cells, tone)?;
        }
        Ok(())
    }

    /// Indents each line, because it is in a list in a document. A JSON string contains no line break.
    fn json_user(&mut self, user: &ListedUser, names: &Names) -> Result<(), ReportError> {
        let mut text = Vec::new();
        write_json(&mut text, &Listed::of(user, self.named_by(names)))?;
        self.out.write_all(if self.begun { b"," } else { b"" })?;
        for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            self.out.write_all(b"\n    ")?;
            self.out.write_all(line)?;
        }
        Ok(())
    }
}

/// A row for each filter, one for a problem, and one where there is neither.
fn table_rows(user: &ListedUser) -> Vec<(Vec<String>, Tone)> {
    let name = clean(&user.user).into_owned();
    let none = String::new;
    let mut rows: Vec<_> = user
        .filters
        .iter()
        .map(|filter| {
            let cells = vec![
                name.clone(),
                phrases::short_type(filter.filter_type.as_str()).into_owned(),
                clean(&filter.name).into_owned(),
                filter.now.state.as_str().to_owned(),
                filter.now.status.to_string(),
            ];
            (cells, Tone::Plain)
        })
        .collect();
    if let Some(problem) = &user.problem {
        let said = format!("{}: {}", problem.kind, clean(&problem.message));
        let cells = vec![
            name.clone(),
            none(),
            said,
            read_result(problem).into(),
            none(),
        ];
        rows.push((cells, problems::tone(problem.kind)));
    }
    if rows.is_empty() {
        let cells = vec![name, none(), "no matching filter".into(), none(), none()];
        rows.push((cells, Tone::Dimmed));
    }
    rows
}

fn read_result(problem: &ProblemRow) -> &'static str {
    if problem.is_skip() {
        "skipped"
    } else {
        "failed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, run};

    async fn listed(format: Format, page: usize) -> String {
        let run = run(TestStage::Planned).await;
        run.shown(|out, run| {
            let mut writer = ListWriter::new(out, format, PLAIN)?;
            let mut after = 0;
            loop {
                let users = run.view(|view| view.listed(after, page))?;
                let Some(last) = users.last() else {
                    return writer.finish();
                };
                after = last.seq;
                writer.users(&users, &Names::default())?;
            }
        })
    }

    #[tokio::test]
    async fn the_table_has_a_row_for_each_filter_and_for_each_user_without() {
        insta::assert_snapshot!(listed(Format::Table, 3).await, @r"
        User                          Type         Name                 State     Status
        ada@contoso.example           appointment  My Outlook           active    null
                                                   appointments
        ada@contoso.example           service      My Outlook           inactive  2
                                                   serviceappointments
        ben@contoso.example           appointment  My Outlook           inactive  2
                                                   appointments
        ben@contoso.example           service      My Outlook           inactive  2
                                                   serviceappointments
        cara@contoso.example                       disabled: skipped:   skipped
                                                   no request was made
        dan·[2J@contoso.example                    no-roles: The user   failed
                                                   has no roles·[31m
                                                   assigned
        eve@contoso.example           appointment  My Outlook           active    1
                                                   appointments
        eve@contoso.example           service      My Outlook           inactive  2
                                                   serviceappointments
        finn@contoso.example          appointment  My Outlook           active    1
                                                   appointments
        finn@contoso.example          service      My Outlook           inactive  2
                                                   serviceappointments
        gil@contoso.example           appointment  My Outlook           active    1
                                                   appointments
        gil@contoso.example           service      My Outlook           inactive  2
                                                   serviceappointments
        =hana@contoso.example         appointment  My Outlook           active    1
                                                   appointments
        =hana@contoso.example         service      My Outlook           inactive  2
                                                   serviceappointments
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
        let mut out = Vec::new();
        let mut writer = ListWriter::drift(&mut out, Format::Json, PLAIN).unwrap();
        writer.compared(7);
        writer.finish().unwrap();
        let check: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            check,
            serde_json::json!({ "format": 1, "users": [], "compared": 7 })
        );
        assert_eq!(empty(Format::Table), "There is nothing to list.\n");
        assert_eq!(empty(Format::Csv).lines().count(), 1);
    }
}
