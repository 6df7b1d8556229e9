//! Matching users against the names of a selection.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::model::{User, UserId};

use super::alike::ALIKE;
use super::selection::{Selection, UnresolvedName, UserRef, key};

/// How many names are given a "did you mean": the search costs names times users, and an error shows twenty.
const SUGGESTIONS_FOR: usize = 20;
/// How many users a message names for one ambiguous name: a line of a terminal.
const USERS_NAMED: usize = 5;

/// A name that matches nobody and without which the run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedName {
    /// The name, with its place.
    pub named: UserRef,
    /// Whether it was to be excluded: whoever was meant is not left out.
    pub excludes: bool,
}

/// What the names of a selection lead to.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The users who are named, each once, in the order in which they were offered; nobody where everybody is meant.
    pub users: Vec<User>,
    /// The names with which nothing can go on, in the order given; empty where all is well.
    pub mismatches: Vec<UnresolvedName>,
    /// The names that are skipped, in the order given.
    pub skipped: Vec<SkippedName>,
}

/// Matches users against a selection, one at a time. Who is excluded is known at once: an exclusion takes every
/// match. Whom a name selects is known at the end: the best of its matches.
#[derive(Debug)]
pub struct Selector {
    everybody: bool,
    skip_unknown: bool,
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

/// A user whom a name matches.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Match {
    rank: Rank,
    user: UserId,
    label: String,
}

/// How well a name matches a user; the smallest is the best. An id or UPN counts before an e-mail address, which
/// several users can have, and of those an enabled user before one who is disabled or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    by_address: bool,
    disabled: bool,
}

impl Selector {
    /// A selector for one pass over the users.
    pub fn new(selection: &Selection) -> Self {
        let mut selector = Self {
            everybody: selection.only.is_none(),
            skip_unknown: selection.skip_unknown,
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

    /// Takes every user of the organisation, once. Gives back one who is selected whatever comes after; one who may
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

    /// Decides whom each name means, after the last user.
    ///
    /// Names that match nobody are skipped where the selection says so, unless no name matches anybody: then nobody
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
            match entry.meant() {
                Meant::One(user) => {
                    chosen.insert(user);
                }
                Meant::Excluded => {}
                Meant::Wrong(UnresolvedName::Nobody { name, place, .. }) if skips => {
                    resolved.skipped.push(SkippedName {
                        named: UserRef { name, place },
                        excludes: entry.excludes,
                    });
                }
                Meant::Wrong(mismatch) => resolved.mismatches.push(mismatch),
            }
        }
        resolved.users = self.held;
        resolved.users.retain(|user| chosen.contains(&user.id));
        resolved
    }

    /// Each name that includes, with all of its best matches, for where it does no harm that they are several.
    pub fn best_matches(self) -> Vec<(UserRef, Vec<UserId>)> {
        let entries = self.entries.into_iter().filter(|entry| !entry.excludes);
        let matches = entries.map(|entry| {
            let users = entry.best().iter().map(|m| m.user).collect();
            (entry.named, users)
        });
        matches.collect()
    }
}

/// Whom a name means.
enum Meant {
    One(UserId),
    /// Everybody who matches, and that is somebody.
    Excluded,
    Wrong(UnresolvedName),
}

