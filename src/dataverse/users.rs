//! The users of an organisation, page by page.

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
    /// None before the first page.
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

    /// The next page, or `None` after the last one. Users come in no particular order, include disabled ones, and
    /// are never repeated.
    pub async fn next(&mut self) -> Result<Option<Vec<User>>, Error> {
        let rows = match &mut self.pages {
            Some(pages) => pages.next().await?,
            None => self.first_page().await?,
        };
        Ok(rows.map(|rows| rows.into_iter().map(User::from).collect()))
    }

    /// Requests fewer columns until the server has all of them.
    async fn first_page(&mut self) -> Result<Option<Vec<UserRow>>, Error> {
        let mut refused = false;
        loop {
            let query = format!("$select={}{}", self.columns.select(), self.filter);
            let url = with_query(self.reader.url("systemusers")?, &query);
            let call = Call::get(WHAT, url).with_long_pages();
            let mut pages = Pages::new(&self.reader.channel, call);
            match pages.next().await {
                Ok(rows) => {
                    // Remembered only after a confirming answer, because a refusal may also be caused by the condition.
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
    /// All users of the organisation, or those that match a condition, page by page.
    pub fn users(&self, condition: Option<&str>) -> UserPages {
        UserPages::new(self.clone(), condition)
    }

    /// The names of these users, about twenty in a request. Users that do not exist, or that the caller may not
    /// read, are missing.
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
