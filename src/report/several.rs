//! The results of several environments as one: one document, one table, one file.

use std::fmt;
use std::io::Write;

use serde::Serialize;

use super::grid::{Column, Grid};
use super::json::FORMAT;
use super::markdown::escaped;
use super::paint::Tone;
use super::per_environment::{CsvWithEnvironment, IndentWriter};
use super::text::{clean, number};
use super::writer::{StyledWrite, paint_line};
use super::{ErrorReport, Format, ReportError, Style};

/// One environment in the table at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// Its name.
    pub environment: String,
    /// An outcome, or the stable word of an error.
    pub outcome: String,
    /// The numbers of changed and of failed users.
    pub users: Option<(u64, u64)>,
    /// The run, in the form in which it can be typed.
    pub run: Option<String>,
    /// The exit code for this environment alone.
    pub exit: u8,
}

/// Writes the results of several environments, one after the other, each in its usual form.
pub struct EnvironmentResults<'a> {
    out: Box<dyn StyledWrite + 'a>,
    format: Format,
    /// The number of environments written.
    written: usize,
}

impl fmt::Debug for EnvironmentResults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Several")
            .field("format", &self.format)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl<'a> EnvironmentResults<'a> {
    /// Starts. HTML is refused, because it shows one run only.
    pub fn new(out: Box<dyn StyledWrite + 'a>, format: Format) -> Result<Self, ReportError> {
        let mut several = Self {
            out,
            format,
            written: 0,
        };
        match format {
            Format::Json => write!(
                several.out,
                "{{\n  \"format\": {FORMAT},\n  \"environments\": ["
            )?,
            Format::Html => return Err(ReportError::OnlyOneRun),
            Format::Xlsx => return Err(ReportError::NoWorkbook),
            Format::Table | Format::Csv | Format::Markdown => {}
        }
        Ok(several)
    }

    /// Starts an environment with a result. The result has to be written to the returned writer, in its usual form.
    pub fn begin(
        &mut self,
        name: &str,
        error: Option<&ErrorReport>,
    ) -> Result<Box<dyn StyledWrite + '_>, ReportError> {
        let first = self.written == 0;
        self.written += 1;
        Ok(match self.format {
            Format::Json => {
                self.json_head(name, error, first)?;
                Box::new(IndentWriter::new(&mut self.out, 6))
            }
            Format::Csv => Box::new(CsvWithEnvironment::new(&mut self.out, name, first)?),
            Format::Table | Format::Markdown | Format::Html | Format::Xlsx => {
                if !first {
                    writeln!(self.out)?;
                }
                write_title(&mut self.out, name, self.format)?;
                Box::new(&mut self.out)
            }
        })
    }

    /// Writes an environment without a result.
    pub fn without_result(
        &mut self,
        name: &str,
        error: Option<&ErrorReport>,
    ) -> Result<(), ReportError> {
        if self.format == Format::Json {
            let first = self.written == 0;
            self.written += 1;
            self.json_head(name, error, first)?;
            write!(self.out, "null")?;
        }
        Ok(())
    }

    /// The writer for text without a heading of its own.
    pub fn without_heading(&mut self) -> &mut dyn StyledWrite {
        self.written += 1;
        &mut self.out
    }

    /// Finishes an environment, with the exit code for it alone.
    pub fn end(&mut self, exit: u8) -> Result<(), ReportError> {
        if self.format == Format::Json {
            write!(self.out, ",\n      \"exit\": {exit}\n    }}")?;
        }
        Ok(())
    }

    /// Finishes, and returns the writer.
    pub fn finish(mut self) -> Result<Box<dyn StyledWrite + 'a>, ReportError> {
        if self.format == Format::Json {
            let before = if self.written > 0 { "\n  " } else { "" };
            writeln!(self.out, "{before}]\n}}")?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn json_head(
        &mut self,
        name: &str,
        error: Option<&ErrorReport>,
        first: bool,
    ) -> Result<(), ReportError> {
        let comma = if first { "" } else { "," };
        write!(self.out, "{comma}\n    {{\n      \"environment\": ")?;
        json(&mut self.out, &name)?;
        write!(self.out, ",\n      \"error\": ")?;
        json(&mut IndentWriter::new(&mut self.out, 6), &error)?;
        Ok(write!(self.out, ",\n      \"result\": ")?)
    }
}

/// Writes the name of an environment above its result, for people.
pub fn write_heading(out: &mut dyn StyledWrite, name: &str) -> Result<(), ReportError> {
    write_title(out, name, Format::Table)
}

fn write_title(out: &mut dyn StyledWrite, name: &str, format: Format) -> Result<(), ReportError> {
    let name = clean(name);
    if format == Format::Markdown {
        writeln!(out, "# {}\n", escaped(&name))?;
    } else {
        paint_line(out, Tone::Strong, &format!("== {name} =="))?;
        writeln!(out)?;
    }
    Ok(())
}

/// A JSON value without a line break after it.
fn json(out: &mut dyn StyledWrite, value: &impl Serialize) -> Result<(), ReportError> {
    let mut text = Vec::new();
    super::json::write_json(&mut text, value)?;
    Ok(out.write_all(text.trim_ascii_end())?)
}

