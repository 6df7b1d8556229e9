//! Why a result could not be written.

use std::io;

use crate::journal::{JournalError, ReadError, RunReader, View};
use crate::model::count_of;

/// Why a result could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run file could not be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run file could not be read; `read_run` adds its path.
    #[error("the run file cannot be read: {0}")]
    Read(#[from] ReadError),
    /// The output could not be written.
    #[error("the output cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The output could not be written as CSV.
    #[error("the output cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// The output could not be written as JSON.
    #[error("the output cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A list was requested as HTML.
    #[error("HTML shows one run, with `syncfilters report RUN --format html`")]
    OnlyOneRun,
    /// A run that sets templates was requested as HTML.
    #[error(
        "HTML shows runs that change sync filters; `table`, `json`, `csv` and `markdown` show a run that sets templates"
    )]
    TemplatesAsHtml,
    /// This result has no form as a workbook.
    #[error("workbooks are written by `report`, `list` and `check`; choose another --format")]
    NoWorkbook,
    /// A run that sets templates was requested as a workbook.
    #[error(
        "a workbook shows runs that change sync filters; `table`, `json`, `csv` and `markdown` show a run that sets templates"
    )]
    TemplatesAsWorkbook,
    /// Users were requested of a run that sets templates.
    #[error("this run sets templates and has no users; leave out --only, --user and --limit")]
    TemplatesHaveNoUsers,
    /// Users of a group were requested that is not known in this run: its word, and why.
    #[error("this run does not tell which users are `{0}`: {1}")]
    GroupUnknown(&'static str, String),
    /// Names match no user of the run, each with the most similar name if there is one.
    #[error("{} of this run:", match .0.len() { 1 => "1 name matches no user".to_owned(), _ => format!("{} match no user", count_of(.0, "name")) })]
    NotInRun(Vec<String>),
}

/// Reads one state of a run while it is written. An error in reading contains the path.
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
    /// Whether the reader of the output has closed it, as `head` does, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        let kind = match self {
            Self::Journal(_)
            | Self::Read(_)
            | Self::OnlyOneRun
            | Self::TemplatesAsHtml
            | Self::NoWorkbook
            | Self::TemplatesAsWorkbook
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
