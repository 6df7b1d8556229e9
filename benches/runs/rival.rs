//! What is done without the tool, re-enacted honestly: for each user one request for the filters and one for
//! each filter to change, waiting as long as `Retry-After` says. No cookies, so that all web servers are used;
//! connections are kept.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::Fallible;
use super::server::Server;

const USERS: &str = "systemusers?$select=systemuserid&$filter=isdisabled eq false and accessmode eq 0 and defaultfilterspopulated eq true";
const FILTERS: &str = "userqueries?$select=userqueryid,statecode&$filter=querytype eq 256 and (returnedtypecode eq 'appointment' or returnedtypecode eq 'recurringappointmentmaster' or returnedtypecode eq 'serviceappointment')";
const INACTIVE: &str = r#"{"statecode":1,"statuscode":2}"#;

/// How a re-enactment went.
pub(crate) struct RivalRun {
    /// From its start to its end, in seconds.
    pub(crate) seconds: f64,
    pub(crate) users: u64,
    /// Users for whom a request failed for another reason than a limit.
    pub(crate) failed: u64,
}

/// A script that somebody could have written.
pub(crate) struct Rival {
    http: Client,
    root: String,
    token: String,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Rival {
    pub(crate) fn new(server: &Server) -> Fallible<Self> {
        Ok(Self {
            http: syncfilters::auth::client_builder().build()?,
            root: format!("{}api/data/v9.2/", server.url),
            token: server.token.clone(),
        })
    }

    /// Does it for the first `most` users, `at_once` of them at a time.
    pub(crate) async fn run(&self, at_once: usize, most: usize) -> Fallible<RivalRun> {
        let start = Instant::now();
        let mut users = self.users().await?;
        users.truncate(most);
        let count = users.len();
        let done = stream::iter(users).map(|user| async move { self.user(&user).await.is_ok() });
        let fine = done.buffer_unordered(at_once).filter(|fine| {
            let fine = *fine;
            async move { fine }
        });
        let fine = fine.count().await;
        Ok(RivalRun {
            seconds: start.elapsed().as_secs_f64(),
            users: u64::try_from(count)?,
            failed: u64::try_from(count - fine)?,
        })
    }

    async fn users(&self) -> Fallible<Vec<String>> {
        let mut users = Vec::new();
        let mut next = Some(format!("{}{USERS}", self.root));
        while let Some(url) = next {
            let page: Page = self.read(&url, None).await?;
            let ids = page.value.iter().map(|row| text(row, "systemuserid"));
            users.extend(ids.collect::<Fallible<Vec<_>>>()?);
            next = page.next;
        }
        Ok(users)
    }

    async fn user(&self, user: &str) -> Fallible<()> {
        let url = format!("{}{FILTERS}", self.root);
        let page: Page = self.read(&url, Some(user)).await?;
        for row in page.value.iter().filter(|row| row["statecode"] == 0) {
            let url = format!("{}userqueries({})", self.root, text(row, "userqueryid")?);
            let patch = || {
                self.http
                    .patch(&url)
                    .header("mscrmcallerid", user)
                    .header("content-type", "application/json")
                    .header("if-match", "*")
                    .body(INACTIVE)
            };
            self.patiently(patch).await?;
        }
        Ok(())
    }

    async fn read(&self, url: &str, user: Option<&str>) -> Fallible<Page> {
        let get = || {
            let request = self
                .http
                .get(url)
                .header("prefer", "odata.maxpagesize=5000");
            match user {
                Some(user) => request.header("mscrmcallerid", user),
                None => request,
            }
        };
        let answer = self.patiently(get).await?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// Sends until it is not refused because of a limit.
    async fn patiently(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Fallible<Response> {
        loop {
            let answer = request().bearer_auth(&self.token).send().await?;
            if answer.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer.error_for_status()?);
            }
            let after = answer.headers().get("retry-after");
            let seconds = after.ok_or("429 without Retry-After")?.to_str()?.parse()?;
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
}

fn text(row: &Value, name: &str) -> Fallible<String> {
    let text = row[name].as_str().map(str::to_owned);
    text.ok_or_else(|| format!("a row has no {name}").into())
}
