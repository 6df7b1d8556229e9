//! The findings of a trial, for people.

use std::io;

use crate::trial::{Answer, Fact, Findings};

use super::Style;
use super::grid::{Column, Grid};
use super::paint::Tone;
use super::writer::StyledWrite;

const COLUMNS: [Column; 3] = [
    Column::text("Question", 24, 62),
    Column::text("Expected", 8, 8),
    Column::text("Seen", 12, 40),
];

/// Writes every fact: the question, the expected answer, and the answer.
pub fn write_trial(out: &mut dyn StyledWrite, findings: &Findings, style: Style) -> io::Result<()> {
    let rows: Vec<_> = Fact::ALL.iter().map(|fact| row(*fact, findings)).collect();
    let grid = Grid::fitting(&COLUMNS, &rows, style);
    grid.header(out)?;
    for (fact, row) in Fact::ALL.iter().zip(&rows) {
        let tone = match findings.answer(*fact) {
            Answer::Unknown => Tone::Dimmed,
            _ if findings.differs(*fact) => Tone::Warning,
            _ => Tone::Plain,
        };
        grid.row(out, row, tone)?;
    }
    Ok(())
}

fn row(fact: Fact, findings: &Findings) -> Vec<String> {
    let expected = fact
        .expected()
        .map_or_else(String::new, |it| it.to_string());
    let answer = findings.answer(fact);
    let seen = match findings.detail(fact) {
        Some(detail) => format!("{answer} ({detail})"),
        None => answer.to_string(),
    };
    vec![fact.question().to_owned(), expected, seen]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Detail;
    use http::StatusCode;

    #[test]
    fn every_fact_has_a_line_with_what_was_expected_and_seen() {
        let mut findings = Findings::default();
        findings.found(Fact::SetState, Answer::Yes);
        let refused = Detail::Refused {
            status: StatusCode::BAD_REQUEST,
            code: Some(0x8004_0203),
        };
        findings.found_with(Fact::NullStatus, (Answer::No, Some(refused)));
        let mut out = Vec::new();
        write_trial(&mut out, &findings, Style { width: 120 }).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), Fact::ALL.len() + 1, "{text}");
        assert!(lines[1].ends_with("yes       yes"), "{text}");
        assert!(
            lines[2].ends_with("yes       no (refused: 400, 0x80040203)"),
            "{text}"
        );
        assert!(
            lines[3].ends_with("yes       unknown (not asked)"),
            "{text}"
        );
    }
}
