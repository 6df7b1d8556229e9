//! Questions are asked on a terminal: here a script types on one.

use std::process::Command;

use rexpect::session::{PtySession, spawn_command};
use syncfilters::sandbox::{Options, UserKind};

use crate::world::World;

/// Long enough for a loaded machine; no verdict depends on it.
const PATIENCE: u64 = 120_000;

pub(crate) struct Screen(PtySession);

impl Screen {
    fn of(world: &World, args: &[&str]) -> Self {
        // Of a terminal and its size the program asks the terminal itself.
        Self::with(world, args, &[("TERM", "xterm"), ("NO_COLOR", "1")])
    }

    fn with(world: &World, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command: Command = world.command(args);
        command.envs(variables.iter().copied());
        command.stdin(std::process::Stdio::inherit());
        Self(spawn_command(command, Some(PATIENCE)).unwrap())
    }

    /// With nothing but a home and these variables.
    pub(crate) fn bare(world: &World, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command: Command = world.bare(args);
        command
            .env("TERM", "dumb")
            .envs(variables.iter().copied())
            .stdin(std::process::Stdio::inherit());
        Self(spawn_command(command, Some(PATIENCE)).unwrap())
    }

    pub(crate) fn shows(&mut self, text: &str) -> &mut Self {
        self.0.exp_string(text).unwrap();
        self
    }

    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        self.0.send_line(text).unwrap();
        self
    }

    pub(crate) fn ends_with(mut self, code: i32) {
        self.0.exp_eof().unwrap();
        let status = self.0.process().wait().unwrap();
        let ended = format!("{status:?}");
        assert!(
            ended.contains(&format!(", {code})")),
            "{ended} is not {code}"
        );
    }
}

