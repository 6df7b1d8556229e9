//! Finds out what a plan removes from users' calendars before the user agrees to it. Nothing here writes to the server.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, PoisonError};

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::dataverse::{
    self, Columns, FetchQuery, Fetched, FetchedAs, Impersonated, MailboxMethod, Probe, ReadDepth,
    ServerFault,
};
use crate::journal::{NamedFilter, RunUser, UserFlag};
use crate::model::{Filter, FilterType, Operation, ProblemKind};
use crate::plan::{
    COUNT, Change, ImpactContext, ImpactQuery, ImpactQuestion, ImpactTable, QueryAnswer,
    READ_ACTIVITY, READ_CONTACT, SystemFilter, Unknown, compute_loss, questions,
};

use super::RolloutError;
use super::impersonation_proof::ImpersonationProof;
use super::session::Rollout;

/// `querytype`: `OutlookFilters`, on `savedquery` a system filter.
const SYSTEM_FILTER: i32 = 256;

impl Rollout {
    /// The columns of filters to read, with their queries where they are counted.
    pub(super) fn columns(&self) -> Columns {
        match self.surroundings() {
            Some(_) => Columns::WithQueries,
            None => Columns::Needed,
        }
    }

    fn surroundings(&self) -> Option<Arc<ImpactContext>> {
        let kept = self.around.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_surroundings(&self, around: ImpactContext) {
        let mut kept = self.around.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some(Arc::new(around));
    }

    /// Reads, before a plan to deactivate filters is shown, what the organisation itself synchronises and
    /// gives to new users, and which mailboxes synchronise: three requests, and one more for every 5,000 users whose
    /// mailbox the server does not synchronise. Where the impact is counted, also the caller's level of reading:
    /// one request more, and another one with contacts.
    pub(super) async fn read_impact_context(&self) -> Result<(), RolloutError> {
        let counts = self.journal().asked().await?.impact;
        // A list shows no plan, and a command that asks no user shows its plan to nobody.
        let is_shown = self.file.path().is_some() && !self.settings.fix;
        if self.header().operation != Operation::Deactivate || !(counts || is_shown) {
            return Ok(());
        }
        let system_filters = self.read_organisation_filters().await?;
        self.mark_mailboxes().await?;
        if !counts {
            return Ok(());
        }
        self.keep_surroundings(ImpactContext {
            system_filters,
            read_whole: self.read_whole().await?,
            now: Timestamp::now(),
            ..ImpactContext::default()
        });
        Ok(())
    }

    /// Finds out, once for all commands of this connection, whether the server checks the version of a filter in a
    /// write, and records where it does not.
    pub(super) async fn ask_for_versions(&self) -> Result<(), RolloutError> {
        match self.reader.optimistic_concurrency().await {
            Ok(Some(false)) => self.record_any_version().await,
            Ok(_) if self.reader.is_without_concurrency() => self.record_any_version().await,
            Err(error) if error.is_fatal() => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    pub(super) async fn record_any_version(&self) -> Result<(), RolloutError> {
        let journal = self.journal();
        Ok(journal.found(|found| found.any_version = true).await?)
    }

    async fn read_organisation_filters(&self) -> Result<Option<Vec<SystemFilter>>, RolloutError> {
        let read = match self.reader.organisation_filters().await {
            Ok(read) => read,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => {
                let why = error.to_string();
                self.journal()
                    .found(move |found| found.organisation_unknown = Some(why))
                    .await?;
                return Ok(None);
            }
        };
        let about = |filter_type: &FilterType| self.header().criteria.is_about(filter_type);
        let (mut filters, mut templates, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for row in read {
            let filter_type = FilterType::new(&row.returnedtypecode);
            if !about(&filter_type) {
                continue;
            }
            let name = row.name.unwrap_or_default();
            let it = NamedFilter {
                name: name.clone(),
                filter_type: filter_type.clone(),
            };
            if row.querytype == SYSTEM_FILTER {
                named.push(it);
                filters.push(SystemFilter {
                    name,
                    filter_type,
                    query: row.fetchxml,
                });
            } else if row.isdefault == Some(true) {
                templates.push(it);
            }
        }
        self.journal()
            .found(move |found| {
                found.system_filters = Some(named);
                found.templates = Some(templates);
                found.organisation_unknown = None;
            })
            .await?;
        Ok(Some(filters))
    }

    async fn mark_mailboxes(&self) -> Result<(), RolloutError> {
        let mut unknown = None;
        for (mark, method) in [
            (UserFlag::NoMailbox, MailboxMethod::Nothing),
            (UserFlag::OutlookClient, MailboxMethod::OutlookClient),
        ] {
            let mut users = HashSet::new();
            match self
                .reader
                .users_where(method.condition(), &mut users)
                .await
            {
                Ok(()) => {}
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => unknown = Some(error.to_string()),
            }
            self.journal()
                .mark(mark, users.into_iter().collect())
                .await?;
        }
        Ok(self
            .journal()
            .found(move |found| found.mailboxes = unknown)
            .await?)
    }

    /// The privileges with which the caller reads all rows. Where the server does not say, less is assumed.
    async fn read_whole(&self) -> Result<BTreeSet<&'static str>, RolloutError> {
        let mut whole = BTreeSet::new();
        let contacts = self.header().criteria.is_about(&FilterType::new("contact"));
        for name in [Some(READ_ACTIVITY), contacts.then_some(READ_CONTACT)] {
            let Some(name) = name else { continue };
            match self.reader.read_depth(name).await {
                Ok(Some(ReadDepth::Organization)) => drop(whole.insert(name)),
                Err(error) if error.is_fatal() => return Err(error.into()),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(whole)
    }

    /// Counts what a user loses, and records it, if that was asked for.
    pub(super) async fn count_impact(
        &self,
        run_user: &RunUser,
        filters: &[Filter],
        changes: &[Change],
    ) -> Result<(), RolloutError> {
        let Some(around) = self.surroundings().filter(|_| !changes.is_empty()) else {
            return Ok(());
        };
        let around = self.with_tables(around, filters).await?;
        let questions = questions(filters, changes, &around);
        let queries: Vec<_> = questions.iter().flat_map(|q| &q.queries).collect();
        // If the caller cannot read everything, the user's level does not matter.
        let privilege = |question: &ImpactQuestion| {
            let table = around.tables.get(&question.filter_type)?.as_ref();
            table?
                .privilege
                .filter(|name| around.read_whole.contains(name))
        };
        let privileges: BTreeSet<_> = questions.iter().filter_map(privilege).collect();
        let privileges: Vec<_> = privileges.into_iter().collect();
        let (answers, whole) = self.answers(run_user, &queries, &privileges).await?;
        let mut answers = answers.into_iter();
        let losses = questions.iter().map(|question: &ImpactQuestion| {
            let its: Vec<_> = answers.by_ref().take(question.queries.len()).collect();
            let sees_all = privilege(question).is_some_and(|name| whole.contains(name));
            (
                question.filter_type.clone(),
                compute_loss(question, &its, sees_all),
            )
        });
        let losses: Vec<_> = losses.collect();
        Ok(self.journal().lost(run_user.seq, losses).await?)
    }

    /// Looks up the tables that are not known yet.
    async fn with_tables(
        &self,
        mut around: Arc<ImpactContext>,
        filters: &[Filter],
    ) -> Result<Arc<ImpactContext>, RolloutError> {
        let types: BTreeSet<_> = filters.iter().map(|filter| &filter.filter_type).collect();
        for filter_type in types {
            if around.tables.contains_key(filter_type) {
                continue;
            }
            let table = match ImpactTable::known(filter_type) {
                Some(table) => Some(table),
                None => self.look_up(filter_type).await?,
            };
            around = self.keep_table(around, filter_type, table);
        }
        Ok(around)
    }

    /// Adds a table to those that all users share. Users are surveyed in parallel, so nothing that another one
    /// added may be lost.
    fn keep_table(
        &self,
        around: Arc<ImpactContext>,
        filter_type: &FilterType,
        table: Option<ImpactTable>,
    ) -> Arc<ImpactContext> {
        let mut shared = self.around.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = shared.get_or_insert(around);
        Arc::make_mut(shared)
            .tables
            .insert(filter_type.clone(), table);
        Arc::clone(shared)
    }

    async fn look_up(&self, filter_type: &FilterType) -> Result<Option<ImpactTable>, RolloutError> {
        let names = match self.reader.table_names(filter_type.as_str()).await {
            Ok(names) => names,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(_) => None,
        };
        let table = names.map(|names| ImpactTable {
            set: names.entity_set_name,
            key: names.primary_id_attribute,
            privilege: None,
        });
        Ok(table.filter(ImpactTable::is_sound))
    }

    /// The answers, and the privileges with which the user reads all rows. Servers of version 8 cannot answer the
    /// latter in one request, and all privileges of all users are too much to request.
    async fn answers<'a>(
        &self,
        run_user: &RunUser,
        queries: &[&ImpactQuery],
        privileges: &[&'a str],
    ) -> Result<(Vec<QueryAnswer>, BTreeSet<&'a str>), RolloutError> {
        if queries.is_empty() {
            return Ok((Vec::new(), BTreeSet::new()));
        }
        let privileges = if self.reader.identity().version.is_nine() {
            privileges
        } else {
            &[]
        };
        let probe = match self.proof() {
            ImpersonationProof::WhoAmI => Some(Probe::WhoAmI),
            ImpersonationProof::CurrentUser => Some(Probe::CurrentUser),
            ImpersonationProof::OnlyOurselves => None,
        };
        let asked: Vec<_> = queries.iter().map(|query| fetch_query(query)).collect();
        let who = Impersonated::from(run_user);
        let none = |why: &Unknown| {
            let all = vec![QueryAnswer::No(why.clone()); queries.len()];
            (all, BTreeSet::new())
        };
        match self.reader.fetch_as(&who, probe, &asked, privileges).await {
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => Ok(none(&unknown_by_error(&error))),
            Ok(FetchedAs { user, .. }) if probe.is_some() && user != Some(run_user.id) => {
                let message = user.map_or_else(
                    || "the server did not say as whom it answered".to_owned(),
                    |user| format!("asked as this user, the server answered as {user}"),
                );
                Ok(none(&Unknown::new("not-as-user", message)))
            }
            Ok(FetchedAs {
                answers, depths, ..
            }) => {
                let pairs = answers.into_iter().zip(queries);
                let answers = pairs.map(|(got, query)| answer(got, query)).collect();
                let whole = privileges.iter().zip(depths);
                let whole = whole.filter(|(_, depth)| *depth == Some(ReadDepth::Organization));
                Ok((answers, whole.map(|(name, _)| *name).collect()))
            }
        }
    }
}

fn fetch_query(query: &ImpactQuery) -> FetchQuery {
    FetchQuery {
        set: query.set.clone(),
        fetch: query.fetch.clone(),
        column: query.ids.clone().unwrap_or_else(|| COUNT.to_owned()),
    }
}

fn answer(fetched: Fetched, query: &ImpactQuery) -> QueryAnswer {
    let unusable = |what: &str| {
        QueryAnswer::No(Unknown::new(
            "refused",
            format!("the answer holds no {what}"),
        ))
    };
    match fetched {
        Fetched::Refused(fault) => QueryAnswer::No(unknown(&fault)),
        Fetched::Lost(why) => QueryAnswer::No(Unknown::new("refused", why)),
        Fetched::Values(values) if query.ids.is_some() => {
            let ids = values.iter().map(|id| id.as_str()?.parse::<Uuid>().ok());
            let ids: Option<Vec<_>> = ids.collect();
            ids.map_or_else(|| unusable("ids"), QueryAnswer::Ids)
        }
        Fetched::Values(values) => {
            let number = match &values[..] {
                [number] => Value::as_u64(number),
                _ => None,
            };
            number.map_or_else(|| unusable("number"), QueryAnswer::Number)
        }
    }
}

fn unknown_by_error(error: &dataverse::Error) -> Unknown {
    match error {
        dataverse::Error::Refused { fault, .. } => unknown(fault),
        dataverse::Error::Lost { .. } => Unknown::new("timeout", error.to_string()),
        error => Unknown::new("refused", error.to_string()),
    }
}

/// Why the server does not answer a query (codes: Microsoft's list of web service error codes).
fn unknown(fault: &ServerFault) -> Unknown {
    const AGGREGATE_LIMIT: u32 = 0x8004_E023;
    const SQL_TIMEOUT: u32 = 0x8004_4151;
    let says = |text: &str| fault.message.contains(text);
    let kind = if fault.code == Some(AGGREGATE_LIMIT) || says("AggregateQueryRecordLimit") {
        "too-many"
    } else if fault.code == Some(SQL_TIMEOUT) || fault.status == StatusCode::REQUEST_TIMEOUT {
        "timeout"
    } else {
        match fault.kind() {
            ProblemKind::NoPrivilege
            | ProblemKind::NoReadPrivilege
            | ProblemKind::NoRoles
            | ProblemKind::NoLicence
            | ProblemKind::AccessDenied => "no-privilege",
            _ if fault.status == StatusCode::BAD_REQUEST => "bad-query",
            _ => "refused",
        }
    };
    Unknown::new(kind, fault.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(status: u16, code: Option<u32>, message: &str) -> ServerFault {
        ServerFault {
            status: StatusCode::from_u16(status).unwrap(),
            code,
            message: message.into(),
            request_id: None,
            documented: true,
        }
    }

    #[test]
    fn the_reason_why_nothing_is_known_is_told_in_a_stable_word() {
        let missing = "Principal user is missing prvReadActivity privilege";
        for (refusal, kind) in [
            (
                fault(400, Some(0x8004_E023), "The maximum record limit"),
                "too-many",
            ),
            (fault(500, Some(0x8004_4151), "SQL timeout"), "timeout"),
            (fault(403, Some(0x8004_0220), missing), "no-privilege"),
            (
                fault(400, Some(0x8004_1103), "has no attribute"),
                "bad-query",
            ),
            (fault(500, None, "?"), "refused"),
        ] {
            assert_eq!(unknown(&refusal).kind, kind, "{refusal:?}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_no_number() {
        let mut query = ImpactQuery {
            set: "tasks".into(),
            fetch: "<fetch/>".into(),
            ids: None,
        };
        let of =
            |values: &[Value], query: &ImpactQuery| answer(Fetched::Values(values.to_vec()), query);
        assert_eq!(of(&[json!(4)], &query), QueryAnswer::Number(4));
        for unusable in [vec![], vec![json!(1), json!(2)], vec![json!("4")]] {
            assert!(
                matches!(of(&unusable, &query), QueryAnswer::No(_)),
                "{unusable:?}"
            );
        }
        query.ids = Some("activityid".into());
        let id = Uuid::from_u128(4);
        assert_eq!(of(&[json!(id)], &query), QueryAnswer::Ids(vec![id]));
        assert!(matches!(of(&[json!(4)], &query), QueryAnswer::No(_)));
    }
}
