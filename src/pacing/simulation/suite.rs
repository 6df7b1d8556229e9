//! Runs all scenario files, each by its name.

use std::path::Path;

use super::run::run;
use super::scenario::Scenario;

/// The failures of one scenario: one line for each figure out of its range.
fn judge(name: &str, text: &str) -> Vec<String> {
    let scenario: Scenario = match toml::from_str(text) {
        Ok(scenario) => scenario,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let figures = match run(&scenario) {
        Ok(figures) => figures.by_name(&scenario),
        Err(error) => return vec![format!("{name}: {error}")],
    };
    println!("{name}: {figures:.2?}");
    let wrong = scenario
        .expect
        .iter()
        .filter_map(
            |(figure, [least, most])| match figures.get(figure.as_str()) {
                Some(value) if (*least..=*most).contains(value) => None,
                Some(value) => Some(format!(
                    "{name}: {figure} is {value:.4}, not in {least}..={most}"
                )),
                None => Some(format!("{name}: there is no figure {figure}")),
            },
        );
    wrong.collect()
}

#[test]
fn every_scenario_stays_in_its_ranges() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pacing");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(
        files.len() >= 15,
        "{} files in {}",
        files.len(),
        folder.display()
    );
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy();
            judge(&name, &std::fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
