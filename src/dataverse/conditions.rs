//! `OData` conditions over `systemusers`, as text, and their distribution over requests of bounded length.

use std::fmt::Write as _;

/// The longest conditions of one request when encoded, in characters. Servers of 8.x answered an address of
/// more than about 2,000 characters with 404; the columns take about 350 of them.
const BUDGET: usize = 1_200;

/// A text as an `OData` literal: in quotation marks, with those inside doubled (Microsoft: "Filter rows using
/// `OData`").
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Conditions, one of which holds where `column` has one of these values. The values are `OData` literals.
pub fn column_is(column: &str, values: &[String]) -> Vec<String> {
    spread(&format!("{column} eq "), values)
        .into_iter()
        .map(|any| any.join(" or "))
        .collect()
}

/// Conditions, one of which holds where a row across `association` has one of these values in `column`.
pub fn associated(association: &str, column: &str, values: &[String]) -> Vec<String> {
    spread(&format!("x/{column} eq "), values)
        .into_iter()
        .map(|any| format!("{association}/any(x:{})", any.join(" or ")))
        .collect()
}

/// Distributes the values: as many in each group as fit into a request.
fn spread(before: &str, values: &[String]) -> Vec<Vec<String>> {
    let (mut groups, mut length) = (Vec::<Vec<String>>::new(), BUDGET);
    for value in values {
        let condition = format!("{before}{value}");
        let more = encoded(&condition).len() + "%20or%20".len();
        match groups.last_mut() {
            Some(group) if length + more <= BUDGET => {
                length += more;
                group.push(condition);
            }
            _ => {
                length = more;
                groups.push(vec![condition]);
            }
        }
    }
    groups
}

/// Conditions with the requests that they belong to.
#[derive(Debug, PartialEq, Eq)]
pub struct Arranged {
    /// One condition for the list of users itself.
    pub with_the_list: Option<String>,
    /// For separate requests: a user has to match one condition of each list.
    pub apart: Vec<Vec<String>>,
}

/// Distributes lists of alternatives. A user has to match one condition of each list.
///
/// Several alternatives are requested separately, because it is not documented whether a server supports `or` between
/// associations; so are conditions that do not fit. With `whole_list` all users are listed in any case.
pub fn arrange(lists: Vec<Vec<String>>, whole_list: bool) -> Arranged {
    let (mut together, mut apart, mut length) = (Vec::new(), Vec::new(), 0);
    for list in lists {
        let more = list.iter().map(|c| encoded(c).len() + 10).sum::<usize>();
        match &list[..] {
            [one] if !whole_list && length + more <= BUDGET => {
                length += more;
                together.push(format!("({one})"));
            }
            _ => apart.push(list),
        }
    }
    Arranged {
        with_the_list: (!together.is_empty()).then(|| together.join(" and ")),
        apart,
    }
}

/// Encodes a value of a query option, so that it cannot end the option or begin another.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~()/:,=*$@!".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_mark_in_a_name_is_doubled_and_encoded() {
        assert_eq!(quoted("O'Brien"), "'O''Brien'");
        assert_eq!(
            encoded(&quoted("O'Brien & É")),
            "%27O%27%27Brien%20%26%20%C3%89%27"
        );
    }

    #[test]
    fn many_ids_are_spread_over_requests_that_are_short_enough() {
        let ids: Vec<_> = (0..100)
            .map(|n| uuid::Uuid::from_u128(n).to_string())
            .collect();
        let conditions = associated("teammembership_association", "teamid", &ids);
        assert!(conditions.len() > 1);
        assert!(conditions.iter().all(|c| encoded(c).len() < BUDGET + 60));
        let there: usize = conditions.iter().map(|c| c.matches(" eq ").count()).sum();
        assert_eq!(there, ids.len());
        assert!(column_is("x", &[]).is_empty());
    }

    #[test]
    fn single_conditions_go_with_the_list_and_alternatives_apart() {
        let lists = || {
            vec![
                vec!["a eq 1 or a eq 2".to_owned()],
                vec!["b".to_owned(), "c".to_owned()],
                vec!["d".to_owned()],
            ]
        };
        let arranged = arrange(lists(), false);
        assert_eq!(
            arranged.with_the_list.unwrap(),
            "(a eq 1 or a eq 2) and (d)"
        );
        assert_eq!(arranged.apart, [["b", "c"]]);
        let whole = arrange(lists(), true);
        assert_eq!((whole.with_the_list, whole.apart.len()), (None, 3));
        let long = arrange(vec![vec!["x".repeat(BUDGET + 1)]], false);
        assert_eq!(long.apart.len(), 1, "what does not fit is asked for apart");
    }
}
