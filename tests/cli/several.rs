//! Several environments in one command: side by side, and none is held up by another.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use syncfilters::sandbox::{Options, Switch, Switches};

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// Sandboxes with their names, in the home of the first; and one that is down.
struct Worlds {
    worlds: Vec<World>,
}

impl Worlds {
    fn new(users: &[usize]) -> Self {
        Self::with(users, Switches::none(), Duration::ZERO)
    }

    fn with(users: &[usize], switches: Switches, latency: Duration) -> Self {
        let world = |(seed, users): (u64, &usize)| {
            World::new(Options {
                users: *users,
                seed,
                switches,
                latency,
                ..Options::default()
            })
        };
        let worlds: Vec<_> = (1..).zip(users).map(world).collect();
        let entry = |name: &str, url: &str| {
            let variable = name.to_uppercase();
            format!(
                "[environments.{name}]\nurl = \"{url}\"\naccess-token-variable = \"TOKEN_{variable}\"\n"
            )
        };
        let names = ["first", "second", "third"];
        let pairs = worlds.iter().zip(names);
        let mut config: String = pairs
            .map(|(w, name)| entry(name, &w.sandbox.url()))
            .collect();
        config += &entry("down", "http://127.0.0.1:1");
        std::fs::write(worlds[0].home.path().join("config.toml"), config).unwrap();
        Self { worlds }
    }

    fn command(&self, args: &[&str]) -> Command {
        let world = &self.worlds[0];
        let mut command = world.bare(args);
        let token = world.sandbox.token();
        command.env("SYNCFILTERS_CONFIG", world.home.path().join("config.toml"));
        for name in ["FIRST", "SECOND", "THIRD", "DOWN"] {
            command.env(format!("TOKEN_{name}"), token);
        }
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().unwrap())
    }

    fn states(&self) -> Vec<Vec<(i32, Option<i32>)>> {
        self.worlds.iter().map(World::states).collect()
    }
}

/// `--environment` for each of these.
fn named<'a>(args: &[&'a str], environments: &[&'a str]) -> Vec<&'a str> {
    let mut all = args.to_vec();
    for name in environments {
        all.extend(["--environment", name]);
    }
    all
}

fn of<'a>(document: &'a Value, name: &str) -> &'a Value {
    let environments = document["environments"].as_array().unwrap();
    let found = environments.iter().find(|one| one["environment"] == name);
    found.unwrap_or_else(|| panic!("{name}: {document}"))
}

#[test]
fn each_has_its_run_and_one_that_is_down_stops_no_other() {
    let worlds = Worlds::new(&[40, 30]);
    let before = worlds.states();
    let args = [&["deactivate", "--format", "json"][..], &YES].concat();
    let ended = worlds.run(&named(&args, &["first", "down", "second"]));
    let document = ended.must_be(1).json();
    assert_eq!(document["format"], 1);
    for (name, users) in [("first", 40), ("second", 30)] {
        let one = of(&document, name);
        assert_eq!(one["exit"], 3, "{one}");
        assert!(one["error"].is_null());
        assert_eq!(one["result"]["format"], 1);
        assert_eq!(one["result"]["outcome"], "partial");
        assert!(one["result"]["users"]["selected"].as_u64().unwrap() >= users);
    }
    let down = of(&document, "down");
    assert_eq!(down["error"]["kind"], "unreachable");
    assert_eq!((&down["exit"], &down["result"]), (&1.into(), &Value::Null));
    for (before, after) in before.iter().zip(worlds.states()) {
        assert_ne!(*before, after);
    }
    for name in ["first", "second"] {
        let run = of(&document, name)["result"]["run"].as_str().unwrap();
        worlds.run(&["undo", run, "--yes"]).must_be(0);
    }
    assert_eq!(worlds.states(), before);
}

#[test]
fn people_see_the_plan_of_each_and_one_table_at_the_end() {
    let worlds = Worlds::new(&[40, 30]);
    let args = [&["deactivate"][..], &YES].concat();
    let ended = worlds.run(&named(&args, &["first", "second"])).must_be(3);
    let (out, err) = (&ended.stdout, &ended.stderr);
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("{text}: {out}"));
    assert!(out.starts_with("first   "), "{out}");
    assert!(at("\nsecond  ") < at("== first =="), "{out}");
    assert!(at("== first ==") < at("== second =="), "{out}");
    assert_eq!(out.matches("== first ==").count(), 1, "the summary: {out}");
    assert!(at("Environment  Outcome") > at("Finished:"), "{out}");
    let longest = out.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 80, "{longest}:\n{out}");
    for line in [
        "first: Reading filters: done",
        "second: Setting states: done",
    ] {
        assert!(err.contains(line), "{line}: {err}");
    }
}

