//! Commands about a run, in the form in which they can be typed.

use std::path::{Path, PathBuf};

use crate::journal::{RunContext, RunLocation, RunRef};
use crate::model::shell::{path_argument, quoted};

use super::user_choice::UserClass;

/// A command that takes a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunCommand {
    /// Applies a saved plan.
    Apply,
    /// Finishes a run, or tries its failed users again.
    Resume,
    /// Undoes a run.
    Undo,
    /// Shows a run.
    Report,
}

impl RunCommand {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Apply, Self::Resume, Self::Undo, Self::Report];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Resume => "resume",
            Self::Undo => "undo",
            Self::Report => "report",
        }
    }

    /// The whole command for this run: `syncfilters resume 3f2a9c`.
    pub fn of(self, run: &RunRef) -> String {
        let is_stored = run.location == RunLocation::Store;
        let flags = flags(&run.context, self != Self::Report, is_stored);
        format!("syncfilters {} {}{flags}", self.name(), argument(run))
    }

    /// The whole command for a run of which only the file is known.
    pub fn of_file(self, path: &Path) -> String {
        format!("syncfilters {} {}", self.name(), path_argument(path))
    }
}

/// The command that shows some users of a run: `syncfilters report 3f2a9c --only failed`. Without words it shows all.
pub(super) fn report_only(run: &RunRef, only: &[UserClass]) -> String {
    let report = RunCommand::Report.of(run);
    let words: Vec<_> = only.iter().map(|class| class.as_str()).collect();
    match &words[..] {
        [] => report,
        words => format!("{report} --only {}", words.join(",")),
    }
}

/// The flags that are needed to find the run and its environment, each after a space. A command without a sign-in needs
/// neither configuration file nor address.
fn flags(context: &RunContext, signs_in: bool, is_stored: bool) -> String {
    let path = |path: &PathBuf| path_argument(path);
    let config = context.config.as_ref().filter(|_| signs_in).map(path);
    let url = context.url.as_ref().filter(|_| signs_in && !is_stored);
    let flags = [
        ("--state-dir", context.state_dir.as_ref().map(path)),
        ("--config", config),
        ("--url", url.map(|url| quoted(url))),
    ];
    let typed = |(flag, value): (&str, Option<String>)| {
        value.map_or_else(String::new, |value| format!(" {flag} {value}"))
    };
    flags.map(typed).concat()
}

/// The flags of a command that signs in and keeps its run in the store, each after a space.
pub fn context_flags(context: &RunContext) -> String {
    flags(context, true, true)
}

/// The command that lists the runs of a store.
pub(super) fn list_runs(context: &RunContext) -> String {
    format!("syncfilters runs{}", flags(context, false, true))
}

/// The argument RUN: a short id in the store, otherwise a path, quoted for the shell.
pub fn argument(run: &RunRef) -> String {
    match &run.location {
        RunLocation::Store => run.id.short().to_owned(),
        RunLocation::File(path) => path_argument(path),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::RunId;

    #[test]
    fn a_run_is_named_so_that_the_shell_and_the_command_understand_it() {
        let id: RunId = "0123456789ab".parse().unwrap();
        assert_eq!(argument(&RunRef::stored(&id)), "012345");
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
                context: RunContext::default(),
            };
            assert_eq!(argument(&run), shown);
        }
    }

    #[test]
    fn a_command_about_a_run_names_the_state_folder_where_that_is_not_the_usual_one() {
        let run = RunRef::stored(&"0123456789ab".parse().unwrap());
        assert_eq!(RunCommand::Resume.of(&run), "syncfilters resume 012345");
        let elsewhere = run.with_context(RunContext {
            state_dir: Some("my state".into()),
            ..RunContext::default()
        });
        assert_eq!(
            RunCommand::Undo.of(&elsewhere),
            "syncfilters undo 012345 --state-dir './my state'"
        );
        assert_eq!(argument(&elsewhere), "012345");
    }

    #[test]
    fn a_command_that_signs_in_names_the_configuration_file_with_its_guards() {
        let run = RunRef::stored(&"0123456789ab".parse().unwrap());
        let run = run.with_context(RunContext {
            config: Some("/etc/c.toml".into()),
            url: Some("https://contoso.example".into()),
            ..RunContext::default()
        });
        let apply = "syncfilters apply 012345 --config /etc/c.toml";
        assert_eq!(RunCommand::Apply.of(&run), apply);
        assert_eq!(RunCommand::Report.of(&run), "syncfilters report 012345");
        let elsewhere = RunRef {
            location: RunLocation::File("/tmp/a.run".into()),
            ..run
        };
        let apply =
            "syncfilters apply /tmp/a.run --config /etc/c.toml --url https://contoso.example";
        assert_eq!(RunCommand::Apply.of(&elsewhere), apply);
        assert_eq!(
            RunCommand::Report.of(&elsewhere),
            "syncfilters report /tmp/a.run"
        );
    }
}
