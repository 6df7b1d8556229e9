//! The engine: survey, apply, resume, undo, as one stream of events.

mod administrator;
mod apply;
mod apply_user;
mod choose;
mod error;
mod event;
mod fits;
mod foresee;
mod gather;
mod names;
mod pool;
mod prove;
mod record;
mod session;
mod survey;
mod templates;

pub use crate::plan::SurveyMode;
pub use administrator::{FallBack, SurveyedAs};
pub use apply::Application;
pub use error::RolloutError;
pub use event::{Event, Events, Step};
pub use fits::{Differences, Misfit};
pub use session::{Rollout, Started};
pub use templates::{TemplateChange, TemplateFate, set_template};
