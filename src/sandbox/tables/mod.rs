//! Tables, their columns and rows, for the query engine.

mod activity_columns;
mod activity_values;
mod at;
mod columns;
mod find;
mod labels;
mod queried;
mod row;
mod schema;
mod values;

pub(super) use at::At;
pub(super) use columns::TableColumn;
pub(super) use find::{by_id, kind_of};
pub(super) use row::RowRef;
pub(super) use schema::{Kind, TableOf, table};
