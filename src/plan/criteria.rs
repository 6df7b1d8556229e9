//! Which of a user's sync filters a run is about.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::model::{CALENDAR_TYPES, Filter, FilterKind, FilterType};

/// The filter types a run is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Types {
    /// All types.
    All,
    /// Only these types.
    Only(BTreeSet<FilterType>),
}

impl Default for Types {
    fn default() -> Self {
        Self::Only(CALENDAR_TYPES.into_iter().map(FilterType::new).collect())
    }
}

/// Which filters a run is about; by default the Outlook filters of the three calendar types.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "StoredCriteria", into = "StoredCriteria")]
pub struct Criteria {
    types: Types,
    kinds: Vec<FilterKind>,
    name: Option<(String, WildMatch)>,
}

/// Why criteria are invalid.
#[derive(Debug, thiserror::Error)]
pub enum CriteriaError {
    /// An invalid name pattern.
    #[error(
        "`{pattern}` is not a name pattern: `{sign}` cannot be in one; `*` stands for any text and `?` for one character"
    )]
    Name {
        /// The pattern as it was given.
        pattern: String,
        /// The character that is not allowed.
        sign: char,
    },
}

impl Criteria {
    /// Makes criteria from their parts. `name` is a pattern for the whole name of a filter, without regard to case:
    /// `*` stands for any text and `?` for one character.
    pub fn new(
        types: Types,
        kinds: Vec<FilterKind>,
        name: Option<&str>,
    ) -> Result<Self, CriteriaError> {
        let name = name.map(compile).transpose()?;
        Ok(Self { types, kinds, name })
    }

    /// The kinds to read: one request per user and kind.
    pub fn kinds(&self) -> &[FilterKind] {
        &self.kinds
    }

    /// The named types; none where all types match.
    pub fn types(&self) -> impl Iterator<Item = &FilterType> {
        let named = match &self.types {
            Types::All => None,
            Types::Only(types) => Some(types),
        };
        named.into_iter().flatten()
    }

    /// Whether all types match, because none is named.
    pub const fn is_about_every_type(&self) -> bool {
        matches!(self.types, Types::All)
    }

    /// Whether filters of this type can match.
    pub fn is_about(&self, filter_type: &FilterType) -> bool {
        match &self.types {
            Types::All => true,
            Types::Only(types) => types.contains(filter_type),
        }
    }

    /// Whether a filter matches.
    ///
    /// Decided here and not by the server, because any condition besides kind and owner hides
    /// other users' filters from an administrator (Microsoft: "Offline and Outlook filters and templates").
    pub fn matches(&self, filter: &Filter) -> bool {
        self.selects(&filter.filter_type, filter.kind, &filter.name)
    }

    /// As [`Self::matches`], for anything with a type, a kind and a name.
    pub fn selects(&self, filter_type: &FilterType, kind: FilterKind, name: &str) -> bool {
        let named = self.name.as_ref();
        self.is_about(filter_type)
            && self.kinds.contains(&kind)
            && named.is_none_or(|(_, pattern)| pattern.matches(name))
    }

    /// Whether all filters of this kind and type that match `others` also match these criteria; no
    /// type means all types.
    pub fn covers(
        &self,
        others: &Self,
        filter_type: Option<&FilterType>,
        kind: FilterKind,
    ) -> bool {
        let every_type = match (&self.types, filter_type) {
            (Types::All, _) => true,
            (Types::Only(types), Some(of)) => types.contains(of),
            (Types::Only(_), None) => false,
        };
        let every_name = match (&self.name, &others.name) {
            (None, _) => true,
            (Some((pattern, _)), Some((other, _))) => pattern == other,
            (Some(_), None) => false,
        };
        every_type && every_name && self.kinds.contains(&kind)
    }

    /// The criteria in words, for people.
    pub fn describe(&self) -> String {
        let kinds: Vec<_> = self.kinds.iter().map(|k| k.as_str()).collect();
        let types = match &self.types {
            Types::All => "every type".to_owned(),
            Types::Only(types) => {
                let types: Vec<_> = types.iter().map(FilterType::as_str).collect();
                types.join(", ")
            }
        };
        let named = match &self.name {
            Some((pattern, _)) => format!(", named `{pattern}`"),
            None => String::new(),
        };
        format!("{} filters of {types}{named}", kinds.join(" and "))
    }
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            types: Types::default(),
            kinds: vec![FilterKind::Outlook],
            name: None,
        }
    }
}

