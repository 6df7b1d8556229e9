//! The form of a new plan: what was meant is what is planned, or it is said why not.

use rust_xlsxwriter::Workbook;

use super::browser::{Answer, Page};
use crate::world::World;

/// The fields of a form that is filled in, besides the users.
fn filled(environment: &str) -> Vec<(&str, &str)> {
    vec![
        ("environment", environment),
        ("operation", "deactivate"),
        ("type", "appointment"),
    ]
}

/// The names of a sandbox's users.
fn user_names(world: &World) -> Vec<String> {
    let listed = world.run(&["list", "--format", "json"]).json();
    let users = listed["users"].as_array().unwrap().iter();
    let names = users.map(|user| user["user"].as_str().unwrap().to_owned());
    names.collect()
}

/// How many users a form says it is about.
fn counted(answer: &Answer) -> &str {
    let counted = answer.between("class=\"counted\">", " user");
    counted.unwrap_or_else(|| panic!("{} {}", answer.status, answer.body.len()))
}

const NO_FILE: (&str, &[u8]) = ("", b"");

#[test]
fn a_list_that_the_browser_forgets_is_asked_for_again_and_nobody_else_is_meant() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    let name = user_names(&world).swap_remove(3);
    let list = ("50 \"<.csv", name.as_bytes());
    let with = |more: &[(&'static str, &'static str)]| [&fields[..], more].concat();
    let wrong = page.post_parts("/runs", &with(&[("waves", "5,many")]), ("50.csv", list.1));
    let counting = page.post_parts("/choose/count", &fields, ("50.csv", list.1));
    assert_eq!(counted(&counting), "1");
    for answer in [wrong, counting] {
        assert_eq!(answer.status, 200, "{answer:?}");
        let kept = answer.between("name=\"file-name\" value=\"", "\"");
        assert_eq!(kept, Some("50.csv"), "{}", answer.body);
    }
    for path in ["/runs", "/choose/count"] {
        let asked = page.post_parts(path, &with(&[("file-name", "50.csv")]), NO_FILE);
        assert_eq!(asked.status, 200, "{asked:?}");
        assert!(asked.body.contains("choose 50.csv again"), "{}", asked.body);
        assert!(!asked.body.contains("class=\"counted\""), "{}", asked.body);
    }
    // It is chosen again, or left out on purpose.
    let again = page.post_parts(
        "/choose/count",
        &with(&[("file-name", "50.csv")]),
        ("50.csv", list.1),
    );
    assert_eq!(counted(&again), "1");
    let without = with(&[("file-name", "50.csv"), ("without-file", "1")]);
    let everybody = page.post_parts("/choose/count", &without, NO_FILE);
    assert_ne!(counted(&everybody), "1");
    assert!(!everybody.body.contains("file-name"), "{}", everybody.body);
    // A form that sends the name of a file only, as one without parts does, means its users as well.
    let bare = page.post("/runs", &with(&[("file", "50.csv")]));
    assert_eq!(bare.status, 200, "{bare:?}");
}

#[test]
fn a_list_comes_back_whole_with_a_form_that_is_refused() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let names: Vec<_> = (0..900)
        .map(|n| format!("user{n}@contoso.example"))
        .collect();
    let list = format!("{}\n<b>\"&", names.join("\n"));
    let fields = [
        &filled(&environment)[..],
        &[("list", &*list), ("waves", "5,many")],
    ]
    .concat();
    let refused = page.post("/runs", &fields);
    let field = refused
        .between("<textarea id=\"list\"", "</textarea>")
        .unwrap();
    let (_, back) = field.split_once(">\n").unwrap();
    let back = back
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#38;", "&");
    assert_eq!(back, list);
}

#[test]
fn a_list_in_a_place_where_nobody_reads_it_is_refused() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    let twice = [
        &fields[..],
        &[("list", ""), ("list", "anna@contoso.example")],
    ]
    .concat();
    let refused = page.post("/choose/count", &twice);
    assert!(refused.body.contains("says something twice"), "{refused:?}");
    let host = page.host();
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\n{}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"list\"; filename=\"a.txt\"\r\n\r\nanna\r\n--b--\r\n",
        page.token()
    );
    let elsewhere = page.raw(&format!(
        "POST /choose/count HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nOrigin: http://{host}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{body}",
        page.cookie(),
        body.len()
    ));
    assert_eq!(elsewhere.status, 400, "{elsewhere:?}");
}

#[test]
fn an_empty_file_is_a_list_of_nobody_and_not_of_everybody() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    for bytes in [&b""[..], b"\n\n"] {
        let refused = page.post_parts("/runs", &fields, ("none.csv", bytes));
        assert_eq!(refused.status, 200, "{refused:?}");
        assert!(
            refused.body.contains("nobody in this list"),
            "{}",
            refused.body
        );
    }
    let everybody = page.post_parts("/choose/count", &fields, NO_FILE);
    assert_eq!(everybody.status, 200);
    assert_ne!(counted(&everybody), "0");
}

