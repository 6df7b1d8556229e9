//! Users in JSON, in the form that `report`, `list` and `check` print.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Names;
use super::error::{ListFault, OnLine};
use super::name::name_in;

/// The members that can be requested in place of a column; the first is the default, because ids are unique.
const MEMBERS: [&str; 2] = ["id", "user"];

/// The parts of a printed document that list users.
#[derive(Deserialize)]
struct Document<'t> {
    /// In a report.
    #[serde(borrow)]
    user_results: Option<&'t RawValue>,
    /// In a list; in the document of a run this is a number.
    #[serde(borrow)]
    users: Option<&'t RawValue>,
}

#[derive(Deserialize)]
struct Entry {
    user: Option<String>,
    id: Option<String>,
}

/// Whether a text is JSON. An id in braces is not.
pub(super) fn is_json(text: &str) -> bool {
    let mut signs = text.chars().filter(|c| !c.is_whitespace());
    match (signs.next(), signs.next()) {
        (Some('{'), Some(second)) => matches!(second, '"' | '}'),
        (Some('['), Some(second)) => matches!(second, '{' | '"' | '[' | ']'),
        _ => false,
    }
}

/// Reads the users of a document, by id or by the requested member.
pub(super) fn read(text: &str, wanted: Option<&str>, list: &mut Names) -> OnLine<()> {
    let member = wanted.unwrap_or(MEMBERS[0]);
    if !MEMBERS.contains(&member) {
        let found = MEMBERS.map(str::to_owned).into();
        let wanted = member.to_owned();
        return Err((1, ListFault::NoSuchColumn { wanted, found }));
    }
    let refused = |error: serde_json::Error| (error.line().max(1), ListFault::OtherJson);
    let document: Document<'_> = serde_json::from_str(text).map_err(refused)?;
    let is_list = |value: &&RawValue| value.get().starts_with('[');
    let lists = [document.user_results, document.users];
    let Some(entries) = lists.into_iter().flatten().find(is_list) else {
        return Err((1, ListFault::OtherJson));
    };
    let entries: Vec<&RawValue> = serde_json::from_str(entries.get()).map_err(refused)?;
    let (mut at, mut line) = (0, 1);
    for raw in entries {
        // Each entry is a slice of the text.
        let begin = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        line += text[at..begin].matches('\n').count();
        at = begin;
        let entry: Entry =
            serde_json::from_str(raw.get()).map_err(|_| (line, ListFault::OtherJson))?;
        let name = if member == "id" { entry.id } else { entry.user };
        let name = name.as_deref().map(name_in).transpose();
        let name = name.map_err(|fault| (line, fault))?.flatten();
        let column = member.to_owned();
        list.add(line, name.ok_or((line, ListFault::NoName { column }))?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse_user_list;

    fn names(text: &str, column: Option<&str>) -> Result<Vec<String>, String> {
        let list = parse_user_list("a.json", text.as_bytes(), column);
        let list = list.map_err(|error| error.to_string())?;
        Ok(list
            .iter()
            .map(|user| format!("{:?} {}", user.place, user.name))
            .collect())
    }

    #[test]
    fn the_users_of_a_report_and_of_a_list_are_read_with_their_lines() {
        let id = "7c1f0000-0000-0000-0000-000000000001";
        let report = format!(
            "{{\n  \"format\": 1,\n  \"run\": \"3f\",\n  \"user_results\": [\n    {{ \"user\": \"a@b.c\", \"id\": \"{id}\", \"more\": [1] }}\n  ]\n}}"
        );
        let read = names(&report, None).unwrap();
        assert!(
            read[0].contains("\"a.json\", 5") && read[0].contains(id),
            "{read:?}"
        );
        assert!(names(&report, Some("user")).unwrap()[0].contains("a@b.c"));
        let list = format!(
            "{{\"format\":1,\"users\":[{{\"user\":\"a@b.c\",\"id\":\"{id}\",\"filters\":[]}},{{\"user\":\"d\",\"id\":\"{}\"}}]}}",
            id.replace('1', "2")
        );
        assert_eq!(names(&list, None).unwrap().len(), 2);
    }

    #[test]
    fn other_json_is_refused_and_an_id_in_braces_is_a_name() {
        for text in [
            "{}",
            "[]",
            "[{\"user\": \"a@b.c\"}]",
            "{\"format\": 1, \"users\": {\"selected\": 1}}",
            "{\"users\": [1]}",
            "{\"users\": [",
        ] {
            let why = names(text, None).unwrap_err();
            assert!(
                why.contains("this is JSON") && why.contains("CSV"),
                "{text}: {why}"
            );
        }
        let why = names("{\"users\": [{\"user\": \"a@b.c\"}]}", None).unwrap_err();
        assert!(why.contains("names nobody"), "{why}");
        let why = names("{\"users\": [{\"id\": \"x\"}]}", Some("mail")).unwrap_err();
        assert!(why.contains("no column `mail`"), "{why}");
        let id = "{7c1f0000-0000-0000-0000-000000000001}";
        assert_eq!(names(id, None).unwrap().len(), 1);
    }

    #[test]
    fn a_table_for_people_is_refused_with_what_to_give_instead() {
        for table in [
            "Run 3f2a9c: deactivate\n\nWhere  contoso\n",
            "# Run 3f2a9c: deactivate\n",
            "Plan 3f2a9c: deactivate\n",
            "User              Result    Filters\nada@contoso.ex…   failed    1 failed\n",
        ] {
            let why = names(table, None).unwrap_err();
            assert!(
                why.contains("table for people") && why.contains("--format csv"),
                "{why}"
            );
        }
        let page = names("\n<!DOCTYPE html>\n<html><table>", None).unwrap_err();
        assert!(page.contains("a page for a browser"), "{page}");
        let other = names("Run for it\n", None).unwrap_err();
        assert!(!other.contains("table for people"), "{other}");
    }
}
