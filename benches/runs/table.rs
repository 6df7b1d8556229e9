//! Tables as Markdown, so that a run can be pasted where it is needed.

use std::io::Write;

use super::Fallible;

/// A table that is filled row by row.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    /// Prints it under a title.
    pub(crate) fn print(&self, title: &str) -> Fallible<()> {
        let head = format!("| {} |", self.head.join(" | "));
        let line = format!("|{}", "---|".repeat(self.head.len()));
        let rows = self
            .rows
            .iter()
            .map(|row| format!("| {} |", row.join(" | ")));
        let lines: Vec<String> = [head, line].into_iter().chain(rows).collect();
        print_line(&format!("{title}\n\n{}\n", lines.join("\n")))
    }
}

/// Prints a line at once, so that a long benchmark shows how far it is.
pub(crate) fn print_line(text: &str) -> Fallible<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// With two digits after the point.
pub(crate) fn two(number: f64) -> String {
    format!("{number:.2}")
}

/// With one digit after the point.
pub(crate) fn one(number: f64) -> String {
    format!("{number:.1}")
}

/// A number of things as a number to calculate with.
#[expect(
    clippy::cast_precision_loss,
    reason = "far below the numbers that lose digits"
)]
pub(crate) fn real(number: u64) -> f64 {
    number as f64
}
