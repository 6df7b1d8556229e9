//! The users of an organisation, a page at a time.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue};
use url::Url;

use crate::model::{User, UserId};

use super::channel::Call;
use super::conditions::{column_is, encoded};
use super::error::Error;
use super::reader::{Reader, read};
use super::rows::{Page, UserColumns, UserRow, with_query};

/// Rows on a page: the most that the server gives.
const PAGE_SIZE: HeaderValue = HeaderValue::from_static("odata.maxpagesize=5000");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const WHAT: &str = "listing the users";

/// Pages of users, read one after the other.
#[derive(Debug)]
pub struct UserPages {
    reader: Reader,
    columns: UserColumns,
    /// `&$filter=` and the condition, or nothing.
    filter: String,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    Link(Url),
    Nothing,
}

impl UserPages {
    pub(super) fn new(reader: Reader, condition: Option<&str>) -> Self {
        let columns = UserColumns::of_version(reader.identity().version.major);
        Self {
            reader,
            columns,
            filter: condition.map_or_else(String::new, |c| format!("&$filter={}", encoded(c))),
            next: Next::First,
        }
    }

    /// The next page, or `None` after the last. Users come in no particular order, the disabled ones included.
    pub async fn next(&mut self) -> Result<Option<Vec<User>>, Error> {
        let page = match &self.next {
            Next::Nothing => return Ok(None),
            Next::First => self.first_page().await?,
            Next::Link(url) => self.page(url.clone()).await?,
        };
        self.next = match page.next_link {
            Some(link) => Next::Link(self.reader.follow(WHAT, &link)?),
            None => Next::Nothing,
        };
        Ok(Some(page.value.into_iter().map(User::from).collect()))
    }

    /// Asks for fewer columns until the server knows them all.
    async fn first_page(&mut self) -> Result<Page<UserRow>, Error> {
        loop {
            let query = format!("$select={}{}", self.columns.select(), self.filter);
            let url = with_query(self.reader.url("systemusers")?, &query);
            match self.page(url).await {
                Err(Error::Refused { what, fault }) if fault.status == StatusCode::BAD_REQUEST => {
                    if !self.columns.give_up_one(&fault.message) {
                        return Err(Error::Refused { what, fault });
                    }
                }
                other => return other,
            }
        }
    }

    async fn page(&self, url: Url) -> Result<Page<UserRow>, Error> {
        let call = Call::get(WHAT, url).header(PREFER, PAGE_SIZE);
        read(&self.reader.channel, &call).await
    }
}

impl Reader {
    /// How these users are named: some twenty in a request. One who is not there, or whom the caller may not
    /// read, is left out.
    pub async fn labels(&self, users: &[UserId]) -> Result<Vec<(UserId, String)>, Error> {
        let ids: Vec<_> = users.iter().map(ToString::to_string).collect();
        let mut labels = Vec::new();
        for condition in column_is("systemuserid", &ids) {
            let mut pages = self.users(Some(&condition));
            loop {
                match pages.next().await {
                    Ok(Some(users)) => {
                        labels.extend(users.into_iter().map(|user| (user.id, user.label())));
                    }
                    Ok(None) | Err(Error::Refused { .. }) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(labels)
    }
}
