//! The only way to read a listing: page after page, to its end.
//!
//! A list that ends too early looks like a shorter one, and the missing users would be left out unnoticed. One that
//! never ends would block the run. Both are errors here.

use std::collections::HashSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;

use url::Url;

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::read::{bad_answer, follow, read};
use super::rows::{ODataPage, PagedRow};

/// Pages in a row without a new row, after which a listing is given up. One such page results from rows that moved
/// meanwhile, two may by chance.
const BARREN: u32 = 3;
/// The most rows of a listing: four times the largest organisations. 16 bytes are stored for each.
const MOST_ROWS: usize = 2_000_000;

/// Why a listing cannot be read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stuck {
    Followed,
    Barren,
    NoLink,
    TooMany,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Followed => f.write_str(
                "the list does not end: a link to a next page leads back to an earlier one",
            ),
            Self::Barren => write!(
                f,
                "the list does not end: {BARREN} pages in a row hold no new row"
            ),
            Self::NoLink => {
                f.write_str("the list is incomplete: there are more rows, and no link to them")
            }
            Self::TooMany => write!(
                f,
                "the list does not end: it has more than {MOST_ROWS} rows"
            ),
        }
    }
}

/// What has been seen of a listing.
#[derive(Debug, Default)]
struct Listing {
    rows: HashSet<u128>,
    count: usize,
    links: HashSet<u64>,
    barren: u32,
}

impl Listing {
    /// The new rows of a page, if the listing can continue or end after it.
    fn take<T: PagedRow>(&mut self, page: ODataPage<T>) -> Result<(Vec<T>, Option<String>), Stuck> {
        let ODataPage {
            value,
            next_link,
            more,
        } = page;
        let mut rows = value;
        rows.retain(|row| row.key().is_none_or(|key| self.rows.insert(key)));
        self.count += rows.len();
        self.barren = if rows.is_empty() { self.barren + 1 } else { 0 };
        if next_link.is_none() {
            return if more {
                Err(Stuck::NoLink)
            } else {
                Ok((rows, None))
            };
        }
        if self.barren == BARREN {
            return Err(Stuck::Barren);
        }
        if self.count > MOST_ROWS {
            return Err(Stuck::TooMany);
        }
        Ok((rows, next_link))
    }

    /// Checks the address of the next page.
    fn follow(&mut self, url: &Url) -> Result<(), Stuck> {
        let mut hasher = DefaultHasher::new();
        url.as_str().hash(&mut hasher);
        if self.links.insert(hasher.finish()) {
            Ok(())
        } else {
            Err(Stuck::Followed)
        }
    }
}

/// A listing that is being read.
#[derive(Debug)]
pub(super) struct Pages<T> {
    channel: Channel,
    /// The request for the next page, with the same headers for each.
    next: Option<Call>,
    seen: Listing,
    rows: PhantomData<fn() -> T>,
}

impl<T: PagedRow> Pages<T> {
    /// Starts a listing. Sends nothing.
    pub(super) fn new(channel: &Channel, first: Call) -> Self {
        Self {
            channel: channel.clone(),
            next: Some(first),
            seen: Listing::default(),
            rows: PhantomData,
        }
    }

    /// The rows of the next page that were on no earlier one; `None` after the last page.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<T>>, Error> {
        let Some(call) = &self.next else {
            return Ok(None);
        };
        let what = call.what;
        let stuck = |stuck: Stuck| bad_answer(what, &stuck);
        self.seen.follow(&call.url).map_err(stuck)?;
        let page: ODataPage<T> = read(&self.channel, call).await?;
        let (rows, link) = self.seen.take(page).map_err(stuck)?;
        self.next = match link {
            Some(link) => Some(Call {
                url: follow(&self.channel, what, &call.url, &link)?,
                ..call.clone()
            }),
            None => None,
        };
        Ok(Some(rows))
    }

    pub(super) async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        while let Some(rows) = self.next().await? {
            all.extend(rows);
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, serde::Deserialize)]
    struct Number(u128);

    impl PagedRow for Number {
        fn key(&self) -> Option<u128> {
            Some(self.0)
        }
    }

    fn page(rows: &[u128], link: Option<&str>, more: bool) -> ODataPage<Number> {
        ODataPage {
            value: rows.iter().copied().map(Number).collect(),
            next_link: link.map(str::to_owned),
            more,
        }
    }

    fn numbers(taken: Result<(Vec<Number>, Option<String>), Stuck>) -> Result<Vec<u128>, Stuck> {
        taken.map(|(rows, _)| rows.into_iter().map(|row| row.0).collect())
    }

    #[test]
    fn three_pages_in_a_row_without_a_new_row_end_the_listing() {
        let mut seen = Listing::default();
        let mut take = |rows: &[u128]| numbers(seen.take(page(rows, Some("next"), false)));
        assert_eq!(take(&[1, 2]), Ok(vec![1, 2]));
        assert_eq!(take(&[]), Ok(vec![]));
        assert_eq!(take(&[2, 1]), Ok(vec![]));
        assert_eq!(
            take(&[2, 3]),
            Ok(vec![3]),
            "a new row starts the count anew"
        );
        assert_eq!(take(&[]), Ok(vec![]));
        assert_eq!(take(&[1]), Ok(vec![]));
        assert_eq!(take(&[3]), Err(Stuck::Barren));
    }

    #[test]
    fn more_rows_without_a_link_are_an_error_and_with_one_they_are_followed() {
        let mut seen = Listing::default();
        assert!(seen.take(page(&[1], Some("next"), true)).is_ok());
        let end = numbers(seen.take(page(&[2], None, true)));
        assert_eq!(end, Err(Stuck::NoLink));
    }

    #[test]
    fn a_link_is_followed_once() {
        let mut seen = Listing::default();
        let url = Url::parse("https://crm.example/api/data/v9.2/systemusers?$skiptoken=1").unwrap();
        assert_eq!(seen.follow(&url), Ok(()));
        assert_eq!(seen.follow(&url), Err(Stuck::Followed));
    }

    proptest! {
        #[test]
        fn every_row_is_handed_out_once_however_the_pages_overlap(
            pages in proptest::collection::vec(proptest::collection::vec(0_u128..50, 1..20), 1..8),
        ) {
            let mut seen = Listing::default();
            let mut out = Vec::new();
            for rows in &pages {
                match numbers(seen.take(page(rows, Some("next"), false))) {
                    Ok(rows) => out.extend(rows),
                    Err(stuck) => {
                        prop_assert_eq!(stuck, Stuck::Barren);
                        break;
                    }
                }
            }
            let distinct: HashSet<_> = out.iter().collect();
            prop_assert_eq!(distinct.len(), out.len());
        }
    }
}
