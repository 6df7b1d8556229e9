//! Matches users with the names of a selection.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::model::text::NAMES_IN_MESSAGE;
use crate::model::{User, UserId};

use super::alike::ALIKE;
use super::selection::{Among, Selection, UnresolvedName, UserRef, key};

/// The number of names with a "did you mean": the search costs names times users, and an error shows twenty names.
const SUGGESTIONS_FOR: usize = 20;

/// A name that matches no user and is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedName {
    /// The name, with its source.
    pub named: UserRef,
    /// Whether it was to be excluded: the user who was meant is not excluded.
    pub excludes: bool,
}

/// The result of matching a selection's names.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The named users, each once, in the order in which they were offered; none where all users are selected.
    pub users: Vec<User>,
    /// The names that prevent the run, in the given order; empty where all match.
    pub mismatches: Vec<UnresolvedName>,
    /// The names that are skipped, in the given order.
    pub skipped: Vec<SkippedName>,
}

/// Matches users with a selection, one at a time. Exclusions are decided at once, because they exclude every
/// match. Named users are decided at the end: the best of their matches.
#[derive(Debug)]
pub struct Selector {
    everybody: bool,
    skip_unknown: bool,
    among: Among,
    entries: Vec<Entry>,
    by_name: HashMap<String, Vec<usize>>,
    /// Users who match a name and are not excluded.
    held: Vec<User>,
}

#[derive(Debug)]
struct Entry {
    named: UserRef,
    excludes: bool,
    matched: Vec<Match>,
    nearest: Option<(f64, String)>,
}

/// A user who matches a name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Match {
    rank: Rank,
    user: UserId,
    label: String,
}

/// The quality of a match; the smallest is the best. An id or UPN ranks before an e-mail address, which
/// several users can have, and among those an enabled user ranks before a disabled or deleted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    by_address: bool,
    disabled: bool,
}

impl Selector {
    /// A selector for one pass over the users of an environment.
    pub fn new(selection: &Selection) -> Self {
        Self::among(selection, Among::Environment)
    }

    /// A selector for one pass over these users.
    pub fn among(selection: &Selection, among: Among) -> Self {
        let mut selector = Self {
            everybody: selection.only.is_none(),
            skip_unknown: selection.skip_unknown,
            among,
            entries: Vec::new(),
            by_name: HashMap::new(),
            held: Vec::new(),
        };
        for named in selection.only.iter().flatten() {
            selector.enter(named, false);
        }
        for named in &selection.except {
            selector.enter(named, true);
        }
        selector
    }

    fn enter(&mut self, named: &UserRef, excludes: bool) {
        let entries = self.by_name.entry(key(&named.name)).or_default();
        entries.push(self.entries.len());
        self.entries.push(Entry {
            named: named.clone(),
            excludes,
            matched: Vec::new(),
            nearest: None,
        });
    }

    /// Takes each user of the organisation once. Returns a user who is certainly selected; one who may
    /// be selected by name is kept until [`Self::resolve`].
    pub fn offer(&mut self, user: User) -> Option<User> {
        let (mut named, mut excluded) = (false, false);
        for (name, by_address) in names_of(&user) {
            for &at in self.by_name.get(&name).into_iter().flatten() {
                let entry = &mut self.entries[at];
                named |= !entry.excludes;
                excluded |= entry.excludes;
                entry.take(&user, by_address);
            }
        }
        if self.entries.len() <= SUGGESTIONS_FOR {
            self.entries
                .iter_mut()
                .for_each(|entry| entry.compare(&user));
        }
        if excluded {
            return None;
        }
        if self.everybody {
            return Some(user);
        }
        if named {
            self.held.push(user);
        }
        None
    }

    /// Decides which user each name means, after the last user.
    ///
    /// Names that match no user are skipped if the selection allows it, unless no name matches any: then no user
    /// would be selected.
    pub fn resolve(self) -> Resolved {
        let includes = |entry: &&Entry| !entry.excludes;
        let none_left = !self.everybody
            && self
                .entries
                .iter()
                .filter(includes)
                .all(|entry| entry.matched.is_empty());
        let skips = self.skip_unknown && !none_left;
        let mut resolved = Resolved::default();
        let mut chosen = HashSet::new();
        for entry in self.entries {
            match entry.matched_user(self.among) {
                NameMatch::One(user) => {
                    chosen.insert(user);
                }
                NameMatch::Excluded => {}
                NameMatch::Unresolved(UnresolvedName::Nobody { name, place, .. }) if skips => {
                    resolved.skipped.push(SkippedName {
                        named: UserRef { name, place },
                        excludes: entry.excludes,
                    });
                }
                NameMatch::Unresolved(mismatch) => resolved.mismatches.push(mismatch),
            }
        }
        resolved.users = self.held;
        resolved.users.retain(|user| chosen.contains(&user.id));
        resolved
    }

