//! Selects the rows of one page.

use std::cmp::Ordering;

use super::cookie::{Cookie, CookieColumn};
use super::order::{compare, keys};
use super::{Context, Query, Row, Value};

/// The most rows in one answer, and the most that `$count` counts
/// (Microsoft: "Page results", "Count number of rows").
pub(super) const MAX_PAGE: usize = 5000;

/// The requested size of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageRequest {
    /// `Prefer: odata.maxpagesize=N` as it was sent; more than 5000 counts as 5000, 0 as not given.
    pub max_page_size: Option<usize>,
}

/// One page of rows, in order.
#[derive(Debug)]
pub(crate) struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// With `$count=true`, how many rows fit the filter on all pages together; not capped.
    pub count: Option<usize>,
    /// The `$skiptoken` of the next page, decoded; `None` on the last one.
    pub next: Option<String>,
}

/// Runs a query over the rows that the asker may read, in any order.
///
/// A page takes one pass over the rows; only the rows of the page itself are sorted.
pub(crate) fn run<R: Row>(
    query: &Query,
    rows: impl Iterator<Item = R>,
    ctx: &Context<'_>,
    request: PageRequest,
) -> Page<R> {
    let mut count = 0;
    let mut found: Vec<(Vec<Value>, R)> = Vec::new();
    for row in rows {
        if query.count {
            // Rows of earlier pages are counted, too.
            if !matches_row(query, &row, ctx) {
                continue;
            }
            count += 1;
        }
        let keys = keys(&query.order, &row);
        if comes_after(query, &keys) && (query.count || matches_row(query, &row, ctx)) {
            found.push((keys, row));
        }
    }
    let (limit, pages) = limit(query, request);
    let more = found.len() > limit;
    cut(query, &mut found, limit);
    Page {
        next: if more && pages {
            token(query, &found)
        } else {
            None
        },
        rows: found.into_iter().map(|(_, row)| row).collect(),
        count: query.count.then_some(count),
    }
}

/// Counts the rows that match the filter, at most 5000: the answer to `/$count`
/// (Microsoft: "Count number of rows").
pub(crate) fn count<R: Row>(
    query: &Query,
    rows: impl Iterator<Item = R>,
    ctx: &Context<'_>,
) -> usize {
    rows.filter(|row| matches_row(query, row, ctx))
        .take(MAX_PAGE)
        .count()
}

fn matches_row(query: &Query, row: &dyn Row, ctx: &Context<'_>) -> bool {
    query
        .filter
        .as_ref()
        .is_none_or(|filter| filter.holds(row, ctx))
}

fn comes_after(query: &Query, keys: &[Value]) -> bool {
    query.after.as_ref().is_none_or(|cookie| {
        let last = cookie.marks.iter().map(|mark| &mark.last);
        compare(&query.order, keys, last) == Ordering::Greater
    })
}

/// The number of rows, and whether there is a next page. With a page size `$top` is ignored; without one, `$top` limits
/// the whole result, silently to one page (Microsoft: "Page results").
fn limit(query: &Query, request: PageRequest) -> (usize, bool) {
    let size = request.max_page_size.filter(|size| *size > 0);
    match (query.top, size) {
        (Some(top), None) if query.after.is_none() => (top.min(MAX_PAGE), false),
        (_, size) => (size.unwrap_or(MAX_PAGE).min(MAX_PAGE), true),
    }
}

/// Keeps the first rows in order.
fn cut<R>(query: &Query, found: &mut Vec<(Vec<Value>, R)>, limit: usize) {
    let order = |a: &(Vec<Value>, R), b: &(Vec<Value>, R)| compare(&query.order, &a.0, &b.0);
    if found.len() > limit {
        found.select_nth_unstable_by(limit, order);
        found.truncate(limit);
    }
    found.sort_unstable_by(order);
}

