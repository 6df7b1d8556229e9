//! Which users a run is about.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{User, UserId};

use super::groups::Groups;

/// Where a name was given, so that an error can point at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A flag such as `--user`.
    Flag(String),
    /// A line of a list; lines count from 1.
    Line(String, usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Line(path, line) => write!(f, "{path}:{line}"),
        }
    }
}

/// One user as named by a person: UPN, e-mail address, `DOMAIN\name` or id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name as given.
    pub name: String,
    /// Where it was given.
    pub place: Place,
}

/// Which users a run is about: everybody, or those who are named and belong to the groups, less those excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only these users; everybody where there is no list.
    pub only: Option<Vec<Named>>,
    /// Never these users.
    pub except: Vec<Named>,
    /// Only the users of these groups. Run files of earlier versions do not have them.
    #[serde(default)]
    pub groups: Groups,
}

impl Selection {
    /// The selection in words, for people.
    pub fn describe(&self) -> String {
        let chosen = match &self.only {
            None => "every user".to_owned(),
            Some(named) => match &named[..] {
                [one] => one.name.clone(),
                named => format!("{} named users", named.len()),
            },
        };
        let chosen = match (self.groups.describe(), &self.only) {
            (None, _) => chosen,
            (Some(groups), None) => format!("{chosen} {groups}"),
            (Some(groups), Some(_)) => format!("{chosen}, as far as {groups}"),
        };
        match &self.except[..] {
            [] => chosen,
            [one] => format!("{chosen} except {}", one.name),
            except => format!("{chosen} except {} named users", except.len()),
        }
    }
}

/// A name that does not lead to exactly one user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Nobody has it.
    #[error("{place}: no user `{name}` in this environment{}", maybe(nearest.as_deref()))]
    Nobody {
        /// The name.
        name: String,
        /// Where it was given.
        place: Place,
        /// The user whose name comes nearest.
        nearest: Option<String>,
    },
    /// Several have it.
    #[error("{place}: `{name}` names several users: {}", users.join(", "))]
    Several {
        /// The name.
        name: String,
        /// Where it was given.
        place: Place,
        /// Some of the users.
        users: Vec<String>,
    },
}

