//! Checks the examples for schedulers against the command line.

use clap::{CommandFactory, Parser};

use super::args::Cli;

/// The command lines of a text, those in its comments included.
fn command_lines(text: &str) -> Vec<Vec<String>> {
    let command = Cli::command();
    let known = |word: &str| command.get_subcommands().any(|sub| sub.get_name() == word);
    let mut found = Vec::new();
    for line in text.lines() {
        for (at, name) in line.match_indices("syncfilters ") {
            let begins = line[..at].ends_with([' ', '(', '=']) || at == 0;
            let rest = &line[at + name.len()..];
            let end = [" 2>", " |", ")", "`"]
                .iter()
                .filter_map(|end| rest.find(end));
            let rest = &rest[..end.min().unwrap_or(rest.len())];
            let words: Vec<_> = rest
                .split_whitespace()
                .map(|word| word.trim_matches('"').to_owned())
                .collect();
            if begins && words.first().is_some_and(|word| known(word)) {
                found.push(words);
            }
        }
    }
    found
}

#[test]
fn every_command_line_of_the_examples_for_schedulers_is_one() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/schedulers");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for words in command_lines(&text) {
            let args = std::iter::once("syncfilters".to_owned()).chain(words);
            let parsed = Cli::try_parse_from(args);
            assert!(
                parsed.is_ok(),
                "{}: {}",
                path.display(),
                parsed.unwrap_err()
            );
            count += 1;
        }
    }
    assert_eq!(count, 8, "one was added or is no longer found");
}

/// Windows `PowerShell` 5.1 reads a file without a byte order mark in the code page of the system.
#[test]
fn a_script_for_powershell_is_ascii() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/schedulers");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ps1") {
            assert!(std::fs::read(&path).unwrap().is_ascii(), "{path:?}");
            count += 1;
        }
    }
    assert_eq!(count, 2, "one was added or is no longer found");
}

#[test]
fn every_example_for_schedulers_is_explained() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/schedulers");
    let readme = include_str!("../../config/README.md");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}
