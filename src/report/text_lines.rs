//! Text on a limited number of lines, broken only between its parts.

use console::{measure_text_width, truncate_str};

/// A text on at most `most` lines, broken at a separator. Omitted parts, and a part that is cut because it is wider
/// than a line, are marked.
pub(super) fn folded(text: &str, separator: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = lines_of(text, separator, room);
    let is_cut = lines.len() > most;
    lines.truncate(most);
    if let Some(last) = lines.last_mut().filter(|_| is_cut) {
        last.push_str(" …");
    }
    let cut = |line: &String| truncate_str(line, room, "…").into_owned();
    lines.iter().map(cut).collect()
}

/// The lines; the visible part of a separator stays at the end of a line.
fn lines_of(text: &str, separator: &str, room: usize) -> Vec<String> {
    let end = separator.trim_end();
    let mut lines: Vec<String> = Vec::new();
    let mut parts = text
        .split(separator)
        .filter(|part| !part.is_empty())
        .peekable();
    while let Some(part) = parts.next() {
        let behind = if parts.peek().is_some() { end } else { "" };
        match lines.last_mut() {
            Some(last) if width(&[last.as_str(), separator, part, behind]) <= room => {
                last.push_str(separator);
                last.push_str(part);
            }
            Some(last) => {
                last.push_str(end);
                lines.push(part.to_owned());
            }
            None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn width(parts: &[&str]) -> usize {
    parts.iter().map(|part| measure_text_width(part)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_whole_and_what_is_left_out_is_shown() {
        let fold = |most| folded("3 no-roles, 12 no-licence, 4 disabled", ", ", 24, most);
        assert_eq!(
            fold(3),
            ["3 no-roles,", "12 no-licence,", "4 disabled"].map(str::to_owned)
        );
        assert_eq!(
            fold(2),
            ["3 no-roles,", "12 no-licence, …"].map(str::to_owned)
        );
        assert_eq!(folded("a   b", "   ", 3, 2), ["a", "b"].map(str::to_owned));
        assert_eq!(folded("abcdef", ", ", 4, 2), ["abc…".to_owned()]);
    }
}
