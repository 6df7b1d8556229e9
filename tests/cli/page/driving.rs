//! Orders that come twice, too late, or while something is under way.

use std::time::{Duration, Instant};

use syncfilters::sandbox::Options;

use super::browser::{Answer, Page};
use super::rollout::{changed, place};
use crate::world::World;

/// A server that is far enough away for something else to happen meanwhile.
fn far_away(users: usize) -> World {
    World::new(Options {
        users,
        latency: Duration::from_millis(60),
        ..Options::default()
    })
}

fn digest(page: &Answer) -> String {
    let digest = page.between("name=\"digest\" value=\"", "\"");
    digest.unwrap_or_else(|| panic!("{page:?}")).to_owned()
}

#[test]
fn the_answer_to_a_narrowed_plan_is_the_question_of_the_new_plan() {
    let world = far_away(60);
    let before = world.states();
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let first = digest(&page.get(&run));
    let form = page.get(&format!("{run}/users"));
    let seq = form.between("name=\"in\" value=\"", "\"").unwrap();
    page.post(&format!("{run}/users"), &[("was-in", seq)]);
    let narrowed = page.get(&run);
    assert_ne!(digest(&narrowed), first);
    // What it shows is what it asks for.
    page.post(
        &format!("{run}/agree"),
        &[("digest", &digest(&narrowed)), ("word", "deactivate")],
    );
    page.wait_for(&run, &format!("{run}/undo"));
    assert!(changed(&world, &before) > 0);
}

#[test]
fn an_order_that_comes_while_the_run_works_is_refused_and_not_kept_for_the_next_wave() {
    let world = far_away(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[("waves", "30,rest")]);
    page.agree(&run, "deactivate");
    for order in ["keep", "users"] {
        let shown = [("was-in", "1")];
        let told = page.follow(&page.post(&format!("{run}/{order}"), &shown));
        assert!(
            told.body.contains("not waiting for this"),
            "{order}: {told:?}"
        );
    }
    let second = page.wait_for(&run, "name=\"word\"");
    assert!(second.body.contains("Wave 1: "), "{second:?}");
}

#[test]
fn two_clicks_on_undo_begin_one_undo() {
    let world = far_away(60);
    let before = world.states();
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    let undo = || {
        let answer = page.post(&format!("{run}/undo"), &[]);
        answer.header("location").unwrap().to_owned()
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(undo);
        (undo(), other.join().unwrap())
    });
    assert_eq!(one, other);
    assert_ne!(one, run);
    page.wait_for(&one, "name=\"word\"");
    page.agree(&one, "yes");
    page.wait_for(&one, &format!("{one}/undo"));
    assert_eq!(changed(&world, &before), 0);
    let runs = world.run(&["runs", "--format", "json"]).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn a_form_that_is_sent_twice_makes_one_plan() {
    let world = far_away(60);
    let page = Page::open(&world, &[]);
    let environment = place(&page);
    let fields = |operation| {
        [
            ("environment", environment.as_str()),
            ("operation", operation),
            ("type", "appointment"),
        ]
    };
    let begin = |operation| {
        let answer = page.post("/runs", &fields(operation));
        answer.header("location").unwrap().to_owned()
    };
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| begin("deactivate"));
        (begin("deactivate"), other.join().unwrap())
    });
    assert_eq!(one, other);
    // Another form is another plan, and the same one is another when the first is there.
    assert_ne!(begin("reactivate"), one);
    page.wait_for(&one, "name=\"word\"");
    assert_ne!(begin("deactivate"), one);
}

#[test]
fn a_plan_in_which_nothing_is_to_be_changed_says_so() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let environment = place(&page);
    let run = page.plan(&environment, &[]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    let undo = || {
        let undo = page.post(&format!("{run}/undo"), &[]);
        undo.header("location").unwrap().to_owned()
    };
    let first = undo();
    page.wait_for(&first, "name=\"word\"");
    page.agree(&first, "yes");
    page.wait_for(&first, &format!("{first}/undo"));
    let nothing = page.wait_for(&undo(), "nothing to change");
    assert_eq!(nothing.status, 200, "{nothing:?}");
    // What follows the run finds the part that it replaces.
    assert!(
        nothing.body.contains("<div id=\"run\">"),
        "{}",
        nothing.body
    );
    assert!(nothing.body.contains("<dt>Users</dt>"), "{}", nothing.body);
    assert!(!nothing.body.contains("role=\"alert\""), "{}", nothing.body);
}

#[test]
fn a_pause_that_comes_when_a_wave_is_over_does_not_hold_the_next_one() {
    let world = World::new(Options {
        users: 30,
        latency: Duration::from_millis(400),
        ..Options::default()
    });
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[("waves", "1,rest")]);
    page.agree(&run, "deactivate");
    // The only user of the wave is under way: the pause holds nobody any more.
    let begun = Instant::now();
    while world.sandbox.counts().patches == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "no write came");
        std::thread::sleep(Duration::from_millis(2));
    }
    page.post(&format!("{run}/pause"), &[]);
    let waits = page.wait_for(&run, "name=\"word\"");
    assert!(!waits.body.contains("is paused"), "{waits:?}");
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
}

