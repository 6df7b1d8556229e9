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
    /// The server or the network failed.
    #[error(transparent)]
    Dataverse(#[from] dataverse::Error),
    /// The run file failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The run file could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Names that do not match exactly one user each.
    #[error("{} {} not match exactly one user:", count_of(.0, "name"), if .0.len() == 1 { "does" } else { "do" })]
    Selection(Vec<UnresolvedName>),
    /// Groups or filter types that do not exist, or conditions that the server refuses.
    #[error("{} could not be resolved:", count_of(.0, "selection"))]
    Groups(Vec<GroupMismatch>),
    /// The server ignores the impersonation header: the run would act as the caller.
    #[error("the server does not honour impersonation: asked as {user}, it answered as {answered}")]
    NotImpersonated {
        /// The impersonated user.
        user: String,
        /// The user as whom the server acted.
        answered: String,
    },
    /// The caller may not act on behalf of others.
    #[error("the caller may not act on behalf of other users: {0}")]
    MayNotImpersonate(Box<dataverse::ServerFault>),
    /// No user could be impersonated, so nothing is known.
    #[error(
        "it could not be proved that impersonation is honoured: none of the {tried} users tried could be asked as"
    )]
    NotProved {
        /// How many users were tried.
        tried: usize,
    },
    /// A saved plan does not match the environment.
    #[error("the plan no longer fits: {} {} not as {} when it was made", crate::model::count(*.count, "filter"), if *.count == 1 { "is" } else { "are" }, if *.count == 1 { "it was" } else { "they were" })]
    Stale {
        /// The number of filters that differ.
        count: u64,
        /// Examples of them.
        examples: Vec<DriftedFilter>,
    },
    /// A saved plan of templates does not match the environment.
    #[error("the plan no longer fits: {} template{} not as {} when it was made", .0.len(), if .0.len() == 1 { " is" } else { "s are" }, if .0.len() == 1 { "it was" } else { "they were" })]
    StaleTemplates(Vec<DriftedTemplate>),
    /// The run is left although nothing failed.
    #[error("{0}")]
    Stopped(StopReason),
    /// What is left is not what was agreed to.
    #[error("the run was changed after it was agreed to")]
    StaleAgreement,
    /// The guards cannot be read.
    #[error("the guards of the environment cannot be read: {0}")]
    Guards(String),
    /// The rows of the undone run were not copied to the undo.
    #[error("this undo was interrupted before it knew which filters to put back")]
    UndoNotBegun {
        /// The run to be undone.
        undoes: RunId,
    },
    /// The templates of a run were not written to its file.
    #[error("this run was interrupted before its templates were in its file")]
    TemplatesNotPlanned,
    /// No user can be removed from the run.
    #[error("the run cannot be narrowed: {0}")]
    NotNarrowed(&'static str),
    /// A trial is not possible.
    #[error("no trial is possible: {0}")]
    NoTrial(&'static str),
    /// The run file belongs to another organisation.
    #[error("the run belongs to {run}, but the server is {server}")]
    OtherOrganization {
        /// The organisation in the run file.
        run: String,
        /// The organisation of the environment.
        server: String,
    },
    /// The command was interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl RolloutError {
    /// Whether a saved plan no longer matches the environment.
    pub fn is_stale_plan(&self) -> bool {
        matches!(self, Self::Stale { .. } | Self::StaleTemplates(_))
    }

    /// Whether continuing later is useful: the run file is right, and the obstacle may disappear.
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