fn token<R>(query: &Query, page: &[(Vec<Value>, R)]) -> Option<String> {
    let ((first, _), (last, _)) = (page.first()?, page.last()?);
    let columns = query.order.iter().zip(first.iter().zip(last));
    let marks = columns.map(|(column, (first, last))| CookieColumn {
        column: column.name(),
        last: last.clone(),
        first: first.clone(),
    });
    let cookie = Cookie {
        page: query
            .after
            .as_ref()
            .map_or(1, |before| before.page.saturating_add(1)),
        marks: marks.collect(),
    };
    Some(cookie.write())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odata::Dialect;
    use crate::odata::fixture::{TestRow, USERS, asker, context, id};
    use crate::odata::percent::encode_outer;
    use proptest::prelude::*;

    fn row(number: usize, nickname: Option<&str>, mode: i64) -> TestRow {
        let row = TestRow::new(1)
            .with("systemuserid", Value::Guid(id(number as u128)))
            .with("accessmode", Value::Int(mode));
        match nickname {
            Some(text) => row.text("nickname", text),
            None => row,
        }
    }

    fn page<'r>(rows: &'r [TestRow], raw: &str, size: Option<usize>) -> Page<&'r TestRow> {
        let query = Query::parse(raw, &USERS, Dialect::default()).unwrap();
        let asker = asker();
        let request = PageRequest {
            max_page_size: size,
        };
        run(&query, rows.iter(), &context(&asker), request)
    }

    fn numbers(page: &Page<&TestRow>) -> Vec<u128> {
        let id = |row: &&TestRow| match row.value("systemuserid") {
            Value::Guid(id) => id.as_u128(),
            other => panic!("{other:?}"),
        };
        page.rows.iter().map(id).collect()
    }

    /// Follows the tokens to the end.
    fn walk(rows: &[TestRow], raw: &str, size: usize) -> Vec<Vec<u128>> {
        let mut pages = Vec::new();
        let mut next = String::new();
        loop {
            let page = page(rows, &format!("{raw}{next}"), Some(size));
            pages.push(numbers(&page));
            match page.next {
                None => return pages,
                Some(token) => next = format!("&$skiptoken={}", encode_outer(&token)),
            }
            assert!(pages.len() <= rows.len(), "paging does not end: {next}");
        }
    }

    fn plain(n: usize) -> Vec<TestRow> {
        // In an order of their own, so that the engine has to sort.
        (1..=n).map(|i| row(i * 7919 % (n + 1), None, 0)).collect()
    }

    #[test]
    fn a_page_names_the_next_and_the_last_one_does_not() {
        let rows = plain(6);
        assert_eq!(walk(&rows, "$select=fullname", 2), [[1, 2], [3, 4], [5, 6]]);
        assert_eq!(walk(&rows, "$filter=systemuserid eq null", 2), [[0; 0]]);
    }

    #[test]
    fn top_cuts_for_good_unless_a_page_size_overrules_it() {
        let rows = plain(6);
        let cut = page(&rows, "$top=2", None);
        assert_eq!((numbers(&cut), cut.next), (vec![1, 2], None));
        let paged = page(&rows, "$top=2", Some(4));
        assert_eq!(
            (numbers(&paged), paged.next.is_some()),
            (vec![1, 2, 3, 4], true)
        );
        assert!(page(&rows, "$top=0", None).rows.is_empty());
    }

    #[test]
    fn a_page_never_holds_more_than_the_platform_gives() {
        let rows = plain(5001);
        for size in [None, Some(0), Some(10_000)] {
            let page = page(&rows, "$count=true", size);
            assert_eq!((page.rows.len(), page.count), (5000, Some(5001)));
            assert!(page.next.is_some());
        }
        let silent = page(&rows, "$top=5001", None);
        assert_eq!((silent.rows.len(), silent.next), (5000, None));
        let asker = asker();
        let all = Query::parse("", &USERS, Dialect::default()).unwrap();
        assert_eq!(count(&all, rows.iter(), &context(&asker)), 5000);
    }

    #[test]
    fn the_count_is_of_all_pages_on_every_page() {
        let rows = plain(5);
        let raw = "$count=true&$filter=accessmode eq 0";
        let first = page(&rows, raw, Some(2));
        let next = encode_outer(&first.next.unwrap());
        let second = page(&rows, &format!("{raw}&$skiptoken={next}"), Some(2));
        assert_eq!((first.count, second.count), (Some(5), Some(5)));
    }

    #[test]
    fn a_row_that_changes_between_pages_does_not_shift_the_others() {
        let mut rows = plain(6);
        let first = page(&rows, "", Some(2));
        let token = encode_outer(&first.next.unwrap());
        rows.retain(|row| row.value("systemuserid") != Value::Guid(id(1)));
        let second = page(&rows, &format!("$skiptoken={token}"), Some(2));
        assert_eq!(numbers(&second), [3, 4]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn paging_gives_each_row_once_and_in_order(
            values in prop::collection::vec((prop::option::of("[aA<\"& å]{0,2}"), 0_i64..3), 0..40),
            size in 1_usize..50,
            orderby in prop::sample::select(vec![
                "", "$orderby=nickname", "$orderby=nickname desc,accessmode", "$orderby=accessmode desc,nickname",
                "$orderby=systemuserid desc", "$orderby=createdon",
            ]),
        ) {
            let rows: Vec<TestRow> = values
                .iter()
                .enumerate()
                .map(|(at, (nickname, mode))| row(at, nickname.as_deref(), *mode))
                .collect();
            let whole = numbers(&page(&rows, orderby, None));
            prop_assert_eq!(whole.len(), rows.len());
            prop_assert_eq!(walk(&rows, orderby, size).concat(), whole);
        }
    }
}
