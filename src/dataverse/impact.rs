//! The impact of a change of filters: the organisation's own filters and templates, and how many rows a query
//! selects for a user.

use serde::Deserialize;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::model::UserId;

use super::answer::Answer;
use super::call::Call;
use super::conditions::encoded;
use super::error::Error;
use super::fault::ServerFault;
use super::impersonation::Impersonated;
use super::privileges::{ReadDepth, privilege_path, read_depth};
use super::read::read;
use super::reader::Reader;
use super::rows::{ODataPage, PagedRow, UserIdRow, WhoAmI, read_json, with_query};

const WHAT: &str = "counting what a user's filters select";
/// The longest address of a part, in characters: the limit of older servers in a batch (Microsoft: "Execute batch
/// operations using the Web API", versions of 2021 and 2023).
const LONGEST: usize = 32_000;
/// How often unanswered parts are requested again: a server that stops at the first refusal answers at
/// least one more each time. A user has filters of about ten types.
const ROUNDS: usize = 12;

/// An active Outlook filter of the organisation, or an active default template of them.
#[derive(Clone, Debug, Deserialize)]
pub struct OrganisationFilter {
    /// `savedqueryid`.
    #[serde(default)]
    pub savedqueryid: Option<Uuid>,
    /// `name`.
    #[serde(default)]
    pub name: Option<String>,
    /// `returnedtypecode`.
    pub returnedtypecode: String,
    /// `querytype`: 256 is a system filter, 131072 a template.
    pub querytype: i32,
    /// `isdefault`: whether new users receive it.
    #[serde(default)]
    pub isdefault: Option<bool>,
    /// `fetchxml`.
    #[serde(default)]
    pub fetchxml: Option<String>,
}

impl PagedRow for OrganisationFilter {
    /// The id only, because two rows may be equal in all other columns.
    fn key(&self) -> Option<u128> {
        self.savedqueryid.map(|id| id.as_u128())
    }
}

/// The names of a table.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableNames {
    /// `EntitySetName`.
    pub entity_set_name: String,
    /// `PrimaryIdAttribute`.
    pub primary_id_attribute: String,
}

/// How a batch finds out which user it acts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// By WhoAmI.
    WhoAmI,
    /// By a query for the current user.
    CurrentUser,
}

/// A `FetchXML` query to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchQuery {
    /// The entity set that it reads.
    pub set: String,
    /// The `FetchXML`.
    pub fetch: String,
    /// The column to return.
    pub column: String,
}

/// The result of one query.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// The values of the column, one for each row.
    Values(Vec<Value>),
    /// The server refused.
    Refused(Box<ServerFault>),
    /// No usable answer, with the reason.
    Lost(String),
}

/// The results of all queries of one user.
#[derive(Clone, Debug)]
pub struct FetchedAs {
    /// The user as whom the server acted; `None` where it did not say.
    pub user: Option<UserId>,
    /// One for each query, in order.
    pub answers: Vec<Fetched>,
    /// The level of each privilege; `None` where the server did not say.
    pub depths: Vec<Option<ReadDepth>>,
}

impl Reader {
    /// The active Outlook system filters and filter templates. Takes one request.
    ///
    /// Microsoft: "Offline and Outlook filters and templates", `SavedQueryQueryType`.
    pub async fn organisation_filters(&self) -> Result<Vec<OrganisationFilter>, Error> {
        let query = "$select=savedqueryid,name,returnedtypecode,querytype,isdefault,fetchxml\
                     &$filter=statecode%20eq%200%20and%20(querytype%20eq%20256%20or%20querytype%20eq%20131072)";
        self.rows("reading the organisation's filters", "savedqueries", query)
            .await
    }

