//! Several environments in one command: each with its run file, its pace and its sign-in, side by side.

mod change;
mod ending;
mod examine;
mod places;
mod read;

pub(super) use change::{change, plan};
pub(super) use examine::doctor;
pub(super) use places::{Place, places};
pub(super) use read::{check, list};