pub(super) fn maybe(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// How many names are given a "did you mean": the search costs names times users.
const SUGGESTIONS_FOR: usize = 20;
/// How alike a suggestion has to be, from 0 to 1.
pub(super) const ALIKE: f64 = 0.85;

/// Matches users against a selection, one at a time, and knows at the end which names found nobody.
#[derive(Debug)]
pub struct Selector {
    everybody: bool,
    entries: Vec<Entry>,
    by_name: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Entry {
    named: Named,
    excludes: bool,
    matched: Vec<(UserId, String)>,
    nearest: Option<(f64, String)>,
}

impl Selector {
    /// A selector for one pass over the users.
    pub fn new(selection: &Selection) -> Self {
        let mut selector = Self {
            everybody: selection.only.is_none(),
            entries: Vec::new(),
            by_name: HashMap::new(),
        };
        for named in selection.only.iter().flatten() {
            selector.enter(named, false);
        }
        for named in &selection.except {
            selector.enter(named, true);
        }
        selector
    }

    fn enter(&mut self, named: &Named, excludes: bool) {
        let entries = self.by_name.entry(key(&named.name)).or_default();
        entries.push(self.entries.len());
        self.entries.push(Entry {
            named: named.clone(),
            excludes,
            matched: Vec::new(),
            nearest: None,
        });
    }

    /// Whether this user is selected.
    pub fn offer(&mut self, user: &User) -> bool {
        let (mut included, mut excluded) = (self.everybody, false);
        for name in names_of(user) {
            for &at in self.by_name.get(&name).into_iter().flatten() {
                let entry = &mut self.entries[at];
                if entry.excludes {
                    excluded = true;
                } else {
                    included = true;
                }
                if !entry.matched.iter().any(|(id, _)| *id == user.id) {
                    entry.matched.push((user.id, user.label()));
                }
            }
        }
        if self.entries.len() <= SUGGESTIONS_FOR {
            self.entries
                .iter_mut()
                .for_each(|entry| entry.compare(user));
        }
        included && !excluded
    }

    /// The names that did not lead to exactly one user, in the order given; empty where all is well.
    pub fn mismatches(self) -> Vec<Mismatch> {
        self.entries
            .into_iter()
            .filter_map(Entry::mismatch)
            .collect()
    }
}

impl Entry {
    fn compare(&mut self, user: &User) {
        if !self.matched.is_empty() || user.login.is_empty() {
            return;
        }
        let alike = strsim::jaro_winkler(&key(&self.named.name), &key(&user.login));
        if alike >= ALIKE && self.nearest.as_ref().is_none_or(|(best, _)| alike > *best) {
            self.nearest = Some((alike, user.login.clone()));
        }
    }

    fn mismatch(self) -> Option<Mismatch> {
        let Named { name, place } = self.named;
        match self.matched.len() {
            0 => Some(Mismatch::Nobody {
                name,
                place,
                nearest: self.nearest.map(|(_, login)| login),
            }),
            1 => None,
            _ => Some(Mismatch::Several {
                name,
                place,
                users: self.matched.into_iter().take(5).map(|(_, u)| u).collect(),
            }),
        }
    }
}

/// Every name under which a user may be called, without repetition.
fn names_of(user: &User) -> Vec<String> {
    let mut names = vec![key(&user.id.to_string())];
    names.extend(user.object_id.map(|id| key(&id.to_string())));
    let texts = [Some(&user.login), user.email.as_ref()];
    names.extend(
        texts
            .into_iter()
            .flatten()
            .filter(|n| !n.is_empty())
            .map(|n| key(n)),
    );
    names.sort_unstable();
    names.dedup();
    names
}

/// Names compare without case; an id may come in braces.
fn key(name: &str) -> String {
    let name = name.trim();
    let bare = name.strip_prefix('{').and_then(|n| n.strip_suffix('}'));
    bare.unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::change::tests::user;

    fn named(name: &str) -> Named {
        Named {
            name: name.into(),
            place: Place::Flag("--user".into()),
        }
    }

    fn select(selection: &Selection, users: &[User]) -> (Vec<bool>, Vec<Mismatch>) {
        let mut selector = Selector::new(selection);
        let chosen = users.iter().map(|u| selector.offer(u)).collect();
        (chosen, selector.mismatches())
    }

    #[test]
    fn without_names_everybody_is_selected() {
        let (chosen, mismatches) = select(&Selection::default(), &[user(1), user(2)]);
        assert_eq!((chosen, mismatches), (vec![true, true], vec![]));
    }

    #[test]
    fn login_e_mail_and_ids_name_a_user_without_regard_to_case() {
        let target = user(1);
        for name in [
            "USER1@contoso.example".to_owned(),
            "user.1@mail.contoso.example".to_owned(),
            target.id.to_string(),
            format!("{{{}}}", target.id.to_string().to_uppercase()),
            target.object_id.unwrap().to_string(),
        ] {
            let selection = Selection {
                only: Some(vec![named(&name)]),
                ..Selection::default()
            };
            let (chosen, mismatches) = select(&selection, &[target.clone(), user(2)]);
            assert_eq!((chosen, mismatches), (vec![true, false], vec![]), "{name}");
        }
    }

    #[test]
    fn an_exclusion_wins_over_an_inclusion() {
        let selection = Selection {
            only: Some(vec![
                named("user1@contoso.example"),
                named("user2@contoso.example"),
            ]),
            except: vec![named("user2@contoso.example")],
            ..Selection::default()
        };
        let (chosen, mismatches) = select(&selection, &[user(1), user(2)]);
        assert_eq!((chosen, mismatches), (vec![true, false], vec![]));
    }

    #[test]
    fn a_name_that_nobody_has_is_an_error_with_its_place_and_a_suggestion() {
        let selection = Selection {
            only: Some(vec![Named {
                name: "usr1@contoso.example".into(),
                place: Place::Line("pilot.csv".into(), 7),
            }]),
            except: vec![named("nobody")],
            ..Selection::default()
        };
        let (_, mismatches) = select(&selection, &[user(1), user(22)]);
        let texts: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "pilot.csv:7: no user `usr1@contoso.example` in this environment; did you mean `user1@contoso.example`?",
                "--user: no user `nobody` in this environment",
            ]
        );
    }

    #[test]
    fn a_selection_is_told_in_words_with_its_groups_and_exclusions() {
        let mut selection = Selection {
            except: vec![named("bob")],
            ..Selection::default()
        };
        selection.groups.roles = vec!["Sales Manager".into(), "Salesperson".into()];
        selection.groups.units = vec!["Europe".into()];
        assert_eq!(
            selection.describe(),
            "every user with role `Sales Manager` or `Salesperson` and in business unit `Europe` \
             with its sub-units except bob"
        );
        selection.only = Some(vec![named("anna"), named("carl")]);
        let told = selection.describe();
        assert!(
            told.starts_with("2 named users, as far as with role"),
            "{told}"
        );
    }

    #[test]
    fn a_selection_kept_before_there_were_groups_still_reads() {
        let kept = r#"{"only":null,"except":[]}"#;
        let read: Selection = serde_json::from_str(kept).unwrap();
        assert_eq!(read, Selection::default());
    }

    #[test]
    fn a_name_that_several_have_is_an_error() {
        let mut namesake = user(2);
        namesake.email = Some(user(1).login);
        let selection = Selection {
            only: Some(vec![named("user1@contoso.example")]),
            ..Selection::default()
        };
        let (_, mismatches) = select(&selection, &[user(1), namesake]);
        assert!(matches!(&mismatches[..], [Mismatch::Several { users, .. }] if users.len() == 2));
    }
}