    /// The names that match users, none of whom satisfies `holds`.
    pub fn without(&self, holds: impl Fn(UserId) -> bool) -> Vec<UserRef> {
        let others = self.entries.iter().filter(|entry| {
            let matched: Vec<_> = if entry.excludes {
                entry.matched.iter().collect()
            } else {
                entry.best()
            };
            !matched.is_empty() && !matched.iter().any(|one| holds(one.user))
        });
        others.map(|entry| entry.named.clone()).collect()
    }

    /// Each including name with all of its best matches, for uses where several matches do no harm.
    pub fn best_matches(self) -> Vec<(UserRef, Vec<UserId>)> {
        let entries = self.entries.into_iter().filter(|entry| !entry.excludes);
        let matches = entries.map(|entry| {
            let users = entry.best().iter().map(|m| m.user).collect();
            (entry.named, users)
        });
        matches.collect()
    }
}

/// The result for a name.
enum NameMatch {
    One(UserId),
    /// All matches are excluded, and there is at least one.
    Excluded,
    Unresolved(UnresolvedName),
}

impl Entry {
    fn take(&mut self, user: &User, by_address: bool) {
        let rank = Rank {
            by_address,
            disabled: user.disabled || user.deleted,
        };
        match self.matched.last_mut() {
            Some(last) if last.user == user.id => last.rank = last.rank.min(rank),
            _ => self.matched.push(Match {
                rank,
                user: user.id,
                label: user.label(),
            }),
        }
    }

    fn compare(&mut self, user: &User) {
        if !self.matched.is_empty() || user.login.is_empty() {
            return;
        }
        let alike = strsim::jaro_winkler(&key(&self.named.name), &key(&user.login));
        if alike >= ALIKE && self.nearest.as_ref().is_none_or(|(best, _)| alike > *best) {
            self.nearest = Some((alike, user.login.clone()));
        }
    }

    /// The matches with the best rank.
    fn best(&self) -> Vec<&Match> {
        let best = self.matched.iter().map(|m| m.rank).min();
        let of_best = |m: &&Match| Some(m.rank) == best;
        let mut best: Vec<_> = self.matched.iter().filter(of_best).collect();
        // Overlapping pages return a user twice.
        best.sort_by_key(|m| m.user);
        best.dedup_by_key(|m| m.user);
        best
    }

    fn matched_user(&self, among: Among) -> NameMatch {
        let UserRef { name, place } = self.named.clone();
        let best = self.best();
        match best[..] {
            [] => NameMatch::Unresolved(UnresolvedName::Nobody {
                name,
                place,
                among,
                nearest: self.nearest.as_ref().map(|(_, login)| login.clone()),
            }),
            _ if self.excludes => NameMatch::Excluded,
            [one] => NameMatch::One(one.user),
            _ => {
                let shown = |m: &&Match| format!("{} ({})", m.label, m.user);
                let mut users: Vec<_> = best.iter().take(NAMES_IN_MESSAGE).map(shown).collect();
                if best.len() > NAMES_IN_MESSAGE {
                    users.push(format!("and {} more", best.len() - NAMES_IN_MESSAGE));
                }
                NameMatch::Unresolved(UnresolvedName::Several { name, place, users })
            }
        }
    }
}

/// All names of a user, each with whether it is only an e-mail address.
fn names_of(user: &User) -> Vec<(String, bool)> {
    let mut names = vec![(key(&user.id.to_string()), false)];
    names.extend(user.object_id.map(|id| (key(&id.to_string()), false)));
    names.push((key(&user.login), false));
    // Accounts of the platform, such as SYSTEM, have no other name, and reports use it.
    if user.login.trim().is_empty() {
        names.push((key(&user.full_name), false));
    }
    names.extend(user.email.as_ref().map(|email| (key(email), true)));
    names.retain(|(name, _)| !name.is_empty());
    names
}

#[cfg(test)]
mod tests;
