//! Excel both ways: lists that are read from workbooks, and results that are written as workbooks.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use calamine::{Data, Reader, Xlsx};

use crate::world::World;

const RUN: [&str; 6] = [
    "deactivate",
    "--yes",
    "--accept-calendar-loss",
    "--impact",
    "--format",
    "json",
];

type Book = Xlsx<Cursor<Vec<u8>>>;

fn open(path: &Path) -> Book {
    Xlsx::new(Cursor::new(std::fs::read(path).unwrap())).unwrap()
}

/// The values of one column of a sheet.
fn column(book: &mut Book, sheet: &str, title: &str) -> Vec<Data> {
    let range = book.worksheet_range(sheet).unwrap();
    let titles = range.rows().next().unwrap();
    let at = titles.iter().position(|cell| *cell == title);
    let at = at.unwrap_or_else(|| panic!("{title}: {titles:?}"));
    range.rows().skip(1).map(|row| row[at].clone()).collect()
}

fn sum(cells: &[Data]) -> u64 {
    cells
        .iter()
        .map(|cell| match cell {
            Data::Float(number) => number.to_string().parse::<u64>().unwrap(),
            Data::Empty => 0,
            other => panic!("{other:?}"),
        })
        .sum()
}

#[test]
fn a_report_as_a_workbook_has_every_user_filter_loss_and_problem_and_can_be_given_back() {
    let world = World::with_users(40);
    let document = world.run(&RUN).must_be(3).json();
    let run = document["run"].as_str().unwrap();
    let path = world.home.path().join("run.xlsx");
    let file = path.to_str().unwrap();
    world.run(&["report", run, "--output", file]).must_be(0);
    let mut book = open(&path);
    let sheets = ["Summary", "Users", "Filters", "Impact", "Problems"];
    assert_eq!(book.sheet_names(), sheets);
    let number = |of: &str, key: &str| document[of][key].as_u64().unwrap();
    let ids = column(&mut book, "Users", "User ID");
    assert_eq!(ids.len() as u64, number("users", "selected"));
    let changed = sum(&column(&mut book, "Users", "Filters changed"));
    assert_eq!(changed, number("filters", "changed"));
    let report = world.run(&["report", run, "--format", "json"]).json();
    let lost = report["impact"]["items"].as_u64().unwrap();
    assert!(lost > 0);
    assert_eq!(sum(&column(&mut book, "Users", "Items lost")), lost);
    assert!(!column(&mut book, "Problems", "Kind").is_empty());
    assert!(book.worksheet_formula("Filters").unwrap().is_empty());

    let failed = world.home.path().join("failed.xlsx");
    let file = failed.to_str().unwrap();
    let only = ["report", run, "--only", "failed", "--output", file];
    world.run(&only).must_be(0);
    let ids = column(&mut open(&failed), "Users", "User ID");
    let listed = world
        .run(&["list", "--users-from", file, "--format", "json"])
        .json();
    let listed = listed["users"].as_array().unwrap().iter();
    let listed: BTreeSet<_> = listed
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, ids.iter().map(ToString::to_string).collect());
    assert_eq!(listed.len() as u64, number("users", "failed"));
}

#[test]
fn a_list_and_a_check_are_workbooks_too_and_nothing_is_overwritten() {
    let world = World::with_users(20);
    let at = |name: &str| world.home.path().join(name);
    let list = at("list.xlsx");
    let file = list.to_str().unwrap();
    world.run(&["list", "--output", file]);
    let mut book = open(&list);
    let sheets = ["Summary", "Users", "Filters", "Problems"];
    assert_eq!(book.sheet_names(), sheets);
    let states = column(&mut book, "Filters", "State");
    let states: BTreeSet<_> = states.iter().map(ToString::to_string).collect();
    assert_eq!(states.len(), 2, "{states:?}");
    let again = world.run(&["list", "--output", file]).must_be(2);
    assert!(again.stderr.contains("exists"), "{again:?}");
    let check = at("check.xlsx");
    let checked = world.run(&["check", "inactive", "--output", check.to_str().unwrap()]);
    assert_eq!(checked.code, Some(10), "{checked:?}");
    let states = column(&mut open(&check), "Filters", "State");
    assert!(states.iter().all(|state| *state == "active"));
    // A pipe takes a workbook, too.
    let piped = world
        .command(&["list", "--format", "xlsx"])
        .output()
        .unwrap();
    assert!(piped.stdout.starts_with(b"PK"));
    let refused = world.run(&["runs", "--format", "xlsx"]).must_be(2);
    assert!(refused.stderr.contains("runs"), "{refused:?}");
}

#[test]
fn a_list_from_a_workbook_names_sheet_and_row_of_what_is_wrong() {
    let world = World::with_users(20);
    let listed = world.run(&["list", "--format", "json"]).json();
    let user = &listed["users"][0];
    let (name, id) = (user["user"].as_str().unwrap(), user["id"].as_str().unwrap());
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet().set_name("Pilot").unwrap();
    for (row, text) in (0..).zip(["User ID", id, "nobody@nowhere.example"]) {
        sheet.write_string(row, 1, text).unwrap();
    }
    let path = world.home.path().join("pilot.xlsx");
    book.save(&path).unwrap();
    let file = path.to_str().unwrap();
    let refused = world.run(&["list", "--users-from", file]).must_be(2);
    let place = format!("{file}[Pilot]:3: no user `nobody@nowhere.example`");
    assert!(refused.stderr.contains(&place), "{refused:?}");
    let skipped = world.run(&[
        "list",
        "--users-from",
        file,
        "--skip-unknown",
        "--format",
        "csv",
    ]);
    assert!(skipped.stdout.contains(name), "{skipped:?}");
    let excluded = world.run(&[
        "list",
        "--exclude-from",
        file,
        "--skip-unknown",
        "--format",
        "csv",
    ]);
    assert!(!excluded.stdout.contains(id), "{excluded:?}");
}
