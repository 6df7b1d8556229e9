//! How a run is named in a command that people are told to type.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::RunId;

/// Digits of an id that tell the runs of a store apart.
const SHORT: usize = 6;

/// Where the file of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunLocation {
    /// In the own store: its id finds it.
    Store,
    /// Elsewhere: only its path does.
    File(PathBuf),
}

/// Flags of this command that a later command about its runs needs as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFlags {
    /// The state folder, where it is not the usual one.
    pub state_dir: Option<PathBuf>,
    /// The configuration file that was named: its guards hold for the run, and its sign-in leads to the environment.
    pub config: Option<PathBuf>,
    /// The address that was given: a run file that is not in the store leads to none by itself.
    pub url: Option<String>,
}

impl KeptFlags {
    /// A command about the runs of a store that signs in to nothing, as it is typed: `command("runs")`.
    pub fn command(&self, verb: &str) -> String {
        format!("syncfilters {verb}{}", self.typed(false, true))
    }

    /// As they are typed, each after a space. A command that signs in to nothing takes neither configuration file nor
    /// address.
    fn typed(&self, signs_in: bool, is_stored: bool) -> String {
        let path = |path: &PathBuf| argument(path);
        let config = self.config.as_ref().filter(|_| signs_in).map(path);
        let url = self.url.as_ref().filter(|_| signs_in && !is_stored);
        let flags = [
            ("--state-dir", self.state_dir.as_ref().map(path)),
            ("--config", config),
            ("--url", url.map(|url| quoted(url))),
        ];
        let typed = |(flag, value): (&str, Option<String>)| {
            value.map_or_else(String::new, |value| format!(" {flag} {value}"))
        };
        flags.map(typed).concat()
    }
}

/// A run, as people and commands name it. It prints as the argument RUN: a short id in the store, a path for the shell
/// elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRef {
    /// Its id.
    pub id: RunId,
    /// Where its file is.
    pub location: RunLocation,
    /// What its commands need besides.
    pub flags: KeptFlags,
}

impl RunRef {
    /// A run in the own store.
    pub fn stored(id: &RunId) -> Self {
        Self {
            id: id.clone(),
            location: RunLocation::Store,
            flags: KeptFlags::default(),
        }
    }

    /// A run that its path finds.
    pub fn elsewhere(id: &RunId, path: &Path) -> Self {
        Self {
            id: id.clone(),
            location: RunLocation::File(path.to_owned()),
            flags: KeptFlags::default(),
        }
    }

    /// The same run, with the flags that its commands need.
    #[must_use]
    pub fn with_flags(self, flags: KeptFlags) -> Self {
        Self { flags, ..self }
    }

    /// A command about this run, as it is typed: `command("resume")` is `syncfilters resume 3f2a9c`.
    pub fn command(&self, verb: &str) -> String {
        let is_stored = matches!(self.location, RunLocation::Store);
        let flags = self.flags.typed(verb != "report", is_stored);
        format!("syncfilters {verb} {self}{flags}")
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            RunLocation::Store => f.write_str(self.id.as_str().get(..SHORT).unwrap_or_default()),
            RunLocation::File(path) => f.write_str(&argument(path)),
        }
    }
}

/// A command about a run of which only the file is known.
pub fn command_of_file(verb: &str, path: &Path) -> String {
    format!("syncfilters {verb} {}", argument(path))
}

/// A path as one argument that names a file: quoted for the shell where that is needed.
pub(super) fn argument(path: &Path) -> String {
    let text = path.to_string_lossy();
    // Without a folder it would be taken for an id, and with a dash for an option.
    let text = if text.contains(['/', '\\']) {
        text
    } else {
        Cow::Owned(format!(".{}{text}", std::path::MAIN_SEPARATOR))
    };
    quoted(&text)
}

/// A text as one argument for the shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':' | '@' | ',');
    if cfg!(windows) {
        let needs_none = text.chars().all(|c| plain(c) || c == '\\');
        // A file name on Windows holds no quotation mark.
        return if needs_none {
            text.to_owned()
        } else {
            format!("\"{text}\"")
        };
    }
    if text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_so_that_the_shell_and_the_command_understand_it() {
        let id: RunId = "0123456789ab".parse().unwrap();
        assert_eq!(RunRef::stored(&id).to_string(), "012345");
        for (path, shown) in [
            ("/tmp/a.run", "/tmp/a.run"),
            ("plan.run", "./plan.run"),
            ("-v.run", "./-v.run"),
            ("/tmp/my plans/a.run", "'/tmp/my plans/a.run'"),
            ("/tmp/it's $HOME.run", r"'/tmp/it'\''s $HOME.run'"),
        ] {
            let run = RunRef {
                id: id.clone(),
                location: RunLocation::File(path.into()),
                flags: KeptFlags::default(),
            };
            assert_eq!(run.to_string(), shown);
        }
    }

    #[test]
    fn a_command_about_a_run_names_the_state_folder_where_that_is_not_the_usual_one() {
        let run = RunRef::stored(&"0123456789ab".parse().unwrap());
        assert_eq!(run.command("resume"), "syncfilters resume 012345");
        let elsewhere = run.with_flags(KeptFlags {
            state_dir: Some("my state".into()),
            ..KeptFlags::default()
        });
        assert_eq!(
            elsewhere.command("undo"),
            "syncfilters undo 012345 --state-dir './my state'"
        );
        assert_eq!(elsewhere.to_string(), "012345");
    }

    #[test]
    fn a_command_that_signs_in_names_the_configuration_file_with_its_guards() {
        let run = RunRef::stored(&"0123456789ab".parse().unwrap());
        let run = run.with_flags(KeptFlags {
            config: Some("/etc/c.toml".into()),
            url: Some("https://contoso.example".into()),
            ..KeptFlags::default()
        });
        let apply = "syncfilters apply 012345 --config /etc/c.toml";
        assert_eq!(run.command("apply"), apply);
        assert_eq!(run.command("report"), "syncfilters report 012345");
        let elsewhere = RunRef {
            location: RunLocation::File("/tmp/a.run".into()),
            ..run
        };
        let apply =
            "syncfilters apply /tmp/a.run --config /etc/c.toml --url https://contoso.example";
        assert_eq!(elsewhere.command("apply"), apply);
        assert_eq!(elsewhere.command("report"), "syncfilters report /tmp/a.run");
    }

    #[test]
    fn what_is_printed_reaches_the_command_as_it_was() {
        for path in [
            "/a b/c.run",
            "/it's.run",
            "/$(id)`id`;&|.run",
            "/*?[a].run",
            "/new\nline.run",
        ] {
            let shown = argument(Path::new(path));
            let script = format!("printf %s {shown}");
            let said = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(said.stdout).unwrap(), path);
        }
    }
}
