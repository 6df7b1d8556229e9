//! The users of a plan: ticks, pages, and what is said of them.

use super::browser::{Answer, Page};
use crate::world::World;

fn digest(page: &Answer) -> String {
    let digest = page.between("name=\"digest\" value=\"", "\"");
    digest.unwrap_or_else(|| panic!("{}", page.body)).to_owned()
}

/// The numbers of users whose boxes are drawn ticked, or not.
fn drawn(page: &Answer, field: &str) -> Vec<String> {
    let before = format!("name=\"{field}\" value=\"");
    let parts = page.body.split(&before).skip(1);
    let numbers = parts.map(|rest| rest.split('"').next().unwrap().to_owned());
    numbers.collect()
}

#[test]
fn a_tab_sends_what_was_changed_in_it_and_nothing_else() {
    let world = World::with_users(40);
    let page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    let users = format!("{run}/users");
    let old = page.get(&run);
    let all = drawn(&old, "was-in");
    assert!(all.len() > 4, "{}", old.body);
    // One tab takes the first one out.
    let ticked_in = |left: &[String], out: &[String]| -> Vec<(&str, String)> {
        let was = left.iter().chain(out).map(|seq| ("was-in", seq.clone()));
        let is = left.iter().map(|seq| ("in", seq.clone()));
        was.chain(is).collect()
    };
    let post = |fields: &[(&str, String)]| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        page.follow(&page.post(&users, &fields))
    };
    let narrowed = post(&ticked_in(&all[1..], &all[..1]));
    assert_ne!(digest(&narrowed), digest(&old));
    assert_eq!(drawn(&narrowed, "was-out"), all[..1]);
    // Another, drawn before, takes the second one out: the first one stays out.
    let left = [&all[..1], &all[2..]].concat();
    let both = post(&ticked_in(&left, &all[1..2]));
    assert_eq!(drawn(&both, "was-out"), all[..2]);
    // A form in which nothing was changed changes nothing, and one that is drawn now takes back.
    let same = post(&ticked_in(&all, &[]));
    assert_eq!(digest(&same), digest(&both));
    let back = post(&[
        ("was-out", all[0].clone()),
        ("in", all[0].clone()),
        ("was-out", all[1].clone()),
    ]);
    assert_eq!(drawn(&back, "was-out"), all[1..2]);
    // A box that was changed and changed back says how it is, whatever became of it meanwhile.
    let touched = post(&[
        ("was-in", all[1].clone()),
        ("in", all[1].clone()),
        ("touched", all[1].clone()),
    ]);
    assert_eq!(digest(&touched), digest(&old));
}

#[test]
fn a_button_does_no_more_than_it_says() {
    let world = World::with_users(40);
    let page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    let users = format!("{run}/users");
    let all = drawn(&page.get(&run), "was-in");
    let out = |seq: &String| {
        let edited = page.post(&users, &[("was-in", seq)]);
        page.follow(&edited)
    };
    let one = out(&all[0]);
    let left_out = page.get(&format!("{users}?only=left-out"));
    let found = left_out.between("name=\"found\" value=\"", "\"").unwrap();
    assert_eq!(found, "1");
    // Another window takes a second user out: "Take back the 1 user found" is not about that one.
    let two = out(&all[1]);
    let back = |found| {
        let fields = [("edit", "all"), ("found", found)];
        page.follow(&page.post(&format!("{users}?only=left-out"), &fields))
    };
    let refused = back("1");
    assert!(
        refused.body.contains("other users are found"),
        "{refused:?}"
    );
    assert_eq!(digest(&refused), digest(&two));
    assert_ne!(digest(&back("2")), digest(&one));
}

#[test]
fn nobody_is_listed_under_what_was_not_looked_for() {
    let world = World::with_users(40);
    let page = Page::open(&world, &[]);
    let environment = page.environment();
    let classes = |run: &str| {
        page.get(run)
            .between("name=\"only\"", "</select>")
            .unwrap()
            .to_owned()
    };
    let without = classes(&page.plan(&environment, &[]));
    assert!(
        !without.contains("\"losing\"") && without.contains("\"left-out\""),
        "{without}"
    );
    let counted = classes(&page.plan(&environment, &[("impact", "1")]));
    assert!(
        counted.contains("\"losing\"") && counted.contains("\"loss-unknown\""),
        "{counted}"
    );
}

#[test]
fn why_an_edit_failed_is_said_to_whoever_made_it() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    let all = page.get(&run);
    let found = all.between("name=\"found\" value=\"", "\"").unwrap();
    let everybody = [("edit", "none"), ("found", found)];
    let refused = page.post(&format!("{run}/users"), &everybody);
    // Another tab asks first.
    let other = page.get(&run);
    assert!(!other.body.contains("nobody would be left"));
    let told = page.follow(&refused);
    let problem = told.between("<div id=\"problem\">", "</div></div>");
    assert!(
        problem.is_some_and(|text| text.contains("nobody would be left")),
        "{}",
        told.body
    );
    // Once.
    assert!(!page.follow(&refused).body.contains("nobody would be left"));
    assert!(other.body.contains("<div id=\"problem\"></div>"));
}

#[test]
fn behind_the_last_page_is_the_last_page() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    for path in [&run, &format!("{run}/users")] {
        let last = page.get(&format!("{path}?from=5000"));
        assert!(
            last.body.contains("<td class=\"name\""),
            "{path}: {}",
            last.body
        );
        assert!(!last.body.contains("5,001"), "{}", last.body);
    }
}

#[test]
fn the_search_promises_what_it_finds() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    let shown = page.get(&run);
    let promised = shown.between("placeholder=\"", "\"").unwrap();
    assert_eq!(promised, "Search login or address");
    let none = page.get(&format!("{run}/users?search=no+such+user"));
    assert!(none.body.contains("0 users found."), "{}", none.body);
    assert!(!none.body.contains("id=\"leave-out\""), "{}", none.body);
    let all = page.get(&format!("{run}/users"));
    let found = all.between("role=\"status\">", " found.").unwrap();
    let button = format!(">Leave out all {found} found</button>");
    assert!(all.body.contains(&button), "{}", all.body);
}
