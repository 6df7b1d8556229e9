//! Percent-encoding in the form of the platform, which differs from that of libraries.

use std::fmt::Write as _;

/// Encodes everything but letters, digits and `-_.`, in lower-case hexadecimal, for the inside of a paging cookie.
pub(super) fn encode_inner(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .fold(String::with_capacity(text.len() * 2), |mut out, byte| {
            if keep(byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02x}");
            }
            out
        })
}

/// Encodes characters that are not allowed in a URL, in upper-case hexadecimal, but not its marks (`=`, `/`, `$`):
/// for the outside of a paging cookie (Microsoft: "Page results", the sample).
pub(crate) fn encode_outer(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!*'();/?:@=$,".contains(&byte);
    text.bytes()
        .fold(String::with_capacity(text.len() * 2), |mut out, byte| {
            if keep(byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}

/// Decodes both forms; `None` for an incomplete escape or for bytes that are not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_decodes(text in ".*") {
            prop_assert_eq!(decode(&encode_inner(&text)), Some(text.clone()));
            prop_assert_eq!(decode(&encode_outer(&text)), Some(text));
        }
    }

    #[test]
    fn an_incomplete_escape_is_nothing() {
        for text in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
