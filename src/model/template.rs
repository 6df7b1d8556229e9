//! Sync filter templates: `savedquery` rows from which the filters of new users are made.

use std::fmt;

use serde::Serialize;

use super::{FilterKind, FilterType, Modification, State, StateAndStatus, Status, TemplateId};

impl FilterKind {
    /// The `querytype` of a template for filters of this kind.
    ///
    /// Microsoft: `SavedQueryQueryType`, `OutlookTemplate` and `OfflineTemplate`.
    pub const fn template_code(self) -> i32 {
        match self {
            Self::Outlook => 131_072,
            Self::Offline => 8192,
        }
    }

    /// The kind of filters that are made from a template with this `querytype`.
    pub const fn of_template_code(code: i32) -> Option<Self> {
        match code {
            131_072 => Some(Self::Outlook),
            8192 => Some(Self::Offline),
            _ => None,
        }
    }
}

/// One template as it was read. It belongs to the organisation and not to a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// `savedqueryid`.
    pub id: TemplateId,
    /// `name`.
    pub name: String,
    /// `returnedtypecode`.
    pub filter_type: FilterType,
    /// The kind of the filters that are made from it.
    pub kind: FilterKind,
    /// `isdefault`: only these apply to new users (Microsoft: "Offline and Outlook filters and templates").
    pub default: bool,
    /// `statecode` and `statuscode`: 1 belongs to active, 2 to inactive; there are no others.
    pub now: StateAndStatus,
    /// `@odata.etag`, for `If-Match`; absent only where the server sent none.
    pub etag: Option<String>,
    /// Who changed it last, and when.
    pub modified: Modification,
}

/// What distinguishes one version of a template from every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateStamp {
    /// The columns that can be set.
    pub state: TemplateState,
    /// `@odata.etag`; none where the server sent none.
    pub etag: Option<String>,
    /// Who changed it last, and when.
    pub modified: Modification,
}

/// The columns of a template that can be set: default flag, state and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateState {
    /// `isdefault`. A default template is active, and the only default of its type and kind (Microsoft's list of web
    /// service error codes: `CannotSetInactiveViewAsDefault`, `CannotHaveMultipleDefaultFilterTemplates`).
    pub default: bool,
    /// `statecode`.
    pub state: State,
    /// `statuscode`.
    pub status: Status,
}

impl TemplateState {
    /// Whether both have the same effect: a null status means the state's own.
    pub fn means_the_same_as(self, other: Self) -> bool {
        self.default == other.default && self.now().means_the_same_as(other.now())
    }

    /// State and status, without the default flag.
    pub const fn now(self) -> StateAndStatus {
        StateAndStatus {
            state: self.state,
            status: self.status,
        }
    }
}

impl fmt::Display for TemplateState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.default {
            "default"
        } else {
            "no default"
        };
        write!(f, "{default} and {}", self.now())
    }
}

/// One write of a template. Columns that are none stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateWrite {
    /// `isdefault`.
    pub default: Option<bool>,
    /// `statecode` and `statuscode`, always together.
    pub now: Option<StateAndStatus>,
}

impl TemplateWrite {
    /// The result of this write for a template in the state `before`.
    pub fn on(self, before: TemplateState) -> TemplateState {
        let StateAndStatus { state, status } = self.now.unwrap_or(before.now());
        TemplateState {
            default: self.default.unwrap_or(before.default),
            state,
            status,
        }
    }
}

impl Template {
    /// The columns that can be set, as they were read.
    pub const fn state(&self) -> TemplateState {
        TemplateState {
            default: self.default,
            state: self.now.state,
            status: self.now.status,
        }
    }

    /// What distinguishes this version of the template from every other.
    pub fn stamp(&self) -> TemplateStamp {
        TemplateStamp {
            state: self.state(),
            etag: self.etag.clone(),
            modified: self.modified,
        }
    }

    /// Whether a new user receives an active filter from it.
    pub fn reaches_new_users(&self) -> bool {
        self.default && self.now.state == State::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_types_of_templates_are_not_those_of_filters() {
        for kind in [FilterKind::Outlook, FilterKind::Offline] {
            assert_eq!(
                FilterKind::of_template_code(kind.template_code()),
                Some(kind)
            );
            assert_eq!(FilterKind::of_template_code(kind.code()), None);
        }
    }
}
