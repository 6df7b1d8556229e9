//! The names behind the numbers of a run, and the way back from a report to a selection.

use std::collections::BTreeSet;

use crate::world::{Ended, World};

const RUN: [&str; 6] = [
    "deactivate",
    "--yes",
    "--accept-calendar-loss",
    "--impact",
    "--format",
    "json",
];

/// A run of everybody, with its document.
fn run(world: &World) -> (String, serde_json::Value) {
    let document = world.run(&RUN).must_be(3).json();
    let run = document["run"].as_str().unwrap().to_owned();
    (run, document)
}

fn report(world: &World, run: &str, more: &[&str]) -> Ended {
    world.run(&[&["report", run], more].concat())
}

fn ids(csv: &str) -> BTreeSet<String> {
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let mut headers = rows.headers().unwrap().iter();
    let at = headers.position(|name| name == "user_id").unwrap();
    let ids = rows.records().map(|row| row.unwrap()[at].to_owned());
    ids.collect()
}

#[test]
fn a_report_of_some_users_is_a_list_for_users_from_as_it_is() {
    let world = World::with_users(40);
    let (run, document) = run(&world);
    for (word, number) in [
        ("changed", "changed"),
        ("failed", "failed"),
        ("skipped", "skipped"),
    ] {
        let csv = report(&world, &run, &["--only", word, "--format", "csv"]).must_be(0);
        let names = ids(&csv.stdout);
        let number = document["users"][number].as_u64().unwrap();
        assert_eq!(names.len() as u64, number, "{word}");
        assert!(number > 0, "{word}");
        let path = world.home.path().join(format!("{word}.csv"));
        std::fs::write(&path, &csv.stdout).unwrap();
        let path = path.to_str().unwrap();
        let listed = world.run(&["list", "--users-from", path, "--format", "json"]);
        let listed = listed.json();
        let selected = listed["users"].as_array().unwrap().iter();
        let selected: BTreeSet<_> = selected
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(selected, names, "{word}");
    }
}

#[test]
fn every_selected_user_is_in_the_report_once_or_more_and_losses_sum_to_the_total() {
    let world = World::with_users(40);
    let (run, document) = run(&world);
    let csv = report(&world, &run, &["--format", "csv"]).must_be(0).stdout;
    let selected = document["users"]["selected"].as_u64().unwrap();
    assert_eq!(ids(&csv).len() as u64, selected);
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let headers = rows.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|it| it == name).unwrap();
    let (lost, result) = (at("lost_items"), at("user_result"));
    let rows: Vec<_> = rows.records().map(|row| row.unwrap()).collect();
    let items = rows.iter().filter_map(|row| row[lost].parse::<u64>().ok());
    assert_eq!(Some(items.sum()), document["impact"]["items"].as_u64());
    let results: BTreeSet<_> = rows.iter().map(|row| &row[result]).collect();
    for result in &results {
        let known = ["changed", "failed", "skipped", "left", "unchanged"];
        assert!(known.contains(result), "{result}");
    }
    let whole = report(&world, &run, &["--format", "json"]).json();
    let users = whole["user_results"].as_array().unwrap();
    assert_eq!(users.len() as u64, selected);
}

#[test]
fn some_users_come_in_every_format_and_a_limit_says_what_it_leaves_out() {
    let world = World::with_users(40);
    let (run, document) = run(&world);
    let changed = document["users"]["changed"].as_u64().unwrap();
    for format in ["table", "json", "csv", "markdown", "html"] {
        let args = [
            "--only",
            "changed,failed",
            "--limit",
            "2",
            "--format",
            format,
        ];
        let ended = report(&world, &run, &args).must_be(0);
        assert!(ended.stderr.contains("--limit leaves out"), "{ended:?}");
    }
    let args = ["--only", "changed", "--limit", "2", "--format", "json"];
    let some = report(&world, &run, &args).json();
    assert_eq!(some["user_results"].as_array().unwrap().len(), 2);
    assert_eq!(some["left_out"].as_u64(), Some(changed - 2));
    let name = some["user_results"][0]["user"].as_str().unwrap();
    let shouted = name.to_uppercase();
    let one = report(&world, &run, &["--user", &shouted])
        .must_be(0)
        .stdout;
    assert!(
        one.contains("Every change") && one.contains("\n1 user.\n"),
        "{one}"
    );
    let page = world.home.path().join("page.html");
    let args = ["--only", "skipped", "--output", page.to_str().unwrap()];
    report(&world, &run, &args).must_be(0);
    let html = std::fs::read_to_string(&page).unwrap();
    let skipped = document["users"]["skipped"].as_u64().unwrap();
    let users = html.matches("<details class=\"user ").count();
    assert_eq!(users as u64, skipped);
    // Nothing is left of a page that cannot be written.
    let other = world.home.path().join("other.html");
    let args = ["--user", "nobody", "--output", other.to_str().unwrap()];
    report(&world, &run, &args).must_be(2);
    assert!(!other.exists());
}

