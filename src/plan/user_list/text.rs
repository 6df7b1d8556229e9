//! From the bytes of a list to its text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::error::ListFault;

/// The longest list, in bytes: an export of 130,000 users with 500 bytes each. A longer one is refused before it
/// fills the memory.
pub const LONGEST_LIST: usize = 64 * 1024 * 1024;

/// First bytes of files that are often mistaken for lists, and their kinds.
const NOT_TEXT: [(&[u8], &str); 4] = [
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old Excel workbook (.xls) or another Office document",
    ),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3\0", "a database or a run file"),
];

/// The text, without a byte order mark and with `\n` as line end.
///
/// Supports UTF-8 and UTF-16 with a byte order mark; UTF-16 without one, if the first character is an ASCII one;
/// UTF-8 without one; and Windows-1252, in which Excel saves, for bytes that are not valid UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<String, (Option<usize>, ListFault)> {
    if bytes.len() > LONGEST_LIST {
        return Err((None, ListFault::TooLong(LONGEST_LIST)));
    }
    if let Some((_, what)) = NOT_TEXT.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err((None, ListFault::NotText(what)));
    }
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err((None, ListFault::NotText("text in UTF-32")));
    }
    let text = match encoding_of(bytes) {
        Some((encoding, mark)) => {
            let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[mark..]);
            text.ok_or((None, ListFault::Encoding(encoding.name())))?
        }
        None => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match text.find(|c: char| c.is_control() && c != '\n' && c != '\t') {
        Some(at) => {
            let control = text[at..].chars().next().unwrap_or_default();
            Err((Some(line_at(&text, at)), ListFault::Control(control)))
        }
        None => Ok(text),
    }
}

/// The encoding according to the first bytes, and the length of its byte order mark.
fn encoding_of(bytes: &[u8]) -> Option<(&'static Encoding, usize)> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some((UTF_8, 3)),
        [0xff, 0xfe, ..] => Some((UTF_16LE, 2)),
        [0xfe, 0xff, ..] => Some((UTF_16BE, 2)),
        [first, 0, ..] if *first != 0 => Some((UTF_16LE, 0)),
        [0, second, ..] if *second != 0 => Some((UTF_16BE, 0)),
        _ => None,
    }
}

/// The line, counted from 1, of a byte of the text.
fn line_at(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}
