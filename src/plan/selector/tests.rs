//! Whom names and groups select.

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
    let (chosen, mismatches) = select(&only("user1@contoso.example"), &[namesake(2), namesake(3)]);
    assert_eq!(chosen, [false, false]);
    let message = mismatches[0].to_string();
    for user in [user(2), user(3)] {
        assert!(
            message.contains(&format!("{} ({})", user.login, user.id)),
            "{message}"
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