#[test]
fn a_word_or_a_name_that_is_none_is_refused_with_the_nearest() {
    let world = World::with_users(30);
    let (run, document) = run(&world);
    let wrong = report(&world, &run, &["--only", "faild"]).must_be(2);
    assert!(wrong.stderr.contains("'failed'"), "{wrong:?}");
    let problem = &document["problems"][0];
    let name = problem["user"].as_str().unwrap();
    let wrong = report(&world, &run, &["--user", &format!("{name}x")]).must_be(2);
    assert!(
        wrong.stderr.contains(&format!("did you mean `{name}`?")),
        "{wrong:?}"
    );
    let kind = problem["kind"].as_str().unwrap();
    let args = ["--only", kind, "--format", "csv"];
    let of_kind = report(&world, &run, &args).must_be(0);
    assert!(ids(&of_kind.stdout).contains(problem["id"].as_str().unwrap()));
    let unknown = report(&world, &run, &["--only", "no-engine"]).must_be(2);
    assert!(unknown.stderr.contains("--other-engine"), "{unknown:?}");
    let templates = [
        "templates",
        "deactivate",
        "--clear-default",
        "--yes",
        "--format",
        "json",
    ];
    let templates = world.run(&templates).must_be(0).json();
    let templates = templates["run"].as_str().unwrap();
    let refused = report(&world, templates, &["--only", "failed"]).must_be(2);
    assert!(refused.stderr.contains("has no users"), "{refused:?}");
}

#[test]
fn the_users_of_a_report_are_a_list_as_json_and_a_table_is_refused() {
    let world = World::with_users(40);
    let run = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = run["run"].as_str().unwrap();
    let only = |format: &str| {
        let path = world.home.path().join(format!("list-{format}"));
        let shown = world.run(&[
            "report", run, "--only", "planned", "--limit", "3", "--format", format,
        ]);
        std::fs::write(&path, shown.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (json, csv) = (only("json"), only("csv"));
    let plan = |list: &str| {
        world.run(&[
            "plan",
            "deactivate",
            "--users-from",
            list,
            "--format",
            "json",
        ])
    };
    let of = |list: &str| plan(list).must_be(0).json();
    assert_eq!(of(&json)["digest"], of(&csv)["digest"]);
    assert_eq!(of(&json)["users"]["selected"], 3);
    for format in ["table", "markdown"] {
        let refused = plan(&only(format)).must_be(2);
        let why = &refused.json()["error"]["message"];
        assert!(why.as_str().unwrap().contains("--format csv"), "{why}");
    }
}

#[test]
fn who_was_left_out_of_a_plan_is_counted_and_named_alike_in_every_format() {
    let world = World::with_users(40);
    let plan = world
        .run(&["plan", "deactivate", "--format", "json"])
        .json();
    let run = plan["run"].as_str().unwrap();
    let csv = world.run(&[
        "report", run, "--only", "planned", "--limit", "3", "--format", "csv",
    ]);
    let list = world.home.path().join("three.csv");
    std::fs::write(&list, csv.stdout).unwrap();
    let list = list.to_str().unwrap();
    let yes = ["--yes", "--accept-calendar-loss"];
    let applied = world.run(&[&["apply", run, "--only-from", list][..], &yes].concat());
    let out =
        plan["users"]["planned"].as_u64().unwrap() + plan["users"]["failed"].as_u64().unwrap() - 3;
    assert!(
        applied.stdout.contains(&format!("{out} left out")),
        "{applied:?}"
    );
    assert!(applied.stdout.contains("--only left-out"), "{applied:?}");
    let users = &world.run(&["report", run, "--format", "json"]).json()["users"];
    assert_eq!(users["left_out"], out);
    let sum = [
        "changed",
        "unchanged",
        "left",
        "left_out",
        "skipped",
        "failed",
        "planned",
    ];
    let sum: u64 = sum.iter().map(|key| users[key].as_u64().unwrap()).sum();
    assert_eq!(users["selected"], sum, "{users}");
    let named = world
        .run(&["report", run, "--only", "left-out", "--format", "json"])
        .json();
    assert_eq!(named["user_results"].as_array().unwrap().len() as u64, out);
    for format in ["table", "markdown", "csv", "xlsx"] {
        let path = world.home.path().join(format!("out.{format}"));
        let path = path.to_str().unwrap();
        let args = [
            "report", run, "--only", "left-out", "--format", format, "--output", path,
        ];
        world.run(&args).must_be(0);
    }
}