impl Entry {
    fn take(&mut self, user: &User, by_address: bool) {
        let rank = Rank {
            by_address,
            disabled: user.disabled || user.deleted,
        };
        match self.matched.last_mut() {
            Some(last) if last.user == user.id => last.rank = last.rank.min(rank),
            // Of an exclusion it is enough to know that it matches somebody.
            Some(_) if self.excludes => {}
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

    /// The matches that none is better than.
    fn best(&self) -> Vec<&Match> {
        let best = self.matched.iter().map(|m| m.rank).min();
        let of_best = |m: &&Match| Some(m.rank) == best;
        let mut best: Vec<_> = self.matched.iter().filter(of_best).collect();
        // Pages that overlap show a user twice.
        best.sort_by_key(|m| m.user);
        best.dedup_by_key(|m| m.user);
        best
    }

    fn meant(&self) -> Meant {
        let UserRef { name, place } = self.named.clone();
        let best = self.best();
        match best[..] {
            [] => Meant::Wrong(UnresolvedName::Nobody {
                name,
                place,
                nearest: self.nearest.as_ref().map(|(_, login)| login.clone()),
            }),
            _ if self.excludes => Meant::Excluded,
            [one] => Meant::One(one.user),
            _ => {
                let shown = |m: &&Match| format!("{} ({})", m.label, m.user);
                let mut users: Vec<_> = best.iter().take(USERS_NAMED).map(shown).collect();
                if best.len() > USERS_NAMED {
                    users.push(format!("and {} more", best.len() - USERS_NAMED));
                }
                Meant::Wrong(UnresolvedName::Several { name, place, users })
            }
        }
    }
}

/// Every name under which a user may be called, and whether it is one by e-mail address only.
fn names_of(user: &User) -> Vec<(String, bool)> {
    let mut names = vec![(key(&user.id.to_string()), false)];
    names.extend(user.object_id.map(|id| (key(&id.to_string()), false)));
    names.push((key(&user.login), false));
    // Accounts of the platform, such as SYSTEM, have no other name; reports call them by it.
    if user.login.trim().is_empty() {
        names.push((key(&user.full_name), false));
    }
    names.extend(user.email.as_ref().map(|email| (key(email), true)));
    names.retain(|(name, _)| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NameSource;
    use crate::plan::change::tests::user;
    use proptest::prelude::*;

    fn named(name: &str) -> UserRef {
        UserRef {
            name: name.into(),
            place: NameSource::Flag("--user".into()),
        }
    }

    fn select(selection: &Selection, users: &[User]) -> (Vec<bool>, Vec<UnresolvedName>) {
        let (chosen, resolved) = resolve(selection, users);
        (chosen, resolved.mismatches)
    }

    fn resolve(selection: &Selection, users: &[User]) -> (Vec<bool>, Resolved) {
        let mut selector = Selector::new(selection);
        let offered = users.iter().cloned().filter_map(|u| selector.offer(u));
        let mut chosen: Vec<_> = offered.map(|user| user.id).collect();
        let resolved = selector.resolve();
        chosen.extend(resolved.users.iter().map(|user| user.id));
        let chosen = users.iter().map(|user| chosen.contains(&user.id));
        (chosen.collect(), resolved)
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
            only: Some(vec![UserRef {
                name: "usr1@contoso.example".into(),
                place: NameSource::Line("pilot.csv".into(), 7),
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

    fn only(name: &str) -> Selection {
        Selection {
            only: Some(vec![named(name)]),
            ..Selection::default()
        }
    }

    fn except(name: &str) -> Selection {
        Selection {
            except: vec![named(name)],
            ..Selection::default()
        }
    }

    /// A user whose e-mail address is the UPN of user 1.
    fn namesake(n: u128) -> User {
        User {
            email: Some(user(1).login),
            ..user(n)
        }
    }

    #[test]
    fn a_upn_counts_before_an_e_mail_address_in_whatever_order_users_come() {
        let name = only("user1@contoso.example");
        for users in [[user(1), namesake(2)], [namesake(2), user(1)]] {
            let (chosen, mismatches) = select(&name, &users);
            let first = users.iter().map(|u| u.id == user(1).id).collect();
            assert_eq!((chosen, mismatches), (first, vec![]));
        }
    }

    #[test]
    fn an_enabled_user_counts_before_disabled_and_deleted_ones() {
        let off = User {
            disabled: true,
            ..namesake(2)
        };
        let gone = User {
            deleted: true,
            ..namesake(3)
        };
        let users = [off, gone, namesake(4)];
        let (chosen, mismatches) = select(&only("user1@contoso.example"), &users);
        assert_eq!((chosen, mismatches), (vec![false, false, true], vec![]));
    }

    #[test]
    fn a_name_that_several_have_is_an_error_that_shows_their_ids() {
        let (chosen, mismatches) =
            select(&only("user1@contoso.example"), &[namesake(2), namesake(3)]);
        assert_eq!(chosen, [false, false]);
        let told = mismatches[0].to_string();
        for user in [user(2), user(3)] {
            assert!(
                told.contains(&format!("{} ({})", user.login, user.id)),
                "{told}"
            );
        }
    }

    #[test]
    fn an_account_without_a_login_is_called_by_its_name() {
        let system = User {
            login: String::new(),
            full_name: "SYSTEM".into(),
            ..user(1)
        };
        let other = User {
            full_name: "SYSTEM".into(),
            ..user(2)
        };
        let (chosen, mismatches) = select(&only("system"), &[system, other]);
        assert_eq!((chosen, mismatches), (vec![true, false], vec![]));
    }

    #[test]
    fn an_exclusion_takes_every_match() {
        let off = User {
            disabled: true,
            ..namesake(3)
        };
        let users = [user(1), namesake(2), off, user(4)];
        let (chosen, mismatches) = select(&except("user1@contoso.example"), &users);
        assert_eq!(
            (chosen, mismatches),
            (vec![false, false, false, true], vec![])
        );
    }

    #[test]
    fn names_that_match_nobody_are_skipped_and_listed_only_where_that_is_asked_for() {
        let mut selection = Selection {
            only: Some(vec![
                named("user1@contoso.example"),
                named("left@contoso.example"),
            ]),
            except: vec![named("gone@contoso.example")],
            ..Selection::default()
        };
        assert_eq!(select(&selection, &[user(1), user(2)]).1.len(), 2);
        selection.skip_unknown = true;
        let (chosen, resolved) = resolve(&selection, &[user(1), user(2)]);
        assert_eq!((chosen, resolved.mismatches), (vec![true, false], vec![]));
        let skipped: Vec<_> = resolved
            .skipped
            .iter()
            .map(|s| (s.named.name.as_str(), s.excludes))
            .collect();
        assert_eq!(
            skipped,
            [
                ("left@contoso.example", false),
                ("gone@contoso.example", true)
            ]
        );
    }

    #[test]
    fn a_list_of_which_nobody_is_known_is_refused_although_unknown_names_are_skipped() {
        let selection = Selection {
            skip_unknown: true,
            ..only("left@contoso.example")
        };
        let (_, resolved) = resolve(&selection, &[user(1)]);
        assert_eq!((resolved.mismatches.len(), resolved.skipped.len()), (1, 0));
    }

    proptest! {
        /// Few names and many users, so that names are shared by users of every sort.
        #[test]
        fn whoever_has_an_excluded_name_is_never_selected(
            people in prop::collection::vec((0..4_u8, 0..4_u8, any::<bool>(), any::<bool>()), 1..12),
            excluded in 0..4_u8,
            upper in any::<bool>(),
            by_name in any::<bool>(),
        ) {
            let name = |n: u8| format!("shared{n}@contoso.example");
            let users: Vec<_> = (1..).zip(people).map(|(id, (login, email, disabled, mailbox))| User {
                login: name(login),
                email: mailbox.then(|| name(email)),
                disabled,
                ..user(id)
            }).collect();
            let given = name(excluded);
            let given = if upper { given.to_uppercase() } else { given };
            let selection = Selection {
                only: by_name.then(|| (0..4).map(|n| named(&name(n))).collect()),
                except: vec![named(&given)],
                skip_unknown: true,
                ..Selection::default()
            };
            let (chosen, _) = select(&selection, &users);
            for (user, chosen) in users.iter().zip(chosen) {
                let has = user.login == name(excluded) || user.email == Some(name(excluded));
                prop_assert!(!(chosen && has), "{user:?}");
                prop_assert!(by_name || chosen != has, "{user:?}");
            }
        }
    }
}
