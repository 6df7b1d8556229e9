//! Tables, their columns and rows, as the query engine wants them.

mod columns;
mod labels;
mod row;
mod schema;
mod values;

pub(super) use row::{At, RowRef, by_id};
pub(super) use schema::{Kind, TableOf, table};