    /// The names of a table; `None` where the server does not have it.
    pub async fn table_names(&self, logical_name: &str) -> Result<Option<TableNames>, Error> {
        let path = format!("EntityDefinitions(LogicalName='{}')", encoded(logical_name));
        let url = with_query(self.url(&path)?, "$select=EntitySetName,PrimaryIdAttribute");
        let call = Call::get("looking up a table", url);
        match read::<TableNames>(&self.channel, &call).await {
            Ok(names) => Ok(Some(names)),
            Err(Error::Refused { .. } | Error::BadAnswer { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes queries as a user, all in one `$batch`. The header is on the outer request, because on a part it may
    /// be ignored. Parts that a stopped batch left unanswered are requested again.
    ///
    /// The levels of `privileges` are requested last and only once, because they are not worth a request of their own.
    pub async fn fetch_as(
        &self,
        who: &Impersonated,
        probe: Option<Probe>,
        queries: &[FetchQuery],
        privileges: &[&str],
    ) -> Result<FetchedAs, Error> {
        let mut found = FetchedAs {
            user: None,
            answers: Vec::new(),
            depths: vec![None; privileges.len()],
        };
        let mut waiting = probe.map(|probe| self.probe_url(probe)).transpose()?;
        for _ in 0..ROUNDS {
            let from = found.answers.len();
            let ahead = usize::from(waiting.is_some());
            let mut urls: Vec<Url> = waiting.iter().cloned().collect();
            let (mut asked, mut too_long) = (0, false);
            for query in &queries[from..] {
                let url = self.fetch_url(query)?;
                too_long = url.as_str().len() > LONGEST;
                if too_long {
                    break;
                }
                urls.push(url);
                asked += 1;
            }
            if from + asked == queries.len() {
                for name in privileges {
                    urls.push(self.url(&privilege_path(who.id, name))?);
                }
            }
            if !urls.is_empty() {
                let answers = self.read_together(WHAT, Some(who), &urls).await?;
                let mut answers = answers.into_iter();
                if let (Some(probe), 1) = (probe, ahead)
                    && let Some(answer) = answers.next()
                {
                    found.user = self.user_of(probe, &answer);
                    waiting = None;
                }
                // In this order, because otherwise the zip takes one answer too many.
                let more = queries[from..from + asked].iter().zip(answers.by_ref());
                found
                    .answers
                    .extend(more.map(|(query, answer)| fetched(&answer, &query.column)));
                for (depth, answer) in found.depths.iter_mut().zip(answers) {
                    *depth = read_depth(&answer);
                }
            }
            if too_long && found.answers.len() == from + asked {
                let why = "the query is too long for a request";
                found.answers.push(Fetched::Lost(why.into()));
            }
            if waiting.is_none() && found.answers.len() == queries.len() {
                break;
            }
        }
        let unanswered = || Fetched::Lost("the batch holds no answer for it".into());
        found.answers.resize_with(queries.len(), unanswered);
        Ok(found)
    }

    fn fetch_url(&self, query: &FetchQuery) -> Result<Url, Error> {
        let fetch = format!("fetchXml={}", encoded(&query.fetch));
        Ok(with_query(self.url(&query.set)?, &fetch))
    }

    fn probe_url(&self, probe: Probe) -> Result<Url, Error> {
        match probe {
            Probe::WhoAmI => self.url("WhoAmI"),
            Probe::CurrentUser => self.current_user_url(),
        }
    }

    /// The user in the answer to the probe; where it finds no current user, this is the caller.
    fn user_of(&self, probe: Probe, answer: &Answer) -> Option<UserId> {
        if !answer.status.is_success() {
            return None;
        }
        match probe {
            Probe::WhoAmI => {
                let who = read_json::<WhoAmI>(&answer.body).ok()?;
                Some(UserId(who.user_id))
            }
            Probe::CurrentUser => {
                let page = read_json::<ODataPage<UserIdRow>>(&answer.body).ok()?;
                let found = page.value.first().map(|row| UserId(row.systemuserid));
                Some(found.unwrap_or(self.identity().caller.id))
            }
        }
    }
}

fn fetched(answer: &Answer, column: &str) -> Fetched {
    if !answer.status.is_success() {
        return Fetched::Refused(Box::new(answer.fault()));
    }
    match read_json::<ODataPage<Value>>(&answer.body) {
        Err(why) => Fetched::Lost(why),
        Ok(page) if !page.is_all() => {
            Fetched::Lost("the answer is incomplete: there are more rows than it holds".into())
        }
        Ok(page) => {
            let values = page.value.into_iter().map(|row| row.get(column).cloned());
            let missing = || Fetched::Lost(format!("a row comes without `{column}`"));
            let values: Option<Vec<_>> = values.collect();
            values.map_or_else(missing, Fetched::Values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataverse::answer::tests::answer;

    #[test]
    fn a_count_comes_back_under_its_alias() {
        let counted = answer(200, r#"{"value":[{"n":12}]}"#);
        assert!(matches!(fetched(&counted, "n"), Fetched::Values(v) if v == [12]));
        let other = answer(200, r#"{"value":[{"m":12}]}"#);
        assert!(matches!(fetched(&other, "n"), Fetched::Lost(why) if why.contains("`n`")));
        let broken = answer(200, "<html>");
        assert!(matches!(fetched(&broken, "n"), Fetched::Lost(_)));
        let part = answer(
            200,
            r#"{"value":[{"n":1}],"@Microsoft.Dynamics.CRM.morerecords":true}"#,
        );
        assert!(matches!(fetched(&part, "n"), Fetched::Lost(why) if why.contains("incomplete")));
        let refused = answer(
            400,
            r#"{"error":{"code":"0x8004E023","message":"too many"}}"#,
        );
        assert!(
            matches!(fetched(&refused, "n"), Fetched::Refused(f) if f.code == Some(0x8004_E023))
        );
    }
}
