//! Checked filters against rows.

use proptest::prelude::*;

use super::check::check;
use super::filter::ODataFilter;
use super::fixture::{FILTERS, TestRow, TestTable, USERS, asker, context, filter, id, user};
use super::options::QueryOptions;
use super::parse::parse;
use super::*;

fn checked(text: &str, table: &TestTable, aliases: &str) -> Result<ODataFilter, QueryError> {
    check(
        &parse(text)?,
        table,
        &QueryOptions::read(aliases)?,
        Dialect::default(),
    )
}

fn users() -> Vec<TestRow> {
    vec![
        user(1, "Anna Ek", 10, &["System Administrator", "Basic User"]),
        user(2, "Björn O'Brian", 101, &["Basic User"]),
        user(3, "cecilia ek", 11, &[])
            .with("isdisabled", Value::Bool(true))
            .with(
                "createdon",
                Value::Time("2024-04-30T12:00:00Z".parse().unwrap()),
            )
            .text("nickname", "CECILIA EK"),
    ]
}

/// The numbers of the users that fit.
fn fits_with(text: &str, aliases: &str) -> Vec<u128> {
    let filter = checked(text, &USERS, aliases).unwrap_or_else(|e| panic!("{text}: {e}"));
    let asker = asker();
    let rows = users();
    let fitting = rows
        .iter()
        .filter(|row| filter.holds(*row, &context(&asker)));
    fitting
        .map(|row| match row.value("systemuserid") {
            Value::Guid(id) => id.as_u128(),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn matches(text: &str) -> Vec<u128> {
    fits_with(text, "")
}

fn refusal(text: &str, table: &TestTable) -> String {
    checked(text, table, "").unwrap_err().message
}

#[test]
fn values_of_every_type_compare() {
    assert_eq!(matches("fullname eq 'ANNA EK'"), [1]);
    assert_eq!(matches("fullname eq 'björn o''brian'"), [2]);
    assert_eq!(matches("isdisabled eq false and accessmode ge 2"), [2]);
    assert_eq!(
        matches("systemuserid eq 00000000-0000-0000-0000-000000000003"),
        [3]
    );
    assert_eq!(
        matches("createdon gt 2024-04-30 and createdon lt 2024-05-01T00:00:00Z"),
        [3]
    );
    assert_eq!(
        matches("fullname eq nickname"),
        [3],
        "columns of one row compare"
    );
    assert_eq!(matches("2 eq accessmode"), [2]);
}

#[test]
fn null_equals_null_and_nothing_is_above_or_below_it() {
    assert_eq!(matches("nickname eq null"), [1, 2]);
    assert_eq!(matches("nickname ne null"), [3]);
    assert_eq!(matches("nickname ne 'x'"), [1, 2, 3]);
    assert_eq!(matches("nickname gt 'a' or nickname le 'a'"), [3]);
}

#[test]
fn text_functions_ignore_case_and_know_wildcards() {
    assert_eq!(matches("contains(fullname,'EK')"), [1, 3]);
    assert_eq!(matches("startswith(fullname,'anna')"), [1]);
    assert_eq!(matches("not endswith(fullname,' ek')"), [2]);
    assert_eq!(matches("contains(fullname,'a_na')"), [1]);
}

#[test]
fn related_rows_decide_through_paths_and_lambdas() {
    assert_eq!(matches("businessunitid/name eq 'unit 101'"), [2]);
    assert_eq!(
        matches("systemuserroles_association/any(o:o/name eq 'Basic User')"),
        [1, 2]
    );
    assert_eq!(matches("not systemuserroles_association/any()"), [3]);
    assert_eq!(
        matches("systemuserroles_association/all(o:o/name eq 'basic user')"),
        [2, 3]
    );
    assert_eq!(
        matches(
            "systemuserroles_association/any(r:contains(r/name,'admin') and fullname eq 'anna ek')"
        ),
        [1],
        "a name without a variable is a column of the row itself"
    );
}

#[test]
fn query_functions_find_the_lookup_behind_an_attribute() {
    let call = |function: &str, rest: &str| {
        matches(&format!(
            "Microsoft.Dynamics.CRM.{function}(PropertyName='{rest})"
        ))
    };
    assert_eq!(
        call(
            "In",
            "fullname',PropertyValues=[\"ANNA EK\",\"Björn O'Brian\"]"
        ),
        [1, 2]
    );
    assert_eq!(call("NotIn", "accessmode',PropertyValues=['0','1']"), [2]);
    assert_eq!(
        call("Between", "accessmode',PropertyValues=[\"1\",\"2\"]"),
        [1, 2]
    );
    assert_eq!(call("EqualUserId", "systemuserid'"), [1]);
    assert_eq!(call("NotEqualUserId", "systemuserid'"), [2, 3]);
    assert_eq!(call("EqualBusinessId", "businessunitid'"), [1]);
    assert_eq!(call("NotEqualBusinessId", "businessunitid'"), [2, 3]);
    assert_eq!(call("LastXDays", "createdon',PropertyValue=1"), [3]);
    assert_eq!(
        call("OlderThanXHours", "createdon',PropertyValue=25"),
        [0; 0]
    );
    let aliased = "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)";
    assert_eq!(
        fits_with(aliased, "@p1='fullname'&@p2=[\"Cecilia Ek\"]"),
        [3]
    );
    assert_eq!(fits_with("fullname eq @p1", "@p1='Anna%20Ek'"), [1]);
}

#[test]
fn the_tree_functions_go_up_and_down() {
    let ten = id(10);
    let call = |function: &str, id: uuid::Uuid| {
        matches(&format!(
            "Microsoft.Dynamics.CRM.{function}(PropertyName='businessunitid',PropertyValue='{id}')"
        ))
    };
    assert_eq!(call("Under", ten), [2]);
    assert_eq!(call("UnderOrEqual", ten), [1, 2]);
    assert_eq!(call("NotUnder", ten), [1, 3]);
    assert_eq!(call("Above", id(101)), [1]);
    assert_eq!(call("AboveOrEqual", id(101)), [1, 2]);
}

#[test]
fn types_that_do_not_go_together_are_refused_in_the_words_of_the_platform() {
    let message = |left: &str, right: &str, kind: &str| {
        format!(
            "A binary operator with incompatible types was detected. Found operand types '{left}' and \
             '{right}' for operator kind '{kind}'."
        )
    };
    let quoted = "_ownerid_value eq '00000000-0000-0000-0000-000000000003'";
    assert_eq!(
        refusal(quoted, &FILTERS),
        message("Edm.Guid", "Edm.String", "Equal")
    );
    let code = "returnedtypecode ne 4201";
    assert_eq!(
        refusal(code, &FILTERS),
        message("Edm.String", "Edm.Int32", "NotEqual")
    );
    let navigation = "ownerid eq 00000000-0000-0000-0000-000000000003";
    assert_eq!(
        refusal(navigation, &FILTERS),
        message("Microsoft.Dynamics.CRM.principal", "Edm.Guid", "Equal")
    );
    let date = "createdon gt '2024-05-01'";
    assert_eq!(
        refusal(date, &USERS),
        message("Edm.DateTimeOffset", "Edm.String", "GreaterThan")
    );
}

#[test]
fn names_that_do_not_exist_are_refused_with_the_table_that_lacks_them() {
    let lacks = |name: &str, table: &str| {
        format!(
            "Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
        )
    };
    assert_eq!(
        refusal("azurestate eq 0", &USERS),
        lacks("azurestate", "systemuser")
    );
    assert_eq!(
        refusal("businessunitid/x eq 0", &USERS),
        lacks("x", "businessunit")
    );
    assert_eq!(
        refusal("roles/any(r:r/name eq 'a')", &USERS),
        lacks("roles", "systemuser")
    );
    let inner = "systemuserroles_association/any(r:r/title eq 'a')";
    assert_eq!(refusal(inner, &USERS), lacks("title", "role"));
}

#[test]
fn a_condition_more_than_the_limit_is_one_too_many() {
    let conditions = |n: usize| vec!["accessmode eq 1"; n].join(" or ");
    assert!(checked(&conditions(500), &USERS, "").is_ok());
    let refusal = checked(&conditions(501), &USERS, "").unwrap_err();
    assert_eq!((refusal.status, refusal.code), (400, "0x8004430C"));
}

#[test]
fn misused_functions_are_refused() {
    for text in [
        "contains(accessmode,'1')",
        "contains('a',fullname)",
        "contains(fullname)",
        "businessunitid/any(b:b/name eq 'a')",
        "systemuserroles_association/name eq 'a'",
        "1 eq 1",
        "isdisabled gt false",
        "Microsoft.Dynamics.CRM.ContainValues(PropertyName='fullname',PropertyValues=['1'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='accessmode',PropertyValues=['one'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='fullname',PropertyValues='a')",
        "Microsoft.Dynamics.CRM.In(PropertyValues=['a'])",
        "Microsoft.Dynamics.CRM.EqualUserId(PropertyName='fullname')",
        "Microsoft.Dynamics.CRM.Under(PropertyName='businessunitid',PropertyValue='x')",
    ] {
        let refusal = checked(text, &USERS, "").unwrap_err();
        assert_eq!(
            (refusal.status, refusal.code),
            (400, "0x80060888"),
            "{text}"
        );
    }
}

/// A condition over two columns, and what it says of their values.
#[derive(Clone, Debug)]
enum Naive {
    Mode(&'static str, i64),
    Nickname(&'static str, Option<String>),
    Not(Box<Naive>),
    And(Box<Naive>, Box<Naive>),
    Or(Box<Naive>, Box<Naive>),
}

impl Naive {
    fn text(&self) -> String {
        match self {
            Self::Mode(operator, n) => format!("accessmode {operator} {n}"),
            Self::Nickname(operator, Some(n)) => format!("nickname {operator} '{n}'"),
            Self::Nickname(operator, None) => format!("nickname {operator} null"),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
        }
    }

    fn holds(&self, mode: i64, nickname: Option<&str>) -> bool {
        match self {
            Self::Mode("eq", n) => mode == *n,
            Self::Mode("lt", n) => mode < *n,
            Self::Mode(_, n) => mode >= *n,
            Self::Nickname("eq", n) => nickname == n.as_deref(),
            Self::Nickname("ne", n) => nickname != n.as_deref(),
            Self::Nickname(_, n) => {
                matches!((nickname, n.as_deref()), (Some(a), Some(b)) if a > b)
            }
            Self::Not(inner) => !inner.holds(mode, nickname),
            Self::And(a, b) => a.holds(mode, nickname) && b.holds(mode, nickname),
            Self::Or(a, b) => a.holds(mode, nickname) || b.holds(mode, nickname),
        }
    }
}

fn naive() -> impl Strategy<Value = Naive> {
    let operators = |all: &'static [&'static str]| prop::sample::select(all);
    let nickname = || prop::option::of("[ab]{0,2}");
    let leaf = prop_oneof![
        (operators(&["eq", "lt", "ge"]), 0_i64..3).prop_map(|(o, n)| Naive::Mode(o, n)),
        (operators(&["eq", "ne", "gt"]), nickname()).prop_map(|(o, n)| Naive::Nickname(o, n)),
    ];
    leaf.prop_recursive(4, 16, 2, |inner| {
        let pair = || {
            (
                inner.clone().prop_map(Box::new),
                inner.clone().prop_map(Box::new),
            )
        };
        prop_oneof![
            inner.clone().prop_map(|a| Naive::Not(Box::new(a))),
            pair().prop_map(|(a, b)| Naive::And(a, b)),
            pair().prop_map(|(a, b)| Naive::Or(a, b)),
        ]
    })
}

proptest! {
    #[test]
    fn evaluation_agrees_with_a_naive_reading(
        condition in naive(), mode in 0_i64..3, nickname in prop::option::of("[ab]{0,2}")
    ) {
        let checked = checked(&condition.text(), &USERS, "").unwrap();
        let value = nickname.clone().map_or(Value::Null, Value::Text);
        let row = filter(1, 1, 0).with("accessmode", Value::Int(mode)).with("nickname", value);
        let asker = asker();
        prop_assert_eq!(
            checked.holds(&row, &context(&asker)),
            condition.holds(mode, nickname.as_deref())
        );
    }
}
