//! The engine: phases of a run, agreement, pause, undo.
//!
//! A run goes through its phases in one order. Each is a separate type: [`Created`], [`Gathered`], [`Planned`],
//! [`Agreed`], and its end. Only [`agree`] makes an [`Agreed`], and only that can write.

mod administrator;
mod agreement;
mod apply;
mod apply_user;
mod choose;
mod claimed_users;
mod control;
mod drift;
mod drifted;
mod error;
mod filter_types;
mod gather;
mod impact;
mod impersonation_proof;
mod names;
mod narrow;
mod new_run;
mod open;
mod phases;
mod pool;
mod progress;
mod prove;
mod record;
mod rehearse;
mod request_counts;
mod run;
mod session;
mod source;
mod stop;
mod survey;
mod template_drift;
mod templates;
mod trial;
mod trial_questions;
mod undo;
mod user_filters;

pub use crate::plan::SurveyMode;
pub use administrator::{FallBack, SurveyedAs};
pub use agreement::{AgreeResult, Agreed, Applied, Refused, agree};
pub use control::Control;
pub use drift::Drift;
pub use drifted::{DriftedFilter, DriftedTemplate};
pub use error::RolloutError;
pub use filter_types::check_types;
pub use narrow::{NarrowResult, edit_plan, narrow};
pub use new_run::{NewRun, NewRunFile, ReadOnlyRun};
pub use open::{Drifted, IntoPlan, Opened, open};
pub use phases::{Created, Finished, Gathered, Planned, ReadOnlySurvey, Retry, SavedPlan};
pub use progress::{Progress, RunActivity, RunStep, StepProgress};
pub use rehearse::DryRunResult;
pub use run::{EndedRun, Halted, Run, RunHandle};
pub use session::{Connection, GuardSource};
pub use source::SourceRun;
pub use stop::StopReason;
pub use trial::{TrialEnd, TrialRow};
