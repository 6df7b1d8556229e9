//! Splits a filter into words.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;
use winnow::combinator::{alt, delimited, repeat, separated};
use winnow::prelude::*;
use winnow::token::{any, none_of, one_of, take, take_while};

use super::{QueryError, Value};

/// One word, and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LexToken {
    /// Its kind, with its contents.
    pub kind: TokenKind,
    /// Bytes from the start of the text.
    pub at: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name, an operator, a dotted function name, `@alias`.
    Word(String),
    /// `'x'`, `-1`, an id, a date; `null`, `true` and `false` are words here.
    Literal(Value),
    /// `["a",'b',3]`: the elements as text.
    Array(Vec<String>),
    /// One of `( ) , / : =`.
    Mark(char),
}

const INVALID_JSON: &str = "Invalid JSON. A comma character ',' was expected in scope 'Array'. Every two \
    elements in an array and properties of an object must be separated by commas.";

pub(super) fn lex(text: &str) -> Result<Vec<LexToken>, QueryError> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return Ok(tokens);
        };
        let kind = token(&mut rest).map_err(|()| failure(first, at, text))?;
        tokens.push(LexToken { kind, at });
    }
}

/// The error where no word starts with `first`. The position of an open string is the end of the text, as the
/// platform counts it (Microsoft: "Filter rows using OData", Manage single quotes).
fn failure(first: char, at: usize, text: &str) -> QueryError {
    match first {
        '\'' => QueryError::query(format!(
            "There is an unterminated literal at position {} in '{text}'.",
            text.chars().count()
        )),
        '[' => QueryError::query(INVALID_JSON),
        _ => QueryError::syntax(position(text, at), text),
    }
}

/// Converts a byte offset to characters, in which the platform counts.
pub(super) fn position(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.chars().count())
}

type Lexed<T> = Result<T, ()>;

fn token(input: &mut &str) -> Lexed<TokenKind> {
    alt((
        text_literal.map(|t| TokenKind::Literal(Value::Text(t))),
        id.map(|id| TokenKind::Literal(Value::Guid(id))),
        number_or_date.map(TokenKind::Literal),
        word.map(|w| TokenKind::Word(w.to_owned())),
        array.map(TokenKind::Array),
        one_of(['(', ')', ',', '/', ':', '=']).map(TokenKind::Mark),
    ))
    .parse_next(input)
}

/// A string in single quotes, in which two quotes mean one.
fn text_literal(input: &mut &str) -> Lexed<String> {
    let character = alt(("''".value('\''), none_of('\'')));
    delimited('\'', repeat(0.., character), '\'').parse_next(input)
}

/// An id without quotes: 32 hexadecimal digits with four hyphens.
fn id(input: &mut &str) -> Lexed<Uuid> {
    let start = *input;
    let text: &str = take::<_, _, ()>(36_usize).parse_next(input)?;
    let hyphens = |(at, c): (usize, char)| (c == '-') == matches!(at, 8 | 13 | 18 | 23);
    let ends = !input.starts_with(part_of_a_word);
    match Uuid::try_parse(text) {
        Ok(id) if ends && text.char_indices().all(hyphens) => Ok(id),
        _ => {
            *input = start;
            Err(())
        }
    }
}

/// `256`, `-1`, `2024-05-01`, `2024-05-01T10:00:00Z`.
fn number_or_date(input: &mut &str) -> Lexed<Value> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | ':' | '.' | '_');
    (one_of(('-', '0'..='9')), take_while(0.., part))
        .take()
        .verify_map(read_number_or_date)
        .parse_next(input)
}

fn read_number_or_date(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse() {
        return Some(Value::Int(number));
    }
    let time = if text.len() == "2024-05-01".len() {
        let date: Date = text.parse().ok()?;
        TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?
    } else {
        text.parse::<Timestamp>().ok()?
    };
    Some(Value::Time(time))
}

fn part_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$')
}

fn word<'i>(input: &mut &'i str) -> Lexed<&'i str> {
    let first = |c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$');
    (one_of(first), take_while(0.., part_of_a_word))
        .take()
        .parse_next(input)
}

