//! Reading a run: totals, problems, users and changes.

use super::ReadError;

mod ahead;
mod changes;
mod digest;
mod evidence;
mod findings;
mod groups;
mod impact;
mod listing;
mod lookup;
mod page;
mod run_view;
mod states;
mod timeline;
mod totals;

pub use changes::{ChangeRow, ProblemRow};
pub use evidence::EvidenceUser;
pub use findings::{CountWithExample, Finding};
pub use groups::UserGroup;
pub use impact::{Impact, ImpactOfType, ImpactOfUser, ImpactRow, Mailboxes, UnknownGroup};
pub use listing::{ListedFilter, ListedUser};
pub use lookup::{PutBackBefore, StaysPutBack};
pub use page::{PageClass, PageOrder, PageQuery, PageUser, UserLoss, UserPage};
pub use run_view::View;
pub use states::States;
pub use timeline::{TimeBucket, Timeline};
pub use totals::{FilterTotals, ProblemGroup, TypeTotals, UserTotals};
