//! The Web API of Dynamics 365 / Dataverse: requests, paging, batches, errors, impersonation.
//!
//! Reads and writes have different types: a [`Reader`] cannot write, and every change is made by the
//! one [`Writer`], those of templates by the one [`TemplateWriter`].

mod admin_survey;
mod answer;
pub mod batch;
mod batches;
mod call;
mod channel;
mod checkup;
mod columns;
mod conditions;
mod discovery;
mod error;
mod fault;
mod filter_types;
mod groups;
mod identity;
mod impact;
mod impersonation;
mod mailboxes;
mod pages;
mod privileges;
mod read;
mod reader;
mod reply;
mod rows;
mod templates;
mod trial;
mod users;
mod views;
mod writer;

pub use answer::Answer;
pub use channel::Channel;
pub use checkup::ServerLimits;
pub use columns::Columns;
pub use conditions::{Arranged, arrange, associated, column_is, quoted};
pub use discovery::{Instance, instances};
pub use error::{Error, fault_problem};
pub use fault::ServerFault;
pub use groups::{Holder, UnitRow};
pub use identity::Identity;
pub use impact::{FetchQuery, Fetched, FetchedAs, OrganisationFilter, Probe, TableNames};
pub use impersonation::{Impersonated, ImpersonationHeader};
pub use mailboxes::MailboxMethod;
pub use privileges::{PrivilegeReach, ReadDepth};
pub use reader::Reader;
pub use reply::{Why, WriteReply};
pub use templates::TemplateWriter;
pub use trial::{FirstAttempts, ServerSeen, TrialAnswer, TrialBody};
pub use users::UserPages;
pub use views::ViewRow;
pub use writer::{SetState, Writer};
