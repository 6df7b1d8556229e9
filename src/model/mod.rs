//! The basic types: environment, user, sync filter, state, problem. No I/O.

mod address;
mod browser_url;
mod causes;
mod cloud;
pub mod disclosure;
mod environment;
mod filter;
mod ids;
mod loopback;
mod number;
mod operation;
mod outcome;
mod problem;
pub mod shell;
mod template;
pub mod text;
mod user;

pub use address::{CanonicalAddress, ClaimedAddress, is_same_place};
pub use causes::{causes, last_cause};
pub use cloud::Cloud;
pub use environment::{EnvironmentUrl, EnvironmentUrlError, Organization, ServerVersion};
pub use filter::{
    CALENDAR_TYPES, Filter, FilterKind, FilterType, Modification, RowStamp, State, StateAndStatus,
    Status, UnknownCode, is_same_version,
};
pub use ids::{FilterId, ObjectId, RunId, RunIdError, TemplateId, UnitId, UserId};
pub use loopback::{is_loopback, means_this_machine};
pub use number::{count, count_of, number};
pub use operation::{Operation, Outcome, Target};
pub use outcome::{ReadState, RowOutcome, RowsOfUser, UserOutcome};
pub use problem::{Problem, ProblemKind, Stage};
pub use template::{Template, TemplateStamp, TemplateState, TemplateWrite};
pub use user::{AccessMode, Caller, User};
