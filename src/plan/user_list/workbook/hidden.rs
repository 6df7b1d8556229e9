//! Rows of a sheet that Excel does not show, because of a filter or because they were hidden. Their users count, too,
//! although a person who looked at the sheet has not seen them.

use std::collections::HashSet;
use std::io::{BufReader, Cursor};

use quick_xml::Reader;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesStart, Event};

/// The part that lists the sheets of a workbook, under the name that Excel gives it.
const WORKBOOK: &str = "xl/workbook.xml";
const RELATIONSHIPS: &str = "xl/_rels/workbook.xml.rels";

/// The hidden rows of this sheet, counted from 1; none where they cannot be found out. The size of the workbook has
/// been checked.
pub(in super::super) fn hidden_rows(bytes: &[u8], sheet: &str) -> HashSet<usize> {
    let mut rows = HashSet::new();
    let Some(part) = part_of(bytes, sheet) else {
        return rows;
    };
    // A row without a number follows the one before.
    let mut line = 0;
    each(bytes, &part, "row", |row| {
        let number = value(row, "r").and_then(|number| number.parse().ok());
        line = number.unwrap_or(line + 1);
        if value(row, "hidden").is_some_and(|hidden| hidden == "1" || hidden == "true") {
            rows.insert(line);
        }
    });
    rows
}

/// The part of the archive with a sheet.
fn part_of(bytes: &[u8], sheet: &str) -> Option<String> {
    let mut relationship = None;
    each(bytes, WORKBOOK, "sheet", |found| {
        if value(found, "name").as_deref() == Some(sheet) {
            relationship = value(found, "id");
        }
    });
    let (relationship, mut part) = (relationship?, None);
    each(bytes, RELATIONSHIPS, "Relationship", |found| {
        if value(found, "Id").as_deref() == Some(&relationship) {
            part = value(found, "Target");
        }
    });
    let part = part?;
    Some(match part.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("xl/{part}"),
    })
}

/// Passes all elements of this name in a part to `each`. Stops at damaged contents.
fn each(bytes: &[u8], part: &str, name: &str, mut each: impl FnMut(&BytesStart<'_>)) {
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else {
        return;
    };
    let Ok(part) = archive.by_name(part) else {
        return;
    };
    let mut reader = Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                if element.local_name().as_ref() == name {
                    each(&element);
                }
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes().flatten();
    let found = attributes.find(|one: &Attribute<'_>| one.key.local_name().as_ref() == name)?;
    let value = found
        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
        .ok()?;
    Some(value.into_owned())
}
