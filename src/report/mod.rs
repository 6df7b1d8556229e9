//! Everything that is read: progress, tables, JSON, CSV, Markdown, HTML.
//!
//! Reads run files and events and writes to the given output. It prints nothing by itself, except
//! progress, which belongs on stderr. Everything that is printed passes through [`CleanWriter`].

mod calendar;
mod cell;
mod chosen_users;
mod classify;
mod difference;
mod document;
mod drift;
mod environment_names;
mod error;
mod error_report;
mod evidence;
mod format;
mod grid;
mod hints;
mod html;
mod impact;
mod impact_document;
#[cfg(test)]
mod impact_tests;
mod json;
mod list;
mod list_documents;
mod markdown;
mod next_commands;
mod page_parts;
mod pager;
mod paint;
mod per_environment;
mod phrases;
mod plan;
mod plan_block;
mod plan_details;
mod plan_facts;
mod plan_notes;
mod problems;
mod progress;
mod question;
mod run;
mod run_cells;
mod run_command;
mod run_csv;
mod run_markdown;
mod runs;
mod several;
mod standing;
mod summary;
mod template_documents;
mod template_run;
mod templates;
pub mod terminal;
#[cfg(test)]
mod test_runs;
mod text;
mod text_lines;
mod time_words;
mod trial;
mod user_choice;
mod user_documents;
mod workbook;
mod writer;

pub use crate::model::text::{capital, clean, one_line};
pub use calendar::{warns_of_calendar_loss, write_calendar_warning, write_undo_limits};
pub use cell::cell as csv_cell;
pub use classify::STALE_PLAN;
pub use difference::{difference_lines, write_differences};
pub use document::{write_document, write_error};
pub use drift::Names;
pub use environment_names::told_apart;
pub use error::ReportError;
pub use error_report::{ErrorClass, ErrorReport};
pub use format::{Format, FormatError, Style};
pub use hints::hint;
pub use html::Text as PageText;
pub use impact::loss_words;
pub use json::write_json;
pub use list::ListWriter;
pub use page_parts::{
    PAGE_STYLE, PlanFacts, ProgressWords, RunFollower, plan_facts, run_row, run_title,
    write_figures, write_times_of,
};
pub use paint::Tone;
pub use phrases::wave_line;
pub use plan::{PlanView, write_plan};
pub use plan_block::{width_of_names, write_left_out_block, write_plan_block};
pub use plan_details::write_plan_details;
pub use progress::{Board, ProgressStyle, Watch};
pub use question::{Prompt, after_undo, prompts, question, verb};
pub use run::{write_run, write_users};
pub use run_command::{RunCommand, argument as run_argument, context_flags};
pub use runs::{NamedRun, write_runs};
pub use several::{EnvironmentResults, Overview, write_heading, write_overview};
pub use standing::{NamedStanding, write_standings};
pub use summary::write_summary;
pub use template_run::TemplateRun;
pub use templates::{write_template_run, write_templates};
pub use text::wrapped;
pub use time_words::time_words;
pub use trial::write_trial;
pub use user_choice::{ShownUsers, UserChoice, UserClass, UserClassError};
pub use workbook::write_run_workbook;
pub use writer::{CleanWriter, StyledWrite, paint_line};
