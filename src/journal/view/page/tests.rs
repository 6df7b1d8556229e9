use super::*;
use crate::journal::schema;
use rusqlite::Connection;

/// Two hundred users in every state that a user and two changes can be in.
fn filled() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    schema::create(&connection).unwrap();
    let mut seq = 0;
    for read in 0..5 {
        for one in 0..8 {
            for other in 0..8 {
                seq += 1;
                let fill = "INSERT INTO user (seq, id, label, login, populated, survey)
                            VALUES (?1, randomblob(16), 'user%_' || ?1, 'CONTOSO\\u' || ?1, 1, ?2)";
                connection.execute(fill, [seq, read]).unwrap();
                for (filter, stage) in [(1, one), (2, other)] {
                    let fill = "INSERT INTO change (user, filter, from_state, to_state, stage)
                                VALUES (?1, zeroblob(?2), 0, 1, ?3)";
                    connection.execute(fill, [seq, filter, stage]).unwrap();
                }
            }
        }
    }
    connection
}

fn page(connection: &Connection, query: &PageQuery) -> UserPage {
    View::new(connection).user_page(query).unwrap()
}

fn everybody() -> PageQuery {
    PageQuery {
        most: 1000,
        ..PageQuery::default()
    }
}

#[test]
fn the_users_of_a_result_are_those_who_have_it() {
    let connection = filled();
    let all = page(&connection, &everybody()).users;
    for outcome in [
        UserOutcome::Planned,
        UserOutcome::Changed,
        UserOutcome::Left,
        UserOutcome::Unchanged,
        UserOutcome::LeftOut,
        UserOutcome::Skipped,
        UserOutcome::Failed,
    ] {
        let query = PageQuery {
            class: Some(PageClass::Outcome(outcome)),
            ..everybody()
        };
        let found = page(&connection, &query);
        let expected: Vec<_> = all
            .iter()
            .filter(|user| user.outcome == outcome)
            .cloned()
            .collect();
        assert!(!expected.is_empty());
        assert_eq!(found.users, expected, "{outcome}");
        assert_eq!(found.found, expected.len() as u64);
        let numbers = View::new(&connection).numbers_found(&query).unwrap();
        assert_eq!(numbers.len(), expected.len());
    }
}

#[test]
fn pages_follow_each_other_without_a_gap_in_every_order() {
    let connection = filled();
    for order in [
        PageOrder::Name,
        PageOrder::Unit,
        PageOrder::Changes,
        PageOrder::Loss,
    ] {
        let all = page(
            &connection,
            &PageQuery {
                order,
                ..everybody()
            },
        );
        let mut seen = Vec::new();
        for skip in (0..all.found).step_by(37) {
            let query = PageQuery {
                order,
                skip,
                most: 37,
                ..PageQuery::default()
            };
            seen.extend(page(&connection, &query).users);
        }
        assert_eq!(seen, all.users);
    }
}

#[test]
fn signs_of_a_pattern_are_looked_for_as_they_are() {
    let connection = filled();
    let found = |search: &str| {
        page(
            &connection,
            &PageQuery {
                search: search.to_owned(),
                ..everybody()
            },
        )
        .found
    };
    assert_eq!(found("user%_7"), found("%_7"));
    assert_eq!(found("r_%"), 0);
    assert_eq!(found("' OR 1=1 --"), 0);
    assert_eq!(found(" USER%_300 "), 1);
}

#[test]
fn a_search_finds_what_is_shown_in_any_case_of_any_letter() {
    let connection = filled();
    for (seq, label, email) in [
        (1, "\u{d6}zdemir@contoso.example", "a@contoso.example"),
        (2, "\u{f6}zg\u{fc}r [ext]*", "\u{141}ukasz^@contoso.example"),
    ] {
        let name = "UPDATE user SET label = ?2, email = ?3 WHERE seq = ?1";
        connection.execute(name, (seq, label, email)).unwrap();
    }
    let found = |search: &str| {
        let search = search.to_owned();
        let query = PageQuery {
            search,
            ..everybody()
        };
        let page = page(&connection, &query);
        page.users.iter().map(|user| user.seq).collect::<Vec<_>>()
    };
    assert_eq!(found("\u{f6}z").len(), 2);
    assert_eq!(found("\u{d6}Z").len(), 2);
    assert_eq!(found("\u{f6}ZDEMIR@"), [1]);
    assert_eq!(found("[EXT]*"), [2]);
    assert_eq!(found("\u{142}UKASZ^"), [2]);
    for nobody in [
        "\u{f6}?",
        "[e]",
        "]*x",
        "\u{f6}zdemir*",
        &"a".repeat(60_000),
    ] {
        assert_eq!(found(nobody), [0; 0], "{nobody}");
    }
}

#[test]
fn behind_the_last_page_is_the_last_page() {
    let connection = filled();
    let at = |skip, search: &str| {
        let query = PageQuery {
            search: search.to_owned(),
            skip,
            most: 37,
            ..PageQuery::default()
        };
        let page = page(&connection, &query);
        (page.skip, page.users.len())
    };
    // Of 320 users.
    assert_eq!(at(74, ""), (74, 37));
    assert_eq!(at(296, ""), (296, 24));
    assert_eq!(at(320, ""), (296, 24));
    assert_eq!(at(u64::MAX, ""), (296, 24));
    assert_eq!(at(37, "user%_300"), (0, 1));
    assert_eq!(at(37, "nobody"), (0, 0));
}

#[test]
fn the_last_failures_are_named_and_no_skipped_users() {
    let connection = filled();
    for (user, kind) in [
        (1, "timeout"),
        (2, "disabled"),
        (3, "no-roles"),
        (3, "no-roles"),
        (4, "disabled"),
    ] {
        let fill =
            "INSERT INTO problem (user, stage, kind, message, at) VALUES (?1, 'survey', ?2, ?2, 0)";
        connection.execute(fill, (user, kind)).unwrap();
    }
    let failures = |most| View::new(&connection).last_failures(most).unwrap();
    let named = |user: &str, kind: &str| (user.to_owned(), kind.to_owned());
    let all = [named("user%_3", "no-roles"), named("user%_1", "timeout")];
    assert_eq!(failures(8), all);
    assert_eq!(failures(1), all[..1]);
}

#[test]
fn only_users_of_whom_nothing_was_sent_can_be_chosen() {
    let connection = filled();
    for user in page(&connection, &everybody()).users {
        let mut stages = connection
            .prepare("SELECT stage FROM change WHERE user = ?1")
            .unwrap();
        let stages: Vec<i64> = stages
            .query_map([user.seq], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let nothing_sent = stages.iter().all(|stage| matches!(stage, 0 | 7));
        let taken_out = user.outcome == UserOutcome::LeftOut || {
            let read: i64 = connection
                .query_row(
                    "SELECT survey FROM user WHERE seq = ?1",
                    [user.seq],
                    |row| row.get(0),
                )
                .unwrap();
            read == 4
        };
        let expected = taken_out || (nothing_sent && stages.contains(&0));
        assert_eq!(user.can_be_chosen, expected, "{stages:?}");
    }
}
