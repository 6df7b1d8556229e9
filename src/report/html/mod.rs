//! One run as one HTML file, for handing over: no network, readable without scripts, fit for paper.
//!
//! Written by hand and not from templates: most of the file is a list of users that is written while it is
//! read, so that a template would be one for each fragment and would save nothing. What a template engine
//! gives, that nothing goes out unescaped, [`escape::Text`] does: every value passes through it.

mod charts;
mod escape;
mod head;
mod impact;
mod page;
mod users;

pub use escape::Text;
pub(super) use page::{STYLE, write_figures_of, write_html, write_times_of};
