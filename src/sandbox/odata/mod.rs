//! The query engine of the sandbox: `$select`, `$filter`, `$orderby`, paging and the JSON answers.
//!
//! Pure: no I/O, no clock, no randomness. The order of use, for a GET on a collection:
//!
//! 1. [`Query::parse`] reads the query string (the part of the URL after `?`, still percent-encoded)
//!    against a [`Table`]; a [`QueryError`] contains the HTTP status, code and message of the answer.
//! 2. [`Query::conditions`] says whether the filter is exactly what an administrator must send to read
//!    another user's filters; the caller then decides which rows the asker may read.
//! 3. [`run`] filters and sorts those rows and returns one page. [`count`] answers `/$count`.
//! 4. [`collection_body`] writes the answer.
//!
//! For a GET on one row: [`Query::parse_single`], then [`entity_body`].

mod annotations;
mod body;
#[cfg(test)]
mod body_tests;
mod check;
mod conditions;
mod cookie;
mod cursor;
mod dialect;
mod error;
mod expand;
mod expr;
mod filter;
#[cfg(test)]
mod filter_tests;
#[cfg(test)]
mod fixture;
mod formatted;
mod functions;
mod json;
mod lex;
mod like;
mod options;
mod order;
mod page;
mod parse;
#[cfg(test)]
mod parse_properties;
mod percent;
mod query;
mod table;
mod value;

pub(crate) use annotations::Annotations;
pub(crate) use body::{PayloadFormat, collection_body, entity_body, to_json};
pub(crate) use conditions::Conditions;
pub(crate) use dialect::Dialect;
pub(crate) use error::{QueryError, REQUEST};
pub(crate) use formatted::formatted;
pub(crate) use json::{Json, Object};
pub(crate) use like::Pattern;
pub(crate) use page::{Page, PageRequest, count, run};
pub(crate) use percent::encode_outer;
pub(crate) use query::Query;
pub(crate) use table::{Asker, Context, Hierarchy, Lookup, Navigation, Row, Table};
pub(crate) use value::{ColumnType, Value};
