//! How far a run is, while it runs.

mod show;

pub use show::{ProgressStyle, show_progress};