fn latest(world: &World) -> String {
    let runs = world.run(&["runs", "--format", "json"]).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn the_word_that_is_asked_for_is_the_only_one_that_goes_on() {
    let world = World::with_users(30);
    let before = world.states();
    let mut screen = Screen::of(&world, &["deactivate"]);
    screen.shows("Type `deactivate` to continue:").types("yes");
    screen.shows("declined");
    screen.ends_with(5);
    assert_eq!(world.states(), before);
    let run = latest(&world);
    let mut screen = Screen::of(&world, &["apply", &run]);
    screen
        .shows("Type `deactivate` to continue:")
        .types("deactivate");
    screen.ends_with(3);
    assert_ne!(world.states(), before);
    let mut screen = Screen::of(&world, &["undo", &run]);
    screen
        .shows("Put back")
        .shows("Type `yes` to continue:")
        .types("yes");
    screen.ends_with(0);
    assert_eq!(world.states(), before);
}

#[test]
fn what_is_typed_before_the_question_is_no_answer() {
    let world = World::with_users(30);
    let before = world.states();
    let mut screen = Screen::of(&world, &["deactivate"]);
    screen.types("deactivate");
    screen.shows("Type `deactivate` to continue:").types("no");
    screen.ends_with(5);
    assert_eq!(world.states(), before);
}

#[test]
fn a_wave_that_is_declined_leaves_the_rest_and_resume_asks_again() {
    let world = World::with_users(60);
    let mut screen = Screen::of(&world, &["deactivate", "--wave", "2,3,rest"]);
    screen
        .shows("Wave 1: Deactivate")
        .shows("(next wave: 3 users)?")
        .types("deactivate")
        .shows("next wave: 3.")
        .shows("Wave 2: Deactivate")
        .types("no")
        .shows("you declined the next wave");
    screen.ends_with(6);
    let after_one = world.states();
    let run = latest(&world);
    // A word holds for one agreement, and not for the next command.
    let mut screen = Screen::of(&world, &["resume", &run]);
    screen.shows("Wave 2: Deactivate").types("no");
    screen.shows("syncfilters resume").shows("declined");
    screen.ends_with(5);
    assert_eq!(world.states(), after_one);
    let mut screen = Screen::of(&world, &["resume", &run]);
    screen
        .shows("Wave 2: Deactivate")
        .types("deactivate")
        .shows("Wave 3: Deactivate")
        .shows("(the last wave)?")
        .types("deactivate");
    screen.ends_with(3);
}

#[test]
fn what_is_typed_before_a_pause_holds_for_the_waves_after_it() {
    let world = World::with_users(30);
    let args = ["deactivate", "--wave", "2,rest", "--wave-pause", "1s"];
    let mut screen = Screen::of(&world, &args);
    screen.shows("Wave 1: Deactivate").types("deactivate");
    screen.shows("Waiting for 1 s.");
    screen.ends_with(3);
}

#[test]
fn the_time_of_an_earlier_plan_has_the_pauses_of_the_command_that_applies_it() {
    let world = World::with_users(30);
    world.run(&["plan", "deactivate"]);
    let run = latest(&world);
    let waves = ["--wave", "2,3,rest", "--wave-pause", "30m"];
    let mut screen = Screen::of(&world, &[&["apply", &run][..], &waves].concat());
    screen
        .shows("about 1 h")
        .shows("Type `deactivate`")
        .types("no");
    screen.ends_with(5);
}

#[test]
fn a_guard_that_is_set_during_a_pause_holds_for_the_next_wave() {
    let world = World::with_users(30);
    let path = world.home.path().join("config.toml");
    let url = world.sandbox.url();
    let entry = format!("[environments.contoso]\nurl = \"{url}\"\n");
    std::fs::write(&path, &entry).unwrap();
    let config = path.to_str().unwrap();
    let waves = ["--wave", "1,rest", "--wave-pause", "2s"];
    let yes = ["--yes", "--accept-calendar-loss", "--config", config];
    let mut screen = Screen::of(&world, &[&["deactivate"][..], &waves, &yes].concat());
    screen.shows("Waiting for 2 s.");
    let after_one = world.states();
    std::fs::write(&path, format!("{entry}production = true\n")).unwrap();
    screen
        .shows("Type the name of the production environment to continue:")
        .types("no");
    screen.ends_with(6);
    assert_eq!(world.states(), after_one);
}

#[test]
fn the_second_ctrl_c_ends_at_once_and_resume_finds_out_what_became_of_it() {
    let world = World::new(Options {
        users: 150,
        latency: std::time::Duration::from_millis(20),
        ..Options::default()
    });
    let before = world.states();
    let mut screen = Screen::of(&world, &["deactivate", "--yes", "--accept-calendar-loss"]);
    while world.sandbox.counts().patches < 30 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    screen.0.send_control('c').unwrap();
    screen.shows("Press Ctrl-C again to stop at once.");
    screen.0.send_control('c').unwrap();
    screen.ends_with(130);
    let run = latest(&world);
    world
        .run(&["resume", &run, "--yes", "--accept-calendar-loss"])
        .must_be(3);
    world.run(&["undo", &run, "--yes"]).must_be(0);
    assert_eq!(world.states(), before);
}

#[test]
fn an_environment_in_production_is_named_by_typing_its_name() {
    let world = World::with_users(25);
    let path = world.home.path().join("config.toml");
    let url = world.sandbox.url();
    let text = format!("[environments.contoso]\nurl = \"{url}\"\nproduction = true\n");
    std::fs::write(&path, text).unwrap();
    let config = path.to_str().unwrap();
    let args = ["deactivate", "--config", config];
    let before = world.states();
    let mut screen = Screen::of(&world, &args);
    screen
        .shows("Type `deactivate` to continue:")
        .types("deactivate");
    screen.shows("Type the name of the production environment to continue:");
    screen.types("sandbox");
    screen.ends_with(5);
    assert_eq!(world.states(), before);
    let mut screen = Screen::of(&world, &args);
    screen
        .shows("Type `deactivate` to continue:")
        .types("deactivate");
    screen
        .shows("Type the name of the production environment to continue:")
        .types("contoso");
    screen.ends_with(3);
}

#[test]
fn a_trial_asks_for_the_name_of_its_user_and_another_name_ends_it() {
    let world = World::with_users(25);
    let filters = world.sandbox.filters();
    let mut users = world.sandbox.users().into_iter();
    let user = users.find(|user| {
        let is_active = |it: &syncfilters::sandbox::FilterSnapshot| {
            it.owner == user.id && it.filter_type == "appointment" && it.statecode == 0
        };
        user.kind == UserKind::Ordinary && !user.login.is_empty() && filters.iter().any(is_active)
    });
    let login = user.unwrap().login;
    let before = world.states();
    let args = ["trial", "--user", &login, "--output", "-"];
    let args = [&args[..], &["--accept-calendar-loss"]].concat();
    let mut screen = Screen::of(&world, &args);
    screen.shows("To try this out with").types("yes");
    screen.ends_with(5);
    assert_eq!(world.sandbox.counts().patches, 0);
    let mut screen = Screen::of(&world, &args);
    screen.shows("To try this out with").types(&login);
    screen.shows("The filter is as it was before the trial");
    screen.ends_with(0);
    assert_eq!(world.states(), before);
}

#[test]
fn a_dumb_terminal_and_one_for_plain_text_get_no_escape_sequence() {
    let world = World::new(Options {
        users: 40,
        latency: std::time::Duration::from_millis(5),
        ..Options::default()
    });
    for (variables, escapes) in [
        (&[("TERM", "dumb")][..], false),
        (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        (&[("TERM", "xterm")], true),
    ] {
        for args in [
            &["deactivate", "--dry-run", "--yes", "--accept-calendar-loss"][..],
            &["doctor"],
            &["list", "--user", "nobody@nowhere.example"],
            &["nonsense"],
            &["--help"],
        ] {
            let mut screen = Screen::with(&world, args, variables);
            let shown = screen.0.exp_eof().unwrap();
            if escapes {
                assert!(
                    shown.contains('\u{1b}') || args[0] == "nonsense",
                    "{args:?} shows none: {shown}"
                );
            } else {
                assert!(
                    !shown.contains('\u{1b}'),
                    "{variables:?} {args:?}: {shown:?}"
                );
            }
        }
    }
}

#[test]
fn a_secret_that_is_typed_is_not_shown_and_a_dumb_terminal_gets_no_escape_sequence() {
    let world = World::with_users(25);
    for term in ["dumb", "xterm"] {
        let args = ["whoami", "--sign-in", "client-secret", "--client-id"];
        let id = "00000000-0000-0000-0000-000000000001";
        let args = [&args[..], &[id]].concat();
        let mut command = world.bare(&args);
        command
            .env("TERM", term)
            .env("SYNCFILTERS_URL", "http://127.0.0.1:1")
            .stdin(std::process::Stdio::inherit());
        let mut screen = Screen(spawn_command(command, Some(PATIENCE)).unwrap());
        screen.shows("lient secret");
        screen.types("Canary~1");
        let shown = screen.0.exp_eof().unwrap();
        assert!(!shown.contains("anary"), "{shown}");
        assert!(term == "xterm" || !shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn long_output_goes_through_the_pager_on_a_terminal_and_only_there() {
    let world = World::with_users(30);
    world.run(&["plan", "deactivate"]).must_be(3);
    let run = latest(&world);
    let seen = world.home.path().join("seen");
    let pager = format!("cat > {}; echo the end of the pager", seen.display());
    let on_a_screen_of_20_lines = |more: &[&str]| {
        let args = [&["report", &run][..], more].concat();
        let program = world.command(&args);
        let mut command = Command::new("sh");
        command
            .args(["-c", "stty rows 20 cols 80; exec \"$0\" \"$@\""])
            .arg(program.get_program())
            .args(program.get_args())
            .env_clear();
        let variables = program.get_envs();
        command.envs(variables.filter_map(|(name, value)| Some((name, value?))));
        command.envs([
            ("TERM", "xterm"),
            ("NO_COLOR", "1"),
            ("PATH", "/usr/bin:/bin"),
        ]);
        command
            .env("PAGER", &pager)
            .stdin(std::process::Stdio::inherit());
        Screen(spawn_command(command, Some(PATIENCE)).unwrap())
    };
    let piped = world.run(&["report", &run]).must_be(0).stdout;
    let mut screen = on_a_screen_of_20_lines(&["--no-pager"]);
    let shown = screen.0.exp_eof().unwrap();
    assert!(!shown.contains("the end of the pager") && !seen.exists());
    let mut screen = on_a_screen_of_20_lines(&[]);
    screen.shows("the end of the pager");
    screen.ends_with(0);
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), piped);
    let mut screen = on_a_screen_of_20_lines(&["--limit", "1"]);
    let shown = screen.0.exp_eof().unwrap();
    assert!(!shown.contains("the end of the pager"), "{shown}");
}
