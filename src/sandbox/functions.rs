//! Functions and the service document.

use http::StatusCode;
use serde_json::{Value, json};

use super::address::RowKey;
use super::errors::ApiError;
use super::impersonate::Acting;
use super::message::Reply;
use super::odata::Table;
use super::options::Options;
use super::rights::Privilege;
use super::store::Store;
use super::switches::Switch;
use super::tables::{Kind, table};

fn context(root: &str, rest: &str) -> String {
    format!("{root}$metadata#{rest}")
}

/// `WhoAmI`: the user as whom the request runs.
pub(super) fn who_am_i(store: &Store, acting: &Acting, options: &Options, root: &str) -> Reply {
    let user = if options.switches.on(Switch::WhoAmIIgnoresImpersonation) {
        acting.caller
    } else {
        acting.user
    };
    let person = &store.people[user];
    let body = json!({
        "@odata.context": context(root, "Microsoft.Dynamics.CRM.WhoAmIResponse"),
        "BusinessUnitId": store.units[person.unit].id,
        "UserId": person.id,
        "OrganizationId": store.organization.id,
    });
    Reply::json(StatusCode::OK, body.to_string())
}

/// `RetrieveVersion`.
pub(super) fn version(options: &Options, root: &str) -> Reply {
    let body = json!({
        "@odata.context": context(root, "Microsoft.Dynamics.CRM.RetrieveVersionResponse"),
        "Version": options.version.build(),
    });
    Reply::json(StatusCode::OK, body.to_string())
}

/// `RetrieveCurrentOrganization`.
pub(super) fn current_organization(store: &Store, options: &Options, root: &str) -> Reply {
    let organization = &store.organization;
    let base = root.split("api/data/").next().unwrap_or(root);
    let mut detail = json!({
        "OrganizationId": organization.id,
        "FriendlyName": organization.name,
        "OrganizationVersion": options.version.build(),
        "UrlName": organization.unique_name,
        "UniqueName": organization.unique_name,
        "State": "Enabled",
        "Endpoints": {
            "Count": 2,
            "IsReadOnly": false,
            "Keys": ["WebApplication", "OrganizationDataService"],
            "Values": [base, format!("{base}XRMServices/2011/OrganizationData.svc")],
        },
    });
    if !options.version.is_8() {
        detail["EnvironmentId"] = json!(organization.environment.to_string());
        detail["Geo"] = json!("EMEA");
        detail["TenantId"] = json!(organization.tenant.to_string());
    }
    let body = json!({
        "@odata.context": context(root, "Microsoft.Dynamics.CRM.RetrieveCurrentOrganizationResponse"),
        "Detail": detail,
    });
    Reply::json(StatusCode::OK, body.to_string())
}

/// `RetrieveUserPrivilegeByPrivilegeName`: the depth of a privilege in the roles of a user, including those of
/// teams. Exists from version 9 on.
pub(super) fn user_privilege(
    store: &Store,
    key: RowKey,
    name: &str,
    options: &Options,
    root: &str,
) -> Result<Reply, ApiError> {
    if options.version.is_8() {
        return Err(ApiError::no_resource(
            "RetrieveUserPrivilegeByPrivilegeName",
        ));
    }
    let mut held = held_by(store, key)?;
    held.retain(|it| {
        it["PrivilegeName"]
            .as_str()
            .is_some_and(|it| it.eq_ignore_ascii_case(name))
    });
    let response = "Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeNameResponse";
    let body = json!({
        "@odata.context": context(root, response),
        "RolePrivileges": held,
    });
    Ok(Reply::json(StatusCode::OK, body.to_string()))
}

/// `RetrieveUserPrivileges`: all privileges in the roles of a user, with their depths. Exists from 8.0 on; before 9
/// without names.
pub(super) fn user_privileges(
    store: &Store,
    key: RowKey,
    options: &Options,
    root: &str,
) -> Result<Reply, ApiError> {
    let mut held = held_by(store, key)?;
    if options.version.is_8() {
        for privilege in &mut held {
            if let Some(privilege) = privilege.as_object_mut() {
                privilege.remove("PrivilegeName");
            }
        }
    }
    let response = "Microsoft.Dynamics.CRM.RetrieveUserPrivilegesResponse";
    let body = json!({
        "@odata.context": context(root, response),
        "RolePrivileges": held,
    });
    Ok(Reply::json(StatusCode::OK, body.to_string()))
}

