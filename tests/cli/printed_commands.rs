//! Every command that is printed can be typed as it stands.

use std::collections::BTreeSet;

use syncfilters::sandbox::{Fault, Faults};

use crate::world::{Ended, World};

const YES: [&str; 2] = ["--yes", "--accept-calendar-loss"];

/// The commands in what was printed: between backquotes, and below `Next`.
fn commands(ended: &Ended) -> BTreeSet<String> {
    let text = format!("{}\n{}", ended.stdout, ended.stderr);
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quoted = joined.split('`').skip(1).step_by(2).map(str::to_owned);
    let listed = text.lines().filter_map(|line| {
        let command = line.strip_prefix("  ")?.split("  ").next()?;
        Some(command.trim().to_owned())
    });
    quoted
        .chain(listed)
        .filter(|command| command.starts_with("syncfilters "))
        .collect()
}

/// The arguments as a shell without special characters takes them.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').skip(1).collect()
}

#[test]
fn every_printed_command_is_understood_and_finds_its_run() {
    let world = World::with_users(30);
    let state = world.home.path().join("state");
    let state = state.to_str().unwrap();
    let mut checked = BTreeSet::new();
    for place in [&[][..], &["--state-dir", state]] {
        let run = |args: &[&str]| world.run(&[args, place].concat());
        let mut printed = Vec::new();
        let mut take = |ended: Ended| -> String {
            printed.extend(commands(&ended));
            format!("{}{}", ended.stdout, ended.stderr)
        };
        let json = |args: &[&str]| {
            let document = run(&[args, &["--format", "json"]].concat()).json();
            document["run"].as_str().unwrap().to_owned()
        };
        take(run(&["plan", "deactivate"]));
        let plan = json(&["plan", "deactivate"]);
        take(run(&["apply", &plan]));
        take(run(&["resume", &plan]));
        take(run(
            &[&["apply", &plan], &YES[..], &["--max-changes", "1"]].concat()
        ));
        let other = ["--expect", "0123456789abcdef"];
        take(run(&[&["apply", &plan], &YES[..], &other].concat()));
        take(run(&["apply", &plan, "--dry-run", "--max-changes", "0%"]));
        let begun = json(&[&["deactivate", "--wave", "2"], &YES[..]].concat());
        take(run(&["apply", &begun]));
        take(run(&["report", &begun]));
        take(run(&["undo", &begun, "--yes"]));
        take(run(
            &[&["resume", &begun, "--after-undo"], &YES[..]].concat()
        ));
        let rest = ["--after-undo", "--wave", "rest"];
        let said = take(run(&[&["resume", &begun], &rest[..], &YES[..]].concat()));
        assert!(said.contains("put back stay as they are"), "{said}");
        assert!(!said.contains("Complete"), "{said}");
        take(run(&["undo", &begun, "--yes"]));
        take(run(&["undo", &begun, "--yes"]));
        take(run(&["templates", "deactivate", "--clear-default"]));
        take(run(&[
            "templates",
            "deactivate",
            "--clear-default",
            "--yes",
        ]));
        take(run(&["check", "inactive", "--fix"]));
        take(run(&["runs"]));
        take(run(&["report", "ffffffffffff"]));
        world
            .sandbox
            .set_faults(Faults::none().with(Fault::ExpiredToken, 1.0));
        take(run(&[&["deactivate"], &YES[..]].concat()));
        world.sandbox.set_faults(Faults::none());
        for command in &printed {
            let args = words(command);
            let inspect = match args[0] {
                "apply" | "resume" | "undo" => [&["report"], &args[1..2], place].concat(),
                "runs" => args.clone(),
                _ => Vec::new(),
            };
            if !inspect.is_empty() {
                world.run(&inspect).must_be(0);
                if !place.is_empty() {
                    assert!(args.contains(&"--state-dir"), "{command}");
                }
            }
            // Understood, and then only explained.
            let mut all = args;
            all.push("--help");
            let help = world.run(&all);
            assert_eq!(help.code, Some(0), "{command}: {help:?}");
            checked.insert(command.split(' ').nth(1).unwrap().to_owned());
        }
        for verb in ["apply", "resume", "undo", "report", "runs"] {
            assert!(checked.contains(verb), "{verb}: {checked:?}");
        }
    }
}
