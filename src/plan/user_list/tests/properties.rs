//! Whatever names a list holds, and however it is written, nobody is lost.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::utf_16;
use crate::plan::user_list::*;

/// Any name that a person may have.
fn name() -> impl Strategy<Value = String> {
    let word = "[a-zäöüßéñ0-9][a-zäöüßéñ0-9._'+#$&-]{0,12}[a-zäöüßéñ0-9]";
    prop_oneof![
        4 => (word, "[a-z0-9-]{1,10}(\\.[a-z]{2,6}){1,2}").prop_map(|(local, host)| format!("{local}@{host}")),
        2 => ("[A-Z]{2,8}", word).prop_map(|(domain, account)| format!("{domain}\\{account}")),
        2 => any::<u128>().prop_map(|id| uuid::Uuid::from_u128(id).to_string()),
        1 => any::<u128>().prop_map(|id| format!("{{{}}}", uuid::Uuid::from_u128(id))),
    ]
}

/// What a person's other cells may hold.
fn other_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Za-zäöüß ,;#\"'=]{1,20}",
        Just("Street 1,\nCity; State\t1".to_owned()),
        Just("# Sync account".to_owned()),
    ]
}

fn dressed(name: &str, how: usize) -> String {
    match how {
        1 if name.contains('@') => format!("mailto:{name}"),
        2 if name.contains('@') => format!("SMTP:{name}"),
        3 if name.contains('@') => format!("Person One <{name}>"),
        4 => format!("\u{200b}{name}\u{200e}"),
        5 => format!("\u{a0}{name} "),
        _ => name.to_owned(),
    }
}

fn quoted(cell: &str, always: bool) -> String {
    if always || cell.contains([',', ';', '\t', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn encoded(text: &str, how: usize) -> Vec<u8> {
    let can_be_1252 = !encoding_rs::WINDOWS_1252.encode(text).2;
    match how {
        0 => format!("\u{feff}{text}").into_bytes(),
        1 => utf_16(text, true, true),
        2 => utf_16(text, false, true),
        3 if can_be_1252 => encoding_rs::WINDOWS_1252.encode(text).0.into_owned(),
        _ => text.as_bytes().to_vec(),
    }
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().map(|name| key(&name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

proptest! {
    #[test]
    fn any_names_in_any_table_come_back_whole(
        people in prop::collection::vec((name(), other_cell(), other_cell(), 0..8_usize), 1..40),
        title in select(&["User principal name", "UPN", "Primary Email", "Mail", "user_id", "Windows Live ID", "Konto"][..]),
        separator in select(&[",", ";", "\t"][..]),
        at in 0..3_usize,
        (quote, blank) in (any::<bool>(), any::<Index>()),
        (end, above) in (select(&["\n", "\r\n", "\r"][..]), 0..4_usize),
        encoding in 0..5_usize,
    ) {
        let row = |mut cells: Vec<String>, name: String| {
            cells.insert(at, name);
            let cells: Vec<_> = cells.iter().map(|cell| quoted(cell, quote)).collect();
            cells.join(separator)
        };
        let mut lines = match above {
            1 => vec![format!("sep={separator}")],
            2 => vec!["#TYPE System.Object".to_owned()],
            3 => vec!["# the pilot".to_owned(), String::new()],
            _ => Vec::new(),
        };
        lines.push(row(vec!["Display name".into(), "Department".into()], title.into()));
        for (name, first, second, how) in &people {
            lines.push(row(vec![first.clone(), second.clone()], dressed(name, *how)));
        }
        let gap = lines.len() - blank.index(people.len());
        lines.insert(gap, separator.repeat(2));
        let text = lines.join("\n").replace('\n', end);
        let column = (title == "Konto").then_some("konto");
        let list = parse_user_list("list", &encoded(&text, encoding), column);
        let list = list.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let found = sorted(list.into_iter().map(|named| named.name));
        prop_assert_eq!(found, sorted(people.into_iter().map(|(name, ..)| name)), "{}", text);
    }

    #[test]
    fn any_names_in_any_plain_list_come_back_whole(
        people in prop::collection::vec((name(), 0..8_usize, select(&["", ",", ";", " ", "\t;;"][..])), 1..40),
        end in select(&["\n", "\r\n", "\r"][..]),
        encoding in 0..5_usize,
    ) {
        let mut text = String::new();
        for (at, (name, how, behind)) in people.iter().enumerate() {
            if at % 5 == 4 {
                text += &["# comment", end, end].concat();
            }
            text += &[&dressed(name, *how), *behind, end].concat();
        }
        let list = parse_user_list("list", &encoded(&text, encoding), None);
        let list = list.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let found = sorted(list.into_iter().map(|named| named.name));
        prop_assert_eq!(found, sorted(people.into_iter().map(|(name, ..)| name)), "{}", text);
    }

    /// Joining lines, or losing a quotation mark, never leaves fewer people: it is refused, or they are all there.
    #[test]
    fn a_list_that_is_damaged_loses_nobody(
        people in prop::collection::vec((name(), "[A-Za-z ,]{0,9}"), 2..8),
        victims in subsequence((0..400_usize).collect::<Vec<_>>(), 1..3),
    ) {
        let rows = people.iter().map(|(name, who)| format!("\"{who}\",\"{name}\"\n"));
        let mut text = String::from("\"Name\",\"UPN\"\n") + &rows.collect::<String>();
        for victim in victims.into_iter().rev() {
            let signs: Vec<_> = text.match_indices(['"', '\n']).map(|(at, _)| at).collect();
            let at = signs[6 + victim % (signs.len() - 6)];
            text.remove(at);
        }
        if let Ok(list) = parse_user_list("list", text.as_bytes(), None) {
            let found = sorted(list.into_iter().map(|named| named.name));
            prop_assert_eq!(found, sorted(people.into_iter().map(|(name, _)| name)), "{}", text);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_user_list("list", &bytes, None);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z@,;\"\t\n #=\\\\<>\u{feff}é]{0,80}") {
        let _ = parse_user_list("list", text.as_bytes(), Some("a"));
        let _ = parse_user_list("list", text.as_bytes(), None);
    }
}
