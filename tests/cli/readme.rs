//! What README shows of the program is what the program prints.

use crate::world::World;

const README: &str = include_str!("../../README.md");
/// What stands before a command in a screen.
const PROMPT: &str = "    $ syncfilters ";

/// The screens of README: arguments and lines.
fn screens() -> Vec<(Vec<&'static str>, Vec<String>)> {
    let mut screens = Vec::new();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix(PROMPT) {
            let shown = lines.by_ref().map_while(|line| line.strip_prefix("    "));
            screens.push((command.split(' ').collect(), normal(shown)));
        }
    }
    screens
}

/// Without what differs from run to run: the id of the run, the port of the sandbox, and how fast this machine is.
fn normal<'t>(lines: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    let lines = lines.into_iter().filter(|line| !line.starts_with("Time "));
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let id = bare.len() == 6 && bare.bytes().all(|b| b.is_ascii_hexdigit());
        match word.split_once("127.0.0.1:") {
            Some((before, _)) => format!("{before}127.0.0.1"),
            None if id => word.replace(bare, "RUN"),
            None => word.to_owned(),
        }
    };
    lines
        .map(|line| line.split(' ').map(word).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_screen_is_what_the_program_prints() {
    let screens = screens();
    assert!(!screens.is_empty());
    for (command, shown) in screens {
        let world = World::with_users(300);
        let printed = world.run(&command).stdout;
        assert_eq!(normal(printed.lines()), shown, "{command:?}");
    }
}
