//! What can be done with a run as it stands, and the commands that do the same.

use crate::journal::{Phase, RunReader};
use crate::model::Outcome;
use crate::plan::Stakes;
use crate::report::RunCommand;

use super::live::{LiveRun, LiveState};
use super::progress::is_paused;

/// An action that can be taken: the end of its address, its words, and whether it is not the usual one.
pub(super) type Action = (&'static str, &'static str, bool);

/// How a run stands, as far as the screen differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScreenState {
    /// Users and filters are read.
    Reading,
    /// The plan waits for somebody to agree to it.
    Waiting,
    /// States are set.
    Working,
    /// Nobody drives it, and it can be gone on with.
    Saved,
    /// It has ended.
    Over,
}

impl ScreenState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Waiting => "waiting",
            Self::Working => "working",
            Self::Saved => "saved",
            Self::Over => "over",
        }
    }
}

/// Where a run is, from what drives it and from its file.
pub(super) fn standing(state: Option<&LiveState>, run: &RunReader) -> ScreenState {
    let (phase, outcome) = (run.header.phase, run.header.outcome);
    match state {
        Some(LiveState::Waiting(_)) => ScreenState::Waiting,
        Some(LiveState::Working) if phase < Phase::Planned => ScreenState::Reading,
        Some(LiveState::Working) => ScreenState::Working,
        Some(LiveState::Over(_)) | None => match (phase, outcome) {
            (Phase::Finished, _) => ScreenState::Over,
            _ => ScreenState::Saved,
        },
    }
}

/// What has become of a run so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// Whether it has written.
    pub(super) is_begun: bool,
    /// Whether another run was begun to undo it.
    pub(super) is_undone: bool,
}

pub(super) fn actions(
    at: ScreenState,
    live: Option<&LiveRun>,
    run: &RunReader,
    done: Done,
) -> Vec<Action> {
    let is_begun = done.is_begun;
    let outcome = run.header.outcome;
    let mut actions = Vec::new();
    match at {
        ScreenState::Reading | ScreenState::Working => {
            if live.is_some_and(is_paused) {
                actions.push(("continue", "Continue", false));
            } else {
                actions.push(("pause", "Pause", true));
            }
            actions.push(("stop", "Stop", true));
        }
        ScreenState::Waiting => {}
        ScreenState::Saved => {
            actions.push((
                "resume",
                if is_begun {
                    "Resume"
                } else {
                    "Compare with the server and continue"
                },
                done.is_undone,
            ));
            if run.header.phase == Phase::Planned {
                actions.push(("replan", "Plan again where filters changed", true));
            }
            if is_begun {
                actions.push(("undo", "Undo", true));
            }
        }
        ScreenState::Over => {
            if outcome == Some(Outcome::Partial) {
                actions.push(("resume", "Retry failed users", done.is_undone));
            }
            if is_begun {
                actions.push(("undo", "Undo", true));
            }
        }
    }
    actions
}

/// The commands that do the same.
pub(super) fn commands(
    at: ScreenState,
    run: &RunReader,
    stakes: Option<&Stakes>,
    is_begun: bool,
) -> Vec<(&'static str, String)> {
    let of = |command: RunCommand| command.of(&run.reference);
    let mut commands = vec![("Show this run", of(RunCommand::Report))];
    match at {
        ScreenState::Waiting | ScreenState::Saved
            if !is_begun && run.header.phase == Phase::Planned =>
        {
            let digest = stakes.and_then(|stakes| stakes.digest.as_ref());
            let expect = digest.map_or_else(String::new, |digest| format!(" --expect {digest}"));
            commands.push(("Apply this plan", of(RunCommand::Apply) + &expect));
        }
        ScreenState::Over if run.header.outcome != Some(Outcome::Partial) => {}
        _ => commands.push(("Resume", of(RunCommand::Resume))),
    }
    if is_begun {
        commands.push(("Undo", of(RunCommand::Undo)));
    }
    commands
}
