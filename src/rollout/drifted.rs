//! Filters and templates that changed after a plan was made.

use std::fmt;

use crate::model::{FilterId, FilterType, Modification, TemplateState, UserId};
use crate::plan::DriftKind;

/// A filter that differs from the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftedFilter {
    /// The name of its owner.
    pub user: String,
    /// Which.
    pub filter: FilterId,
    /// Its type; empty where nothing is known of it any more.
    pub filter_type: FilterType,
    /// The difference.
    pub kind: DriftKind,
    /// Who changed it last, and when, according to the server; empty where it no longer exists.
    pub modified: Modification,
    /// The name of the user who changed it, else the id.
    pub changed_by: Option<String>,
}

impl DriftedFilter {
    /// Who changed the filter: the caller, where a user was impersonated.
    pub(super) fn changer(&self) -> Option<UserId> {
        self.modified.on_behalf.or(self.modified.by)
    }
}

impl fmt::Display for DriftedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, filter) = (&self.user, self.filter);
        write!(f, "{user}, filter {filter}: ")?;
        match self.kind {
            DriftKind::Other { planned, now } => {
                write!(f, "the plan says {planned}, and it is {now}")?;
            }
            DriftKind::Gone { .. } => f.write_str("it is gone")?,
            DriftKind::New { now } => write!(f, "it is new, and {now}")?,
        }
        if let Some(by) = &self.changed_by {
            write!(f, "; changed by {by}")?;
        }
        match self.modified.on {
            Some(on) => write!(f, " at {on}"),
            None => Ok(()),
        }
    }
}

/// A template that differs from the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftedTemplate {
    /// Its name, type and kind.
    pub template: String,
    /// Its state in the plan.
    pub planned: TemplateState,
    /// Its present state; none where it no longer exists.
    pub now: Option<TemplateState>,
}

impl fmt::Display for DriftedTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            template,
            planned,
            now,
        } = self;
        write!(f, "{template}: ")?;
        match now {
            Some(now) => write!(f, "the plan says {planned}, and it is {now}"),
            None => f.write_str("it is gone"),
        }
    }
}
