//! What the real documents declare, by version.

use std::collections::{BTreeMap, BTreeSet};

/// Extracted from three real `$metadata` documents; its head names them.
const DECLARED: &str = include_str!("declared.txt");

/// Names that no document holds, from which version on, and who says that they exist: properties, as `TYPE.NAME`.
const BEYOND: [(&str, &str, &str); 4] = [
    ("9.2", "systemuser.azurestate", NEWER),
    ("9.2", "systemuser.deletedstate", NEWER),
    ("9.2", "systemuser.systemmanagedusertype", NEWER),
    (
        "8.0",
        "appointment.new_visittype",
        "no name of ours: a custom column in the query of a sandbox user's own filter, which is sent as it is",
    ),
];
const NEWER: &str = "Microsoft: systemuser table reference; newer than the document of 2020";

/// What the document of 9.1 lacks because its organisation has no service scheduling (Microsoft: serviceappointment
/// table reference): it is held against the document of 8.2.
const FROM_8_2: [&str; 2] = ["serviceappointment", "serviceappointments"];

/// A type of rows.
#[derive(Debug, Default)]
pub(super) struct EntityType {
    base: Option<String>,
    properties: BTreeSet<String>,
    /// What each navigation property leads to.
    navigation: BTreeMap<String, String>,
}

/// What a function or an action is bound to, and its parameters.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) bound_to: Option<String>,
    pub(super) parameters: BTreeSet<String>,
}

/// Everything that a version declares.
#[derive(Debug, Default)]
pub(super) struct Documents {
    types: BTreeMap<String, EntityType>,
    sets: BTreeMap<String, String>,
    operations: BTreeMap<String, Operation>,
    enums: BTreeMap<String, BTreeSet<String>>,
}

impl Documents {
    /// Of version 9.2 there is no document: it is held against that of 9.1, and what is newer.
    pub(super) fn of(version: &str) -> Self {
        let document = if version == "9.2" { "9.1" } else { version };
        let mut documents = Self::default();
        let mut current = String::new();
        for line in joined_lines() {
            let (head, names) = line.split_once(':').unwrap_or((&line, ""));
            let (word, versions) = head.split_once(' ').unwrap();
            if word == "type" {
                versions.clone_into(&mut current);
                documents.types.entry(current.clone()).or_default();
                continue;
            }
            let of = if word == "set" {
                names.split_whitespace().next().unwrap()
            } else {
                &*current
            };
            let document = if FROM_8_2.contains(&of) && document == "9.1" {
                "8.2"
            } else {
                document
            };
            if versions.split(',').any(|it| it == document) {
                documents.add(&current, word, names);
            }
        }
        for (_, name, _) in BEYOND.iter().filter(|(since, ..)| version >= *since) {
            let (of, property) = name.split_once('.').unwrap();
            documents.add(of, "property", property);
        }
        documents
    }

    fn add(&mut self, current: &str, word: &str, names: &str) {
        let mut names = names.split_whitespace().map(str::to_owned);
        match word {
            "set" => {
                let set = names.next().unwrap();
                self.sets.insert(set, names.next().unwrap());
            }
            "function" | "action" => {
                let operation = names.next().unwrap();
                let bound_to = names.next().filter(|to| to != "-");
                let parameters = names.collect();
                let declared = Operation {
                    bound_to,
                    parameters,
                };
                self.operations.insert(operation, declared);
            }
            "enum" => {
                self.enums.insert(names.next().unwrap(), names.collect());
            }
            _ => {
                let entity = self.types.get_mut(current).unwrap();
                match word {
                    "base" => entity.base = names.next(),
                    "key" => {}
                    "property" => entity.properties.extend(names),
                    "navigation" => {
                        let leads = names.map(|it| it.split_once('>').map(owned).unwrap());
                        entity.navigation.extend(leads);
                    }
                    other => panic!("{other}"),
                }
            }
        }
    }

    pub(super) fn set(&self, name: &str) -> Option<&str> {
        self.sets.get(name).map(String::as_str)
    }

    pub(super) fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    pub(super) fn is_member(&self, name: &str, member: &str) -> bool {
        self.enums.get(name).is_some_and(|it| it.contains(member))
    }

    pub(super) fn has_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    pub(super) fn has_property(&self, of: &str, name: &str) -> bool {
        self.line_of(of).any(|it| it.properties.contains(name))
    }

    /// What a navigation property leads to.
    pub(super) fn navigation(&self, of: &str, name: &str) -> Option<&str> {
        let mut line = self.line_of(of);
        line.find_map(|it| it.navigation.get(name).map(String::as_str))
    }

    /// A column, as `FetchXML` and the SDK name it: a lookup is `_NAME_value` among the properties.
    pub(super) fn has_column(&self, of: &str, name: &str) -> bool {
        self.has_property(of, name) || self.has_property(of, &format!("_{name}_value"))
    }

    /// A type and those that it inherits from.
    fn line_of<'a>(&'a self, of: &str) -> impl Iterator<Item = &'a EntityType> {
        let base = |it: &&'a EntityType| self.types.get(it.base.as_ref()?);
        std::iter::successors(self.types.get(of), base)
    }
}

fn owned((name, to): (&str, &str)) -> (String, String) {
    (name.to_owned(), to.to_owned())
}

/// The lines without remarks, those that are continued put together.
fn joined_lines() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in DECLARED.lines().filter(|it| !it.starts_with('#')) {
        match line.strip_prefix("    ") {
            Some(more) => {
                let last = lines.last_mut().unwrap();
                last.push(' ');
                last.push_str(more);
            }
            None if line.trim().is_empty() => {}
            None => lines.push(line.trim().to_owned()),
        }
    }
    lines
}
