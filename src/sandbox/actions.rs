//! Actions: make filters from templates, reset filters to templates, publish customisations.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::address::RowKey;
use super::errors::ApiError;
use super::message::{IncomingCall, Reply};
use super::rights::Privilege;
use super::rows::{FilterRecord, PersonIndex, ViewRecord};
use super::store::Store;
use super::write::{RowWriter, require_json};

/// The type of filter that is made from a template: Outlook 131072 and 256, offline 8192 and 16.
///
/// Sources differ on whether the platform takes templates or filters (Microsoft: `InstantiateFilters`; the
/// administrators' tool that Microsoft names passes templates), so both are accepted.
const fn made_by(query_type: i32) -> Option<i32> {
    match query_type {
        131_072 | 256 => Some(256),
        8192 | 16 => Some(16),
        _ => None,
    }
}

/// The active default templates for filters of this type.
fn defaults(store: &Store, query_type: i32) -> Vec<ViewRecord> {
    let templates = store.views.iter().filter(|it| {
        let template = matches!(it.query_type, 131_072 | 8192);
        template && it.is_default && it.state == 0 && made_by(it.query_type) == Some(query_type)
    });
    templates.cloned().collect()
}

/// An active filter of a user, made from the template.
fn instance(
    template: &ViewRecord,
    query_type: i32,
    owner: PersonIndex,
    by: PersonIndex,
    now: Timestamp,
) -> FilterRecord {
    let own_name = template.name.trim_end_matches(" template");
    FilterRecord {
        id: Uuid::new_v4(),
        owner,
        name: format!("My {own_name}").into(),
        table: template.table.clone(),
        fetch_xml: template.fetch_xml.clone(),
        description: None,
        query_type,
        state: 0,
        status: Some(1),
        parent: Some(template.id),
        version: 0,
        created_on: now,
        modified_on: now,
        modified_by: by,
        on_behalf: None,
        created_on_behalf: None,
        shared_with: None,
    }
}

/// The first synchronisation of a user: makes active filters from the default templates
/// (Microsoft: "Configure default synchronization filters"). Returns how many; 0 if that was done before.
pub(super) fn populate(store: &mut Store, user: PersonIndex, now: Timestamp) -> usize {
    if store.people[user].populated {
        return 0;
    }
    store.people[user].populated = true;
    let templates = defaults(store, 256);
    for template in &templates {
        store.write(instance(template, 256, user, user, now));
    }
    templates.len()
}

fn body(call: &IncomingCall) -> Result<Value, ApiError> {
    require_json(&call.headers)?;
    serde_json::from_slice(&call.body)
        .map_err(|error| ApiError::payload(format!("Invalid JSON. {error}")))
}

fn missing(name: &str) -> ApiError {
    ApiError {
        code: "0x80040203",
        ..ApiError::bad_request(format!("The required parameter '{name}' is missing."))
    }
}

