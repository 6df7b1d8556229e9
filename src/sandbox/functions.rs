//! Functions, the service document and definitions of tables.

use http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::impersonate::Acting;
use super::message::Reply;
use super::odata::Table;
use super::options::Options;
use super::store::Store;
use super::switches::Switch;
use super::tables::{Kind, table};

fn context(root: &str, rest: &str) -> String {
    format!("{root}$metadata#{rest}")
}

/// `WhoAmI`: the user under whose context the request runs.
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

/// The service document: every entity set.
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

/// One table of `EntityDefinitions`.
pub(super) fn definition(kind: Kind, query: &str, options: &Options, root: &str) -> Reply {
    let table = table(kind, options.version);
    let concurrency =
        !(kind == Kind::Filters && options.switches.on(Switch::NoOptimisticConcurrency));
    let all = [
        ("IsOptimisticConcurrencyEnabled", json!(concurrency)),
        ("LogicalName", json!(table.logical_name())),
        ("EntitySetName", json!(table.entity_set())),
        ("LogicalCollectionName", json!(table.entity_set())),
        ("PrimaryIdAttribute", json!(table.key())),
    ];
    let selected = selected(query);
    let chosen = all
        .into_iter()
        .filter(|(name, _)| selected.is_empty() || selected.iter().any(|it| it == name));
    let mut body = Map::new();
    let names = if selected.is_empty() {
        String::new()
    } else {
        format!("({})", selected.join(","))
    };
    body.insert(
        "@odata.context".to_owned(),
        json!(context(root, &format!("EntityDefinitions{names}/$entity"))),
    );
    body.extend(chosen.map(|(name, value)| (name.to_owned(), value)));
    body.insert(
        "MetadataId".to_owned(),
        json!(metadata_id(table.logical_name())),
    );
    Reply::json(StatusCode::OK, Value::Object(body).to_string())
}

/// The columns of a table, by the names that metadata uses: `ownerid`, not `_ownerid_value`.
pub(super) fn attributes(kind: Kind, options: &Options, root: &str) -> Reply {
    let table = table(kind, options.version);
    let value: Vec<_> = table
        .present()
        .map(|column| {
            let bare = column.name.strip_prefix('_').and_then(|it| it.strip_suffix("_value"));
            let name = bare.unwrap_or(column.name);
            json!({ "LogicalName": name, "MetadataId": metadata_id(&format!("{}.{name}", table.logical_name())) })
        })
        .collect();
    let rest = format!(
        "EntityDefinitions('{}')/Attributes(LogicalName)",
        table.logical_name()
    );
    let body = json!({ "@odata.context": context(root, &rest), "value": value });
    Reply::json(StatusCode::OK, body.to_string())
}

fn selected(query: &str) -> Vec<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "$select")
        .flat_map(|(_, list)| {
            let names = list.split(',').map(|name| name.trim().to_owned());
            names.collect::<Vec<_>>()
        })
        .collect()
}

/// An id that stays the same for the same name.
fn metadata_id(name: &str) -> Uuid {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_0000_0000_0000_013b)
    });
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::data::generate;

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
    fn a_definition_tells_whether_versions_are_checked() {
        let query = "$select=IsOptimisticConcurrencyEnabled";
        let body = parse(&definition(Kind::Filters, query, &Options::default(), ROOT));
        assert_eq!(body["IsOptimisticConcurrencyEnabled"], true);
        assert!(body.get("LogicalName").is_none());
    }

    #[test]
    fn older_organisations_tell_no_tenant() {
        let store = generate(1, 1);
        let options = Options {
            version: crate::sandbox::Version::V8_2,
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
