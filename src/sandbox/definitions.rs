//! `EntityDefinitions`: the tables as rows of a table.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::errors::ApiError;
use super::message::{IncomingCall, Reply};
use super::odata::{
    Asker, ColumnType, Context, Dialect, Navigation, PageRequest, PayloadFormat, Query, Row, Table,
    Value, collection_body, entity_body, run,
};
use super::options::Options;
use super::prefer::Prefer;
use super::switches::Switch;
use super::tables::{Kind, TableOf, table};

/// The columns of `EntityDefinitions` that are imitated.
const COLUMNS: &[(&str, ColumnType)] = &[
    ("LogicalName", ColumnType::Text),
    ("SchemaName", ColumnType::Text),
    ("EntitySetName", ColumnType::Text),
    ("LogicalCollectionName", ColumnType::Text),
    ("PrimaryIdAttribute", ColumnType::Text),
    ("PrimaryNameAttribute", ColumnType::Text),
    ("IsOptimisticConcurrencyEnabled", ColumnType::Bool),
    ("MetadataId", ColumnType::Guid),
];

struct Definitions;

impl Table for Definitions {
    fn entity_set(&self) -> &'static str {
        "EntityDefinitions"
    }

    fn logical_name(&self) -> &'static str {
        "EntityMetadata"
    }

    fn key(&self) -> &'static str {
        "MetadataId"
    }

    fn column(&self, name: &str) -> Option<ColumnType> {
        COLUMNS.iter().find(|it| it.0 == name).map(|it| it.1)
    }

    fn columns(&self) -> Vec<(&str, ColumnType)> {
        COLUMNS.to_vec()
    }

    fn navigation(&self, _name: &str) -> Option<Navigation<'_>> {
        None
    }
}

/// One table as a row.
struct Definition {
    table: TableOf,
    concurrency: bool,
}

impl Definition {
    /// Reports whether versions are checked as the sandbox behaves.
    fn of(kind: Kind, options: &Options) -> Self {
        let off = kind == Kind::Filters && options.switches.on(Switch::NoOptimisticConcurrency);
        Self {
            table: *table(kind, options.version),
            concurrency: !off,
        }
    }
}

impl Row for Definition {
    fn value(&self, column: &str) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        match column {
            "LogicalName" => text(self.table.logical_name()),
            "SchemaName" => text(self.table.kind.schema_name()),
            "EntitySetName" | "LogicalCollectionName" => text(self.table.entity_set()),
            "PrimaryIdAttribute" => text(self.table.key()),
            "PrimaryNameAttribute" if matches!(self.table.kind, Kind::Users | Kind::Contacts) => {
                text("fullname")
            }
            "PrimaryNameAttribute" if self.table.kind.is_activity() => text("subject"),
            "PrimaryNameAttribute" if self.table.kind == Kind::Parties => text("partyid"),
            "PrimaryNameAttribute" => text("name"),
            "IsOptimisticConcurrencyEnabled" => Value::Bool(self.concurrency),
            "MetadataId" => Value::Guid(metadata_id(self.table.logical_name())),
            _ => Value::Null,
        }
    }

    fn etag(&self) -> String {
        "W/\"1\"".to_owned()
    }

    fn related(&self, _navigation: &str) -> Vec<Box<dyn Row + '_>> {
        Vec::new()
    }
}

/// Answers GET on `EntityDefinitions`.
pub(super) struct Catalogue<'a> {
    pub(super) options: &'a Options,
    /// The service root, absolute, with its final slash.
    pub(super) root: &'a str,
    pub(super) asker: Asker,
    pub(super) now: Timestamp,
}