impl RowWriter<'_> {
    /// `PublishXml`: accepted without an effect, because all writes take effect at once.
    pub(super) fn publish(&self, call: &IncomingCall) -> Result<Reply, ApiError> {
        let body = body(call)?;
        self.acting.require(self.store, Privilege::WriteQuery)?;
        let given = body.get("ParameterXml").and_then(Value::as_str);
        let xml = given.ok_or_else(|| missing("ParameterXml"))?;
        roxmltree::Document::parse(xml)
            .map_err(|_| ApiError::bad_request("The ParameterXml is not valid XML."))?;
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// `ResetUserFilters`: the filters of the acting user become those of the default templates.
    pub(super) fn reset_filters(&mut self, call: &IncomingCall) -> Result<Reply, ApiError> {
        let body = body(call)?;
        let given = body.get("QueryType").and_then(Value::as_i64);
        let query_type = match given.ok_or_else(|| missing("QueryType"))? {
            16 => 16,
            256 => 256,
            other => {
                return Err(ApiError::bad_request(format!(
                    "The query type {other} is not a type of filters."
                )));
            }
        };
        let user = self.acting.user;
        self.may_replace(user)?;
        let own = self.store.filters_of(user);
        let own: Vec<Uuid> = own
            .filter(|it| it.query_type == query_type)
            .map(|it| it.id)
            .collect();
        for id in own {
            self.store.remove(id);
        }
        for template in defaults(self.store, query_type) {
            self.put(&template, query_type, user);
        }
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// `InstantiateFilters`: makes filters from these templates for the user. An existing one is replaced, and the
    /// user's changes in it are lost.
    pub(super) fn instantiate(
        &mut self,
        key: RowKey,
        call: &IncomingCall,
    ) -> Result<Reply, ApiError> {
        let body = body(call)?;
        let (id, user) = match key {
            RowKey::Id(id) => (id, self.store.person(id)),
            RowKey::ObjectId(id) => (id, self.store.person_by_object_id(id)),
        };
        let user = user.ok_or_else(|| ApiError::missing("systemuser", id))?;
        let given = body.get("TemplateCollection").and_then(Value::as_array);
        let given = given.ok_or_else(|| missing("TemplateCollection"))?;
        self.may_replace(user)?;
        let templates: Result<Vec<_>, _> = given.iter().map(|it| self.template(it)).collect();
        for (template, query_type) in templates? {
            let old = self
                .store
                .filters_of(user)
                .find(|it| it.parent == Some(template.id) && it.query_type == query_type);
            if let Some(id) = old.map(|it| it.id) {
                self.store.remove(id);
            }
            self.put(&template, query_type, user);
        }
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// The user's own filters need the privileges to write and create them; those of others need `prvAdminFilter`.
    fn may_replace(&self, user: PersonIndex) -> Result<(), ApiError> {
        self.acting.require(self.store, Privilege::WriteUserQuery)?;
        self.acting
            .require(self.store, Privilege::CreateUserQuery)?;
        if user == self.acting.user {
            return Ok(());
        }
        self.acting.require(self.store, Privilege::AdminFilter)
    }

    fn template(&self, reference: &Value) -> Result<(ViewRecord, i32), ApiError> {
        let id = reference.get("savedqueryid").and_then(Value::as_str);
        let id = id.and_then(|it| Uuid::try_parse(it).ok());
        let id = id.ok_or_else(|| missing("savedqueryid"))?;
        let index = self.store.view(id);
        let index = index.ok_or_else(|| ApiError::missing("savedquery", id))?;
        let template = self.store.views[index].clone();
        let query_type = made_by(template.query_type).ok_or_else(|| {
            ApiError::bad_request(format!("The saved query {id} is no filter template."))
        })?;
        Ok((template, query_type))
    }

    fn put(&mut self, template: &ViewRecord, query_type: i32, owner: PersonIndex) {
        let mut filter = instance(template, query_type, owner, self.acting.user, self.now);
        filter.on_behalf = self.acting.on_behalf();
        filter.created_on_behalf = self.acting.on_behalf();
        self.store.write(filter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;
    use crate::rows::UserKind;

    #[test]
    fn a_new_user_receives_active_filters_once() {
        let mut store = generate(40, 1);
        let people = store.people.iter();
        let user = people
            .clone()
            .position(|it| it.kind == UserKind::NotPopulated);
        let user = user.unwrap();
        let now = Timestamp::now();
        assert_eq!(populate(&mut store, user, now), 8);
        assert!(
            store
                .filters_of(user)
                .all(|it| it.state == 0 && it.parent.is_some())
        );
        assert_eq!(populate(&mut store, user, now), 0);
        assert_eq!(store.filters_of(user).count(), 8);
    }

    #[test]
    fn inactive_and_other_templates_are_not_given() {
        let mut store = generate(40, 1);
        for view in &mut store.views {
            if &*view.table == "appointment" {
                (view.is_default, view.state) = (false, 1);
            }
        }
        let user = store.people.iter().position(|it| !it.populated).unwrap();
        assert_eq!(populate(&mut store, user, Timestamp::now()), 7);
        assert!(store.filters_of(user).all(|it| &*it.table != "appointment"));
    }
}
