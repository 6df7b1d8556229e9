//! GET on sets, rows and relationships.

use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::access::{Reach, Visible, visible};
use super::activities::{owned, parties, sees};
use super::address::RowKey;
use super::errors::ApiError;
use super::impersonate::Acting;
use super::message::{IncomingCall, Reply};
use super::odata::{
    Asker, Context, Dialect, Hierarchy, PageRequest, PayloadFormat, Query, Table, collection_body,
    count, entity_body, run,
};
use super::options::Options;
use super::precondition::not_modified;
use super::predefined_query::refuse_predefined;
use super::prefer::Prefer;
use super::rights::Privilege;
use super::rows::PersonIndex;
use super::store::Store;
use super::switches::Switch;
use super::tables::{At, Kind, RowRef, TableOf, by_id, kind_of, table};

/// One GET: the asker, the request and the organisation.
pub(super) struct RowReader<'a> {
    pub(super) store: &'a Store,
    pub(super) acting: Acting,
    pub(super) options: &'a Options,
    /// The service root, absolute, with its final slash.
    pub(super) root: &'a str,
    pub(super) now: Timestamp,
    /// Adds a row of another owner to a list of filters.
    pub(super) foreign_row: bool,
}

impl<'a> RowReader<'a> {
    fn table(&self, kind: Kind) -> TableOf {
        *table(kind, self.options.version)
    }

    pub(super) fn asker(&self) -> Asker {
        let switches = self.options.switches;
        let user = if switches.on(Switch::CurrentUserIgnoresImpersonation) {
            self.acting.caller
        } else {
            self.acting.user
        };
        let person = &self.store.people[user];
        Asker {
            user: person.id,
            business_unit: self.store.units[person.unit].id,
            teams: person
                .teams
                .iter()
                .map(|&team| self.store.teams[team].id)
                .collect(),
        }
    }

    /// GET on an entity set, or its `/$count`.
    pub(super) fn set(
        &self,
        kind: Kind,
        call: &IncomingCall,
        count: bool,
    ) -> Result<Reply, ApiError> {
        if count {
            refuse_predefined(&call.query)?;
        } else if let Some(reply) = self.predefined(kind, call)? {
            return Ok(reply);
        }
        let table = self.table(kind);
        let query = Query::parse(&call.query, &table, Dialect::default())?;
        let prefer = Prefer::of(&call.headers);
        let rows = self.rows(kind, &query, prefer.max_page_size.is_some())?;
        Ok(self.list(table, &query, rows, call, &prefer, count))
    }

    fn list(
        &self,
        table: TableOf,
        query: &Query,
        rows: impl Iterator<Item = RowRef<'a>>,
        call: &IncomingCall,
        prefer: &Prefer,
        counting: bool,
    ) -> Reply {
        let asker = self.asker();
        let context = self.context(&asker);
        if counting {
            let number = count(query, rows, &context).to_string();
            return Reply::new(StatusCode::OK).typed("text/plain", number);
        }
        let request = PageRequest {
            max_page_size: prefer.max_page_size,
        };
        let mut page = run(query, rows, &context, request);
        if self.foreign_row && table.kind == Kind::Filters {
            page.rows.extend(self.stranger());
        }
        let format = PayloadFormat {
            root: self.root,
            annotations: &prefer.annotations,
        };
        let url = self.list_url(&call.path);
        let body = collection_body(&table, query, &page, &url, &format, &context);
        let reply = Reply::json(StatusCode::OK, body);
        match prefer.applied_to_query() {
            Some(applied) => reply.with("preference-applied", &applied),
            None => reply,
        }
    }

    /// The address with which next links start.
    pub(super) fn list_url(&self, path: &str) -> String {
        let root = if self.options.switches.on(Switch::NextLinkToOtherHost) {
            "https://other.example/api/data/v9.2/"
        } else {
            self.root
        };
        format!("{root}{}", path.trim_start_matches('/'))
    }

    fn context<'c>(&'c self, asker: &'c Asker) -> Context<'c>
    where
        'a: 'c,
    {
        Context {
            asker,
            hierarchy: self,
            now: self.now,
        }
    }

