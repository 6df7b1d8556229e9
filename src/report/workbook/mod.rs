//! Excel workbooks: a sheet each for the summary, users, filters and problems.

mod book;
mod list;
mod run;

pub(super) use list::ListBook;
pub use run::write_run_workbook;