impl Catalogue<'_> {
    fn context(&self) -> Context<'_> {
        Context {
            asker: &self.asker,
            hierarchy: &(),
            now: self.now,
        }
    }

    /// All tables, filtered as other rows.
    pub(super) fn list(&self, call: &IncomingCall) -> Result<Reply, ApiError> {
        let query = Query::parse(&call.query, &Definitions, Dialect::default())?;
        let kinds = Kind::ALL
            .into_iter()
            .filter(|&kind| kind != Kind::Principals);
        let rows = kinds.map(|kind| Definition::of(kind, self.options));
        let page = run(&query, rows, &self.context(), PageRequest::default());
        let prefer = Prefer::of(&call.headers);
        let format = PayloadFormat {
            root: self.root,
            annotations: &prefer.annotations,
        };
        let url = format!("{}EntityDefinitions", self.root);
        let context = self.context();
        let body = collection_body(&Definitions, &query, &page, &url, &format, &context);
        Ok(Reply::json(StatusCode::OK, body))
    }

    /// One table by its logical name.
    pub(super) fn one(&self, kind: Kind, call: &IncomingCall) -> Result<Reply, ApiError> {
        let query = Query::parse_single(&call.query, &Definitions, Dialect::default())?;
        let prefer = Prefer::of(&call.headers);
        let format = PayloadFormat {
            root: self.root,
            annotations: &prefer.annotations,
        };
        let row = Definition::of(kind, self.options);
        let body = entity_body(&Definitions, &query, &row, &format, &self.context());
        Ok(Reply::json(StatusCode::OK, body))
    }

    /// The columns of a table, by the names that metadata uses: `ownerid`, not `_ownerid_value`.
    pub(super) fn attributes(&self, kind: Kind) -> Reply {
        let table = table(kind, self.options.version);
        let logical_name = table.logical_name();
        let columns = table.present().map(|column| {
            let bare = column.name.strip_prefix('_');
            let name = bare.and_then(|it| it.strip_suffix("_value"));
            let name = name.unwrap_or(column.name);
            let id = metadata_id(&format!("{logical_name}.{name}"));
            json!({ "LogicalName": name, "MetadataId": id })
        });
        let body = json!({
            "@odata.context": format!(
                "{}$metadata#EntityDefinitions('{logical_name}')/Attributes(LogicalName)",
                self.root
            ),
            "value": columns.collect::<Vec<_>>(),
        });
        Reply::json(StatusCode::OK, body.to_string())
    }
}

/// An id that is derived from the name.
fn metadata_id(name: &str) -> Uuid {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u128, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(0x0000_0100_0000_01b3_0000_0000_0000_013b)
    });
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    use super::*;

    fn ask(switches: &str, query: &str, one: Option<Kind>) -> serde_json::Value {
        let options = Options {
            switches: switches.parse().unwrap(),
            ..Options::default()
        };
        let asker = Asker {
            user: Uuid::nil(),
            business_unit: Uuid::nil(),
            teams: Vec::new(),
        };
        let catalogue = Catalogue {
            options: &options,
            root: "http://127.0.0.1/api/data/v9.2/",
            asker,
            now: Timestamp::default(),
        };
        let call = IncomingCall {
            method: Method::GET,
            path: String::new(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        let reply = match one {
            Some(kind) => catalogue.one(kind, &call),
            None => catalogue.list(&call),
        };
        serde_json::from_slice(&reply.unwrap().body).unwrap()
    }

    #[test]
    fn a_definition_tells_whether_versions_are_checked() {
        let query = "$select=IsOptimisticConcurrencyEnabled";
        let body = ask("", query, Some(Kind::Filters));
        assert_eq!(body["IsOptimisticConcurrencyEnabled"], true);
        assert!(body.get("LogicalName").is_none());
        let body = ask("no-optimistic-concurrency", query, Some(Kind::Filters));
        assert_eq!(body["IsOptimisticConcurrencyEnabled"], false);
    }

    #[test]
    fn definitions_are_filtered_by_name() {
        let query = "$filter=LogicalName eq 'userquery'&$select=EntitySetName";
        let body = ask("", query, None);
        assert_eq!(body["value"].as_array().unwrap().len(), 1);
        assert_eq!(body["value"][0]["EntitySetName"], "userqueries");
    }
}
