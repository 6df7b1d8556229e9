//! The form of a text file, its encoding and line ends, which stay when it is changed.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use crate::model::text::{NotText, decode};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextForm {
    /// The encoding of its byte order mark; none for UTF-8 without one.
    mark: Option<Mark>,
    /// Whether every line ends in CRLF.
    crlf: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl TextForm {
    /// The text of a file with plain line ends, and its form.
    pub(super) fn read(bytes: &[u8]) -> Result<(String, Self), NotText> {
        let text = decode(bytes)?;
        let mark = Encoding::for_bom(bytes).map(|(encoding, _)| match encoding {
            encoding if encoding == UTF_16LE => Mark::Utf16Le,
            encoding if encoding == UTF_16BE => Mark::Utf16Be,
            _ => Mark::Utf8,
        });
        let ends = text.matches('\n').count();
        let crlf = ends > 0 && text.matches("\r\n").count() == ends;
        let text = if crlf {
            text.replace("\r\n", "\n")
        } else {
            text
        };
        Ok((text, Self { mark, crlf }))
    }

    pub(super) fn bytes(self, text: &str) -> Vec<u8> {
        let text = if self.crlf {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        let Some(mark) = self.mark else {
            return text.into_bytes();
        };
        let marked = format!("\u{feff}{text}");
        match mark {
            Mark::Utf8 => marked.into_bytes(),
            Mark::Utf16Le => marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Mark::Utf16Be => marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_mark_its_encoding_and_its_line_ends() {
        let utf_16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let text = "\u{feff}a = 1\r\nb = \"é\"\r\n";
            text.encode_utf16().flat_map(order).collect()
        };
        for bytes in [
            b"a\nb\n".to_vec(),
            b"a\r\nb\r\n".to_vec(),
            b"\xef\xbb\xbfa\r\nb\r\n".to_vec(),
            b"\xef\xbb\xbfa\n".to_vec(),
            b"mixed\r\nends\n".to_vec(),
            Vec::new(),
            utf_16(u16::to_le_bytes),
            utf_16(u16::to_be_bytes),
        ] {
            let (text, form) = TextForm::read(&bytes).unwrap();
            assert_eq!(form.bytes(&text), bytes, "{text:?}");
        }
        let (text, form) = TextForm::read(b"\xef\xbb\xbfa\r\n").unwrap();
        assert_eq!(text, "a\n");
        assert_eq!(form.bytes("a\nb\n"), b"\xef\xbb\xbfa\r\nb\r\n");
    }
}
