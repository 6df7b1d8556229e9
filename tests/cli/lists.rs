//! Lists of users: nobody in them is lost in silence, whichever option reads them.

use std::process::Stdio;

use syncfilters::sandbox::UserSnapshot;

use crate::world::{Ended, World};

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
        ("PK\u{3}\u{4}".to_owned(), "like an Excel workbook (.xlsx)"),
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
        said.contains("1 name to be excluded without a user: left@contoso.example"),
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

#[test]
fn options_that_are_about_lists_or_names_are_refused_without_them() {
    let world = World::with_users(25);
    let path = list(&world, "konto.csv", "Konto\nnobody@x.example\n");
    for args in [
        &["list", "--column", "Konto"][..],
        &["list", "--column", "Konto", "--user", "a@x.example"],
        &["list", "--skip-unknown"],
        &["plan", "deactivate", "--column", "Konto"],
        &[
            "check",
            "inactive",
            "--skip-unknown",
            "--role",
            "Salesperson",
        ],
    ] {
        let ended = world.run(args).must_be(2);
        assert!(ended.stderr.contains("required"), "{args:?}: {ended:?}");
    }
    let other = [
        "plan",
        "deactivate",
        "--column",
        "Konto",
        "--other-engine",
        &path,
    ];
    let ended = world.run(&other);
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
    let excluded = [
        "list",
        "--skip-unknown",
        "--exclude-user",
        "nobody@x.example",
    ];
    let ended = world.run(&excluded);
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
}

#[test]
fn an_account_of_the_platform_is_found_by_its_name_and_skipped_with_its_reason() {
    let world = World::with_users(25);
    let system = world
        .sandbox
        .users()
        .into_iter()
        .find(|user| user.login.is_empty());
    assert_eq!(system.unwrap().name, "SYSTEM");
    let args = ["list", "--format", "json", "--user", "system"];
    let document = world.run(&args).must_be(0).json();
    assert_eq!(
        document["users"][0]["problem"]["kind"], "system-account",
        "{document}"
    );
    assert_eq!(document["users"].as_array().unwrap().len(), 1);
}

#[test]
fn names_that_are_skipped_are_listed_again_where_a_resumed_run_gathers_again() {
    let world = World::with_users(25);
    let args = [
        "plan",
        "deactivate",
        "--format",
        "json",
        "--skip-unknown",
        "--exclude-user",
        "left@x.example",
    ];
    let planned = world.run(&args).json();
    let run = planned["run"].as_str().unwrap();
    let runs = world.home.path().join(".local/state/syncfilters/runs");
    let file = rusqlite::Connection::open(runs.join(format!("{run}.run"))).unwrap();
    // As it was before any user was collected.
    file.execute_batch(
        "PRAGMA foreign_keys = OFF; DELETE FROM change; DELETE FROM filter; DELETE FROM problem; DELETE FROM mark;
         UPDATE run SET phase = 'gathering'",
    )
    .unwrap();
    drop(file);
    let resume = ["resume", run, "--yes", "--accept-calendar-loss"];
    let ended = world.run(&resume);
    assert!(
        ended.stderr.contains("`left@x.example` (to be excluded)"),
        "{ended:?}"
    );
}

