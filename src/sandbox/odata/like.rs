//! Text patterns of `contains`, `startswith` and `endswith`.

use super::value::fold;

/// A pattern as in T-SQL's `LIKE`, without regard to case.
///
/// The wildcards `%`, `_`, `[a-c]` and `[^a-c]` also work in the argument of the text functions
/// (Microsoft: "Filter rows using OData", Use wildcard characters): `contains(name,'a_b')` matches `axb`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Any number of characters.
    Many,
    /// Any one character.
    One,
    Exactly(char),
    /// One character inside or outside of the ranges.
    Set {
        ranges: Vec<(char, char)>,
        outside: bool,
    },
}

impl Pattern {
    /// `before` and `after` say whether any text may precede and follow the pattern.
    pub(crate) fn new(text: &str, before: bool, after: bool) -> Self {
        let mut parts = Vec::new();
        parts.extend(before.then_some(Part::Many));
        let folded: Vec<char> = fold(text).collect();
        let mut rest = folded.as_slice();
        while let Some((part, after_part)) = next_part(rest) {
            parts.push(part);
            rest = after_part;
        }
        parts.extend(after.then_some(Part::Many));
        Self(parts)
    }

    /// Whether the whole text matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = fold(text).collect();
        let (mut part, mut at) = (0, 0);
        // Where to continue after a mismatch: behind the last `%`, which takes one more character.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match self.0.get(part) {
                Some(Part::Many) => {
                    retry = Some((part + 1, at));
                    part += 1;
                }
                Some(one) if one.takes(text[at]) => {
                    part += 1;
                    at += 1;
                }
                _ => match retry {
                    Some((behind, from)) => {
                        retry = Some((behind, from + 1));
                        (part, at) = (behind, from + 1);
                    }
                    None => return false,
                },
            }
        }
        self.0[part..].iter().all(|p| *p == Part::Many)
    }
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Many => false,
            Self::One => true,
            Self::Exactly(own) => *own == c,
            Self::Set { ranges, outside } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *outside
            }
        }
    }
}

/// The first part of a pattern, and the rest. A bracket that is never closed is literal.
fn next_part(text: &[char]) -> Option<(Part, &[char])> {
    let (first, rest) = text.split_first()?;
    let part = match first {
        '%' => Part::Many,
        '_' => Part::One,
        '[' => match rest.iter().position(|c| *c == ']') {
            Some(end) if end > 0 => return Some((set(&rest[..end]), &rest[end + 1..])),
            _ => Part::Exactly('['),
        },
        other => Part::Exactly(*other),
    };
    Some((part, rest))
}

fn set(inside: &[char]) -> Part {
    let (outside, mut rest) = match inside {
        ['^', rest @ ..] if !rest.is_empty() => (true, rest),
        all => (false, all),
    };
    let mut ranges = Vec::new();
    loop {
        rest = match rest {
            [low, '-', high, rest @ ..] => {
                ranges.push((*low, *high));
                rest
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                rest
            }
            [] => return Part::Set { ranges, outside },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contains(text: &str, part: &str) -> bool {
        Pattern::new(part, true, true).matches(text)
    }

    #[test]
    fn case_does_not_matter() {
        assert!(contains("Åsa Ek", "åSA"));
        assert!(Pattern::new("CONTOSO\\", false, true).matches("contoso\\anna"));
        assert!(Pattern::new(".EXAMPLE", true, false).matches("a.example.example"));
        assert!(!Pattern::new("b", false, true).matches("ab"));
    }

    #[test]
    fn wildcards_work_inside_the_argument() {
        assert!(contains("xa1bx", "a_b") && !contains("ab", "a_b"));
        assert!(contains("a---b", "a%b"));
        assert!(contains("5b", "[0-9][abc]") && !contains("5b", "[^0-9][abc]"));
        assert!(contains("a[b", "a[b"), "an open bracket stands for itself");
    }

    proptest! {
        #[test]
        fn without_wildcards_it_is_plain_search(text in "[aAbB ]{0,12}", part in "[aAbB]{0,3}") {
            let (lower, part_lower) = (text.to_lowercase(), part.to_lowercase());
            prop_assert_eq!(contains(&text, &part), lower.contains(&part_lower));
            prop_assert_eq!(Pattern::new(&part, false, true).matches(&text), lower.starts_with(&part_lower));
            prop_assert_eq!(Pattern::new(&part, true, false).matches(&text), lower.ends_with(&part_lower));
        }

        #[test]
        fn no_pattern_panics(text in ".*", pattern in ".*|[\\[\\]%^_a-]{0,8}") {
            let _ = contains(&text, &pattern);
        }
    }
}
