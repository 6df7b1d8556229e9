//! Every answer is a page: with what went wrong, and a way on.

use super::browser::{Answer, Page};
use crate::world::World;

fn is_page(answer: &Answer, status: u16, way: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains("<p>"), "{status}: {}", answer.body);
    assert!(answer.body.contains(way), "{status}: {}", answer.body);
}

#[test]
fn what_is_refused_is_refused_with_a_sentence_and_a_way_back() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let home = "href=\"/\"";
    is_page(&page.get("/nothing"), 404, home);
    is_page(&page.get("/quit"), 405, home);
    let own = format!("http://{}", page.host());
    let origin = [("Origin", &*own)];
    is_page(
        &page.post_with("/choose/count", &origin, "form-token=0"),
        403,
        home,
    );
    let large = format!("form-token={}&list={}", page.token(), "a".repeat(70_000));
    is_page(&page.post_with("/runs", &origin, &large), 413, home);
    let torn = page.raw(&format!(
        "POST /runs HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nOrigin: {own}\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n--b\r\nwhat",
        page.host(),
        page.cookie()
    ));
    is_page(&torn, 400, home);
}

#[test]
fn runs_that_cannot_be_listed_are_not_called_none() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    assert!(page.get("/runs").body.contains("There are no runs yet"));
    let state = world.home.path().join(".local/state/syncfilters");
    let _ = std::fs::remove_dir_all(state.join("runs"));
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("runs"), "in the way").unwrap();
    let failed = page.get("/runs");
    assert!(failed.body.contains("role=\"alert\""), "{}", failed.body);
    assert!(!failed.body.contains("There are no runs yet"));
}

#[test]
fn an_environment_with_wrong_settings_is_listed_with_what_is_wrong() {
    let world = World::with_users(30);
    let path = world.home.path().join("config.toml");
    let config = format!(
        "[environments.fine]\nurl = \"{}\"\n[environments.broken]\nurl = \"http://crm.contoso.example/\"\n",
        world.sandbox.url()
    );
    std::fs::write(&path, config).unwrap();
    let config = path.to_str().unwrap();
    let mut command = world.bare(&["ui", "--no-open", "--format", "json", "--config", config]);
    command.env("SYNCFILTERS_ACCESS_TOKEN", world.sandbox.token());
    let mut page = Page::of(command);
    page.enter();
    let listed = page.get("/");
    assert!(listed.body.contains("<h2>fine"), "{}", listed.body);
    let broken = listed.between("<h2>broken", "</section>").unwrap();
    assert!(broken.contains("not safe"), "{broken}");
    assert!(!broken.contains("/choose"), "{broken}");
    assert!(!page.get("/choose").body.contains(">broken<"));
}

#[test]
fn a_check_that_is_made_again_ends_without_scripts_too() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let address = format!("/environments/check?environment={}", page.environment());
    let again = page.get(&format!("{address}&again=1"));
    assert_eq!(again.status, 303, "{again:?}");
    let there = again.header("location").unwrap().to_owned();
    assert!(!there.contains("again"), "{there}");
    let over = page.wait_for(&there, "Check again");
    let sum = over
        .between("id=\"check-sum\" role=\"status\">", "<")
        .unwrap();
    assert!(sum.contains(" checks"), "{sum}");
}

#[test]
fn quitting_asks_first_where_a_run_is_under_way() {
    let world = World::with_users(30);
    let mut page = Page::open(&world, &[]);
    let run = page.plan(&page.environment(), &[]);
    let asked = page.post("/quit", &[]);
    assert!(
        asked.body.contains("action=\"/quit/now\""),
        "{}",
        asked.body
    );
    assert!(asked.body.contains("href=\"/runs\""), "{}", asked.body);
    assert_eq!(page.get(&run).status, 200);
    assert!(page.child.try_wait().unwrap().is_none());
    let ended = page.post("/quit/now", &[]);
    assert!(ended.body.contains("syncfilters ui has stopped"));
    assert_eq!(page.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_page_that_is_asked_for_by_itself_lets_people_read() {
    let world = World::with_users(30);
    let page = Page::open(&world, &[]);
    let begun = page.post(
        "/runs",
        &[
            ("environment", &page.environment()),
            ("operation", "deactivate"),
            ("type", "appointment"),
        ],
    );
    let run = begun.header("location").unwrap().to_owned();
    let shown = page.get(&run);
    assert!(!shown.body.contains("content=\"3\""), "{}", shown.body);
    let plan = page.wait_for(&run, "name=\"word\"");
    let title = plan.between("<title>", "</title>").unwrap();
    assert!(title.contains("Plan is ready"), "{title}");
    assert!(plan.body.contains("id=\"news\""), "{}", plan.body);
}
