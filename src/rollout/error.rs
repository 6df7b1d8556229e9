//! Why a run stops before its end.

use crate::dataverse;
use crate::journal::{JournalError, OpenError};
use crate::model::{RunId, count_of};
use crate::plan::{GroupMismatch, UnresolvedName};

use super::StopReason;
use super::drifted::{DriftedFilter, DriftedTemplate};

/// Why a run stops. What was done until then is in the run file.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The server, or the way to it.
    #[error(transparent)]
    Dataverse(#[from] dataverse::Error),
    /// The run file.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run file, before anything began.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Names that do not lead to exactly one user each.
    #[error("{} {} not match exactly one user:", count_of(.0, "name"), if .0.len() == 1 { "does" } else { "do" })]
    Selection(Vec<UnresolvedName>),
    /// Groups that do not lead to users, filter types that there are not, or conditions that the server refuses.
    #[error("{} could not be resolved:", count_of(.0, "selection"))]
    Groups(Vec<GroupMismatch>),
    /// The server ignores the impersonation header: what we do, we would do as the caller.
    #[error("the server does not honour impersonation: asked as {user}, it answered as {answered}")]
    NotImpersonated {
        /// Whom we asked as.
        user: String,
        /// Whom it answered as.
        answered: String,
    },
    /// The caller may not act on behalf of others.
    #[error("the caller may not act on behalf of other users: {0}")]
    MayNotImpersonate(Box<dataverse::ServerFault>),
    /// Nobody could be impersonated, so nothing is known.
    #[error(
        "it could not be proved that impersonation is honoured: none of the {tried} users tried could be asked as"
    )]
    NotProved {
        /// How many were tried.
        tried: usize,
    },
    /// A saved plan is not about what is there now.
    #[error("the plan no longer fits: {} {} not as {} when it was made", crate::model::count(*.count, "filter"), if *.count == 1 { "is" } else { "are" }, if *.count == 1 { "it was" } else { "they were" })]
    Stale {
        /// How many filters.
        count: u64,
        /// Some of them.
        examples: Vec<DriftedFilter>,
    },
    /// The same of a plan of templates.
    #[error("the plan no longer fits: {} template{} not as {} when it was made", .0.len(), if .0.len() == 1 { " is" } else { "s are" }, if .0.len() == 1 { "it was" } else { "they were" })]
    StaleTemplates(Vec<DriftedTemplate>),
    /// It is left although nothing is wrong with it.
    #[error("{0}")]
    Stopped(StopReason),
    /// Something else is left than was agreed to.
    #[error("the run was changed after it was agreed to")]
    StaleAgreement,
    /// What has to be kept to cannot be read.
    #[error("the guards of the environment cannot be read: {0}")]
    Guards(String),
    /// The users of an undo were not taken over from the run that it undoes.
    #[error("this undo was interrupted before it knew which filters to put back")]
    UndoNotBegun {
        /// The run that was to be undone.
        undoes: RunId,
    },
    /// The templates of a run were not written to its file.
    #[error("this run was interrupted before its templates were in its file")]
    TemplatesNotPlanned,
    /// Nobody can be taken out of the run.
    #[error("the run cannot be narrowed: {0}")]
    NotNarrowed(&'static str),
    /// No trial is possible.
    #[error("no trial is possible: {0}")]
    NoTrial(&'static str),
    /// The run file belongs to another organisation.
    #[error("the run belongs to {run}, but the server is {server}")]
    OtherOrganization {
        /// The organisation in the run file.
        run: String,
        /// The one that answers.
        server: String,
    },
    /// Somebody interrupted it.
    #[error("interrupted")]
    Interrupted,
}

impl RolloutError {
    /// Whether a saved plan no longer fits what is there.
    pub fn is_stale_plan(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::StaleTemplates(_))
    }

    /// Whether going on later makes sense: what is in the run file is right, and the obstacle can go away.
    pub fn is_resumable(&self) -> bool {
        use dataverse::Error;
        match self {
            Self::Interrupted | Self::Stopped(_) | Self::StaleAgreement | Self::Guards(_) => true,
            Self::Dataverse(error) => matches!(
                error,
                Error::Interrupted
                    | Error::Unauthorized { .. }
                    | Error::Unreachable { .. }
                    | Error::Lost { .. }
                    | Error::WaitTooLong { .. }
                    | Error::Postponed { .. }
                    | Error::SignIn(_)
            ),
            Self::Journal(_)
            | Self::Open(_)
            | Self::Selection(_)
            | Self::Groups(_)
            | Self::NotImpersonated { .. }
            | Self::MayNotImpersonate(_)
            | Self::NotProved { .. }
            | Self::Stale { .. }
            | Self::StaleTemplates(_)
            | Self::UndoNotBegun { .. }
            | Self::TemplatesNotPlanned
            | Self::NotNarrowed(_)
            | Self::NoTrial(_)
            | Self::OtherOrganization { .. } => false,
        }
    }

    pub(super) fn is_interruption(&self) -> bool {
        matches!(
            self,
            Self::Interrupted | Self::Dataverse(dataverse::Error::Interrupted)
        )
    }
}
