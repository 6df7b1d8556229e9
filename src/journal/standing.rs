//! The progress of an environment over all of its runs: pilot, waves and rest.

use std::collections::HashMap;

use rusqlite::Row;
use uuid::Uuid;

use super::rows::{filter_type, user_id};
use super::undo_chain::UndoChain;
use super::user_standing::{
    FilterInRun, PastRun, UserInRun, UserRecord, UserStanding, WantedState,
};
use super::{OpenError, ReadError, RunHeader, RunReader, RunStore, Summary, View};
use crate::model::{Operation, ReadState, Target, UserId};

/// The progress of an environment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The latest run.
    pub header: RunHeader,
    /// The operation of the latest run that is not an undo; users in its wanted state are done.
    pub operation: Operation,
    /// Runs that were counted.
    pub runs: u64,
    /// The users of all runs, each once.
    pub users: UserStandings,
}

/// Users by progress; the sum is the number of users of all runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct UserStandings {
    /// All users.
    pub all: u64,
    /// Every filter of the latest run's criteria was changed, or was as wanted.
    pub done: u64,
    /// To be changed or read, for at least one type; removed from a plan, or restored since.
    pub left: u64,
    /// Not read, or with a filter that could not be changed.
    pub failed: u64,
    /// Skipped before any request.
    pub skipped: u64,
}

impl View<'_> {
    /// Passes every user to `each`, with the filters that the run is about.
    fn each_user_in_run(&self, mut each: impl FnMut(UserId, &UserInRun)) -> Result<(), ReadError> {
        let sql = "SELECT u.id, u.survey, f.type, f.kind, f.name, c.stage, c.settled, u.populated
                   FROM user AS u LEFT JOIN filter AS f ON f.user = u.seq AND f.matching
                   LEFT JOIN change AS c ON c.user = f.user AND c.filter = f.id
                   ORDER BY u.seq";
        let row = |row: &Row<'_>| {
            let is_there = row.get::<_, Option<String>>(2)?.is_some();
            let filter = is_there.then(|| {
                Ok::<_, rusqlite::Error>(FilterInRun {
                    filter_type: filter_type(row, 2)?,
                    kind: row.get(3)?,
                    name: row.get(4)?,
                    outcome: row.get(5)?,
                    settled: row.get(6)?,
                })
            });
            Ok((
                user_id(row, 0)?,
                (row.get::<_, ReadState>(1)?, row.get::<_, bool>(7)?),
                filter.transpose()?,
            ))
        };
        let mut now: Option<(UserId, UserInRun)> = None;
        self.each(sql, row, &mut |(id, (read, populated), filter)| {
            match &mut now {
                Some((of, user)) if *of == id => user.filters.extend(filter),
                now => {
                    let filters = filter.into_iter().collect();
                    let next = (
                        id,
                        UserInRun {
                            read,
                            populated,
                            filters,
                        },
                    );
                    if let Some((id, user)) = now.replace(next) {
                        each(id, &user);
                    }
                }
            }
            Ok::<_, ReadError>(())
        })?;
        if let Some((id, user)) = now {
            each(id, &user);
        }
        Ok(())
    }
}

impl RunStore {
    /// The progress of each environment, by the name of the organisation; and the errors of files that could not be
    /// read, which are not counted.
    pub fn standings(
        &self,
        wanted: impl Fn(&Summary) -> bool,
    ) -> Result<(Vec<Standing>, Vec<OpenError>), OpenError> {
        let (mut runs, unreadable) = self.list()?;
        runs.retain(|run| wanted(run) && run.header.target == Target::Filters);
        // The oldest first, because later runs override earlier ones.
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

    /// The progress by the runs of one organisation, in the order in which they began; none where all are undos.
    fn standing(&self, runs: &[Summary]) -> Result<Option<Standing>, OpenError> {
        let mut last = runs.iter().rev();
        let Some(wanted) = last.find(|run| run.header.operation != Operation::Undo) else {
            return Ok(None);
        };
        let latest = runs.last().unwrap_or(wanted);
        let wanted = WantedState::of(&wanted.header);
        let mut chain = UndoChain::default();
        for run in runs {
            chain.add(&run.header);
        }
        let repeats = |run: &Summary| {
            let first = chain.repeated(&run.header.id)?;
            let first = runs.iter().find(|run| run.header.id == *first)?;
            Some(first.header.operation)
        };
        let mut users: HashMap<UserId, UserRecord> = HashMap::new();
        for run in runs {
            let path = self.find(run.header.id.as_str())?;
            let past = PastRun::of(&run.header, repeats(run));
            RunReader::open(&path)?.view(|view| {
                view.each_user_in_run(|id, user| {
                    users.entry(id).or_default().add(&wanted, &past, user);
                })
            })?;
        }
        let standings = users.values().filter_map(UserRecord::standing);
        Ok(Some(Standing {
            header: latest.header.clone(),
            operation: wanted.operation(),
            runs: u64::try_from(runs.len()).unwrap_or(u64::MAX),
            users: count(standings),
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
