//! One run as one HTML file for auditors: without network access, readable without scripts, and printable.
//!
//! Written without templates: most of the file is a list of users that is written while it is
//! read, so there would be a template for each fragment. The escaping that a template engine
//! provides is done by [`escape::Text`], through which every value passes.

mod charts;
mod escape;
mod head;
mod impact;
mod page;
mod users;

pub use escape::Text;
pub(super) use page::{STYLE, write_figures_of, write_html, write_times_of};
