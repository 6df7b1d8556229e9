//! PATCH, POST and DELETE.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use uuid::Uuid;

use super::access::may_write;
use super::address::RowKey;
use super::changes::{Changes, KnownChange, changes};
use super::errors::ApiError;
use super::faults::Fault;
use super::impersonate::Acting;
use super::message::{IncomingCall, Reply};
use super::odata::{Dialect, Query, Table};
use super::options::Options;
use super::patch::{may_create, patch_filter, patch_view};
use super::precondition::{Precondition, precondition};
use super::prefer::Prefer;
use super::read::RowReader;
use super::rights::Privilege;
use super::rows::FilterRecord;
use super::store::Store;
use super::switches::Switch;
use super::tables::{Kind, RowRef, by_id, table};

/// One write: the asker and the organisation.
pub(super) struct RowWriter<'a> {
    pub(super) store: &'a mut Store,
    pub(super) acting: Acting,
    pub(super) options: &'a Options,
    /// The service root, absolute, with its final slash.
    pub(super) root: &'a str,
    pub(super) now: Timestamp,
    /// A change by another user just before.
    pub(super) fault: Option<Fault>,
}

impl RowWriter<'_> {
    pub(super) fn patch(
        &mut self,
        kind: Kind,
        key: RowKey,
        call: &IncomingCall,
    ) -> Result<Reply, ApiError> {
        let RowKey::Id(id) = key else {
            return Err(ApiError::method("PATCH"));
        };
        match kind {
            Kind::Filters => self.patch_filter(id, call),
            Kind::Views => self.patch_view(id, call),
            _ => Err(ApiError::method("PATCH")),
        }
    }

    fn changes(&self, kind: Kind, call: &IncomingCall) -> Result<Changes, ApiError> {
        require_json(&call.headers)?;
        let table = table(kind, self.options.version);
        changes(&call.body, kind.logical_name(), |name| {
            match table.find(name) {
                Some(column) if column.writable => KnownChange::Writable,
                Some(_) => KnownChange::ReadOnly,
                None => KnownChange::No,
            }
        })
    }

    fn patch_filter(&mut self, id: Uuid, call: &IncomingCall) -> Result<Reply, ApiError> {
        let changes = self.changes(Kind::Filters, call)?;
        let condition = precondition(&call.headers, self.options.switches)?;
        let query = self.query(Kind::Filters, call)?;
        self.fault(id);
        let switches = self.options.switches;
        let missing = || ApiError::missing("userquery", id);
        let Some(filter) = self.store.filter(id) else {
            condition.check(None, missing)?;
            // The documented risk: without a precondition a PATCH creates a missing row.
            let created = self.new_filter(id, &changes)?;
            self.store.write(created);
            return self.done(Kind::Filters, id, &query, call, StatusCode::CREATED);
        };
        may_write(
            self.store,
            &self.acting,
            filter,
            Privilege::WriteUserQuery,
            switches,
        )?;
        condition.check(Some(filter.version), missing)?;
        let mut patched = patch_filter(filter, &changes, switches)?;
        if let Some(owner) = changes.owner {
            patched.owner = self
                .store
                .person(owner)
                .ok_or_else(|| ApiError::missing("systemuser", owner))?;
            self.store.remove(id);
        }
        self.sign(&mut patched);
        if switches.on(Switch::VersionStays) {
            self.store.write_in_place(patched);
        } else {
            self.store.write(patched);
        }
        self.done(Kind::Filters, id, &query, call, StatusCode::OK)
    }

    fn patch_view(&mut self, id: Uuid, call: &IncomingCall) -> Result<Reply, ApiError> {
        let changes = self.changes(Kind::Views, call)?;
        let condition = precondition(&call.headers, self.options.switches)?;
        let query = self.query(Kind::Views, call)?;
        self.acting.require(self.store, Privilege::WriteQuery)?;
        let missing = || ApiError::missing("savedquery", id);
        let Some(index) = self.store.view(id) else {
            condition.check(None, missing)?;
            return Err(missing());
        };
        let view = &self.store.views[index];
        condition.check(Some(view.version), missing)?;
        let mut patched = patch_view(view, &changes, self.options.switches)?;
        let others = self
            .store
            .views
            .iter()
            .filter(|it| it.id != id && it.is_default);
        let mut rivals =
            others.filter(|it| (&it.table, it.query_type) == (&patched.table, patched.query_type));
        if patched.is_default && rivals.next().is_some() {
            return Err(ApiError {
                code: "0x8004027d",
                ..ApiError::bad_request("Only one filter template per entity can be the default.")
            });
        }
        patched.modified_by = self.acting.user;
        patched.on_behalf = self.acting.on_behalf();
        patched.modified_on = self.now;
        self.store.write_view(index, patched);
        self.done(Kind::Views, id, &query, call, StatusCode::OK)
    }

    /// POST to a set.
    pub(super) fn create(&mut self, kind: Kind, call: &IncomingCall) -> Result<Reply, ApiError> {
        if kind != Kind::Filters {
            return Err(ApiError::method("POST"));
        }
        let changes = self.changes(kind, call)?;
        let query = self.query(kind, call)?;
        for (name, given) in [
            ("name", changes.name.is_some()),
            ("fetchxml", changes.fetch_xml.is_some()),
            ("returnedtypecode", changes.table.is_some()),
            ("querytype", changes.query_type.is_some()),
        ] {
            if !given {
                return Err(ApiError {
                    code: "0x80040203",
                    ..ApiError::bad_request(format!("Attribute: {name} cannot be set to NULL"))
                });
            }
        }
        let id = Uuid::new_v4();
        let created = self.new_filter(id, &changes)?;
        self.store.write(created);
        self.done(kind, id, &query, call, StatusCode::CREATED)
    }

    /// A new active row of the acting user with the changes.
    fn new_filter(&self, id: Uuid, changes: &Changes) -> Result<FilterRecord, ApiError> {
        self.acting
            .require(self.store, Privilege::CreateUserQuery)?;
        may_create(changes.query_type.unwrap_or(0))?;
        let owner = match changes.owner {
            Some(owner) => self
                .store
                .person(owner)
                .ok_or_else(|| ApiError::missing("systemuser", owner))?,
            None => self.acting.user,
        };
        let empty: Arc<str> = "".into();
        let mut blank = FilterRecord {
            id,
            owner,
            name: empty.clone(),
            table: empty.clone(),
            fetch_xml: empty,
            description: None,
            query_type: 0,
            state: 0,
            status: Some(1),
            parent: None,
            version: 0,
            created_on: self.now,
            modified_on: self.now,
            modified_by: owner,
            on_behalf: None,
            created_on_behalf: self.acting.on_behalf(),
            shared_with: None,
        };
        self.sign(&mut blank);
        patch_filter(&blank, changes, self.options.switches)
    }

    /// Sets the author: `modifiedby` is the impersonated user, `modifiedonbehalfby` the real caller
    /// (Microsoft: "Impersonate another user using the Web API").
    fn sign(&self, filter: &mut FilterRecord) {
        filter.modified_by = self.acting.user;
        filter.on_behalf = if self.options.switches.on(Switch::NoOnBehalf) {
            None
        } else {
            self.acting.on_behalf()
        };
        filter.modified_on = self.now;
    }

    pub(super) fn delete(
        &mut self,
        kind: Kind,
        key: RowKey,
        call: &IncomingCall,
    ) -> Result<Reply, ApiError> {
        let (Kind::Filters, RowKey::Id(id)) = (kind, key) else {
            return Err(ApiError::method("DELETE"));
        };
        let condition = match precondition(&call.headers, self.options.switches)? {
            Precondition::None | Precondition::Missing => Precondition::Exists,
            other => other,
        };
        self.fault(id);
        let missing = || ApiError::missing("userquery", id);
        let filter = self.store.filter(id).ok_or_else(missing)?;
        let switches = self.options.switches;
        may_write(
            self.store,
            &self.acting,
            filter,
            Privilege::DeleteUserQuery,
            switches,
        )?;
        condition.check(Some(filter.version), missing)?;
        self.store.remove(id);
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// Makes the change by another user.
    fn fault(&mut self, id: Uuid) {
        match self.fault {
            Some(Fault::Gone) => self.store.meanwhile_gone(id),
            Some(Fault::Meanwhile) => self.store.meanwhile(id, self.now, |filter| {
                filter.description = Some("Edited meanwhile".into());
            }),
            Some(Fault::MeanwhileState) => self.store.meanwhile(id, self.now, |filter| {
                (filter.state, filter.status) = if filter.state == 0 {
                    (1, Some(2))
                } else {
                    (0, Some(1))
                };
            }),
            _ => {}
        }
    }

    fn query(&self, kind: Kind, call: &IncomingCall) -> Result<Query, ApiError> {
        let table = table(kind, self.options.version);
        let dialect = Dialect::default();
        Ok(Query::parse_single(&call.query, table, dialect)?)
    }

    /// 204, or the row if that is preferred.
    fn done(
        &self,
        kind: Kind,
        id: Uuid,
        query: &Query,
        call: &IncomingCall,
        status: StatusCode,
    ) -> Result<Reply, ApiError> {
        let table = table(kind, self.options.version);
        let address = format!("{}{}({id})", self.root, table.entity_set());
        let at = by_id(self.store, kind, id).ok_or_else(ApiError::internal)?;
        let row = RowRef::new(self.store, self.acting.user, at);
        let created = status == StatusCode::CREATED;
        let shows = !self.options.switches.on(Switch::NoRepresentation);
        if !shows || !Prefer::of(&call.headers).representation {
            let reply = Reply::new(StatusCode::NO_CONTENT).with("odata-entityid", &address);
            return Ok(if created {
                reply
            } else {
                reply.etag(row.version())
            });
        }
        let reader = RowReader {
            store: self.store,
            acting: self.acting,
            options: self.options,
            root: self.root,
            now: self.now,
            foreign_row: false,
        };
        let reply = reader
            .written(*table, query, &row, &call.headers, status)
            .with("preference-applied", "return=representation");
        Ok(if created {
            reply.with("odata-entityid", &address)
        } else {
            reply
        })
    }
}

/// Refuses content other than JSON.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let given = headers
        .get(CONTENT_TYPE)
        .map(|it| it.to_str().unwrap_or("?"));
    let media = given.map(|it| {
        it.split(';')
            .next()
            .unwrap_or(it)
            .trim()
            .to_ascii_lowercase()
    });
    match media.as_deref() {
        Some("application/json" | "text/json") => Ok(()),
        None => Err(ApiError::bad_request(
            "A missing or empty content type header was found when trying to read a message. The content type header is required.",
        )),
        Some(media) => Err(ApiError::of_request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!(
                "A supported MIME type could not be found that matches the content type of the request. None of the supported type(s) 'application/json' matches the content type '{media}'."
            ),
        )),
    }
}