#[test]
fn the_column_of_a_list_can_be_named_where_its_title_is_not_known() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    let name = user_names(&world).swap_remove(3);
    let list = format!("Person;Ablage\nx;{name}\n");
    let file = ("list.csv", list.as_bytes());
    let unknown = page.post_parts("/choose/count", &fields, file);
    assert!(
        unknown.body.contains("no column of this list"),
        "{unknown:?}"
    );
    let named = [&fields[..], &[("column", "ablage")]].concat();
    let named = page.post_parts("/choose/count", &named, file);
    assert_eq!(counted(&named), "1");
    assert!(named.body.contains("--column ablage"), "{named:?}");
}

/// A workbook of names with a note beside each, and the rows that it hides.
fn workbook(names: &[String], note: impl Fn(u32) -> String, hidden: &[u32]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_string(0, 0, "UPN").unwrap();
    sheet.write_string(0, 1, "Note").unwrap();
    for (row, name) in (1..).zip(names) {
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_string(row, 1, note(row)).unwrap();
        if hidden.contains(&row) {
            sheet.set_row_hidden(row).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

#[test]
fn lists_of_several_mib_are_read() {
    const MIB: usize = 1024 * 1024;
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    let names: Vec<_> = user_names(&world).into_iter().take(4).collect();
    let block = names.join("\n") + "\n";
    let text = block.repeat(3 * MIB / block.len() + 1);
    assert!(text.len() > 3 * MIB);
    let typed = [&fields[..], &[("list", &text)]].concat();
    let answer = page.post_parts("/choose/count", &typed, NO_FILE);
    assert_eq!(answer.status, 200, "{}", answer.body.len());
    assert_eq!(counted(&answer), "4");
    let answer = page.post_parts("/choose/count", &fields, ("names.csv", text.as_bytes()));
    assert_eq!(counted(&answer), "4");
    // What cannot be packed; large cells, for it is the size that is tried and not the number of rows.
    let noise = |_| -> String {
        let parts = (0..60).map(|_| format!("{:032x}", rand::random::<u128>()));
        parts.collect()
    };
    let rows: Vec<_> = names.iter().cycle().take(4_000).cloned().collect();
    let book = workbook(&rows, noise, &[]);
    assert!(book.len() > 3 * MIB, "{}", book.len());
    let answer = page.post_parts("/choose/count", &fields, ("names.xlsx", &book));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(counted(&answer), "4");
}

#[test]
fn users_in_rows_that_excel_hides_are_said_to_be_meant() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = filled(&environment);
    let names: Vec<_> = user_names(&world).into_iter().take(4).collect();
    let note = |_| "pilot".to_owned();
    let said = "2 users of pilot.xlsx stand in rows that Excel hides";
    let book = workbook(&names, note, &[2, 3]);
    let answer = page.post_parts("/choose/count", &fields, ("pilot.xlsx", &book));
    assert_eq!(counted(&answer), "4");
    assert!(answer.body.contains(said), "{}", answer.body);
    let begun = page.post_parts("/runs", &fields, ("pilot.xlsx", &book));
    let run = begun.header("location").unwrap().to_owned();
    let plan = page.wait_for(&run, "name=\"word\"");
    assert!(plan.body.contains(said), "{}", plan.body);
    let open = workbook(&names, note, &[]);
    let answer = page.post_parts("/choose/count", &fields, ("pilot.xlsx", &open));
    assert!(!answer.body.contains("Excel hides"), "{}", answer.body);
}

#[test]
fn a_problem_of_the_count_is_said_whole_beside_it() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let fields = [
        &filled(&environment)[..],
        &[("roles", "Nobody has this role")],
    ]
    .concat();
    let answer = page.post("/choose/count", &fields);
    let beside = answer.between("id=\"count\"", "</fieldset>").unwrap();
    assert!(beside.contains("Nobody has this role"), "{beside}");
    assert_eq!(answer.body.matches("class=\"message\"").count(), 1);
}

#[test]
fn an_environment_that_is_none_is_not_another_one() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let known = page.get("/choose");
    let option = format!("<option value=\"{environment}\"");
    assert!(known.body.contains(&option), "{}", known.body);
    let unknown = page.get("/choose?environment=elsewhere");
    assert!(unknown.body.contains("role=\"alert\""), "{}", unknown.body);
    assert!(
        unknown.body.contains("<option value=\"\" selected>"),
        "{}",
        unknown.body
    );
    let begun = page.post("/runs", &filled("elsewhere"));
    assert_eq!(begun.status, 200);
    assert!(begun.body.contains("<option value=\"\" selected>"));
}

#[test]
fn enter_in_a_field_makes_the_plan() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let form = page.get("/choose");
    let form = form.between("id=\"choose\"", "</form>").unwrap();
    let first = form.split("<button").nth(1).unwrap();
    let first = first.split('>').next().unwrap();
    assert!(!first.contains("formaction"), "{first}");
}
