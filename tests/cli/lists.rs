//! Lists of users: nobody in them is lost in silence, whichever option reads them.

use std::process::Stdio;

use syncfilters::sandbox::UserSnapshot;

use crate::support::{Ended, World};

const YES: [&str; 4] = [
    "deactivate",
    "--yes",
    "--accept-calendar-loss",
    "--no-progress",
];

fn list(world: &World, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = world.home.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Users whose calendar filters can be switched off, so that an exclusion of them shows.
fn people(world: &World, count: usize) -> Vec<UserSnapshot> {
    let filters = world.sandbox.filters();
    let mut users = world.sandbox.users();
    users.retain(|user| {
        user.may_write_filters
            && !user.disabled
            && !user.application
            && user.access_mode == 0
            && !user.login.is_empty()
            && filters
                .iter()
                .any(|f| f.owner == user.id && f.filter_type == "appointment" && f.statecode == 0)
    });
    users.truncate(count);
    assert_eq!(users.len(), count);
    users
}

fn selected(world: &World, args: &[&str]) -> Vec<String> {
    let listed = world.run(&[&["list", "--format", "json"], args].concat());
    assert!(matches!(listed.code, Some(0 | 3)), "{listed:?}");
    let document = listed.json();
    let users = document["users"].as_array().unwrap();
    let mut ids: Vec<_> = users
        .iter()
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_list_that_could_lose_somebody_is_refused_by_every_option_that_reads_lists() {
    let world = World::with_users(30);
    let before = world.states();
    let anna = people(&world, 1)[0].login.clone();
    for (content, says) in [
        (format!("{anna}, bert@x.example, chloe@x.example\n"), ":1: "),
        (
            format!("UPN,Mail\n{anna},a@x.example\n,b@x.example\n"),
            ":3: ",
        ),
        (format!("Name,UPN\nAnna,{anna}\nBert\n"), ":3: "),
        (
            format!("Name,UPN\nAnna,{anna}\n\"Bert,b@x.example\nChloe,c@x.example\n"),
            ":3: ",
        ),
        (
            format!("Vorname,Konto\nAnna,{anna}\n"),
            "Found: Vorname, Konto",
        ),
        ("PK\u{3}\u{4}".to_owned(), "an Excel workbook (.xlsx)"),
        (format!("{anna}\n\0\n"), ":2: "),
    ] {
        let path = list(&world, "people.csv", &content);
        for option in ["--users-from", "--exclude-from", "--other-engine"] {
            let ended = world.run(&[&YES[..], &[option, &path]].concat()).must_be(2);
            assert!(ended.stderr.contains(says), "{option} {content}: {ended:?}");
            assert!(ended.stderr.contains("people.csv"), "{ended:?}");
        }
    }
    assert_eq!(world.states(), before);
    let runs = world.run(&["runs", "--format", "json"]).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 0);
}

#[test]
fn a_folder_an_endless_file_and_a_missing_one_are_refused() {
    let world = World::with_users(30);
    let folder = world.home.path().to_str().unwrap();
    for (path, says) in [
        (folder, "this is a folder"),
        ("/does/not/exist.csv", "/does/not/exist.csv: "),
        #[cfg(unix)]
        ("/dev/zero", "longer than 64 MiB"),
    ] {
        let ended = world.run(&["list", "--exclude-from", path]).must_be(2);
        assert!(ended.stderr.contains(says), "{ended:?}");
    }
}

#[test]
fn an_export_in_utf_16_from_standard_input_excludes_everybody_in_it() {
    let world = World::with_users(30);
    let people = people(&world, 2);
    let text = format!(
        "\u{feff}Display name;User principal name\r\nJürgen;{}\r\n# Sync account;{}\r\n",
        people[0].login, people[1].login
    );
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let path = list(&world, "export.csv", bytes);
    let left = selected(&world, &["--exclude-from", &path]);
    let all = selected(&world, &[]);
    assert_eq!(left.len() + 2, all.len());
    assert!(people.iter().all(|p| !left.contains(&p.id.to_string())));
    let mut command = world.command(&["list", "--format", "json", "--users-from", "-"]);
    command.stdin(Stdio::from(std::fs::File::open(&path).unwrap()));
    let document = Ended::from(command.output().unwrap()).must_be(0).json();
    assert_eq!(document["users"].as_array().unwrap().len(), 2);
}

#[test]
fn our_own_reports_and_a_column_that_is_named_are_lists() {
    let world = World::with_users(30);
    let people = people(&world, 2);
    let logins = [people[0].login.as_str(), people[1].login.as_str()];
    let args = [
        "list", "--format", "csv", "--user", logins[0], "--user", logins[1],
    ];
    let report = world.run(&args).must_be(0).stdout;
    let path = list(&world, "report.csv", report);
    assert_eq!(selected(&world, &["--users-from", &path]).len(), 2);
    let konto = format!("Vorname;Konto\nAnna;{}\n", logins[0]);
    let path = list(&world, "konto.csv", konto);
    let args = ["--users-from", &path, "--column", "konto"];
    assert_eq!(selected(&world, &args), [people[0].id.to_string()]);
}

#[test]
fn names_that_match_nobody_are_skipped_and_listed_where_that_is_asked_for() {
    let world = World::with_users(30);
    let anna = people(&world, 1).remove(0);
    let path = list(
        &world,
        "pilot.csv",
        format!("{}\nleft@contoso.example\n", anna.login),
    );
    let args = ["list", "--users-from", &path];
    world.run(&args).must_be(2);
    let ended = world
        .run(&[&args[..], &["--skip-unknown"]].concat())
        .must_be(0);
    assert!(
        ended
            .stderr
            .contains("1 name matches no user and is skipped"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("pilot.csv:2: `left@contoso.example`"),
        "{ended:?}"
    );
    let nobody = list(&world, "nobody.csv", "left@contoso.example\n");
    let args = ["list", "--skip-unknown", "--users-from", &nobody];
    world.run(&args).must_be(2);
    let plan = [
        "plan",
        "deactivate",
        "--skip-unknown",
        "--exclude-from",
        &nobody,
    ];
    // Some sandbox users cannot be read.
    let ended = world.run(&plan).must_be(3);
    assert!(ended.stderr.contains("(to be excluded)"), "{ended:?}");
    let said = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        said.contains("1 name to be excluded matches no user"),
        "{said}"
    );
    let document = world
        .run(&[&plan[..], &["--format", "json"]].concat())
        .must_be(3)
        .json();
    assert!(
        document.to_string().contains("unmatched-exclusions"),
        "{document}"
    );
}
