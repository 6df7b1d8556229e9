//! Properties of every valid filter, and of every invalid text.

use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::Value;
use super::expr::{Argument, Expr, Operand, Operator, TextFunction};
use super::parse::parse;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        ".*".prop_map(Value::Text),
        any::<u128>().prop_map(|n| Value::Guid(Uuid::from_u128(n))),
        (0..4_000_000_000_000_i64)
            .prop_map(|ms| Value::Time(Timestamp::from_millisecond(ms).unwrap())),
    ]
}

fn name() -> impl Strategy<Value = String> {
    // Not a keyword in the place of a name.
    "[a-z_][a-z0-9_]{0,8}".prop_map(|n| format!("c{n}"))
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        prop::collection::vec(name(), 1..3).prop_map(Operand::Path),
        value().prop_map(Operand::Literal),
        name().prop_map(|n| Operand::Alias(format!("@{n}"))),
    ]
}

fn operator() -> impl Strategy<Value = Operator> {
    prop::sample::select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::GreaterThan,
        Operator::GreaterThanOrEqual,
        Operator::LessThan,
        Operator::LessThanOrEqual,
    ])
}

/// Any valid filter.
fn expr() -> impl Strategy<Value = Expr> {
    let many = prop::collection::vec(".*", 0..3).prop_map(Argument::Many);
    let argument = prop_oneof![operand().prop_map(Argument::One), many];
    let leaf = prop_oneof![
        (operand(), operator(), operand()).prop_map(|(l, o, r)| Expr::Compare(l, o, r)),
        prop::collection::vec(operand(), 1..3).prop_map(|a| Expr::Call(TextFunction::Contains, a)),
        (name(), prop::collection::vec((name(), argument), 1..3))
            .prop_map(|(n, p)| Expr::Custom(n, p)),
        prop::collection::vec(name(), 1..3).prop_map(|path| Expr::Lambda {
            path,
            all: false,
            body: None
        }),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            (
                prop::collection::vec(name(), 1..3),
                any::<bool>(),
                name(),
                inner
            )
                .prop_map(|(path, all, variable, condition)| Expr::Lambda {
                    path,
                    all,
                    body: Some((variable, Box::new(condition))),
                }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".*") {
        let _ = parse(&text);
    }

    #[test]
    fn nor_does_a_text_that_looks_like_a_filter(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "a", "eq", "and", "or", "not", "(", ")", "/", "any(", "x:", "'s'", "1", "null", ",",
                "contains(", "Microsoft.Dynamics.CRM.In(", "PropertyName=", "[\"a\"]", "@p", "in",
            ]),
            0..20,
        )
    ) {
        let _ = parse(&words.join(" "));
    }

    #[test]
    fn a_printed_filter_reads_back_as_itself(expr in expr()) {
        prop_assert_eq!(parse(&expr.to_string()).unwrap(), expr);
    }
}
