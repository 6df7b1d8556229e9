//! The visible part of a cell.

/// The most characters of a cell in a message: it fits on a line of a terminal with the position before it.
const SHOWN: usize = 60;

/// The cell without invisible characters, such as zero-width characters, direction marks and byte order marks, with
/// non-breaking spaces as spaces, and without spaces around it.
pub(super) fn visible(cell: &str) -> String {
    let seen = cell.chars().filter(|c| !is_invisible(*c));
    let plain = |c: char| match c {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' => ' ',
        c => c,
    };
    seen.map(plain).collect::<String>().trim().to_owned()
}

const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a cell has no visible characters.
pub(super) fn is_empty(cell: &str) -> bool {
    cell.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// The beginning of a cell, on one line.
pub(super) fn shown(cell: &str) -> String {
    let visible = visible(cell);
    let mut text: String = visible.chars().take(SHOWN).collect();
    if visible.chars().nth(SHOWN).is_some() {
        text.push('…');
    }
    text.replace(['\n', '\t'], " ")
}
