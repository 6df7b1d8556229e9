//! Markdown: headings and tables that show their text literally.

use std::io::{self, Write};

use super::grid::Column;
use super::text::clean;

/// Text as Markdown that shows it literally. Control characters are replaced.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    shown
}

pub(super) fn header_row(out: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
    let titles: Vec<_> = columns.iter().map(|c| c.title).collect();
    writeln!(out, "| {} |", titles.join(" | "))?;
    let sides: Vec<_> = columns
        .iter()
        .map(|c| if c.right { "---:" } else { "---" })
        .collect();
    writeln!(out, "| {} |", sides.join(" | "))
}

pub(super) fn row(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<_> = cells.iter().map(|cell| escaped(cell)).collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

/// Writes names with their values.
pub(super) fn facts(out: &mut dyn Write, facts: &[(&'static str, String)]) -> io::Result<()> {
    facts
        .iter()
        .try_for_each(|(name, value)| writeln!(out, "- {name}: {}", escaped(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_shows_as_it_is_and_stays_in_its_cell() {
        let mut out = Vec::new();
        row(&mut out, &["a|b".into(), "<img> [x](y) *z*".into()]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "| a\\|b | &lt;img&gt; \\[x\\](y) \\*z\\* |\n"
        );
    }
}
