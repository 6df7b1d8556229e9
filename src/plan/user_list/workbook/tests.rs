use super::*;
use crate::plan::{NameSource, UserListError, parse_user_list};
use rust_xlsxwriter::Workbook;

/// A workbook of sheets with rows of cells; nothing where a cell is empty.
fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).unwrap();
        for (line, row) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(*row) {
                if !cell.is_empty() {
                    sheet.write_string(line, column, *cell).unwrap();
                }
            }
        }
    }
    book.save_to_buffer().unwrap()
}

fn names(bytes: &[u8], column: Option<&str>) -> Result<Vec<(usize, String)>, UserListError> {
    let users = parse_user_list("list.xlsx", bytes, column)?;
    let line = |place: &NameSource| match place {
        NameSource::Line(_, line) => *line,
        NameSource::Flag(_) => 0,
    };
    Ok(users
        .into_iter()
        .map(|user| (line(&user.place), user.name))
        .collect())
}

fn refused(bytes: &[u8], column: Option<&str>) -> String {
    names(bytes, column).unwrap_err().to_string()
}

const ANNA: &str = "anna@x.example";
const BERT: &str = "bert@x.example";

#[test]
fn the_sheet_and_the_column_are_found_by_the_title_and_each_name_keeps_its_row() {
    let rows: &[&[&str]] = &[&["Name", "UPN"], &[], &["Anna", ANNA], &["Bert", BERT, ""]];
    let book = workbook(&[("Notes", &[&["for Monday"]]), ("Users", rows)]);
    let expected = vec![(3, ANNA.to_owned()), (4, BERT.to_owned())];
    assert_eq!(names(&book, None).unwrap(), expected);
    let other: &[&[&str]] = &[&["Person", "Account"], &["Anna", ANNA]];
    let book = workbook(&[("Users", rows), ("More", other)]);
    assert_eq!(
        names(&book, Some("account")).unwrap(),
        [(2, ANNA.to_owned())]
    );
    let users = parse_user_list("list.xlsx", &book, None).unwrap();
    assert_eq!(users[0].place.to_string(), "list.xlsx[Users]:3");
    let bare = workbook(&[("Sheet1", &[&[ANNA], &[BERT]])]);
    assert_eq!(names(&bare, None).unwrap()[1], (2, BERT.to_owned()));
}

#[test]
fn titles_above_the_header_are_passed_over_and_what_may_be_a_name_is_not() {
    let read = |rows: &[&[&str]]| {
        let found = names(&workbook(&[("Users", rows)]), None);
        found.map(|names| names.into_iter().map(|(_, name)| name).collect::<Vec<_>>())
    };
    let (header, anna): (&[&str], &[&str]) = (&["Name", "UPN"], &["Anna", ANNA]);
    let accepted: [&[&[&str]]; 3] = [
        &[&["Pilot group"], header, anna],
        &[&["Pilot group"], &["as of 26 November"], &[], header, anna],
        &[&["", "Pilot group"], &[], &["UPN"], &[ANNA]],
    ];
    for rows in accepted {
        assert_eq!(read(rows).unwrap(), [ANNA], "{rows:?}");
    }
    // Each first row may be a user.
    let refused: [&[&[&str]]; 4] = [
        &[&["Berta"], &["UPN"], &[ANNA]],
        &[&[BERT], header, anna],
        &[&["Berta", "Sales"], header, anna],
        &[&["a"], &["b"], &["c"], &["d"], &["e"], &["f"], header, anna],
    ];
    for rows in refused {
        assert!(read(rows).is_err(), "{rows:?}");
    }
}

#[test]
fn nobody_in_a_workbook_is_passed_over_in_silence() {
    let one = |rows: &[&[&str]]| workbook(&[("Users", rows)]);
    for (book, column, part) in [
        (
            one(&[&["UPN", "x"], &["", "here"]]),
            None,
            "[Users]:2: this row names nobody",
        ),
        (
            one(&[&["UPN"], &[ANNA, BERT]]),
            None,
            "[Users]:2: this row has more cells",
        ),
        (
            one(&[&["UPN"], &["a@x.example b@x.example"]]),
            None,
            "is not exactly one name",
        ),
        (
            one(&[&["UPN", "upn "], &[ANNA, BERT]]),
            None,
            "several columns",
        ),
        (
            one(&[&["Nobody knows"], &[ANNA]]),
            None,
            "no column of this list is known",
        ),
        (
            one(&[&["UPN"], &[ANNA]]),
            Some("mail"),
            "has no column `mail`",
        ),
        (one(&[&["UPN"]]), None, "there is nobody in this list"),
        (one(&[]), None, "there is nobody in this list"),
    ] {
        let said = refused(&book, column);
        assert!(said.contains(part), "{part}: {said}");
    }
    let rows: &[&[&str]] = &[&["UPN"], &[ANNA]];
    let several = workbook(&[("Pilot", rows), ("Rest", rows)]);
    let said = refused(&several, None);
    assert!(
        said.contains("several sheets") && said.contains("Pilot, Rest"),
        "{said}"
    );
}

