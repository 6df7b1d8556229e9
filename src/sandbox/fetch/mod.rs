//! `FetchXML`: the query language of saved views and filters (Microsoft: "Query data using `FetchXml`").
//!
//! Pure: no I/O, no clock. [`read()`] makes a checked [`Fetch`] from the text; [`page`] and [`aggregate()`] run it over
//! a [`Source`]; [`write()`] writes the answer. Times are those of a user in UTC whose week starts on Sunday.

mod aggregate;
mod answer;
mod condition;
mod dates;
mod errors;
mod joins;
mod model;
mod narrow;
mod pages;
mod read;
mod scopes;
#[cfg(test)]
mod tests;

pub(super) use aggregate::aggregate;
pub(super) use answer::{Line, Writing, cookie, write};
pub(super) use joins::Source;
pub(super) use model::Fetch;
pub(super) use pages::{PageRequest, page};
pub(super) use read::{Known, RootFilters, read};
