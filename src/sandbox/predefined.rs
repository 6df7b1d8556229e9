//! Queries that are not `OData`: `fetchXml`, `savedQuery` and `userQuery`.
//!
//! They cannot be combined with other options here: such a request is refused rather than answered in part.

use std::collections::BTreeSet;

use http::StatusCode;
use uuid::Uuid;

use super::access::Reach;
use super::activities::{activity, parties, sees, taking_part};
use super::errors::ApiError;
use super::fetch::{
    Fetch, Known, Line, PageRequest, RootFilters, Source, Writing, aggregate, cookie, page, read,
    write,
};
use super::message::{IncomingCall, Reply};
use super::odata::{Row as _, Value, encode_outer};
use super::predefined_query::{Predefined, Wanted};
use super::prefer::Prefer;
use super::read::{RowReader, read_privilege};
use super::rows::PersonIndex;
use super::switches::Switch;
use super::tables::{At, Kind, RowRef, by_id};

/// The aggregate limit with the switch: small enough that a test reaches it with few rows.
const LOW_LIMIT: usize = 10;

/// The page number in a token. Only tokens of the sandbox are accepted.
fn page_number(token: &str) -> Result<usize, ApiError> {
    let rest = token.strip_prefix("<cookie pagenumber=\"");
    let number = rest.and_then(|it| it.split_once('"')?.0.parse().ok());
    number
        .filter(|&it| it > 1 && cookie(it) == token)
        .ok_or_else(|| ApiError::bad_request("Malformed XML in the Paging Cookie"))
}

impl RowReader<'_> {
    /// The answer to a predefined query on an entity set; `None` where the request has none.
    pub(super) fn predefined(
        &self,
        kind: Kind,
        call: &IncomingCall,
    ) -> Result<Option<Reply>, ApiError> {
        let Some(wanted) = Wanted::read(&call.query)? else {
            return Ok(None);
        };
        let prefer = Prefer::of(&call.headers);
        let (xml, cut) = match &wanted.query {
            Predefined::FetchXml(xml) => (xml.clone(), PageRequest::default()),
            Predefined::Saved(id) | Predefined::User(id) => {
                let saved = matches!(wanted.query, Predefined::Saved(_));
                let number = wanted.token.as_deref().map(page_number).transpose()?;
                let cut = PageRequest {
                    size: prefer.max_page_size.filter(|it| *it > 0),
                    number,
                };
                (self.stored(kind, *id, saved)?, cut)
            }
        };
        let asker = self.asker();
        let known = Known {
            version: self.options.version,
            asker: &asker,
            now: self.now,
            root_filters: RootFilters::of(self.options.switches),
        };
        let fetch = read(&xml, kind, &known)?;
        for linked in fetch.kinds() {
            if let Some(privilege) = read_privilege(linked) {
                self.acting.require(self.store, privilege)?;
            }
        }
        let paged = !matches!(wanted.query, Predefined::FetchXml(_));
        let body = self.fetched(&fetch, cut, paged.then_some(call), &prefer)?;
        let reply = Reply::json(StatusCode::OK, body);
        Ok(Some(match prefer.applied_to_query() {
            Some(applied) => reply.with("preference-applied", &applied),
            None => reply,
        }))
    }

    /// `next` is the request from which next links are made.
    fn fetched(
        &self,
        fetch: &Fetch,
        cut: PageRequest,
        next: Option<&IncomingCall>,
        prefer: &Prefer,
    ) -> Result<String, ApiError> {
        let mut writing = Writing {
            root: self.root,
            annotations: &prefer.annotations,
            next: None,
        };
        if fetch.aggregate {
            let low = self.options.switches.on(Switch::LowAggregateLimit);
            let rows = aggregate(fetch, self, low.then_some(LOW_LIMIT))?;
            return Ok(write(fetch, &Line::Totals(&rows), &writing));
        }
        let page = page(fetch, self, cut);
        if let Some(call) = next.filter(|_| page.more) {
            let options = call.query.split('&');
            let given = options.filter(|it| !it.to_ascii_lowercase().contains("skiptoken"));
            let given: Vec<&str> = given.collect();
            writing.next = Some(format!(
                "{}?{}&$skiptoken={}",
                self.list_url(&call.path),
                given.join("&"),
                encode_outer(&cookie(page.number + 1))
            ));
        }
        Ok(write(fetch, &Line::Page(&page), &writing))
    }

    /// The query of a system view, or of a personal one that the acting user can read.
    fn stored(&self, kind: Kind, id: Uuid, saved: bool) -> Result<String, ApiError> {
        let store = self.store;
        let (table, fetch_xml) = if saved {
            let found = store.view(id).map(|index| &store.views[index]);
            let view = found.ok_or_else(|| ApiError::missing("savedquery", id))?;
            (&view.table, &view.fetch_xml)
        } else {
            let found = store.filter(id);
            let found = found.filter(|it| Reach::of(self.acting.user).reads(it));
            let view = found.ok_or_else(|| ApiError::missing("userquery", id))?;
            (&view.table, &view.fetch_xml)
        };
        if &**table != kind.logical_name() {
            return Err(ApiError::bad_request(format!(
                "The view is of the entity '{table}', not of '{}'.",
                kind.logical_name()
            )));
        }
        Ok(fetch_xml.to_string())
    }
}

