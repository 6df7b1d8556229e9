//! From a survey and a wanted state to the changes to make.
//!
//! All of it is plain functions over plain values: no network, no file, no clock.

mod alike;
mod attribution;
mod bound;
mod change;
mod confirmations;
mod consent;
mod criteria;
mod decision;
mod difference;
mod digest;
mod eligibility;
mod estimate;
mod fetch;
#[cfg(test)]
mod fetch_tests;
mod groups;
mod guards_by_organization;
mod impact;
#[cfg(test)]
mod impact_tests;
mod limit;
mod loss;
mod row_decision;
mod run_settings;
mod selection;
mod selector;
mod stakes;
mod templates;
mod undo;
mod user_list;

pub use alike::ALIKE;
pub use attribution::{Attribution, WriteKnown};
pub use bound::{BoundError, UserLimit, Wave, WaveError, Waves};
#[cfg(test)]
pub(crate) use change::tests::filter as test_filter;
pub use change::{Change, UserPlan, foreign_row, plan_user};
pub use confirmations::{Confirmations, GivenBy, Need, Topic};
pub use consent::{Decision, Granted, Refusal, decide};
pub use criteria::{Criteria, CriteriaError, Types};
pub use decision::{RowDecision, RowResult};
pub use difference::{DriftKind, find_drift, is_as_wanted, is_current};
pub use digest::{Digester, PlanDigest, PlanDigestError};
pub use eligibility::ineligible;
pub use estimate::{AppliedBy, Estimate, LIMIT_WINDOW, RequestPace, TimeRange, WorkAhead, pauses};
pub use fetch::{COUNT, FetchError, FetchXml};
pub use groups::{BusinessUnit, GroupMismatch, Groups, UserView, find_name, find_units, find_view};
pub use guards_by_organization::{GuardEntry, GuardsByOrganization, KnownOrganization};
pub use impact::{
    ImpactContext, ImpactQuery, ImpactQuestion, ImpactTable, Loss, LossBound, QueryAnswer,
    READ_ACTIVITY, READ_CONTACT, SystemFilter, Unknown, questions,
};
pub use limit::Limit;
pub use loss::compute_loss;
pub use row_decision::{WriteCondition, judge};
pub use run_settings::{RunSettings, SurveyMode};
pub use selection::{Among, NameSource, Selection, UnresolvedName, UserRef, key as name_key};
pub use selector::{Resolved, Selector, SkippedName};
pub use stakes::{Guards, NewUsers, Stakes, WaveStakes};
pub use templates::{
    TemplateChange, TemplateChoice, TemplateDecision, TemplateLeft, TemplateWish,
    is_template_by_other, judge_template, judge_template_again, judge_template_undo,
    template_changed_since, template_half_back, template_halves, template_write,
};
pub use undo::{AsLeft, PutBack, UNDO_CANNOT, UndoRow, UndoTerms, changed_since};
pub use user_list::{
    LONGEST_LIST, ListFault, UserList, UserListError, one_name, parse_user_list, read_user_list,
};