#[test]
fn a_formula_without_a_value_is_refused_and_one_that_shows_nothing_is_blank() {
    let with = |result: &str| {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "UPN").unwrap();
        sheet.write_string(1, 0, ANNA).unwrap();
        let formula = rust_xlsxwriter::Formula::new("=B3").set_result(result);
        sheet.write_formula(2, 0, formula).unwrap();
        book.save_to_buffer().unwrap()
    };
    assert_eq!(names(&with(BERT), None).unwrap()[1], (3, BERT.to_owned()));
    let value = format!("<v>{BERT}</v>");
    let blank = replaced(&with(BERT), &value, "<v></v>");
    assert_eq!(names(&blank, None).unwrap().len(), 1);
    // As programs write it that compute nothing.
    let bare = replaced(&with(BERT), &value, "");
    assert!(
        refused(&bare, None).contains("[Sheet1]:3: a cell of this row holds a formula"),
        "{}",
        refused(&bare, None)
    );
}

/// The workbook with another text in its first sheet.
fn replaced(book: &[u8], from: &str, to: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut archive = zip::ZipArchive::new(Cursor::new(book)).unwrap();
    let mut other = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        if name == "xl/worksheets/sheet1.xml" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(from), "{text}");
            bytes = text.replace(from, to).into_bytes();
        }
        other
            .start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        other.write_all(&bytes).unwrap();
    }
    other.finish().unwrap().into_inner()
}

#[test]
fn people_whom_only_another_sheet_lists_are_not_passed_over() {
    let users: &[&[&str]] = &[&["UPN"], &[ANNA]];
    for other in [&[&[BERT][..]][..], &[&["Pilot"], &[BERT]]] {
        let said = refused(&workbook(&[("Users", users), ("More", other)]), None);
        assert!(
            said.contains("the sheet `More` lists `bert@x.example`"),
            "{said}"
        );
    }
    let facts: &[&[&str]] = &[&["Caller", BERT], &["Environment", "Contoso"]];
    assert_eq!(
        names(&workbook(&[("Summary", facts), ("Users", users)]), None)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_hidden_sheet_and_cells_out_of_order_are_refused() {
    let mut book = Workbook::new();
    book.add_worksheet().write_string(0, 0, "Notes").unwrap();
    let hidden = book.add_worksheet();
    hidden.set_hidden(true).write_string(0, 0, "UPN").unwrap();
    hidden.write_string(1, 0, ANNA).unwrap();
    assert!(refused(&book.save_to_buffer().unwrap(), None).contains("this sheet is hidden"));
    let whole = workbook(&[("Users", &[&["UPN"], &[ANNA], &[BERT]])]);
    let twice = replaced(&whole, "r=\"A3\"", "r=\"A2\"");
    assert!(
        refused(&twice, None).contains("damaged"),
        "{}",
        refused(&twice, None)
    );
}

#[test]
fn a_cell_with_an_error_is_refused_with_its_row() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "UPN").unwrap();
    let broken = rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!");
    sheet.write_formula(1, 0, broken).unwrap();
    let said = refused(&book.save_to_buffer().unwrap(), None);
    assert!(said.contains(":2: ") || said.contains("#DIV/0!"), "{said}");
}

#[test]
fn what_only_looks_like_a_workbook_is_refused_without_a_panic() {
    let whole = workbook(&[("Users", &[&["UPN"], &[ANNA]])]);
    for end in (4..whole.len()).step_by(97) {
        assert!(names(&whole[..end], None).is_err(), "{end}");
    }
    for at in (0..whole.len()).step_by(31) {
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        // Whatever it is taken for, it comes to an end.
        drop(names(&changed, None));
    }
    assert!(refused(b"PK", None).contains("workbook"));
}

#[test]
fn an_archive_that_unpacks_to_too_much_is_refused() {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("xl/workbook.xml", options).unwrap();
    let part = vec![0; 1024 * 1024];
    for _ in 0..=MOST_UNPACKED / (1024 * 1024) {
        archive.write_all(&part).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    assert!(bytes.len() < 1024 * 1024, "{}", bytes.len());
    let said = refused(&bytes, None);
    assert!(said.contains("unpacks to more than 128 MiB"), "{said}");
}

#[test]
fn a_cell_far_away_costs_nothing() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "UPN").unwrap();
    sheet.write_string(1_048_575, 0, ANNA).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    assert_eq!(names(&bytes, None).unwrap(), [(1_048_576, ANNA.to_owned())]);
}

#[test]
fn users_in_rows_that_excel_hides_are_read_and_counted() {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Notes & more").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("Users & others").unwrap();
    for (line, cell) in (0..).zip(["UPN", ANNA, BERT, "carl@x.example"]) {
        sheet.write_string(line, 0, cell).unwrap();
    }
    sheet.set_row_hidden(1).unwrap();
    sheet.set_row_hidden(3).unwrap();
    sheet.set_row_hidden(7).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let list = crate::plan::read_user_list("list.xlsx", &bytes, None).unwrap();
    assert_eq!((list.users.len(), list.hidden), (3, 2));
    let plain = workbook(&[("Users", &[&["UPN"], &[ANNA]])]);
    let list = crate::plan::read_user_list("list.xlsx", &plain, None).unwrap();
    assert_eq!(list.hidden, 0);
}
