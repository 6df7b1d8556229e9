//! Which runs are no longer needed.

use jiff::Timestamp;

use super::{Phase, Summary};
use crate::model::{Outcome, RunId};

/// What a run is still needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunUse {
    /// A plan, or data that was read for one: nothing was changed.
    Plan,
    /// It ended without a change.
    Empty,
    /// All its changes were undone.
    Undone,
    /// It has changes that can be undone, or can be finished.
    Undoable,
}

impl RunUse {
    /// The words in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "not applied",
            Self::Empty => "without a change",
            Self::Undone => "undone",
            Self::Undoable => "can be undone",
        }
    }
}

/// The facts about a run that decide.
#[derive(Clone, Debug)]
struct PastRun<'a> {
    id: &'a RunId,
    undoes: Option<&'a RunId>,
    started: Timestamp,
    ended: Option<Timestamp>,
    is_finished: bool,
    is_complete: bool,
    has_written: bool,
    left_out: u64,
}

impl<'a> PastRun<'a> {
    fn of(run: &'a Summary) -> Self {
        let header = &run.header;
        Self {
            id: &header.id,
            undoes: header.undoes.as_ref(),
            started: header.started,
            ended: header.finished,
            is_finished: header.phase == Phase::Finished,
            is_complete: header.outcome == Some(Outcome::Complete),
            has_written: run.has_written,
            left_out: run.users.left_out,
        }
    }
}

/// The runs that were left before this time and are no longer needed; with `include_undoable` all others of that
/// age, too. Each with its use, in the given order.
pub fn prunable(
    runs: &[Summary],
    before: Timestamp,
    include_undoable: bool,
) -> Vec<(&Summary, RunUse)> {
    let all: Vec<_> = runs.iter().map(PastRun::of).collect();
    let uses = all.iter().map(|run| use_of(run, &all));
    let old = runs.iter().zip(uses).filter(|(run, of)| {
        let left = run.header.finished.unwrap_or(run.header.started);
        left < before && (include_undoable || *of != RunUse::Undoable)
    });
    old.collect()
}

fn use_of(run: &PastRun<'_>, all: &[PastRun<'_>]) -> RunUse {
    match run {
        PastRun {
            has_written: false,
            is_finished: true,
            ..
        } => RunUse::Empty,
        PastRun {
            has_written: false, ..
        } => RunUse::Plan,
        run if is_undone(run, all, &mut Vec::new()) => RunUse::Undone,
        _ => RunUse::Undoable,
    }
}

/// Whether a complete later undo holds: it was not undone itself, and the run was not continued since.
fn is_undone<'a>(run: &PastRun<'a>, all: &[PastRun<'a>], seen: &mut Vec<&'a RunId>) -> bool {
    if seen.contains(&run.id) {
        return false;
    }
    seen.push(run.id);
    let undoes = |by: &&PastRun<'a>| {
        by.undoes == Some(run.id)
            && by.is_finished
            && by.is_complete
            && run.ended.is_some_and(|at| at <= by.started)
            // Users who were excluded from the undo were not restored.
            && by.left_out == 0
    };
    all.iter()
        .filter(undoes)
        .any(|by| !is_undone(by, all, seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn run<'a>(id: &'a RunId, undoes: Option<&'a RunId>, times: (i64, i64)) -> PastRun<'a> {
        PastRun {
            id,
            undoes,
            started: at(times.0),
            ended: Some(at(times.1)),
            is_finished: true,
            is_complete: true,
            has_written: true,
            left_out: 0,
        }
    }

    fn uses(runs: &[PastRun<'_>]) -> Vec<RunUse> {
        runs.iter().map(|run| use_of(run, runs)).collect()
    }

    #[test]
    fn a_run_that_changed_something_is_kept_until_a_whole_undo_of_it_holds() {
        let [a, b, c] =
            ["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"].map(|id| id.parse::<RunId>().unwrap());
        let first = run(&a, None, (1, 2));
        let undo = run(&b, Some(&a), (3, 4));
        assert_eq!(uses(std::slice::from_ref(&first)), [RunUse::Undoable]);
        assert_eq!(
            uses(&[first.clone(), undo.clone()]),
            [RunUse::Undone, RunUse::Undoable]
        );
        let again = run(&c, Some(&b), (5, 6));
        assert_eq!(
            uses(&[first.clone(), undo.clone(), again]),
            [RunUse::Undoable, RunUse::Undone, RunUse::Undoable]
        );
        let partial = PastRun {
            is_complete: false,
            ..undo.clone()
        };
        let narrowed = PastRun {
            left_out: 1,
            ..undo.clone()
        };
        for other in [partial, narrowed] {
            assert_eq!(uses(&[first.clone(), other])[0], RunUse::Undoable);
        }
        let resumed = run(&a, None, (1, 9));
        assert_eq!(uses(&[resumed, undo])[0], RunUse::Undoable);
    }

    #[test]
    fn a_run_that_changed_nothing_is_a_plan_or_empty() {
        let id: RunId = "aaaaaaaaaaaa".parse().unwrap();
        let ended = PastRun {
            has_written: false,
            ..run(&id, None, (1, 2))
        };
        let plan = PastRun {
            is_finished: false,
            ..ended.clone()
        };
        assert_eq!(uses(&[ended]), [RunUse::Empty]);
        assert_eq!(uses(&[plan]), [RunUse::Plan]);
    }
}