#[test]
fn a_run_that_waits_in_the_page_is_in_use_for_other_programs() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[("waves", "5,rest")]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, "Wave 1: ");
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"][0]["in_use"], true, "{runs}");
    assert!(world.run(&["runs"]).stdout.contains("in use, "));
    let other = Page::open(&world, &[]);
    let seen = other.get(&run);
    assert!(seen.body.contains("Another program is at work"), "{seen:?}");
    assert!(!seen.body.contains(&format!("{run}/resume")), "{seen:?}");
    page.post(&format!("{run}/keep"), &[]);
    let runs = world.run(&["runs", "--format", "json"]).must_be(0).json();
    assert_eq!(runs["runs"][0].get("in_use"), None, "{runs}");
    assert!(other.get(&run).body.contains(&format!("{run}/resume")));
}

#[test]
fn a_run_whose_undo_is_open_here_is_not_said_to_be_in_use_elsewhere() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[("waves", "5,rest")]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, "Wave 1: ");
    page.post(&format!("{run}/keep"), &[]);
    let undo = page.post(&format!("{run}/undo"), &[]);
    page.wait_for(undo.header("location").unwrap(), "name=\"word\"");
    let refused = page.follow(&page.post(&format!("{run}/resume"), &[]));
    assert!(
        refused
            .body
            .contains("which undoes this one, is open in this page"),
        "{refused:?}"
    );
    let seen = page.get(&run);
    assert!(seen.body.contains("undoes this one is open"), "{seen:?}");
    assert!(!seen.body.contains("Another program"), "{seen:?}");
}

#[test]
fn a_stop_that_comes_when_the_plan_is_there_leaves_it_for_later() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let paused = page.follow(&page.post(&format!("{run}/pause"), &[]));
    assert!(paused.body.contains("not at work"), "{paused:?}");
    let stopped = page.follow(&page.post(&format!("{run}/stop"), &[]));
    assert!(
        stopped.body.contains(&format!("{run}/resume")),
        "{stopped:?}"
    );
    assert!(!stopped.body.contains("name=\"word\""), "{stopped:?}");
    page.post(&format!("{run}/resume"), &[]);
    page.wait_for(&run, "name=\"word\"");
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
}

#[test]
fn a_run_that_is_driven_is_listed_as_it_is() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    assert!(page.get("/runs").body.contains("waits for your answer"));
    let undo = page.follow(&page.post(&format!("{run}/undo"), &[]));
    assert!(undo.body.contains("under way here"), "{undo:?}");
}

/// The page shows and writes where the settings lead now, not where they led when somebody signed in.
#[test]
fn an_environment_that_was_given_another_address_is_signed_in_to_anew() {
    let (old, new) = (World::with_users(30), World::with_users(40));
    let path = old.home.path().join("config.toml");
    let lead_to = |world: &World| {
        let config = format!("[environments.test]\nurl = \"{}\"\n", world.sandbox.url());
        std::fs::write(&path, config).unwrap();
    };
    lead_to(&old);
    let config = path.to_str().unwrap();
    let mut command = old.bare(&["ui", "--no-open", "--format", "json", "--config", config]);
    command.env("SYNCFILTERS_ACCESS_TOKEN", old.sandbox.token());
    let mut page = Page::of(command);
    page.enter();
    page.plan("test", &[]);
    let before = (old.states(), new.states());
    lead_to(&new);
    assert!(!page.get("/").body.contains("Signed in as"));
    let run = page.plan("test", &[]);
    let place = new.sandbox.url();
    let shown = page.get(&run);
    let shown = shown.between("<dt>Where</dt><dd>", "</dd>").unwrap();
    assert!(
        shown.ends_with(place.trim_end_matches('/')),
        "{shown} {place}"
    );
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    assert_eq!(changed(&old, &before.0), 0);
    assert!(changed(&new, &before.1) > 0);
}

/// What went wrong is said to whoever wanted it, and to no other window.
#[test]
fn a_refused_order_is_said_in_the_window_that_gave_it() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let refused = page.post(&format!("{run}/agree"), &[("digest", &"0".repeat(16))]);
    assert!(!page.get(&run).body.contains("role=\"alert\""));
    let own = page.follow(&refused);
    assert!(own.body.contains("role=\"alert\""), "{own:?}");
}

#[test]
fn two_clicks_on_resume_drive_the_run_once() {
    let world = far_away(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.post(&format!("{run}/keep"), &[]);
    let resume = || page.post(&format!("{run}/resume"), &[]).status;
    std::thread::scope(|scope| {
        let other = scope.spawn(resume);
        assert_eq!((resume(), other.join().unwrap()), (303, 303));
    });
    let waits = page.wait_for(&run, "name=\"word\"");
    assert!(!waits.body.contains("role=\"alert\""), "{waits:?}");
}

#[test]
fn a_run_whose_file_was_taken_away_is_not_said_to_have_changed_nothing() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    let id = run.trim_start_matches("/runs/");
    let folder = world.home.path().join(".local/state/syncfilters/runs");
    std::fs::remove_file(folder.join(format!("{id}.run"))).unwrap();
    let gone = page.get(&run);
    assert!(!gone.body.contains("Nothing was changed"), "{gone:?}");
    assert!(gone.status >= 400, "{gone:?}");
}

#[test]
fn the_end_of_the_page_names_the_run_that_it_leaves() {
    let world = World::with_users(60);
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    let id = run.trim_start_matches("/runs/").to_owned();
    page.post("/quit/now", &[]);
    let said = page.last_words();
    assert!(
        said.contains(&format!("`syncfilters resume {}`", &id[..6])),
        "{said}"
    );
    // Nothing is left of a run that has ended.
    let page = Page::open(&world, &[]);
    let run = page.plan(&place(&page), &[]);
    page.agree(&run, "deactivate");
    page.wait_for(&run, &format!("{run}/undo"));
    page.post("/quit", &[]);
    assert_eq!(page.last_words(), "");
}
