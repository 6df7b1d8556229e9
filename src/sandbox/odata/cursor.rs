//! A position in the words of a filter.

use super::QueryError;
use super::lex::{LexToken, TokenKind, lex, position};

/// The deepest nesting of parentheses, `not` and lambdas. It keeps recursive functions within the stack.
const MAX_DEPTH: usize = 100;

/// The words of one filter, and the position of the parser.
pub(super) struct Parser<'t> {
    text: &'t str,
    tokens: Vec<LexToken>,
    /// The index of the next word.
    pub(super) next: usize,
    depth: usize,
}

/// The result of parsing, or why the text is invalid.
pub(super) type Parsed<T> = Result<T, QueryError>;

impl<'t> Parser<'t> {
    /// Starts at the first word.
    pub(super) fn new(text: &'t str) -> Parsed<Self> {
        Ok(Self {
            text,
            tokens: lex(text)?,
            next: 0,
            depth: 0,
        })
    }

    /// The next word of any kind.
    pub(super) fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// The next word, where it is a name.
    pub(super) fn peek_word(&self) -> Option<&str> {
        match self.peek() {
            Some(TokenKind::Word(word)) => Some(word),
            _ => None,
        }
    }

    /// Takes the next token where it is the mark.
    pub(super) fn mark(&mut self, mark: char) -> bool {
        let found = matches!(self.peek(), Some(TokenKind::Mark(m)) if *m == mark);
        self.next += usize::from(found);
        found
    }

    /// Takes the mark, or fails.
    pub(super) fn expect(&mut self, mark: char) -> Parsed<()> {
        if self.mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Takes the next token where it is the word.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek_word() == Some(keyword);
        self.next += usize::from(found);
        found
    }

    /// Takes a name, or fails.
    pub(super) fn word(&mut self) -> Parsed<String> {
        let word = self.peek_word().map(str::to_owned);
        self.next += usize::from(word.is_some());
        word.ok_or_else(|| self.unexpected())
    }

    /// The error for the next word.
    pub(super) fn unexpected(&self) -> QueryError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |t| t.at);
        QueryError::syntax(position(self.text, at), self.text)
    }

    /// Fails unless all words were taken.
    pub(super) fn end(&self) -> Parsed<()> {
        if self.peek().is_none() {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// Parses something nested.
    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(QueryError::query("Recursion depth exceeded allowed limit."));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Whether the word at an index is an opening parenthesis.
    pub(super) fn opens_at(&self, at: usize) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|t| t.kind == TokenKind::Mark('('))
    }
}
