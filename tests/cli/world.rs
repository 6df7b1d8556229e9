//! The binary beside a sandbox, in an empty home.

use std::process::{Command, Output};

use serde_json::Value;
use syncfilters::sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A server and a home.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: TempDir,
    _runtime: Runtime,
}

impl World {
    pub(crate) fn new(options: Options) -> Self {
        let runtime = Runtime::new().unwrap();
        Self {
            sandbox: runtime.block_on(Sandbox::start(options)).unwrap(),
            home: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    pub(crate) fn with_users(users: usize) -> Self {
        Self::new(Options {
            users,
            ..Options::default()
        })
    }

    /// The binary, pointed at the server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command
            .env("SYNCFILTERS_URL", self.sandbox.url())
            .env("SYNCFILTERS_ACCESS_TOKEN", self.sandbox.token());
        command
    }

    /// The binary with nothing but a home.
    pub(crate) fn bare(&self, args: &[&str]) -> Command {
        bare(&self.home, args)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().unwrap())
    }

    /// Every file below the home, as text of sorts.
    pub(crate) fn everything_written(&self) -> String {
        fn read(folder: &std::path::Path, all: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, all);
                } else {
                    all.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
                }
            }
        }
        let mut all = String::new();
        read(self.home.path(), &mut all);
        all
    }

    /// State and status of every filter, in the order of ids.
    pub(crate) fn states(&self) -> Vec<(i32, Option<i32>)> {
        let filters = self.sandbox.filters();
        filters
            .iter()
            .map(|f| (f.statecode, f.statuscode))
            .collect()
    }
}

/// The binary in this home, with no variable of ours.
pub(crate) fn bare(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncfilters"));
    command
        .env_clear()
        .env("HOME", home.path())
        .args(args)
        .stdin(std::process::Stdio::null());
    command
}

/// How the binary ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The one document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn must_be(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }
}
