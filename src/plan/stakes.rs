//! What is to be agreed to: the numbers of the question, and what the guards need to know.

use crate::model::{Operation, RunId, Target};

use super::confirmations::Need;
use super::{Limit, LossBound, PlanDigest, TimeRange};

/// What the configuration file asks for before anything is written to an organisation: every entry that is about
/// the organisation holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// What the organisation is called in the configuration file, the name that was used first.
    pub names: Vec<String>,
    /// Whether one of these names has to be given before anything is written.
    pub production: bool,
    /// How many users may be changed.
    pub limits: Vec<Limit>,
}

/// What is to be agreed to: the numbers of the question, and what the guards need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stakes {
    /// What is done.
    pub operation: Operation,
    /// What it is done to.
    pub target: Target,
    /// What new users receive more or less; of templates only.
    pub new_users: NewUsers,
    /// The digest of what is left to be changed; none before the plan is complete.
    pub digest: Option<PlanDigest>,
    /// Filters, or templates, that are left to be changed.
    pub items: u64,
    /// Users whose filters these are; 0 for templates.
    pub users: u64,
    /// Users whose filters were changed, may have been changed, or are left to be changed; each once.
    pub touched: u64,
    /// Users who were selected.
    pub selected: u64,
    /// The wave that is agreed to.
    pub wave: Option<WaveStakes>,
    /// Whether items can be deleted from Exchange.
    pub calendar_loss: bool,
    /// How many items leave calendars, where that was counted: of the wave, where there are several.
    pub coming_items: Option<(u64, LossBound)>,
    /// How long it is expected to take, where that can be told: of the wave, where there are several.
    pub time: Option<TimeRange>,
    /// What the configuration file asks for.
    pub guards: Guards,
    /// The limits that hold for the number of users.
    pub limits: Vec<Limit>,
    /// The undo that was begun since.
    pub undone_by: Option<RunId>,
    /// Filters, or templates, that undos of the run put back: they stay as they are.
    pub put_back: u64,
    /// Names on the exclusion list that match nobody.
    pub unknown_exclusions: Vec<String>,
    /// Whether the run is so old that its waves and limits are not known.
    pub settings_unknown: bool,
}

/// How many templates become defaults, and how many no longer are: new users receive those.
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
    /// Whether the command ends after it, with users left for `resume`: no further wave was given.
    pub is_last_given: bool,
}

impl Stakes {
    /// What is known of a change before the users are read: enough to refuse one that will lack a word in the end.
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

    /// What somebody has to say before this may be done.
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
