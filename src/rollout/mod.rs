//! The engine: phases of a run, agreement, pause, undo.
//!
//! A run goes through its phases in one order, each a type of its own: [`Created`], [`Gathered`], [`Planned`],
//! [`Agreed`], and its end. Only [`agree`] makes an [`Agreed`], and only that can write.

mod administrator;
mod agreement;
mod apply;
mod apply_user;
mod choose;
mod control;
mod error;
mod filter_types;
mod fits;
mod foresee;
mod gather;
mod names;
mod phases;
mod pool;
mod progress;
mod prove;
mod record;
mod rehearse;
mod run;
mod session;
mod stop;
mod survey;
mod templates;
mod undo;

pub use crate::plan::SurveyMode;
pub use administrator::{FallBack, SurveyedAs};
pub use agreement::{Agreed, Answer, Applied, Refused, agree};
pub use control::Control;
pub use error::RolloutError;
pub use filter_types::check_types;
pub use fits::{Differences, Misfit};
pub use phases::{
    Created, Drifted, Finished, Gathered, IntoPlan, Looked, Looking, NewRun, NewRunFile, Opened,
    Planned, SavedPlan, SourceRun, open,
};
pub use progress::{Activity, Progress, Step, StepProgress};
pub use rehearse::Rehearsal;
pub use run::{EndedRun, Halted, Run, RunHandle};
pub use session::{Connection, GuardSource};
pub use stop::StopReason;
