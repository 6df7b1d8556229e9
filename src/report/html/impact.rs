//! Warnings and impact.

use std::io::{self, Write};

use crate::report::grid::Column;
use crate::report::impact::{
    IMPACT, ImpactReport, MOST, REASONS, TYPES, UNKNOWN, USERS, mailboxes, reason_cells, total,
    type_cells, user_cells,
};

use super::escape::Text;

/// The heading over warnings; the run may have ended.
const WARNINGS: &str = "Warnings";

/// Writes the warnings, if there are any.
pub(super) fn write_warnings(out: &mut dyn Write, impact_report: &ImpactReport) -> io::Result<()> {
    let said = impact_report.first();
    if said.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>{WARNINGS}</h2>\n<ul>")?;
    for said in &said {
        writeln!(out, "<li>{}</li>", Text(said))?;
    }
    writeln!(out, "</ul></section>")
}

/// Writes what users lose, if that was counted.
pub(super) fn write_impact(out: &mut dyn Write, impact_report: &ImpactReport) -> io::Result<()> {
    let Some(impact) = &impact_report.impact else {
        return Ok(());
    };
    writeln!(
        out,
        "<section><h2>{IMPACT}</h2>\n<p>{}</p>\n<p><b>In all:</b> {}</p>",
        Text(impact_report.meaning()),
        Text(&total(impact))
    )?;
    if let Some(of) = impact.mailboxes {
        writeln!(out, "<p><b>Mailboxes:</b> {}</p>", Text(&mailboxes(of)))?;
    }
    let types = impact.types.iter().map(|of| type_cells(of).to_vec());
    write_table(out, "By type", &TYPES, types)?;
    let users = impact.most.iter().map(|of| user_cells(of).to_vec());
    write_table(out, MOST, &USERS, users)?;
    let reasons = impact.unknown.iter().map(|of| reason_cells(of).to_vec());
    write_table(out, UNKNOWN, &REASONS, reasons)?;
    writeln!(out, "</section>")
}

fn write_table(
    out: &mut dyn Write,
    title: &str,
    columns: &[Column],
    rows: impl ExactSizeIterator<Item = Vec<String>>,
) -> io::Result<()> {
    if rows.len() == 0 {
        return Ok(());
    }
    let class = |column: &Column| if column.right { " class=\"n\"" } else { "" };
    write!(
        out,
        "<h3>{title}</h3>\n<div class=\"wide\"><table><thead><tr>"
    )?;
    for column in columns {
        write!(out, "<th{}>{}</th>", class(column), column.title)?;
    }
    writeln!(out, "</tr></thead>")?;
    for cells in rows {
        write!(out, "<tr>")?;
        for (column, cell) in columns.iter().zip(&cells) {
            write!(out, "<td{}>{}</td>", class(column), Text(cell))?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</table></div>")
}
