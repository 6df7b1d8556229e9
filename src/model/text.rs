//! Text from elsewhere: which characters may be shown, and how its encoding is found.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

/// Replaces a character that is not shown. It is not a space, so that the reader sees that something was there.
pub const SHOWN: char = '·';
/// Stands for the rest of a text that is too long to be shown.
pub const CUT: char = '…';

/// The longest text from elsewhere that is shown, in characters. Twice the longest name in Dataverse (a user's
/// `domainname`, 1,024 characters), so that no valid name is cut.
pub const LONGEST: usize = 2_048;

/// The most names in a message: as many as fit on a line of a terminal.
pub const NAMES_IN_MESSAGE: usize = 5;

/// Text from elsewhere as one line for people. Characters that could control a terminal or change the direction of the
/// line become `·`, line breaks and tabs become a space, and text beyond [`LONGEST`] is cut.
pub fn clean(text: &str) -> Cow<'_, str> {
    let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
    let kept = &text[..end.unwrap_or(text.len())];
    if end.is_none() && !kept.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown: String = kept.chars().map(replaced).collect();
    shown.extend(end.map(|_| CUT));
    Cow::Owned(shown)
}

/// A text as the beginning of a sentence: with a capital letter, where it begins with one of ASCII.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn replaced(c: char) -> char {
    match c {
        c if is_line_break(c) || c == '\t' => ' ',
        c if is_unsafe(c) => SHOWN,
        c => c,
    }
}

/// Text from elsewhere on one line, otherwise unchanged: for messages of several lines, to which it must not add one.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(is_line_break) {
        Cow::Owned(text.replace(is_line_break, " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether some reader of text starts a new line at this character (Unicode: "Newline Guidelines").
fn is_line_break(c: char) -> bool {
    matches!(
        c,
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// Whether a character can change how the text around it is shown, or is itself invisible: controls (C0, DEL and C1),
/// line separators, direction marks (Unicode Annex 9), formatting characters that only software uses, and tags. Joiners
/// are allowed: words of some languages and many emoji contain them.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Why bytes cannot be read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// Neither UTF-8, nor UTF-16 with a byte order mark.
    #[error("line {line} is not UTF-8; save the file as UTF-8")]
    Encoding {
        /// The first line that cannot be read, counted from 1.
        line: usize,
    },
    /// Zero bytes, which text does not contain: UTF-16 or UTF-32 without a byte order mark, or no text at all.
    #[error(
        "it holds zero bytes, as UTF-16 without a byte order mark does; save the file as UTF-8"
    )]
    Zeros,
}

/// The text of a file: UTF-8, or UTF-16 with a byte order mark, as Windows writes it. The mark is removed.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let bytes = &bytes[mark..];
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = text.ok_or_else(|| NotText::Encoding {
        line: 1 + readable(bytes, encoding),
    })?;
    if text.contains('\0') {
        return Err(NotText::Zeros);
    }
    Ok(text.into_owned())
}

/// The number of line breaks before the first byte that cannot be read.
fn readable(bytes: &[u8], encoding: &'static Encoding) -> usize {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let good = text.split(char::REPLACEMENT_CHARACTER).next();
    good.unwrap_or_default().matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_from_the_server_cannot_command_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[2Jb\u{9b}31m\u{7f}\u{202e}c\nd"),
            "a·[2Jb·31m··c d"
        );
        for c in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert_eq!(clean(&c.to_string()), "·");
        }
        assert_eq!(clean("a\r\nb\u{2028}c\u{85}d\te"), "a  b c d e");
        assert!(matches!(clean("Zoë 東京"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_name_without_end_is_cut_and_a_long_one_is_not() {
        let name = "ë".repeat(LONGEST);
        assert_eq!(clean(&name), name);
        assert_eq!(clean(&format!("{name}x")), format!("{name}…"));
    }

    #[test]
    fn a_text_from_elsewhere_adds_no_line_to_a_message() {
        assert_eq!(one_line("a\r\nerror: b\u{2029}c"), "a  error: b c");
        assert_eq!(one_line("a\u{1b}b"), "a\u{1b}b");
    }

    fn utf_16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(unit).collect()
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_text() {
        for bytes in [
            "Zoë".as_bytes().to_vec(),
            "\u{feff}Zoë".as_bytes().to_vec(),
            utf_16("Zoë", u16::to_le_bytes),
            utf_16("Zoë", u16::to_be_bytes),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok("Zoë"), "{bytes:x?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        assert_eq!(decode(b"a\nZo\xeb\n"), Err(NotText::Encoding { line: 2 }));
        assert_eq!(
            decode(b"\xff\xfea\0\n\0\0\xd8"),
            Err(NotText::Encoding { line: 2 })
        );
        assert_eq!(decode(b"a\0b\0"), Err(NotText::Zeros));
    }

    proptest! {
        #[test]
        fn nothing_that_was_cleaned_is_unsafe(text in any::<String>()) {
            let shown = clean(&text);
            prop_assert!(!shown.contains(is_unsafe));
            prop_assert_eq!(clean(&shown), shown.as_ref());
        }
    }
}
