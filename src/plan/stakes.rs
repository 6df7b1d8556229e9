//! What is to be agreed to: the numbers of the question, and the facts for the guards.

use crate::model::{Operation, RunId, Target};

use super::confirmations::Need;
use super::{Limit, LossBound, PlanDigest, TimeRange};

/// The guards of an organisation from the configuration file: those of all its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// Its names in the configuration file; the one that was used comes first.
    pub names: Vec<String>,
    /// Whether one of these names has to be confirmed before writes.
    pub production: bool,
    /// How many users may be changed.
    pub limits: Vec<Limit>,
}

/// What is to be agreed to: the numbers of the question, and the facts for the guards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stakes {
    /// The operation of the run.
    pub operation: Operation,
    /// What it changes: filters or templates.
    pub target: Target,
    /// Templates that new users get additionally or no longer; for runs about templates only.
    pub new_users: NewUsers,
    /// The digest of what is left; none before the plan is complete.
    pub digest: Option<PlanDigest>,
    /// Filters or templates left.
    pub items: u64,
    /// Users left; 0 for templates.
    pub users: u64,
    /// Users with filters that were changed, may have been changed, or are left; each once.
    pub touched: u64,
    /// Users who were selected.
    pub selected: u64,
    /// The wave to be agreed to.
    pub wave: Option<WaveStakes>,
    /// Whether items can be deleted from Exchange.
    pub calendar_loss: bool,
    /// The number of future items that leave calendars, where counted: of the wave, where there are several.
    pub coming_items: Option<(u64, LossBound)>,
    /// The expected time, where it can be estimated: of the wave, where there are several.
    pub time: Option<TimeRange>,
    /// The guards from the configuration file.
    pub guards: Guards,
    /// The limits on the number of users that hold.
    pub limits: Vec<Limit>,
    /// The last undo of the run, if one was begun.
    pub undone_by: Option<RunId>,
    /// Filters or templates that undos of the run restored: they stay as they are.
    pub put_back: u64,
    /// Names to be excluded that match no user.
    pub unknown_exclusions: Vec<String>,
    /// Whether the run file is too old to contain waves and limits.
    pub settings_unknown: bool,
}

/// How many templates become defaults, and how many no longer are: new users get the default ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewUsers {
    /// New users will receive these.
    pub more: u64,
    /// New users no longer receive these.
    pub fewer: u64,
}

/// One wave of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaveStakes {
    /// Its number, from 1.
    pub number: u64,
    /// Filters in it.
    pub filters: u64,
    /// Users in it.
    pub users: u64,
    /// Users in the wave after it; 0 where it is the last.
    pub next_users: u64,
    /// Whether the command ends after it, with users left for `resume`, because no further wave was given.
    pub is_last_given: bool,
}

impl Stakes {
    /// What is known before the users are read: enough to refuse a change whose answers will be missing.
    pub fn expected(operation: Operation, calendar_loss: bool, guards: Guards) -> Self {
        Self {
            operation,
            target: Target::Filters,
            new_users: NewUsers::default(),
            digest: None,
            items: 1,
            users: 0,
            touched: 0,
            selected: 0,
            wave: None,
            calendar_loss,
            coming_items: None,
            time: None,
            guards,
            limits: Vec::new(),
            undone_by: None,
            put_back: 0,
            unknown_exclusions: Vec::new(),
            settings_unknown: false,
        }
    }

    /// The answers that are needed.
    pub fn needs(&self) -> Vec<Need> {
        if self.items == 0 {
            return Vec::new();
        }
        let production = self.guards.production.then(|| Need::Production {
            names: self.guards.names.clone(),
        });
        let loss = Need::CalendarLoss(self.operation);
        let undone = self.undone_by.clone().map(|by| Need::AfterUndo { by });
        let optional = [self.calendar_loss.then_some(loss), production, undone];
        let needs = std::iter::once(Need::Change);
        needs.chain(optional.into_iter().flatten()).collect()
    }
}
