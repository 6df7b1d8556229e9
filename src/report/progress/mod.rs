//! The progress of a run while it continues.

mod rate;
mod show;
mod tracker;
mod wording;

pub use show::{Board, ProgressStyle, Watch};
pub(super) use tracker::{Standing, Tracker};
pub(super) use wording::name as step_name;