impl<'a> Source<'a> for RowReader<'a> {
    fn rows(
        &self,
        kind: Kind,
        owners: Option<BTreeSet<PersonIndex>>,
    ) -> Box<dyn Iterator<Item = RowRef<'a>> + 'a> {
        let (store, viewer) = (self.store, self.acting.user);
        let ends: Box<dyn Iterator<Item = At<'a>> + 'a> = match (kind, owners) {
            (Kind::Filters, _) => Box::new(self.own_filters()),
            (kind, Some(owners)) if kind.is_in_folders() => {
                Box::new(self.activities(kind, owners.into_iter()))
            }
            (kind, _) => self.open_rows(kind),
        };
        Box::new(ends.map(move |at| RowRef::new(store, viewer, at)))
    }

    fn linked(&self, kind: Kind, column: &str, value: &Value) -> Vec<RowRef<'a>> {
        let (store, acting) = (self.store, &self.acting);
        let row = |at| RowRef::new(store, acting.user, at);
        let scan = || {
            let all = self.rows(kind, None);
            all.filter(|it| it.value(column).compare(value).is_eq())
                .collect()
        };
        let Value::Guid(id) = value else {
            return scan();
        };
        let seen = |owner| sees(store, acting, owner);
        if column == kind.key() {
            let found = by_id(store, kind, *id).filter(|at| match at {
                At::Activity(it) => seen(it.owner),
                At::Party(it) => seen(it.activity.owner),
                At::Filter(it) => Reach::of(acting.user).reads(it),
                _ => true,
            });
            return found.map(row).into_iter().collect();
        }
        match (kind, column) {
            (Kind::Parties, "_activityid_value") => {
                let found = activity(store, *id).filter(|it| seen(it.owner));
                let all = found.map(|it| parties(store, &it)).unwrap_or_default();
                all.into_iter().map(|it| row(At::Party(it))).collect()
            }
            (Kind::Parties, "_partyid_value") => {
                let person = store.person(*id).into_iter();
                let all = person.flat_map(|it| taking_part(store, it));
                let all = all.filter(|it| seen(it.activity.owner));
                all.map(|it| row(At::Party(it))).collect()
            }
            (Kind::Assignments, "systemuserid") => {
                let user = store.person(*id).into_iter();
                let all =
                    user.flat_map(|it| store.people[it].roles.iter().map(move |&role| (it, role)));
                all.map(|(it, role)| row(At::Assignment(it, role)))
                    .collect()
            }
            (Kind::Memberships, "systemuserid") => {
                let user = store.person(*id).into_iter();
                let all =
                    user.flat_map(|it| store.people[it].teams.iter().map(move |&team| (it, team)));
                all.map(|(it, team)| row(At::Membership(it, team)))
                    .collect()
            }
            (kind, "_ownerid_value" | "_owninguser_value") if kind.is_in_folders() => {
                let owner = store.person(*id).into_iter();
                self.activities(kind, owner).map(row).collect()
            }
            _ => scan(),
        }
    }

    fn person(&self, id: Uuid) -> Option<PersonIndex> {
        self.store.person(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_that_were_given_are_taken() {
        assert_eq!(page_number(&cookie(2)), Ok(2));
        for token in ["", "2", "<cookie pagenumber=\"2\"", &cookie(0), &cookie(1)] {
            assert!(page_number(token).is_err(), "{token}");
        }
    }
}
