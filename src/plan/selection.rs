//! Which users a run is about.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::alike::did_you_mean;
use super::groups::Groups;

/// Where a name was given, for error messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameSource {
    /// A flag such as `--user`.
    Flag(String),
    /// A line of a list, with its path; lines count from 1.
    Line(String, usize),
}

impl fmt::Display for NameSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::Line(path, line) => write!(f, "{path}:{line}"),
        }
    }
}

/// One user as a person names it: UPN, e-mail address, `DOMAIN\name` or id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRef {
    /// The name as it was given.
    pub name: String,
    /// Where it was given.
    pub place: NameSource,
}

/// The users of a run: all users, or those who are named and belong to the groups, without the excluded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only these users; all users where there is no list.
    pub only: Option<Vec<UserRef>>,
    /// Users to exclude.
    pub except: Vec<UserRef>,
    /// Only users of these groups. Run files of earlier versions do not contain this.
    #[serde(default)]
    pub groups: Groups,
    /// Whether to skip names that match no user. Run files of earlier versions do not contain this.
    #[serde(default)]
    pub skip_unknown: bool,
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

/// The users with which names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Among {
    /// Those of an environment.
    Environment,
    /// Those of a run.
    Run,
}

impl fmt::Display for Among {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::Run => "run",
        })
    }
}

/// A name that does not match exactly one user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnresolvedName {
    /// No user has it.
    #[error("{place}: no user `{name}` in this {among}{}", did_you_mean(nearest.as_deref()))]
    Nobody {
        /// The name as it was given.
        name: String,
        /// Where it was given.
        place: NameSource,
        /// The users that were compared.
        among: Among,
        /// The most similar name, if there is one.
        nearest: Option<String>,
    },
    /// Several users have it.
    #[error("{place}: `{name}` names several users: {}; give the id of one", users.join(", "))]
    Several {
        /// The name as it was given.
        name: String,
        /// Where it was given.
        place: NameSource,
        /// Some of the users, each with the id.
        users: Vec<String>,
    },
}

/// The form in which names are compared: without regard to case, and without the braces of an id.
pub fn key(name: &str) -> String {
    let name = name.trim();
    let bare = name.strip_prefix('{').and_then(|n| n.strip_suffix('}'));
    bare.unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> UserRef {
        UserRef {
            name: name.into(),
            place: NameSource::Flag("--user".into()),
        }
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
        let text = selection.describe();
        assert!(
            text.starts_with("2 named users, as far as with role"),
            "{text}"
        );
    }

    #[test]
    fn a_selection_kept_before_there_were_groups_still_reads() {
        let kept = r#"{"only":null,"except":[]}"#;
        let read: Selection = serde_json::from_str(kept).unwrap();
        assert_eq!(read, Selection::default());
    }
}
