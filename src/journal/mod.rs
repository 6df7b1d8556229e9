//! The run file: states before the run, intents, and results.
//!
//! One run is one SQLite file. Every change is committed here before its request is sent, and its result
//! after, so that a run that was killed at any moment can be finished or undone from the file alone.

mod again;
mod apply;
mod codes;
mod commit;
mod contents;
mod end_log;
mod error;
mod file;
mod file_facts;
mod history;
mod impact;
mod imported;
mod inspected;
mod lock;
mod locked_run;
mod narrow;
mod outcome_counts;
mod pace;
mod place;
mod reader;
mod related;
mod remote;
mod retention;
mod rows;
mod run_header;
mod run_ref;
mod schema;
mod standing;
mod store;
mod survey;
mod templates;
mod transfer;
mod undo;
mod undo_chain;
mod undone_run;
mod user_standing;
mod values;
mod view;
mod waves;

pub use apply::{PendingChange, PendingUser, SettledChange, Unproved, WrittenRow};
pub use commit::Journal;
pub use error::{JournalError, OpenError, ReadError};
pub use file::{FirstContents, RunFile, discard};
pub use history::{HistoryEntry, HistoryKind};
pub use impact::{ImpactFindings, ImpactOptions, NamedFilter, UserFlag};
pub use inspected::InspectedFiles;
pub use lock::is_in_use;
pub use locked_run::LockedRun;
pub use narrow::{Narrowed, PlanEdit, PlanStanding, PlanUser};
pub use reader::RunReader;
pub use related::{Claim, RelatedRuns, Undone, undone_beside, written_beside};
pub use remote::is_on_another_machine;
pub use retention::{RunUse, prunable};
pub use run_header::{Phase, Requests, RunHeader};
pub use run_ref::{RunContext, RunLocation, RunRef};
pub use standing::{Standing, UserStandings};
pub use store::{LATEST, RunPath, RunStore, Summary, UndoExtent};
pub use survey::{RunUser, SelectedUser, Surveyed};
pub use templates::TemplateTotals;
pub use transfer::ForeignRun;
pub use undo::UndoFinding;
pub use undone_run::WritingTime;
pub use view::{
    ChangeRow, CountWithExample, EvidenceUser, FilterTotals, Finding, Impact, ImpactOfType,
    ImpactOfUser, ImpactRow, ListedFilter, ListedUser, Mailboxes, PageClass, PageOrder, PageQuery,
    PageUser, ProblemGroup, ProblemRow, PutBackBefore, States, StaysPutBack, TimeBucket, Timeline,
    TypeTotals, UnknownGroup, UserGroup, UserLoss, UserPage, UserTotals, View,
};
pub use waves::{Left, NextWave, WaveTotals};