/// Characters with a meaning in name patterns of version 0.1: refused, so that an old pattern does not change its
/// meaning.
const FORMER_SIGNS: [char; 5] = ['[', ']', '{', '}', '\\'];

fn compile(pattern: &str) -> Result<(String, WildMatch), CriteriaError> {
    if let Some(sign) = pattern.chars().find(|sign| FORMER_SIGNS.contains(sign)) {
        return Err(CriteriaError::Name {
            pattern: pattern.to_owned(),
            sign,
        });
    }
    let matcher = WildMatch::new_case_insensitive(pattern);
    Ok((pattern.to_owned(), matcher))
}

/// The form of criteria in the run file.
#[derive(Serialize, Deserialize)]
struct StoredCriteria {
    types: Types,
    kinds: Vec<FilterKind>,
    name: Option<String>,
}

impl TryFrom<StoredCriteria> for Criteria {
    type Error = CriteriaError;

    fn try_from(written: StoredCriteria) -> Result<Self, CriteriaError> {
        Self::new(written.types, written.kinds, written.name.as_deref())
    }
}

impl From<Criteria> for StoredCriteria {
    fn from(criteria: Criteria) -> Self {
        Self {
            types: criteria.types,
            kinds: criteria.kinds,
            name: criteria.name.map(|(pattern, _)| pattern),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::State;
    use crate::plan::change::tests::filter;

    #[test]
    fn the_default_is_the_three_calendar_types_of_outlook() {
        let criteria = Criteria::default();
        for (filter_type, matches) in [
            ("appointment", true),
            ("recurringappointmentmaster", true),
            ("serviceappointment", true),
            ("contact", false),
            ("task", false),
        ] {
            let row = filter(1, filter_type, State::Active);
            assert_eq!(criteria.matches(&row), matches, "{filter_type}");
        }
        let mut offline = filter(1, "appointment", State::Active);
        offline.kind = FilterKind::Offline;
        assert!(!criteria.matches(&offline));
    }

    #[test]
    fn a_name_pattern_ignores_case_and_covers_the_whole_name() {
        let criteria = Criteria::new(Types::All, vec![FilterKind::Outlook], Some("my *")).unwrap();
        let mut row = filter(1, "contact", State::Active);
        row.name = "My Outlook Contacts".into();
        assert!(criteria.matches(&row));
        row.name = "Not my filter".into();
        assert!(!criteria.matches(&row));
    }

    #[test]
    fn a_name_pattern_with_signs_of_another_pattern_language_is_refused() {
        for (pattern, sign) in [
            ("[a", "`[`"),
            ("a]", "`]`"),
            ("{My,Our} *", "`{`"),
            ("a}", "`}`"),
            ("\\*", "`\\`"),
        ] {
            let error = Criteria::new(Types::All, vec![], Some(pattern)).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(pattern) && error.contains(sign), "{error}");
        }
        assert!(Criteria::new(Types::All, vec![], Some("Größe (1) ?")).is_ok());
    }

    #[test]
    fn case_does_not_matter_outside_ascii_either() {
        let criteria =
            Criteria::new(Types::All, vec![FilterKind::Outlook], Some("ÜBER*?")).unwrap();
        let mut row = filter(1, "contact", State::Active);
        row.name = "über uns/alle".into();
        assert!(criteria.matches(&row));
        row.name = "über".into();
        assert!(!criteria.matches(&row));
    }

    #[test]
    fn criteria_survive_the_run_file() {
        let types = Types::Only([FilterType::new("Contact")].into());
        let criteria = Criteria::new(
            types,
            vec![FilterKind::Outlook, FilterKind::Offline],
            Some("My*"),
        )
        .unwrap();
        let text = serde_json::to_string(&criteria).unwrap();
        let back: Criteria = serde_json::from_str(&text).unwrap();
        assert_eq!(back.describe(), criteria.describe());
        assert!(back.matches(&filter(1, "contact", State::Active)));
    }
}
