//! A small organisation for the tests of the engine.

use std::collections::HashMap;

use uuid::Uuid;

use super::*;

/// A table made of constants.
pub(super) struct TestTable {
    set: &'static str,
    name: &'static str,
    key: &'static str,
    columns: &'static [(&'static str, ColumnType)],
    navigation: &'static [(&'static str, bool, &'static TestTable)],
}

pub(super) static USERS: TestTable = TestTable {
    set: "systemusers",
    name: "systemuser",
    key: "systemuserid",
    columns: &[
        ("fullname", ColumnType::Text),
        ("nickname", ColumnType::Text),
        ("isdisabled", ColumnType::Bool),
        ("accessmode", ColumnType::Int),
        ("createdon", ColumnType::Time),
        ("_businessunitid_value", ColumnType::Guid),
        ("systemuserid", ColumnType::Guid),
    ],
    navigation: &[
        ("businessunitid", false, &UNITS),
        ("systemuserroles_association", true, &ROLES),
        ("user_userquery", true, &FILTERS),
    ],
};

pub(super) static FILTERS: TestTable = TestTable {
    set: "userqueries",
    name: "userquery",
    key: "userqueryid",
    columns: &[
        ("name", ColumnType::Text),
        ("querytype", ColumnType::Int),
        ("returnedtypecode", ColumnType::Text),
        ("statecode", ColumnType::Int),
        ("_ownerid_value", ColumnType::Guid),
        ("userqueryid", ColumnType::Guid),
    ],
    navigation: &[("ownerid", false, &OWNERS), ("owninguser", false, &USERS)],
};

static OWNERS: TestTable = TestTable {
    set: "owners",
    name: "principal",
    key: "ownerid",
    columns: &[("ownerid", ColumnType::Guid)],
    navigation: &[],
};

pub(super) static UNITS: TestTable = TestTable {
    set: "businessunits",
    name: "businessunit",
    key: "businessunitid",
    columns: &[
        ("name", ColumnType::Text),
        ("businessunitid", ColumnType::Guid),
    ],
    navigation: &[],
};

static ROLES: TestTable = TestTable {
    set: "roles",
    name: "role",
    key: "roleid",
    columns: &[("name", ColumnType::Text), ("roleid", ColumnType::Guid)],
    navigation: &[],
};

impl Table for TestTable {
    fn entity_set(&self) -> &str {
        self.set
    }
    fn logical_name(&self) -> &str {
        self.name
    }
    fn key(&self) -> &str {
        self.key
    }
    fn column(&self, name: &str) -> Option<ColumnType> {
        let found = self.columns.iter().find(|(n, _)| *n == name);
        found.map(|(_, kind)| *kind)
    }
    fn columns(&self) -> Vec<(&str, ColumnType)> {
        self.columns.to_vec()
    }
    fn navigation(&self, name: &str) -> Option<Navigation<'_>> {
        let found = self.navigation.iter().find(|(n, ..)| *n == name);
        found.map(|(_, many, table)| Navigation {
            table: *table,
            many: *many,
        })
    }
}

/// A row made of maps.
#[derive(Clone, Debug, Default)]
pub(super) struct TestRow {
    version: u64,
    values: HashMap<&'static str, Value>,
    related: HashMap<&'static str, Vec<TestRow>>,
    labels: HashMap<&'static str, &'static str>,
    lookups: HashMap<&'static str, Lookup>,
}

impl TestRow {
    pub(super) fn new(version: u64) -> Self {
        Self {
            version,
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, column: &'static str, value: Value) -> Self {
        self.values.insert(column, value);
        self
    }

    pub(super) fn text(self, column: &'static str, text: &str) -> Self {
        self.with(column, Value::Text(text.to_owned()))
    }

    pub(super) fn related(mut self, navigation: &'static str, rows: Vec<Self>) -> Self {
        self.related.insert(navigation, rows);
        self
    }

    pub(super) fn label(mut self, column: &'static str, label: &'static str) -> Self {
        self.labels.insert(column, label);
        self
    }

    pub(super) fn points(mut self, column: &'static str, table: &str, navigation: &str) -> Self {
        let lookup = Lookup {
            logical_name: table.to_owned(),
            navigation: Some(navigation.to_owned()),
        };
        self.lookups.insert(column, lookup);
        self
    }
}

impl Row for TestRow {
    fn value(&self, column: &str) -> Value {
        self.values.get(column).cloned().unwrap_or(Value::Null)
    }
    fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
    fn related(&self, navigation: &str) -> Vec<Box<dyn Row + '_>> {
        let rows = self.related.get(navigation).into_iter().flatten();
        rows.map(|row| Box::new(row) as Box<dyn Row>).collect()
    }
    fn label(&self, column: &str) -> Option<String> {
        self.labels.get(column).map(|label| (*label).to_owned())
    }
    fn lookup(&self, column: &str) -> Option<Lookup> {
        self.lookups.get(column).cloned()
    }
}

/// An id that shows its number.
pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// The asker: user 1 of the business unit 10 with the team 20, on 1 May 2024 at noon.
pub(super) fn asker() -> Asker {
    Asker {
        user: id(1),
        business_unit: id(10),
        teams: vec![id(20)],
    }
}

/// A tree in which the parent of `n` is `n / 10`.
pub(super) struct Decimal;

impl Hierarchy for Decimal {
    fn parent(&self, id: Uuid) -> Option<Uuid> {
        match id.as_u128() / 10 {
            0 => None,
            above => Some(Uuid::from_u128(above)),
        }
    }
}

pub(super) fn context(asker: &Asker) -> Context<'_> {
    Context {
        asker,
        hierarchy: &Decimal,
        now: "2024-05-01T12:00:00Z".parse().unwrap(),
    }
}

/// A user in the business unit `unit` with roles of these names.
pub(super) fn user(number: u32, fullname: &str, unit: u128, roles: &[&str]) -> TestRow {
    let role = |name: &&str| TestRow::new(1).text("name", name);
    TestRow::new(u64::from(number))
        .with("systemuserid", Value::Guid(id(u128::from(number))))
        .text("fullname", fullname)
        .with("isdisabled", Value::Bool(false))
        .with("accessmode", Value::Int(i64::from(number % 3)))
        .with("_businessunitid_value", Value::Guid(id(unit)))
        .related(
            "businessunitid",
            vec![
                TestRow::new(7)
                    .text("name", &format!("Unit {unit}"))
                    .with("businessunitid", Value::Guid(id(unit))),
            ],
        )
        .related(
            "systemuserroles_association",
            roles.iter().map(role).collect(),
        )
}

/// A sync filter.
pub(super) fn filter(number: u128, owner: u128, query_type: i64) -> TestRow {
    TestRow::new(100)
        .with("userqueryid", Value::Guid(id(number)))
        .text("name", &format!("Filter {number}"))
        .text("returnedtypecode", "appointment")
        .with("querytype", Value::Int(query_type))
        .with("statecode", Value::Int(0))
        .label("statecode", "Active")
        .with("_ownerid_value", Value::Guid(id(owner)))
        .label("_ownerid_value", "Anna Ek")
        .points("_ownerid_value", "systemuser", "ownerid")
}