    /// The rows that the acting user can read.
    fn rows(
        &self,
        kind: Kind,
        query: &Query,
        pages: bool,
    ) -> Result<Box<dyn Iterator<Item = RowRef<'a>> + 'a>, ApiError> {
        if let Some(privilege) = read_privilege(kind) {
            self.acting.require(self.store, privilege)?;
        }
        let store = self.store;
        let viewer = self.acting.user;
        let ends: Box<dyn Iterator<Item = At<'a>> + 'a> = match kind {
            Kind::Filters => {
                let conditions = query.conditions();
                let switches = self.options.switches;
                match visible(store, &self.acting, &conditions, pages, switches)? {
                    Visible::Of(owner) => Box::new(store.filters_of(owner).map(At::Filter)),
                    Visible::Own => Box::new(self.own_filters()),
                }
            }
            kind => self.open_rows(kind),
        };
        Ok(Box::new(ends.map(move |at| RowRef::new(store, viewer, at))))
    }

    /// The filters of the acting user, and shared views.
    pub(super) fn own_filters(&self) -> impl Iterator<Item = At<'a>> + 'a {
        let (store, user) = (self.store, self.acting.user);
        let all = store.filters_of(user).chain(store.shared_with(user));
        all.map(At::Filter)
    }

    /// The rows of any table except that of filters.
    pub(super) fn open_rows(&self, kind: Kind) -> Box<dyn Iterator<Item = At<'a>> + 'a> {
        let store = self.store;
        let people = || 0..store.people.len();
        match kind {
            Kind::Users => Box::new(people().map(At::User)),
            Kind::Views => Box::new((0..store.views.len()).map(At::View)),
            Kind::Units => Box::new((0..store.units.len()).map(At::Unit)),
            Kind::Roles => Box::new((0..store.roles.len()).map(At::Role)),
            Kind::Teams => Box::new((0..store.teams.len()).map(At::Team)),
            Kind::Organizations => Box::new(std::iter::once(At::Organization)),
            Kind::Appointments
            | Kind::Series
            | Kind::Services
            | Kind::Tasks
            | Kind::Letters
            | Kind::Faxes
            | Kind::PhoneCalls
            | Kind::Contacts
            | Kind::Parties => Box::new(self.activities(kind, people())),
            Kind::Assignments => Box::new(people().flat_map(|it| {
                store.people[it]
                    .roles
                    .iter()
                    .map(move |&role| At::Assignment(it, role))
            })),
            Kind::Memberships => Box::new(people().flat_map(|it| {
                store.people[it]
                    .teams
                    .iter()
                    .map(move |&team| At::Membership(it, team))
            })),
            Kind::Mailboxes => {
                let having = people().filter(|&it| store.people[it].mailbox.is_some());
                Box::new(having.map(At::Mailbox))
            }
            Kind::Privileges => Box::new(Privilege::ALL.into_iter().map(At::Privilege)),
            Kind::Filters | Kind::Principals => Box::new(std::iter::empty()),
        }
    }

    /// The activities of these owners that the acting user can read, or the parties of all of them.
    pub(super) fn activities(
        &self,
        kind: Kind,
        owners: impl Iterator<Item = PersonIndex> + 'a,
    ) -> impl Iterator<Item = At<'a>> + 'a {
        let (store, acting) = (self.store, self.acting);
        let seen = owners.filter(move |&owner| sees(store, &acting, owner));
        let all = seen.flat_map(move |owner| owned(store, owner));
        all.flat_map(move |it| {
            if kind == Kind::Parties {
                parties(store, &it).into_iter().map(At::Party).collect()
            } else if kind_of(&it) == kind {
                vec![At::Activity(it)]
            } else {
                Vec::new()
            }
        })
    }

