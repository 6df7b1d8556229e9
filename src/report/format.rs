//! The form of a result.

use std::fmt;
use std::str::FromStr;

/// The form in which a result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs: one document.
    Json,
    /// For spreadsheets: one line for each row.
    Csv,
    /// For tickets and wikis: the contents of the table.
    Markdown,
    /// For auditors: one run as one page. Lists have no such form.
    Html,
    /// For Excel: a workbook with a sheet for each kind of row.
    Xlsx,
}

/// A word that is not a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not a format (table, json, csv, markdown, html, xlsx)")]
pub struct FormatError;

impl Format {
    /// All formats.
    pub const ALL: &'static [Self] = &[
        Self::Table,
        Self::Json,
        Self::Csv,
        Self::Markdown,
        Self::Html,
        Self::Xlsx,
    ];

    /// The word used in flags.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let mut formats = Self::ALL.iter();
        let found = formats.find(|format| format.as_str() == text);
        found.copied().ok_or(FormatError)
    }
}

/// Properties of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Its width in columns, which tables do not exceed.
    pub width: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_from_its_word() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(*format));
        }
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert!(error.contains(format.as_str()), "{format}");
        }
    }
}
