//! JSON that preserves its strings and cannot control a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::text::is_unsafe;

/// The version of all JSON documents. Raised when a change breaks programs that read them.
pub(super) const FORMAT: u32 = 1;

/// Indented with two spaces; characters that could control a terminal are escaped.
#[derive(Debug)]
struct Safe(PrettyFormatter<'static>);

macro_rules! as_pretty {
    ($($name:ident($($arg:ident: $of:ty),*)),* $(,)?) => {
        $(fn $name<W: ?Sized + Write>(&mut self, out: &mut W, $($arg: $of),*) -> io::Result<()> {
            self.0.$name(out, $($arg),*)
        })*
    };
}

impl Formatter for Safe {
    as_pretty! {
        begin_array(), end_array(), begin_array_value(first: bool), end_array_value(),
        begin_object(), end_object(), begin_object_key(first: bool), end_object_key(),
        begin_object_value(), end_object_value(),
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            out.write_all(&rest.as_bytes()[..at])?;
            // A character beyond the first plane takes two escapes (RFC 8259 7).
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

/// Writes one document and a line break. Every string reads back unchanged; characters that could control a terminal or
/// change the direction of a line are escaped.
pub fn write_json(
    mut out: &mut dyn Write,
    value: &impl Serialize,
) -> Result<(), serde_json::Error> {
    let safe = Safe(PrettyFormatter::new());
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, safe);
    value.serialize(&mut serializer)?;
    writeln!(out).map_err(serde_json::Error::io)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was(text in any::<String>()) {
            let mut out = Vec::new();
            write_json(&mut out, &text).unwrap();
            let written = String::from_utf8(out).unwrap();
            prop_assert!(written.chars().all(|c| c == '\n' || !is_unsafe(c)));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }

    #[test]
    fn a_string_survives_and_holds_nothing_that_a_terminal_obeys() {
        let text = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\u{e0041} \"Zoë\"";
        let mut out = Vec::new();
        write_json(&mut out, &serde_json::json!({ "a": [text], "b": {} })).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert!(written.chars().all(|c| c == '\n' || !is_unsafe(c)));
        let back: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(back["a"][0], text);
    }
}