#[test]
fn each_plan_is_a_block_of_three_lines_and_one_that_is_refused_stands_beside_them() {
    let worlds = Worlds::new(&[40, 30]);
    let path = worlds.worlds[0].home.path().join("config.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let head = "[environments.second]\n";
    let config = config.replace(head, &format!("{head}max-changes = 1\n"));
    std::fs::write(&path, config).unwrap();
    let args = [&["deactivate"][..], &YES].concat();
    let ended = worlds.run(&named(&args, &["first", "second"])).must_be(5);
    let plans = ended.stdout.split("\n\n").next().unwrap();
    assert!(
        plans.contains("second  refused: the run changes"),
        "{plans}"
    );
    assert!(plans.lines().count() <= 6, "{plans}");
    assert!(plans.starts_with("first   "), "{plans}");
    assert!(
        plans.contains("! calendar items can be deleted   ! new users receive active filters"),
        "{plans}"
    );
    let plan = named(&["plan", "deactivate"], &["first", "second"]);
    let planned = worlds.run(&plan);
    assert!(!planned.stdout.contains("== first =="), "{planned:?}");
    assert!(planned.stderr.contains("applies this plan"), "{planned:?}");
    let whole = worlds.run(&[&plan[..], &["--details"]].concat());
    assert!(whole.stdout.contains("== first =="), "{whole:?}");
}

#[test]
fn bad_names_are_all_told_before_anything_is_asked() {
    let worlds = Worlds::new(&[30]);
    let args = [&["deactivate", "--format", "json"][..], &YES].concat();
    let names = ["first", "frist", "first", "thid"];
    let ended = worlds.run(&named(&args, &names)).must_be(2);
    for part in [
        "environment 2 of those given",
        "did you mean `first`?",
        "environment 4 of those given",
        "environment `first` is named twice",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(ended.json()["error"]["kind"], "settings");
    assert_eq!(worlds.worlds[0].sandbox.counts().total, 0);
    let one_only = named(&["whoami"], &["first", "down"]);
    let ended = worlds.run(&one_only).must_be(2);
    assert!(ended.stderr.contains("one environment"), "{ended:?}");
    let html = named(&["list", "--format", "html"], &["first", "down"]);
    worlds.run(&html).must_be(2);
    let out = named(
        &["plan", "deactivate", "--out", "x.run"],
        &["first", "down"],
    );
    worlds.run(&out).must_be(2);
    assert_eq!(worlds.worlds[0].sandbox.counts().total, 0);
}

#[test]
fn one_token_goes_to_one_environment_only() {
    let worlds = Worlds::new(&[30, 30]);
    let mut command = worlds.command(&named(&["list"], &["first", "second"]));
    command.env("SYNCFILTERS_ACCESS_TOKEN", worlds.worlds[0].sandbox.token());
    let ended = Ended::from(command.output().unwrap()).must_be(2);
    assert!(
        ended
            .stderr
            .contains("SYNCFILTERS_ACCESS_TOKEN can be used with one environment only"),
        "{ended:?}"
    );
    for world in &worlds.worlds {
        assert_eq!(world.sandbox.counts().total, 0);
    }
}

#[test]
fn without_a_terminal_one_refusal_names_the_flag_and_nothing_is_changed() {
    let worlds = Worlds::new(&[30, 30]);
    let before = worlds.states();
    let names = ["first", "second"];
    let ended = worlds.run(&named(&["deactivate"], &names)).must_be(5);
    assert!(ended.stderr.contains("--yes"), "{ended:?}");
    let ended = worlds.run(&named(&["deactivate", "--yes"], &names));
    let ended = ended.must_be(5);
    assert_eq!(
        ended.stderr.matches("--accept-calendar-loss").count(),
        1,
        "{ended:?}"
    );
    assert_eq!(worlds.states(), before);
}

#[test]
fn a_guard_holds_back_the_environment_that_it_concerns() {
    let spared = Switches::none().with(Switch::DistinctDeletes);
    let worlds = Worlds::with(&[30, 90], spared, Duration::ZERO);
    let before = worlds.states();
    let args = [
        "deactivate",
        "--yes",
        "--max-changes",
        "40",
        "--format",
        "json",
    ];
    let ended = worlds.run(&named(&args, &["first", "second"])).must_be(5);
    let document = ended.json();
    assert_eq!(of(&document, "first")["exit"], 3);
    let held = of(&document, "second");
    assert_eq!(held["error"]["kind"], "too-many-changes");
    assert_eq!(held["result"]["outcome"], "planned");
    let after = worlds.states();
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);
    let run = held["result"]["run"].as_str().unwrap();
    assert!(
        ended
            .stderr
            .contains(&format!("syncfilters apply {}", &run[..6]))
    );
    worlds.run(&["apply", run, "--yes"]).must_be(5);
    worlds
        .run(&["apply", run, "--yes", "--max-changes", "90"])
        .must_be(3);
    assert_ne!(worlds.states()[1], before[1]);
}

#[test]
fn each_environment_in_production_is_confirmed_by_its_name() {
    let worlds = Worlds::new(&[30, 30]);
    let config = worlds.worlds[0].home.path().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace(
        "[environments.second]",
        "[environments.second]\nproduction = true",
    );
    std::fs::write(&config, text).unwrap();
    let before = worlds.states();
    let args = [&["deactivate", "--format", "json"][..], &YES].concat();
    let args = named(&args, &["first", "second"]);
    let strange = [&args[..], &["--confirm-environment", "third"]].concat();
    worlds.run(&strange).must_be(5);
    assert_eq!(worlds.states(), before);
    // One missing word withholds all, before anything is asked of any server.
    let held = worlds.run(&args).must_be(5);
    assert_eq!(held.json()["error"]["kind"], "would-ask");
    assert!(
        held.stderr.contains("--confirm-environment second"),
        "{held:?}"
    );
    assert_eq!(worlds.states(), before);
    assert_eq!(worlds.worlds[0].sandbox.counts().total, 0);
    let named = [&args[..], &["--confirm-environment", "second"]].concat();
    worlds.run(&named).must_be(3);
    assert_ne!(worlds.states()[1], before[1]);
}

#[test]
fn plans_lists_checks_and_doctors_of_several() {
    let worlds = Worlds::new(&[30, 40, 25]);
    let names = ["first", "second", "third"];
    let plan = named(&["plan", "deactivate", "--format", "json"], &names);
    let planned = worlds.run(&plan).must_be(3).json();
    for name in names {
        let result = &of(&planned, name)["result"];
        assert_eq!(result["outcome"], "planned");
        assert!(result["digest"].is_string());
    }
    let pending = [
        &plan[..],
        &["--detailed-exitcode", "--environments-at-once", "1"],
    ]
    .concat();
    worlds.run(&pending).must_be(10);
    let listed = worlds.run(&named(&["list", "--format", "csv"], &names));
    let mut csv = csv::Reader::from_reader(listed.stdout.as_bytes());
    assert_eq!(&csv.headers().unwrap()[0], "environment");
    let lines: Vec<_> = csv.records().map(|line| line.unwrap()).collect();
    for name in names {
        assert!(lines.iter().any(|line| &line[0] == name), "{name}");
    }
    assert!(listed.stderr.contains("Environment"), "{listed:?}");
    let checked = worlds.run(&named(&["check", "inactive", "--format", "json"], &names));
    let checked = checked.must_be(10).json();
    assert_eq!(of(&checked, "third")["exit"], 10);
    assert!(of(&checked, "third")["result"]["users"].is_array());
    let nothing = [
        "check",
        "inactive",
        "--name",
        "no such name",
        "--format",
        "json",
    ];
    let nothing = worlds
        .run(&named(&nothing, &["first", "third"]))
        .must_be(2)
        .json();
    for name in ["first", "third"] {
        assert_eq!(of(&nothing, name)["exit"], 2);
        assert_eq!(of(&nothing, name)["result"]["compared"], 0);
    }
    let fix = named(&["check", "inactive", "--fix"], &names);
    worlds.run(&fix).must_be(5);
    let fix = [&fix[..], &["--accept-calendar-loss"]].concat();
    let refused = worlds.run(&fix).must_be(5);
    assert_eq!(
        refused
            .stderr
            .matches("an unattended fix changes at most 30%")
            .count(),
        3,
        "{refused:?}"
    );
    let all = [&fix[..], &["--max-changes", "100%"]].concat();
    worlds.run(&all).must_be(3);
    let doctor = named(&["doctor", "--format", "json"], &["first", "down"]);
    let examined = worlds.run(&doctor).must_be(4).json();
    assert_eq!(of(&examined, "first")["exit"], 0);
    assert_eq!(of(&examined, "down")["exit"], 4);
    assert!(of(&examined, "down")["result"]["checks"].is_array());
}

#[test]
fn waves_go_on_everywhere_at_once_and_the_rest_is_left_for_resume() {
    let worlds = Worlds::new(&[60, 60]);
    let args = ["deactivate", "--wave", "5,5", "--format", "json"];
    let args = [&args[..], &YES].concat();
    let ended = worlds.run(&named(&args, &["first", "second"])).must_be(6);
    for name in ["first", "second"] {
        assert!(
            ended.stderr.contains(&format!("{name}: Wave 1: ")),
            "{ended:?}"
        );
        let document = ended.json();
        let one = of(&document, name);
        assert_eq!(one["result"]["outcome"], "stopped");
        let run = one["result"]["run"].as_str().unwrap();
        let resume = format!(
            "{name}: resume the run with `syncfilters resume {}",
            &run[..6]
        );
        assert!(ended.stderr.contains(&resume), "{ended:?}");
        let resume = ["resume", run, "--wave", "rest", "--yes"];
        worlds.run(&resume).must_be(5);
        let resume = [&resume[..], &YES[1..]].concat();
        worlds.run(&resume).must_be(3);
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_finishes_what_is_under_way_everywhere_and_says_how_to_resume_each() {
    let latency = Duration::from_millis(10);
    let worlds = Worlds::with(&[150, 150], Switches::none(), latency);
    let args = [
        &["deactivate", "--format", "json", "--no-progress"][..],
        &YES,
    ]
    .concat();
    let child = worlds
        .command(&named(&args, &["first", "second"]))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let patches = || worlds.worlds.iter().map(|w| w.sandbox.counts().patches);
    let start = std::time::Instant::now();
    while patches().min().unwrap() < 20 {
        assert!(start.elapsed() < Duration::from_mins(1), "no writes came");
        std::thread::sleep(Duration::from_millis(2));
    }
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.unwrap().success());
    let ended = Ended::from(child.wait_with_output().unwrap()).must_be(130);
    let document = ended.json();
    for name in ["first", "second"] {
        let one = of(&document, name);
        assert_eq!(one["exit"], 130, "{one}");
        let run = one["result"]["run"].as_str().unwrap();
        let hint = format!(
            "hint: {name}: resume the run with `syncfilters resume {}",
            &run[..6]
        );
        assert!(ended.stderr.contains(&hint), "{ended:?}");
        worlds
            .run(&[&["resume", run][..], &YES].concat())
            .must_be(3);
    }
}

#[test]
fn without_a_terminal_each_line_of_progress_is_whole_and_says_whose_it_is() {
    let worlds = Worlds::new(&[60, 60, 60]);
    let args = [&["deactivate"][..], &YES].concat();
    let ended = worlds.run(&named(&args, &["first", "second", "third"]));
    let progress = ["Collecting users", "Reading filters", "Setting states"];
    for step in progress {
        for name in ["first", "second", "third"] {
            let begin = format!("{name}: {step}: ");
            let own = ended.stderr.lines().filter(|line| line.starts_with(&begin));
            assert!(own.count() > 0, "{begin}: {}", ended.stderr);
        }
    }
    for line in ended.stderr.lines() {
        let steps: usize = progress.iter().map(|step| line.matches(step).count()).sum();
        assert!(steps <= 1, "{line}");
        let begins = ["first: ", "second: ", "third: "];
        assert!(
            steps == 0 || begins.iter().any(|begin| line.starts_with(begin)),
            "{line}"
        );
    }
}

#[test]
fn latest_is_the_last_run_of_the_environment_that_is_named() {
    let worlds = Worlds::new(&[20, 20]);
    let before = worlds.states();
    let run = |environment: &str| {
        let args = [&["deactivate", "--format", "json"][..], &YES].concat();
        let ended = worlds.run(&named(&args, &[environment]));
        ended.json()["run"].as_str().unwrap().to_owned()
    };
    let second = run("second");
    for command in ["undo", "resume", "apply", "report"] {
        let none = worlds.run(&[command, "latest", "--environment", "first"]);
        let none = none.must_be(2).stderr;
        let said = "there is no run of the named environments";
        assert!(none.contains(said), "{command}: {none}");
    }
    let first = run("first");
    let report = |environment: &str| {
        let args = [
            "report",
            "latest",
            "--format",
            "json",
            "--environment",
            environment,
        ];
        worlds.run(&args).must_be(0).json()["run"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!([report("first"), report("second")], [first.clone(), second]);
    let undo = [
        &[
            "undo",
            "latest",
            "--environment",
            "first",
            "--format",
            "json",
        ][..],
        &YES,
    ]
    .concat();
    let undone = worlds.run(&undo).must_be(0).json();
    assert_eq!(undone["undoes"], first.as_str());
    assert_eq!(worlds.states()[0], before[0]);
    assert_ne!(worlds.states()[1], before[1]);
    for command in ["undo", "resume", "apply", "report"] {
        let refused = worlds
            .run(&[command, "latest", "--environment", "nope"])
            .must_be(2);
        assert!(refused.stderr.contains("first"), "{command}: {refused:?}");
    }
    // Both organisations have one name: their addresses tell them apart.
    std::fs::remove_file(worlds.worlds[0].home.path().join("config.toml")).unwrap();
    let mut runs = worlds.worlds[0].bare(&["runs"]);
    let listed = Ended::from(runs.output().unwrap()).must_be(0).stdout;
    for world in &worlds.worlds {
        let url = world.sandbox.url();
        let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
        assert!(listed.contains(port), "{listed}");
    }
}
