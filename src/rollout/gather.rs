//! Collects the users of a run.

use std::collections::HashSet;

use crate::journal::{Phase, SelectedUser, UserFlag};
use crate::model::text::NAMES_IN_MESSAGE;
use crate::model::{UnitId, User, UserId};
use crate::plan::{Resolved, Selection, Selector, ineligible};

use super::RolloutError;
use super::choose::{ChosenUsers, choose};
use super::filter_types::check_types;
use super::progress::RunStep;
use super::session::Rollout;

#[derive(Debug, Default)]
struct Gathered {
    users: HashSet<UserId>,
    units: HashSet<UnitId>,
}

impl Rollout {
    /// Collects the selected users, page by page, into the run file.
    ///
    /// An unknown filter type, role, team or unit, or a refused condition, is an error before any user is listed;
    /// a name that matches no user, or several, before any other request.
    pub(super) async fn gather(&self) -> Result<(), RolloutError> {
        self.progress.begin(RunStep::Gather, None);
        self.journal().forget_users().await?;
        check_types(&self.reader, &self.header().criteria).await?;
        let selection = &self.header().selection;
        let chosen = choose(&self.reader, selection).await?;
        let mut selector = Selector::new(selection);
        let mut other_engine = self.other_engine().await?;
        let mut gathered = Gathered::default();
        let mut pages = self.reader.users(chosen.filter.as_deref());
        while let Some(mut users) = pages.next().await? {
            // All users are offered, so that a name outside the groups does not count as unknown.
            if let Some(other_engine) = &mut other_engine {
                for user in &users {
                    other_engine.offer(user.clone());
                }
            }
            users = users
                .into_iter()
                .filter_map(|user| selector.offer(user))
                .collect();
            self.add(users, &chosen, &mut gathered).await?;
        }
        let Resolved {
            users,
            mismatches,
            skipped,
        } = selector.resolve();
        if !mismatches.is_empty() {
            return Err(RolloutError::Selection(mismatches));
        }
        self.add(users, &chosen, &mut gathered).await?;
        self.name_units(&gathered.units).await?;
        if let Some(other_engine) = other_engine {
            self.note_other_engine(other_engine, &gathered.users)
                .await?;
        }
        if selection.skip_unknown {
            self.journal()
                .found(move |found| found.skipped = skipped)
                .await?;
        }
        self.gathered().await
    }

    /// Records selected users, if they belong to the groups.
    async fn add(
        &self,
        mut users: Vec<User>,
        chosen: &ChosenUsers,
        gathered: &mut Gathered,
    ) -> Result<(), RolloutError> {
        users.retain(|user| chosen.has(user.id));
        let found: Vec<_> = users
            .iter()
            .map(|user| SelectedUser::new(user, ineligible(user)))
            .collect();
        gathered.users.extend(users.iter().map(|user| user.id));
        gathered
            .units
            .extend(found.iter().filter_map(|user| user.unit));
        let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
        self.journal().add_users(found).await?;
        self.progress.found(count);
        Ok(())
    }

    /// The users of another engine, to be matched with those of the organisation.
    async fn other_engine(&self) -> Result<Option<Selector>, RolloutError> {
        let only = self.journal().asked().await?.other_engine;
        Ok(only.map(|only| {
            Selector::new(&Selection {
                only: Some(only),
                ..Selection::default()
            })
        }))
    }

    /// Marks the users of this run whom the other engine serves. Names in its list need not be users of this run, but
    /// are reported if they are not.
    async fn note_other_engine(
        &self,
        other_engine: Selector,
        here: &HashSet<UserId>,
    ) -> Result<(), RolloutError> {
        let mut served = Vec::new();
        let mut names = Vec::new();
        for (named, users) in other_engine.best_matches() {
            let before = served.len();
            served.extend(users.into_iter().filter(|user| here.contains(user)));
            if served.len() == before {
                names.push(named.name);
            }
        }
        self.journal().mark(UserFlag::OtherEngine, served).await?;
        let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
        names.truncate(NAMES_IN_MESSAGE);
        Ok(self
            .journal()
            .found(move |found| {
                found.not_here = count;
                found.not_here_examples = names;
            })
            .await?)
    }

    /// Looks up the names of the users' business units in one request. The names are for display only: without
    /// them the run continues.
    async fn name_units(&self, units: &HashSet<UnitId>) -> Result<(), RolloutError> {
        if units.is_empty() {
            return Ok(());
        }
        let rows = match self.reader.business_units().await {
            Ok(rows) => rows,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        let named = rows.into_iter().filter_map(|row| {
            let id = UnitId(row.businessunitid);
            units.contains(&id).then_some((id, row.name?))
        });
        Ok(self.journal().add_units(named.collect()).await?)
    }

    pub(super) async fn gathered(&self) -> Result<(), RolloutError> {
        self.journal().set_phase(Phase::Surveying).await?;
        self.progress.end();
        Ok(())
    }
}
