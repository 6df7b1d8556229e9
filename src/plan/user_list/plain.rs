//! A list without a header: one name per line.

use super::Names;
use super::error::OnLine;
use super::header::is_comment;
use super::name::name_in;

/// Reads a text that begins on this line. Separators at the end of a line, as mail programs and spreadsheets leave
/// them, are ignored.
pub(super) fn read(text: &str, first: usize, list: &mut Names) -> OnLine<()> {
    for (at, line) in text.split('\n').enumerate() {
        let number = first + at;
        if is_comment(line) {
            continue;
        }
        let cell = line.trim_end_matches(|c: char| c.is_whitespace() || [',', ';'].contains(&c));
        let cell = cell.trim_start_matches(|c: char| c.is_whitespace());
        let only_separators = cell.chars().all(|c| [',', ';', '\t', ' '].contains(&c));
        if only_separators {
            continue;
        }
        if let Some(name) = name_in(cell).map_err(|fault| (number, fault))? {
            list.add(number, name)?;
        }
    }
    Ok(())
}
