//! Why something could not be shown.

use std::io;

use crate::journal::{JournalError, ReadError, RunReader, View};
use crate::model::count_of;

/// Why something could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run file could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The same, before it is known which file it is: `read_run` says it.
    #[error("the run file cannot be read: {0}")]
    Read(#[from] ReadError),
    /// Where it was to be written cannot be written.
    #[error("the output cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The same, while writing CSV.
    #[error("the output cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The same, while writing JSON.
    #[error("the output cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A list as HTML.
    #[error("HTML shows one run, with `syncfilters report RUN --format html`")]
    OnlyOneRun,
    /// A run that sets templates as HTML.
    #[error(
        "HTML shows runs that change sync filters; `table`, `json`, `csv` and `markdown` show a run that sets templates"
    )]
    TemplatesAsHtml,
    /// Something as a workbook that has no sheets.
    #[error("workbooks are written by `report`, `list` and `check`; choose another --format")]
    NoWorkbook,
    /// A run that sets templates as a workbook.
    #[error(
        "a workbook shows runs that change sync filters; `table`, `json`, `csv` and `markdown` show a run that sets templates"
    )]
    TemplatesAsWorkbook,
    /// Some users of a run as HTML.
    #[error(
        "HTML shows every user of a run; `table`, `json`, `csv` and `markdown` show some of them"
    )]
    UsersAsHtml,
    /// Users of a run that sets templates.
    #[error("this run sets templates and has no users; leave out --only, --user and --limit")]
    TemplatesHaveNoUsers,
    /// Users of whom the run does not tell whether they are meant.
    #[error("this run does not tell which users are `{0}`: {1}")]
    GroupUnknown(&'static str, String),
    /// Names that lead to no user of the run, each with the nearest one where there is one.
    #[error("{} of this run:", match .0.len() { 1 => "1 name matches no user".to_owned(), _ => format!("{} match no user", count_of(.0, "name")) })]
    NotInRun(Vec<String>),
}

/// Reads one state of a run while it is written; an error in reading names the file.
pub(super) fn read_run<T>(
    run: &RunReader,
    read: impl FnOnce(&View<'_>) -> Result<T, ReportError>,
) -> Result<T, ReportError> {
    run.stream(|view| view.at_one_instant(read))
        .map_err(|error| match error {
            ReportError::Read(error) => error.in_file(run.path()).into(),
            error => error,
        })
}

impl ReportError {
    /// Whether the reader of the output went away, as `head` does: no failure of ours.
    pub fn is_broken_pipe(&self) -> bool {
        let kind = match self {
            Self::Journal(_)
            | Self::Read(_)
            | Self::OnlyOneRun
            | Self::TemplatesAsHtml
            | Self::NoWorkbook
            | Self::TemplatesAsWorkbook
            | Self::UsersAsHtml
            | Self::TemplatesHaveNoUsers
            | Self::GroupUnknown(..)
            | Self::NotInRun(_) => None,
            Self::Io(error) => Some(error.kind()),
            Self::Csv(error) => match error.kind() {
                csv::ErrorKind::Io(error) => Some(error.kind()),
                _ => None,
            },
            Self::Json(error) => error.io_error_kind(),
        };
        kind == Some(io::ErrorKind::BrokenPipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, run};
    use crate::report::{Format, StyledWrite, write_run};

    struct Gone;

    impl StyledWrite for Gone {}

    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_reader_that_went_away_is_known_in_every_format() {
        let run = run(TestStage::Stopped).await;
        for format in Format::ALL {
            let error = write_run(&mut Gone, &run.reader, *format, PLAIN).unwrap_err();
            assert!(error.is_broken_pipe(), "{format}: {error}");
        }
    }
}