    /// A filter of another user.
    fn stranger(&self) -> Option<RowRef<'a>> {
        let people = 0..self.store.people.len();
        let others = people.rev().filter(|&it| it != self.acting.user);
        let mut filters = others.flat_map(|owner| self.store.filters_of(owner));
        let filter = filters.find(|it| it.query_type == 256)?;
        Some(RowRef::new(
            self.store,
            self.acting.user,
            At::Filter(filter),
        ))
    }

    /// GET on one row.
    pub(super) fn row(
        &self,
        kind: Kind,
        key: RowKey,
        call: &IncomingCall,
    ) -> Result<Reply, ApiError> {
        let table = self.table(kind);
        let query = Query::parse_single(&call.query, &table, Dialect::default())?;
        let row = self.find(kind, key)?;
        if not_modified(&call.method, &call.headers, row.version()) {
            return Ok(Reply::new(StatusCode::NOT_MODIFIED).etag(row.version()));
        }
        Ok(self.written(table, &query, &row, &call.headers, StatusCode::OK))
    }

    /// One row as an answer.
    pub(super) fn written(
        &self,
        table: TableOf,
        query: &Query,
        row: &RowRef<'_>,
        headers: &http::HeaderMap,
        status: StatusCode,
    ) -> Reply {
        let asker = self.asker();
        let prefer = Prefer::of(headers);
        let format = PayloadFormat {
            root: self.root,
            annotations: &prefer.annotations,
        };
        let body = entity_body(&table, query, row, &format, &self.context(&asker));
        Reply::json(status, body).etag(row.version())
    }

    /// GET on a navigation property.
    pub(super) fn related(
        &self,
        kind: Kind,
        key: RowKey,
        property: &str,
        call: &IncomingCall,
    ) -> Result<Reply, ApiError> {
        let from = self.find(kind, key)?;
        let source = self.table(kind);
        let navigation = source.navigation(property);
        let found = kind.navigations().iter().find(|it| it.0 == property);
        let (Some(navigation), Some(&(_, end, _))) = (navigation, found) else {
            return Err(ApiError::no_resource(property));
        };
        if let Some(privilege) = read_privilege(end) {
            self.acting.require(self.store, privilege)?;
        }
        let table = self.table(end);
        let dialect = Dialect::default();
        if navigation.many {
            let query = Query::parse(&call.query, &table, dialect)?;
            let rows = from.follow(property).into_iter();
            return Ok(self.list(table, &query, rows, call, &Prefer::of(&call.headers), false));
        }
        let query = Query::parse_single(&call.query, &table, dialect)?;
        match from.follow(property).first() {
            Some(row) => Ok(self.written(table, &query, row, &call.headers, StatusCode::OK)),
            None => Ok(Reply::new(StatusCode::NO_CONTENT)),
        }
    }

    fn find(&self, kind: Kind, key: RowKey) -> Result<RowRef<'a>, ApiError> {
        if let Some(privilege) = read_privilege(kind) {
            self.acting.require(self.store, privilege)?;
        }
        let logical_name = kind.logical_name();
        let (id, at) = match key {
            RowKey::Id(id) => (id, by_id(self.store, kind, id)),
            RowKey::ObjectId(id) => (id, self.store.person_by_object_id(id).map(At::User)),
        };
        let at = at.ok_or_else(|| ApiError::missing(logical_name, id))?;
        let seen = match at {
            At::Filter(filter) => Reach::of(self.acting.user).reads(filter),
            At::Activity(activity) => sees(self.store, &self.acting, activity.owner),
            At::Party(party) => sees(self.store, &self.acting, party.activity.owner),
            _ => true,
        };
        if !seen {
            return Err(if self.options.switches.on(Switch::HiddenRowsForbidden) {
                ApiError::access(self.store.people[self.acting.user].id, "ReadAccess", id)
            } else {
                ApiError::missing(logical_name, id)
            });
        }
        Ok(RowRef::new(self.store, self.acting.user, at))
    }
}

/// The tree of business units.
impl Hierarchy for RowReader<'_> {
    fn parent(&self, id: Uuid) -> Option<Uuid> {
        let units = &self.store.units;
        let unit = units.iter().find(|unit| unit.id == id)?;
        Some(units[unit.parent?].id)
    }
}

/// The privilege that reading a table needs.
pub(super) fn read_privilege(kind: Kind) -> Option<Privilege> {
    match kind {
        Kind::Users => Some(Privilege::ReadUser),
        Kind::Filters => Some(Privilege::ReadUserQuery),
        Kind::Views => Some(Privilege::ReadQuery),
        Kind::Units => Some(Privilege::ReadBusinessUnit),
        Kind::Roles | Kind::Assignments => Some(Privilege::ReadRole),
        Kind::Teams | Kind::Memberships => Some(Privilege::ReadTeam),
        Kind::Mailboxes => Some(Privilege::ReadMailbox),
        Kind::Organizations => Some(Privilege::ReadOrganization),
        Kind::Contacts => Some(Privilege::ReadContact),
        Kind::Appointments
        | Kind::Series
        | Kind::Services
        | Kind::Tasks
        | Kind::Letters
        | Kind::Faxes
        | Kind::PhoneCalls
        | Kind::Parties => Some(Privilege::ReadActivity),
        // Everybody may read which privileges exist.
        Kind::Principals | Kind::Privileges => None,
    }
}
