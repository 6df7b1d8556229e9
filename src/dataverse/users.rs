//! The users of an organisation, a page at a time.

use http::StatusCode;

use crate::model::{User, UserId};

use super::call::Call;
use super::conditions::{column_is, encoded};
use super::error::Error;
use super::pages::Pages;
use super::reader::Reader;
use super::rows::{UserColumns, UserRow, with_query};

const WHAT: &str = "listing the users";

/// Pages of users, read one after the other.
#[derive(Debug)]
pub struct UserPages {
    reader: Reader,
    columns: UserColumns,
    /// `&$filter=` and the condition, or nothing.
    filter: String,
    /// Nothing before the first page.
    pages: Option<Pages<UserRow>>,
}

impl UserPages {
    fn new(reader: Reader, condition: Option<&str>) -> Self {
        let columns = reader.user_columns();
        Self {
            reader,
            columns,
            filter: condition.map_or_else(String::new, |c| format!("&$filter={}", encoded(c))),
            pages: None,
        }
    }

    /// The next page, or `None` after the last. Users come in no particular order, the disabled ones included, and
    /// each of them once.
    pub async fn next(&mut self) -> Result<Option<Vec<User>>, Error> {
        let rows = match &mut self.pages {
            Some(pages) => pages.next().await?,
            None => self.first_page().await?,
        };
        Ok(rows.map(|rows| rows.into_iter().map(User::from).collect()))
    }

    /// Asks for fewer columns until the server knows them all.
    async fn first_page(&mut self) -> Result<Option<Vec<UserRow>>, Error> {
        let mut refused = false;
        loop {
            let query = format!("$select={}{}", self.columns.select(), self.filter);
            let url = with_query(self.reader.url("systemusers")?, &query);
            let call = Call::get(WHAT, url).with_long_pages();
            let mut pages = Pages::new(&self.reader.channel, call);
            match pages.next().await {
                Ok(rows) => {
                    // Only what another answer has confirmed: a condition can be the reason of a refusal, too.
                    if refused {
                        self.reader.keep_user_columns(&self.columns);
                    }
                    self.pages = Some(pages);
                    return Ok(rows);
                }
                Err(Error::Refused { what, fault }) if fault.status == StatusCode::BAD_REQUEST => {
                    if !self.columns.give_up(&fault.message) {
                        return Err(Error::Refused { what, fault });
                    }
                    refused = true;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Reader {
    /// Every user of the organisation, or those who fulfil a condition, a page at a time.
    pub fn users(&self, condition: Option<&str>) -> UserPages {
        UserPages::new(self.clone(), condition)
    }

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