/// The privileges of a user's roles, as `RolePrivilege`.
fn held_by(store: &Store, key: RowKey) -> Result<Vec<Value>, ApiError> {
    let (id, person) = match key {
        RowKey::Id(id) => (id, store.person(id)),
        RowKey::ObjectId(id) => (id, store.person_by_object_id(id)),
    };
    let person = person.ok_or_else(|| ApiError::missing("systemuser", id))?;
    let rights = store.rights(person);
    let unit = store.units[store.people[person].unit].id;
    let held = Privilege::ALL.into_iter().filter(|it| rights.has(*it));
    let held = held.map(|it| {
        json!({
            "Depth": it.depth(rights).as_str(),
            "PrivilegeId": it.id(),
            "BusinessUnitId": unit,
            "PrivilegeName": it.name(),
        })
    });
    Ok(held.collect())
}

/// The service document, which lists every entity set.
pub(super) fn service_document(options: &Options, root: &str) -> Reply {
    let sets = Kind::ALL
        .into_iter()
        .filter(|&kind| kind != Kind::Principals);
    let sets = sets.map(|kind| {
        let name = table(kind, options.version).entity_set();
        json!({ "name": name, "kind": "EntitySet", "url": name })
    });
    let body = json!({
        "@odata.context": format!("{root}$metadata"),
        "value": sets.collect::<Vec<_>>(),
    });
    Reply::json(StatusCode::OK, body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::generate;

    const ROOT: &str = "http://127.0.0.1/api/data/v9.2/";

    fn parse(reply: &Reply) -> Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    #[test]
    fn who_am_i_names_the_acting_user_unless_switched() {
        let store = generate(30, 1);
        let acting = Acting {
            user: 12,
            ..Acting::caller(&store, 0)
        };
        let mut options = Options::default();
        let body = parse(&who_am_i(&store, &acting, &options, ROOT));
        assert_eq!(body["UserId"], store.people[12].id.to_string());
        options.switches = options.switches.with(Switch::WhoAmIIgnoresImpersonation);
        let body = parse(&who_am_i(&store, &acting, &options, ROOT));
        assert_eq!(body["UserId"], store.people[0].id.to_string());
    }

    #[test]
    fn a_privilege_is_held_through_roles_and_asked_for_from_9_on() {
        let store = generate(1, 1);
        let mut options = Options::default();
        let caller = RowKey::Id(store.people[0].id);
        let held = |options: &Options, name: &str| {
            let reply = user_privilege(&store, caller, name, options, ROOT)?;
            let held = parse(&reply)["RolePrivileges"].as_array().unwrap().len();
            Ok::<_, ApiError>(held)
        };
        assert_eq!(held(&options, "prvActOnBehalfOfAnotherUser").unwrap(), 1);
        assert_eq!(held(&options, "prvNobodyHasThis").unwrap(), 0);
        let nobody = RowKey::Id(uuid::Uuid::nil());
        assert!(user_privilege(&store, nobody, "prvReadUserQuery", &options, ROOT).is_err());
        options.version = crate::Version::V8_2;
        assert!(held(&options, "prvReadUserQuery").is_err());
    }

    #[test]
    fn every_privilege_of_a_user_is_told_by_id_in_any_version() {
        let store = generate(1, 1);
        let caller = RowKey::Id(store.people[0].id);
        for (version, named) in [(crate::Version::V8_2, false), (crate::Version::V9_2, true)] {
            let options = Options {
                version,
                ..Options::default()
            };
            let reply = user_privileges(&store, caller, &options, ROOT).unwrap();
            let all = parse(&reply)["RolePrivileges"].as_array().unwrap().clone();
            let id = Privilege::ActOnBehalfOfAnotherUser.id().to_string();
            let acts = all
                .iter()
                .find(|it| it["PrivilegeId"] == id.as_str())
                .unwrap();
            assert_eq!(acts["Depth"], "Global");
            assert_eq!(acts["PrivilegeName"].is_string(), named);
        }
    }

    #[test]
    fn older_organisations_tell_no_tenant() {
        let store = generate(1, 1);
        let options = Options {
            version: crate::Version::V8_2,
            ..Options::default()
        };
        let body = parse(&current_organization(&store, &options, ROOT));
        assert!(body["Detail"].get("TenantId").is_none());
        assert_eq!(
            body["Detail"]["Endpoints"]["Values"][0],
            "http://127.0.0.1/"
        );
    }
}