/// Writes the table at the end: the outcome of every environment.
pub fn write_overview(
    out: &mut dyn StyledWrite,
    environments: &[Overview],
    style: Style,
) -> Result<(), ReportError> {
    let with_users = environments.iter().any(|one| one.users.is_some());
    let with_run = environments.iter().any(|one| one.run.is_some());
    let mut columns = vec![
        Column::text("Environment", 12, 30),
        Column::text("Outcome", 10, 24),
    ];
    if with_users {
        columns.extend([Column::number("Changed"), Column::number("Failed")]);
    }
    if with_run {
        columns.push(Column::text("Run", 6, 12));
    }
    columns.push(Column::number("Exit"));
    let row = |one: &Overview| {
        let none = || "-".to_owned();
        let mut cells = vec![
            clean(&one.environment).into_owned(),
            clean(&one.outcome).into_owned(),
        ];
        if with_users {
            let (changed, failed) = one.users.unzip();
            cells.extend([changed, failed].map(|n| n.map_or_else(none, number)));
        }
        if with_run {
            cells.push(one.run.clone().unwrap_or_else(none));
        }
        cells.push(one.exit.to_string());
        let tone = match one.exit {
            0 => Tone::Good,
            3 | 10 => Tone::Warning,
            _ => Tone::Bad,
        };
        (cells, tone)
    };
    let rows: Vec<_> = environments.iter().map(row).collect();
    Ok(Grid::whole(out, &columns, &rows, style)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestRun, TestStage, run};
    use crate::report::{ErrorClass, write_document, write_error, write_run, write_summary};
    use serde_json::json;

    fn down() -> ErrorReport {
        ErrorReport::new("unreachable", ErrorClass::Unexpected, &"cannot reach b")
    }

    /// Twice the same run, and between them an environment that is down.
    fn shown(run: &TestRun, format: Format) -> String {
        run.shown(|out, run| {
            let mut several = EnvironmentResults::new(Box::new(out), format)?;
            for name in ["a", "b", "c, \"d\""] {
                if name == "b" {
                    several.without_result(name, Some(&down()))?;
                    several.end(1)?;
                    continue;
                }
                let mut out = several.begin(name, None)?;
                match format {
                    Format::Json => write_document(&mut out, run)?,
                    Format::Table => write_summary(&mut out, run, PLAIN, true)?,
                    format => write_run(&mut out, run, format, PLAIN)?,
                }
                drop(out);
                several.end(6)?;
            }
            several.finish().map(drop)
        })
    }

    #[tokio::test]
    async fn the_document_holds_each_as_it_would_be_alone() {
        let run = run(TestStage::Stopped).await;
        let text = shown(&run, Format::Json);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        let alone: serde_json::Value =
            serde_json::from_str(&run.shown(|out, run| write_document(out, run))).unwrap();
        let environments = &document["environments"];
        assert_eq!(document["format"], 1);
        assert_eq!(environments.as_array().unwrap().len(), 3);
        let first = json!({ "environment": "a", "error": null, "result": alone, "exit": 6 });
        assert_eq!(environments[0], first);
        let mut error = Vec::new();
        write_error(&mut error, &down()).unwrap();
        let error: serde_json::Value = serde_json::from_slice(&error).unwrap();
        assert_eq!(environments[1]["error"], error["error"]);
        assert!(environments[1]["result"].is_null());
        assert!(text.contains("\n      \"result\": {\n        \"format\": 1,\n"));
        assert!(
            text.ends_with("\n      },\n      \"exit\": 6\n    }\n  ]\n}\n"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn csv_names_the_environment_in_every_line_and_has_its_titles_once() {
        let run = run(TestStage::Stopped).await;
        let text = shown(&run, Format::Csv);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(&csv.headers().unwrap()[0], "environment");
        let names: Vec<_> = csv
            .records()
            .map(|line| line.unwrap()[0].to_owned())
            .collect();
        let half = names.len() / 2;
        assert!(half > 3);
        assert!(names[..half].iter().all(|name| name == "a"));
        assert!(names[half..].iter().all(|name| name == "c, \"d\""));
    }

    #[tokio::test]
    async fn people_see_one_after_the_other_and_a_page_shows_one_only() {
        let run = run(TestStage::Stopped).await;
        let text = shown(&run, Format::Table);
        assert!(
            text.starts_with("== a ==\n\nStopped before the end"),
            "{text}"
        );
        assert!(text.contains("\n\n== c, \"d\" ==\n\nStopped"), "{text}");
        let html = EnvironmentResults::new(Box::new(Vec::new()), Format::Html);
        assert!(matches!(html, Err(ReportError::OnlyOneRun)));
    }

    #[test]
    fn the_table_at_the_end_leaves_out_what_no_environment_has() {
        let one = |environment: &str, outcome: &str, exit| Overview {
            environment: environment.into(),
            outcome: outcome.into(),
            exit,
            ..Overview::default()
        };
        let table = |rows: &[Overview]| {
            let mut out = Vec::new();
            write_overview(&mut out, rows, PLAIN).unwrap();
            String::from_utf8(out).unwrap()
        };
        let done = Overview {
            users: Some((1_200, 3)),
            run: Some("3f2a9c".into()),
            ..one("production", "partial", 3)
        };
        insta::assert_snapshot!(table(&[done, one("test", "unreachable", 1)]), @r"
        Environment  Outcome      Changed  Failed  Run     Exit
        production   partial        1,200       3  3f2a9c     3
        test         unreachable        -       -  -          1
        ");
        insta::assert_snapshot!(table(&[one("production", "complete", 0)]), @r"
        Environment  Outcome   Exit
        production   complete     0
        ");
    }
}
