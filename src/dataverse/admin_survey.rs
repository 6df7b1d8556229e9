//! Reading the filters of many users at once, as the caller and not as them.
//!
//! Microsoft ("Offline and Outlook filters and templates"): who holds Manage User Synchronization Filters
//! sees another user's filters by a query of exactly two conditions, kind and owner. Whether that holds
//! at a given server, and whether `$select` is in its way, has to be tried.

use crate::model::{Filter, FilterKind, UserId};

use super::answer::Answer;
use super::columns::Columns;
use super::error::Error;
use super::reader::Reader;
use super::rows::{FilterRow, ODataPage, read_json};

const WHAT: &str = "reading the sync filters of several users";

impl Reader {
    /// The filters of several users in one request, in the order of the users. `None` is a user who has to be
    /// asked about in another way: refused, throttled, cut off, or with more than one page.
    ///
    /// The owner of each row is not checked here.
    pub async fn filters_as_administrator(
        &self,
        users: &[UserId],
        kind: FilterKind,
        columns: Columns,
    ) -> Result<Vec<Option<Vec<Filter>>>, Error> {
        let urls = users
            .iter()
            .map(|user| self.filters_url(*user, kind, columns));
        let urls = urls.collect::<Result<Vec<_>, _>>()?;
        let mut answers = self.read_together(WHAT, None, &urls).await?.into_iter();
        let filters = users
            .iter()
            .map(|_| answers.next().and_then(|answer| filters_of(&answer)));
        Ok(filters.collect())
    }
}

/// `None` where it is refused, or is not all of them.
fn filters_of(answer: &Answer) -> Option<Vec<Filter>> {
    if !answer.status.is_success() {
        return None;
    }
    let page: ODataPage<FilterRow> = read_json(&answer.body).ok()?;
    if !page.is_all() {
        return None;
    }
    let rows = page.value.into_iter();
    rows.map(|row| Filter::try_from(row).ok()).collect()
}
