//! Collecting the users of a run.

use std::collections::HashSet;

use crate::journal::{Found, Mark, Phase, RunReader};
use crate::model::UnitId;
use crate::plan::{Mismatch, Selection, Selector, ineligible};

use super::RolloutError;
use super::choose::choose;
use super::progress::Step;
use super::session::{Rollout, belongs_together};

/// Users taken from another run at a time.
const CHUNK: usize = 500;
/// Names that lead to nobody, of which so many are said.
const NAMED: usize = 5;

impl Rollout {
    /// Collects the selected users, page by page, into the run file.
    ///
    /// A role, team or unit that is unknown, or a condition that is refused, is an error before any user is listed;
    /// a name that leads to nobody, or to several, before anything else is asked.
    pub(super) async fn gather(&self) -> Result<(), RolloutError> {
        self.progress.begin(Step::Gather, None);
        self.journal().forget_users().await?;
        let selection = &self.head().selection;
        let chosen = choose(&self.reader, selection).await?;
        let mut selector = Selector::new(selection);
        let mut units = HashSet::new();
        let mut other_engine = self.other_engine().await?;
        let mut pages = self.reader.users(chosen.filter.as_deref());
        while let Some(users) = pages.next().await? {
            // Every user is offered, so that a name outside of the groups is not taken for unknown.
            let mut selected = users;
            selected.retain(|user| selector.offer(user) && chosen.has(user.id));
            if let Some(other_engine) = &mut other_engine {
                let served = selected.iter().filter(|user| other_engine.offer(user));
                let served = served.map(|user| user.id).collect();
                self.journal().mark(Mark::OtherEngine, served).await?;
            }
            let found: Vec<_> = selected
                .iter()
                .map(|user| Found::new(user, ineligible(user)))
                .collect();
            units.extend(found.iter().filter_map(|user| user.unit));
            let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
            self.journal().add_users(found).await?;
            self.progress.found(count);
        }
        let mismatches = selector.mismatches();
        if !mismatches.is_empty() {
            return Err(RolloutError::Selection(mismatches));
        }
        self.name_units(&units).await?;
        if let Some(other_engine) = other_engine {
            self.note_who_is_not_here(other_engine).await?;
        }
        self.gathered().await
    }

    /// Whom another engine serves, to be matched against the users of the run.
    async fn other_engine(&self) -> Result<Option<Selector>, RolloutError> {
        let only = self.journal().asked().await?.other_engine;
        Ok(only.map(|only| {
            Selector::new(&Selection {
                only: Some(only),
                ..Selection::default()
            })
        }))
    }

    /// Names of the other engine's list need not be users of this run; that they are not is worth saying.
    async fn note_who_is_not_here(&self, other_engine: Selector) -> Result<(), RolloutError> {
        let nobody = |mismatch: Mismatch| match mismatch {
            Mismatch::Nobody { name, .. } => Some(name),
            Mismatch::Several { .. } => None,
        };
        let mut names: Vec<_> = other_engine
            .mismatches()
            .into_iter()
            .filter_map(nobody)
            .collect();
        let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
        names.truncate(NAMED);
        Ok(self
            .journal()
            .found(move |found| {
                found.not_here = count;
                found.not_here_examples = names;
            })
            .await?)
    }

    /// Looks up how the business units of the users are called, in one request. The names are for reading only: where
    /// they cannot be had, the run goes on without them.
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

    /// Collects the users of whom another run changed rows, with those rows.
    ///
    /// # Errors
    /// [`RolloutError::OtherOrganization`] where that run belongs to another organisation.
    pub(super) async fn gather_undo(&self, source: &RunReader) -> Result<(), RolloutError> {
        belongs_together(&source.head.organization, &self.head().organization)?;
        self.progress.begin(Step::Gather, None);
        self.journal().forget_users().await?;
        let mut after = 0;
        loop {
            let users = source.done(after, CHUNK)?;
            let Some((last, _)) = users.last() else {
                break;
            };
            after = last.seq;
            let count = u64::try_from(users.len()).unwrap_or(u64::MAX);
            self.journal().add_undo(users).await?;
            self.progress.found(count);
        }
        self.journal().add_units(source.units()?).await?;
        self.gathered().await
    }

    async fn gathered(&self) -> Result<(), RolloutError> {
        self.journal().set_phase(Phase::Surveying).await?;
        self.progress.end();
        Ok(())
    }
}
