//! Text in CSV.

use super::text::clean;

/// Text from elsewhere as a cell that a spreadsheet does not execute: a text that begins like a formula gets a
/// leading `'` (OWASP: "CSV Injection"). Control characters are replaced.
pub fn cell(text: &str) -> String {
    let text = clean(text);
    // In spreadsheets of some languages the full-width forms begin formulas, too.
    let formula = [
        '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if text.trim_start().starts_with(formula) {
        format!("'{text}")
    } else {
        text.into_owned()
    }
}

/// A value, or an empty cell.
pub(super) fn maybe(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_the_server_is_run_by_a_spreadsheet() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "' =1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("a\u{1b}b", "a·b"),
            ("", ""),
        ] {
            assert_eq!(cell(text), safe);
        }
    }
}
