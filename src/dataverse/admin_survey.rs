//! Reads the filters of many users at once, as the caller and without impersonation.
//!
//! Microsoft ("Offline and Outlook filters and templates"): a caller with Manage User Synchronization Filters
//! sees another user's filters in a query with exactly two conditions, kind and owner. Whether this holds
//! at a given server, and whether `$select` prevents it, has to be tried.

use crate::model::{Filter, FilterKind, UserId};

use super::answer::Answer;
use super::columns::Columns;
use super::error::Error;
use super::reader::Reader;
use super::rows::{FilterRow, ODataPage, read_json};

const WHAT: &str = "reading the sync filters of several users";

impl Reader {
    /// The filters of several users in one request, in the order of the users. `None` for a user who has to be
    /// read in another way: refused, throttled, not answered, or with more than one page.
    ///
    /// The caller has to check the owner of each row.
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

/// `None` where the answer is a refusal or incomplete.
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
