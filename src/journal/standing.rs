//! How far an environment is, over all of its runs: pilot, waves and rest.

use std::collections::HashMap;

use rusqlite::Row;
use uuid::Uuid;

use super::rows::user_id;
use super::view::{USER_ROWS, user_outcome, user_rows};
use super::{OpenError, ReadError, RunHeader, RunReader, RunStore, Summary, View};
use crate::model::{Operation, Target, UserId, UserOutcome};

/// How far an environment is.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The latest run.
    pub header: RunHeader,
    /// What the latest run that is no undo does: what users are done with.
    pub operation: Operation,
    /// Runs that say something.
    pub runs: u64,
    /// The users of all runs, each once.
    pub users: UserStandings,
}

/// Users by how far they are: the sum is that of the users of all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct UserStandings {
    /// Everybody.
    pub all: u64,
    /// Changed, or with nothing to change.
    pub done: u64,
    /// Still to be changed, left out, or put back since.
    pub left: u64,
    /// Not read, or with a filter that could not be changed.
    pub failed: u64,
    /// Left out before any request.
    pub skipped: u64,
}

/// How far one user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UserStanding {
    Done,
    Left,
    Failed,
    Skipped,
}

impl UserStanding {
    /// What a later run makes of it. `is_wanted` says that the run does what users are to be done with; any other run
    /// that changed a user took the user back.
    const fn after(now: Option<Self>, is_wanted: bool, outcome: UserOutcome) -> Option<Self> {
        match (is_wanted, outcome, now) {
            // What did not come to anything leaves a user who was done before as that run left him.
            (true, UserOutcome::Changed | UserOutcome::Unchanged, _)
            | (true, _, Some(Self::Done)) => Some(Self::Done),
            (true, UserOutcome::Planned | UserOutcome::LeftOut | UserOutcome::Left, _) => {
                Some(Self::Left)
            }
            (true, UserOutcome::Failed, _) => Some(Self::Failed),
            (true, UserOutcome::Skipped, _) => Some(Self::Skipped),
            (false, UserOutcome::Changed, Some(_)) => Some(Self::Left),
            (false, _, now) => now,
        }
    }
}

impl View<'_> {
    /// Hands every user to `each` with what became of him.
    fn each_user_outcome(
        &self,
        mut each: impl FnMut(UserId, UserOutcome),
    ) -> Result<(), ReadError> {
        let sql = format!(
            "SELECT {}, u.id FROM user AS u LEFT JOIN change AS c ON c.user = u.seq GROUP BY u.seq",
            user_rows()
        );
        let user = |row: &Row<'_>| Ok((user_id(row, USER_ROWS)?, user_outcome(row)?));
        self.each(&sql, user, &mut |(id, outcome)| {
            each(id, outcome);
            Ok::<_, ReadError>(())
        })
    }
}

impl RunStore {
    /// How far each environment is, by the name of the organisation; and the files that could not be read, about which
    /// nothing is said.
    pub fn standings(
        &self,
        wanted: impl Fn(&Summary) -> bool,
    ) -> Result<(Vec<Standing>, Vec<OpenError>), OpenError> {
        let (mut runs, unreadable) = self.list()?;
        runs.retain(|run| run.header.target == Target::Filters && wanted(run));
        // The oldest first: a later run has the last word.
        runs.reverse();
        let mut by_organization: HashMap<Uuid, Vec<Summary>> = HashMap::new();
        for run in runs {
            let of = by_organization.entry(run.header.organization.id);
            of.or_default().push(run);
        }
        let mut standings = Vec::new();
        for runs in by_organization.into_values() {
            standings.extend(self.standing(&runs)?);
        }
        standings.sort_by_cached_key(|of| {
            let header = &of.header;
            (header.organization.name.clone(), header.organization.id)
        });
        Ok((standings, unreadable))
    }

    /// Of the runs of one organisation, in the order in which they were begun; none where all of them are undos.
    fn standing(&self, runs: &[Summary]) -> Result<Option<Standing>, OpenError> {
        let mut last = runs.iter().rev();
        let Some(wanted) = last.find(|run| run.header.operation != Operation::Undo) else {
            return Ok(None);
        };
        let operation = wanted.header.operation;
        let mut users: HashMap<UserId, UserStanding> = HashMap::new();
        for run in runs {
            let path = self.find(run.header.id.as_str())?;
            let is_wanted = run.header.operation == operation;
            RunReader::open(&path)?.view(|view| {
                view.each_user_outcome(|id, outcome| {
                    let now = users.get(&id).copied();
                    if let Some(next) = UserStanding::after(now, is_wanted, outcome) {
                        users.insert(id, next);
                    }
                })
            })?;
        }
        let latest = runs.last().unwrap_or(wanted);
        Ok(Some(Standing {
            header: latest.header.clone(),
            operation,
            runs: u64::try_from(runs.len()).unwrap_or(u64::MAX),
            users: count(users.into_values()),
        }))
    }
}

fn count(users: impl Iterator<Item = UserStanding>) -> UserStandings {
    let mut counts = UserStandings::default();
    for user in users {
        counts.all += 1;
        *match user {
            UserStanding::Done => &mut counts.done,
            UserStanding::Left => &mut counts.left,
            UserStanding::Failed => &mut counts.failed,
            UserStanding::Skipped => &mut counts.skipped,
        } += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_that_came_to_something_says_how_far_a_user_is() {
        use UserOutcome::{Changed, Failed, LeftOut, Planned, Skipped, Unchanged};
        let after = |runs: &[(bool, UserOutcome)]| {
            runs.iter().fold(None, |now, &(is_wanted, outcome)| {
                UserStanding::after(now, is_wanted, outcome)
            })
        };
        for (runs, standing) in [
            (&[(true, Planned)][..], Some(UserStanding::Left)),
            (
                &[(true, Planned), (true, Changed)],
                Some(UserStanding::Done),
            ),
            (
                &[(true, Changed), (true, Planned)],
                Some(UserStanding::Done),
            ),
            (&[(true, Changed), (true, Failed)], Some(UserStanding::Done)),
            (
                &[(true, LeftOut), (true, Unchanged)],
                Some(UserStanding::Done),
            ),
            // An undo, or the other operation.
            (
                &[(true, Changed), (false, Changed)],
                Some(UserStanding::Left),
            ),
            (
                &[(true, Changed), (false, Failed)],
                Some(UserStanding::Done),
            ),
            (&[(true, Skipped)], Some(UserStanding::Skipped)),
            (
                &[(true, Skipped), (true, Failed)],
                Some(UserStanding::Failed),
            ),
            (&[(false, Changed)], None),
        ] {
            assert_eq!(after(runs), standing, "{runs:?}");
        }
    }
}
