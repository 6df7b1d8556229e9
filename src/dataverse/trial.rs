//! Requests whose answers show what no document says about a server. Writes go through the one [`Writer`].

use bytes::Bytes;
use http::StatusCode;
use http::header::SET_COOKIE;
use url::Url;
use uuid::Uuid;

use crate::model::{Filter, FilterId, FilterKind, State, StateAndStatus, UserId};
use crate::pacing::Repeat;

use super::answer::Answer;
use super::batch;
use super::call::{Call, reading_part};
use super::columns::Columns;
use super::error::Error;
use super::fault::ServerFault;
use super::impersonation::{Impersonated, ImpersonationHeader, impersonation_header};
use super::read::bad_answer;
use super::reader::Reader;
use super::rows::{FilterRow, ODataPage, UserIdRow, WhoAmI, read_json, with_query};
use super::writer::{WHAT, Writer, header_value, set_state_body, shown};

/// What is tried first: what a trial found, else what is documented.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is the answer to a question of its own"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstAttempts {
    /// The header for impersonation.
    pub header: Option<ImpersonationHeader>,
    /// Whether the server checks the version in `If-Match`.
    pub versions_hold: bool,
    /// Whether a null status is accepted.
    pub null_status: bool,
    /// Whether the outer header of a `$batch` impersonates.
    pub batches: bool,
    /// Whether the filters of others can be read as the administrator.
    pub as_administrator: bool,
}

impl Default for FirstAttempts {
    fn default() -> Self {
        Self {
            header: None,
            versions_hold: true,
            null_status: true,
            batches: true,
            as_administrator: false,
        }
    }
}

/// The columns that a trial writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrialBody {
    /// A state and a status, which can be null.
    StateAndStatus(StateAndStatus),
    /// A state without a status.
    StateOnly(State),
}

impl TrialBody {
    fn json(self) -> Bytes {
        match self {
            Self::StateAndStatus(to) => set_state_body(to),
            Self::StateOnly(state) => {
                Bytes::from(serde_json::json!({ "statecode": state.code() }).to_string())
            }
        }
    }
}

/// The answer to a trial's write.
#[derive(Clone, Debug)]
pub struct TrialAnswer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The refusal, where it is one.
    pub fault: Option<Box<ServerFault>>,
    /// The row, where the answer contains it.
    pub shown: Option<Filter>,
}

/// Facts about the server in the headers of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSeen {
    /// The web server that answered, where it says so.
    pub server: Option<String>,
    /// Requests left in its budget.
    pub remaining: Option<u32>,
    /// The recommended number of requests at once.
    pub recommended: Option<u32>,
}

impl Writer {
    /// Writes to a row, as a user or as the caller, and returns any answer. Without a version it requires only
    /// that the row exists. An error means that there was no answer with a result.
    pub async fn try_write(
        &self,
        who: Option<&Impersonated>,
        filter: FilterId,
        body: TrialBody,
        etag: Option<&str>,
    ) -> Result<TrialAnswer, Error> {
        let url = self.row_url(filter)?;
        let version = header_value(etag.unwrap_or("*"))?;
        let call = Call::update(WHAT, url, body.json(), version);
        let call = match who {
            Some(who) => self.reader.as_user(call, who),
            None => call,
        };
        let answer = self.reader.channel().send(&call).await?;
        let is_success = answer.status.is_success();
        Ok(TrialAnswer {
            status: answer.status,
            fault: (!is_success).then(|| Box::new(answer.fault())),
            shown: shown(&answer.body).filter(|_| is_success),
        })
    }
}

impl Reader {
    /// One user's filters of one kind, read as the caller.
    pub async fn filters_as_caller(
        &self,
        user: UserId,
        kind: FilterKind,
        columns: Columns,
    ) -> Result<Vec<Filter>, Error> {
        const WHAT: &str = "reading the sync filters as the administrator";
        let url = self.filters_url(user, kind, columns)?;
        let rows: Vec<FilterRow> = self.all(Call::get(WHAT, url)).await?;
        let filters = rows.into_iter().map(Filter::try_from);
        let filters: Result<Vec<_>, _> = filters.collect();
        filters.map_err(|error| bad_answer(WHAT, &error))
    }

    /// The user as whom a part of a `$batch` acts if the outer request impersonates; `None` where the server does not
    /// say. By a query for the current user where WhoAmI is not reliable.
    pub async fn batch_acts_as(
        &self,
        who: &Impersonated,
        by_query: bool,
    ) -> Result<Option<UserId>, Error> {
        let parts = [reading_part(&self.who_url(by_query)?)];
        let call = self.batch_call(&parts)?;
        let answers = self.batch_answers(&self.as_user(call, who)).await?;
        Ok(self.named(answers.as_deref(), by_query))
    }

