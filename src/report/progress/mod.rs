//! How far a run is, while it runs.

mod rate;
mod show;
mod tracker;
mod wording;

pub use show::{Board, ProgressStyle, Watch};
pub(super) use tracker::{Standing, Tracker};
pub(super) use wording::name as step_name;