/// Forms in which administrators have lists, by the binary itself.
#[test]
fn every_form_of_a_list_gives_everybody() {
    let world = World::with_users(30);
    let people = people(&world, 3);
    let logins: Vec<_> = people.iter().map(|one| one.login.as_str()).collect();
    let mut ids: Vec<_> = people.iter().map(|one| one.id.to_string()).collect();
    ids.sort_unstable();
    let plain = logins.join("\r\n") + "\r\n";
    let utf_16 = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let csv = |separator: &str| {
        let rows = logins
            .iter()
            .map(|login| format!("Zo\u{eb}{separator}{login}\n"));
        format!(
            "Display name{separator}UserPrincipalName\n{}",
            rows.collect::<String>()
        )
    };
    let quoted = logins
        .iter()
        .map(|login| format!("\"Zo\n\"\"e\"\"\",\"{login}\"\n"));
    let long = format!(
        "Notes,UPN\n{},{}\ny,{}\nz,{}\n",
        "x".repeat(1 << 20),
        logins[0],
        logins[1],
        logins[2]
    );
    let windows_1252 = csv(";").replace('\u{eb}', "#").into_bytes();
    let windows_1252 = windows_1252
        .iter()
        .map(|b| if *b == b'#' { 0xeb } else { *b })
        .collect();
    let all: [(&str, Vec<u8>); 15] = [
        ("plain", plain.clone().into_bytes()),
        ("UTF-8 with a mark", format!("\u{feff}{plain}").into_bytes()),
        (
            "UTF-16 LE with a mark",
            utf_16(&format!("\u{feff}{plain}"), u16::to_le_bytes),
        ),
        (
            "UTF-16 BE with a mark",
            utf_16(&format!("\u{feff}{}", csv(",")), u16::to_be_bytes),
        ),
        ("UTF-16 BE without a mark", utf_16(&plain, u16::to_be_bytes)),
        ("UTF-16 LE without a mark", utf_16(&plain, u16::to_le_bytes)),
        ("Windows-1252", windows_1252),
        ("commas", csv(",").into_bytes()),
        ("semicolons", csv(";").into_bytes()),
        ("tabs", csv("\t").into_bytes()),
        ("sep=", format!("sep=;\r\n{}", csv(";")).into_bytes()),
        (
            "#TYPE",
            format!("#TYPE Selected.System.Object\r\n{}", csv(",")).into_bytes(),
        ),
        (
            "quoted line breaks",
            format!("Name,UPN\n{}", quoted.collect::<String>()).into_bytes(),
        ),
        ("a line of 1 MiB", long.into_bytes()),
        (
            "addresses",
            format!(
                "SMTP:{}\nmailto:{}\nAnna <{}>\n",
                logins[0], logins[1], logins[2]
            )
            .into_bytes(),
        ),
    ];
    for (form, bytes) in all {
        let path = list(&world, "form.csv", bytes);
        assert_eq!(selected(&world, &["--users-from", &path]), ids, "{form}");
        let left = selected(&world, &["--exclude-from", &path]);
        assert!(ids.iter().all(|id| !left.contains(id)), "{form}");
    }
}

#[test]
fn a_list_that_is_empty_or_odd_is_refused_with_the_place() {
    let world = World::with_users(30);
    let people = people(&world, 3);
    let logins: Vec<_> = people.iter().map(|one| one.login.as_str()).collect();
    let refused: [(&str, Vec<u8>, &str); 6] = [
        ("empty", Vec::new(), "form.csv: "),
        ("blank", b" \r\n\r\n,,\n".to_vec(), "form.csv"),
        (
            "zero bytes",
            format!("{}\0\n", logins[0]).into_bytes(),
            "form.csv:1: ",
        ),
        (
            "several on a line",
            logins.join(" ").into_bytes(),
            "form.csv:1: ",
        ),
        (
            "an open quotation mark",
            format!("Name,UPN\n\"A,{}\n", logins[0]).into_bytes(),
            "form.csv:2: ",
        ),
        (
            "a name too few",
            format!("Name,UPN\nA,{}\nB,\n", logins[0]).into_bytes(),
            "form.csv:3: ",
        ),
    ];
    for (form, bytes, says) in refused {
        let path = list(&world, "form.csv", bytes);
        for option in ["--users-from", "--exclude-from"] {
            let ended = world.run(&["list", option, &path]);
            assert_eq!(ended.code, Some(2), "{form}: {ended:?}");
            assert!(ended.stderr.contains(says), "{form}: {ended:?}");
        }
    }
}

#[test]
fn a_list_of_a_hundred_thousand_names_is_read() {
    let world = World::with_users(25);
    let anna = people(&world, 1).remove(0);
    let mut names: Vec<_> = (0..100_000)
        .map(|n| format!("user{n}@left.example"))
        .collect();
    names.push(anna.login);
    let text = names.join("\n");
    let path = list(&world, "many.txt", text);
    let args = ["--users-from", &path, "--skip-unknown", "-q"];
    assert_eq!(selected(&world, &args), [anna.id.to_string()]);
}

#[cfg(unix)]
#[test]
fn a_pipe_is_a_list_and_a_file_that_may_not_be_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with_users(25);
    let anna = people(&world, 1).remove(0);
    let pipe = world.home.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let writer = {
        let (pipe, text) = (pipe.clone(), format!("{}\n", anna.login));
        std::thread::spawn(move || std::fs::write(pipe, text).unwrap())
    };
    assert_eq!(
        selected(&world, &["--users-from", pipe.to_str().unwrap()]),
        [anna.id.to_string()]
    );
    writer.join().unwrap();
    let path = list(&world, "closed.txt", &anna.login);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    // Whoever is root may read every file.
    if std::fs::read(&path).is_err() {
        let ended = world.run(&["list", "--exclude-from", &path]).must_be(2);
        assert!(ended.stderr.contains("closed.txt"), "{ended:?}");
    }
}