/// An array of a query function. The values are strings; single quotes are accepted for those that contain none
/// (Microsoft: "Filter rows using OData", Manage single quotes).
fn array(input: &mut &str) -> Lexed<Vec<String>> {
    delimited(
        ('[', spaces),
        separated(0.., element, (spaces, ',', spaces)),
        (spaces, ']'),
    )
    .parse_next(input)
}

fn spaces(input: &mut &str) -> Lexed<()> {
    take_while(0.., char::is_whitespace)
        .void()
        .parse_next(input)
}

fn element(input: &mut &str) -> Lexed<String> {
    let bare = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':' | '+');
    alt((
        quoted('"'),
        quoted('\''),
        take_while(1.., bare).map(str::to_owned),
    ))
    .parse_next(input)
}

fn quoted<'i>(quote: char) -> impl Parser<&'i str, String, ()> {
    let character = alt((('\\', any).take(), none_of(['\\', quote]).take()));
    let inner = repeat::<_, _, (), _, _>(0.., character).take();
    delimited(quote, inner, quote).verify_map(unescape)
}

/// Resolves the escapes of a JSON string, in either kind of quotes.
fn unescape(inner: &str) -> Option<String> {
    let mut json = String::with_capacity(inner.len() + 2);
    let mut characters = inner.chars();
    json.push('"');
    while let Some(c) = characters.next() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => match characters.next()? {
                '\'' => json.push('\''),
                escaped => json.extend(['\\', escaped]),
            },
            plain => json.push(plain),
        }
    }
    json.push('"');
    serde_json::from_str(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        let tokens = lex(text).unwrap();
        tokens.into_iter().map(|t| t.kind).collect()
    }

    fn literal(text: &str) -> Value {
        match &kinds(text)[..] {
            [TokenKind::Literal(value)] => value.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn literals_are_read_by_their_shape() {
        assert_eq!(literal("'O''Brian'"), Value::Text("O'Brian".into()));
        assert_eq!(literal("''"), Value::Text(String::new()));
        assert_eq!(literal("-17"), Value::Int(-17));
        let id: Uuid = "e39c5d16-675b-48d1-8e67-667427e9c084".parse().unwrap();
        assert_eq!(
            literal("E39C5D16-675B-48D1-8E67-667427E9C084"),
            Value::Guid(id)
        );
        let noon: Timestamp = "2024-05-01T12:00:00Z".parse().unwrap();
        assert_eq!(literal("2024-05-01T14:00:00+02:00"), Value::Time(noon));
        let midnight: Timestamp = "2024-05-01T00:00:00Z".parse().unwrap();
        assert_eq!(literal("2024-05-01"), Value::Time(midnight));
    }

    #[test]
    fn an_id_may_begin_with_digits_that_look_like_a_year() {
        assert!(matches!(
            literal("20240501-0000-4000-8000-000000000001"),
            Value::Guid(_)
        ));
    }

    #[test]
    fn arrays_take_either_quote_and_keep_an_apostrophe() {
        assert_eq!(
            kinds(r#"["O'Brian", 'B', 16 ,"a\"\\b"]"#),
            [TokenKind::Array(vec![
                "O'Brian".into(),
                "B".into(),
                "16".into(),
                "a\"\\b".into()
            ])]
        );
        assert_eq!(kinds(r"['O\'B']"), [TokenKind::Array(vec!["O'B".into()])]);
        assert!(
            lex("['O'Brian']")
                .unwrap_err()
                .message
                .starts_with("Invalid JSON.")
        );
    }

    #[test]
    fn an_open_string_is_reported_at_the_end_of_the_text() {
        let refusal = lex("lastname eq 'O'Bryan'").unwrap_err();
        assert_eq!(
            refusal.message,
            "There is an unterminated literal at position 21 in 'lastname eq 'O'Bryan''."
        );
    }

    #[test]
    fn a_stray_character_is_reported_where_it_stands() {
        assert_eq!(
            lex("å eq #").unwrap_err().message,
            "Syntax error at position 5 in 'å eq #'."
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_lexer_panic(text in ".*") {
            let _ = lex(&text);
        }
    }
}