    /// The same where only the part has the header.
    pub async fn part_acts_as(
        &self,
        who: &Impersonated,
        by_query: bool,
    ) -> Result<Option<UserId>, Error> {
        let mut part = reading_part(&self.who_url(by_query)?);
        let (_, value) = impersonation_header(who, self.header());
        let name = match (self.header(), who.object_id) {
            (ImpersonationHeader::ObjectId, Some(_)) => ImpersonationHeader::ObjectId,
            _ => ImpersonationHeader::UserId,
        };
        let value = value.to_str().unwrap_or_default().to_owned();
        part.headers.push((name.name(), value));
        let answers = self.batch_answers(&self.batch_call(&[part])?).await?;
        Ok(self.named(answers.as_deref(), by_query))
    }

    /// Whether a part after a failed one is answered; `None` where the server does not support batches.
    pub async fn batch_goes_on(&self) -> Result<Option<bool>, Error> {
        let nowhere = self.url(&format!("userqueries({})", Uuid::nil()))?;
        let nowhere = with_query(nowhere, "$select=userqueryid");
        let parts = [nowhere, self.url("WhoAmI")?];
        let parts: Vec<_> = parts.iter().map(reading_part).collect();
        let answers = self.batch_answers(&self.batch_call(&parts)?).await?;
        Ok(answers.map(|answers| answers.get(1).is_some_and(|it| it.status.is_success())))
    }

    /// Sends a small request, as a user or as the caller, for the headers of its answer.
    pub async fn server_seen(&self, who: Option<&Impersonated>) -> Result<ServerSeen, Error> {
        let call = Call::get("asking for limits", self.url("WhoAmI")?);
        let call = match who {
            Some(who) => self.as_user(call, who),
            None => call,
        };
        let answer = self.channel().send(&call).await?;
        Ok(ServerSeen {
            server: affinity(&answer),
            remaining: answer.requests_left(),
            recommended: answer.number("x-ms-dop-hint"),
        })
    }

    fn who_url(&self, by_query: bool) -> Result<Url, Error> {
        if by_query {
            self.current_user_url()
        } else {
            self.url("WhoAmI")
        }
    }

    fn batch_call(&self, parts: &[batch::Part]) -> Result<Call, Error> {
        let url = self.url("$batch")?;
        Ok(Call::batch(
            "trying requests to $batch",
            url,
            parts,
            Repeat::Safe,
        ))
    }

    /// The answers in a batch; `None` where it is not the answer to a batch.
    async fn batch_answers(&self, call: &Call) -> Result<Option<Vec<Answer>>, Error> {
        let answer = self.channel().send(call).await?;
        let Some(content_type) = answer.multipart() else {
            return Ok(None);
        };
        Ok(batch::decode(content_type, &answer.body).ok())
    }

    /// The user in the first answer; where it finds no current user, this is the caller.
    fn named(&self, answers: Option<&[Answer]>, by_query: bool) -> Option<UserId> {
        let answer = answers?.first().filter(|it| it.status.is_success())?;
        if by_query {
            let page: ODataPage<UserIdRow> = read_json(&answer.body).ok()?;
            let found = page.value.first().map(|row| UserId(row.systemuserid));
            return Some(found.unwrap_or(self.identity().caller.id));
        }
        let who: WhoAmI = read_json(&answer.body).ok()?;
        Some(UserId(who.user_id))
    }
}

/// Identifies the web server that answered, by its cookie (Microsoft: "Service protection API limits", server
/// affinity).
fn affinity(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all(SET_COOKIE).iter();
    let mut texts = cookies.filter_map(|cookie| cookie.to_str().ok());
    texts.find_map(|cookie| {
        let value = cookie.trim().strip_prefix("ARRAffinity=")?;
        Some(value.split(';').next().unwrap_or(value).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;
    use http::HeaderMap;
    use http::HeaderValue;

    #[test]
    fn a_state_alone_has_no_status_and_a_null_one_is_written() {
        let body = |body: TrialBody| String::from_utf8(body.json().to_vec()).unwrap();
        assert_eq!(
            body(TrialBody::StateOnly(State::Inactive)),
            r#"{"statecode":1}"#
        );
        let null = StateAndStatus {
            state: State::Inactive,
            status: Status(None),
        };
        let null = body(TrialBody::StateAndStatus(null));
        assert_eq!(null, r#"{"statecode":1,"statuscode":null}"#);
    }

    #[test]
    fn the_server_is_told_by_its_cookie() {
        let answer = |cookies: &[&'static str]| Answer {
            status: StatusCode::OK,
            headers: cookies
                .iter()
                .map(|it| (SET_COOKIE, HeaderValue::from_static(it)))
                .collect::<HeaderMap>(),
            body: Bytes::new(),
        };
        let some = answer(&["a=b", "ARRAffinity=abc; path=/; HttpOnly"]);
        assert_eq!(affinity(&some).as_deref(), Some("abc"));
        assert_eq!(affinity(&answer(&["ARRAffinitySameSite=x"])), None);
        assert_eq!(affinity(&answer(&[])), None);
    }
}
