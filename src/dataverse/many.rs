//! Reading the filters of many users at once, as the caller and not as them.
//!
//! Microsoft ("Offline and Outlook filters and templates"): who holds Manage User Synchronization Filters
//! sees another user's filters by a query of exactly two conditions, kind and owner. Whether that holds
//! at a given server, and whether `$select` is in its way, has to be tried.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use uuid::Uuid;

use crate::model::{Filter, Kind, UserId};
use crate::pacing::Repeat;

use super::batch::{self, Part, PartAnswer};
use super::channel::{Answer, Call};
use super::error::Error;
use super::reader::{Reader, bad_answer};
use super::rows::{FILTER_COLUMNS, FilterRow, Page, read_json, with_query};

const WHAT: &str = "reading the sync filters of several users";
const CONTINUE: HeaderValue = HeaderValue::from_static("odata.continue-on-error");
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The columns of sync filters to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Those that are needed.
    Needed,
    /// Those, and what each filter selects: `fetchxml`.
    WithQueries,
    /// All, with the large ones: for servers on which a choice of columns breaks the administrator's query.
    All,
}

impl Columns {
    /// The query for one user's filters of one kind.
    pub(super) fn query_of(self, user: UserId, kind: Kind) -> String {
        let select = match self {
            Self::Needed => format!("$select={FILTER_COLUMNS}&"),
            Self::WithQueries => format!("$select={FILTER_COLUMNS},fetchxml&"),
            Self::All => String::new(),
        };
        let kind = kind.code();
        format!("{select}$filter=querytype eq {kind} and _ownerid_value eq {user}")
    }
}

impl Reader {
    /// The filters of several users in one request, in the order of the users. `None` is a user who has to be
    /// asked about in another way: refused, throttled, cut off, or with more than one page.
    ///
    /// The owner of each row is not checked here.
    pub async fn filters_as_administrator(
        &self,
        users: &[UserId],
        kind: Kind,
        columns: Columns,
    ) -> Result<Vec<Option<Vec<Filter>>>, Error> {
        let parts = users.iter().map(|user| self.query(*user, kind, columns));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let boundary = format!("batch_{}", Uuid::new_v4().as_hyphenated());
        let body = batch::encode(&boundary, &parts);
        let content_type = HeaderValue::try_from(batch::content_type(&boundary))
            .map_err(|error| bad_answer(WHAT, &error))?;
        let call = Call {
            method: Method::POST,
            body,
            repeat: Repeat::Safe,
            ..Call::get(WHAT, self.url("$batch")?)
        };
        let call = call
            .header(CONTENT_TYPE, content_type)
            .header(PREFER, CONTINUE);
        let answer = self.channel.send(&call).await?;
        let Some(content_type) = answer.multipart() else {
            return Err(Error::refused(WHAT, answer.fault()));
        };
        let answers =
            batch::decode(content_type, &answer.body).map_err(|error| bad_answer(WHAT, &error))?;
        let mut answers = answers.into_iter();
        let filters = users
            .iter()
            .map(|_| answers.next().and_then(|part| self.filters_of_part(part)));
        Ok(filters.collect())
    }

    fn query(&self, user: UserId, kind: Kind, columns: Columns) -> Result<Part, Error> {
        let url = with_query(self.url("userqueries")?, &columns.query_of(user, kind));
        let query = url.query().unwrap_or_default();
        Ok(Part {
            method: Method::GET,
            target: format!("{}?{query}", url.path()),
            headers: vec![("Accept", "application/json".into())],
            body: bytes::Bytes::new(),
        })
    }

    fn filters_of_part(&self, part: PartAnswer) -> Option<Vec<Filter>> {
        let answer = Answer::from(part);
        self.channel.note(&answer);
        if !answer.status.is_success() {
            return None;
        }
        let page: Page<FilterRow> = read_json(&answer.body).ok()?;
        if page.next_link.is_some() {
            return None;
        }
        let rows = page.value.into_iter();
        rows.map(|row| Filter::try_from(row).ok()).collect()
    }
}
