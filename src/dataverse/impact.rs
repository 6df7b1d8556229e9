//! What a change of filters leads to: the organisation's own filters and templates, and how many rows a query
//! selects, asked as a user.

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
/// The longest address of a part, in characters: what older servers take in a batch (Microsoft: "Execute batch
/// operations using the Web API", versions of 2021 and 2023).
const LONGEST: usize = 32_000;
/// How often parts without an answer are asked again: a server that stops at the first refusal answers at
/// least one more each time. A user has filters of some ten types.
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
    /// Two may be the same in all that is read of them.
    fn key(&self) -> Option<u128> {
        self.savedqueryid.map(|id| id.as_u128())
    }
}

/// How the rows of a table are called.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableNames {
    /// `EntitySetName`.
    pub entity_set_name: String,
    /// `PrimaryIdAttribute`.
    pub primary_id_attribute: String,
}

/// How to learn in a batch whom the server takes us for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// By WhoAmI.
    WhoAmI,
    /// By a query for the current user.
    CurrentUser,
}

/// A `FetchXML` query to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchQuery {
    /// The entity set.
    pub set: String,
    /// The query.
    pub fetch: String,
    /// The column with what is wanted of each row.
    pub column: String,
}

/// What came of one query.
#[derive(Clone, Debug)]
pub enum Fetched {
    /// The column, row by row.
    Values(Vec<Value>),
    /// The server refused.
    Refused(Box<ServerFault>),
    /// There is no answer that could be used.
    Lost(String),
}

/// What came of all queries of one user.
#[derive(Clone, Debug)]
pub struct FetchedAs {
    /// Whom the server took us for; `None` where it did not say.
    pub user: Option<UserId>,
    /// An answer for each query.
    pub answers: Vec<Fetched>,
    /// How far each privilege that was asked for reaches; `None` where the server did not say.
    pub depths: Vec<Option<ReadDepth>>,
}

impl Reader {
    /// The active system filters and filter templates of Outlook; one request.
    ///
    /// Microsoft: "Offline and Outlook filters and templates", `SavedQueryQueryType`.
    pub async fn organisation_filters(&self) -> Result<Vec<OrganisationFilter>, Error> {
        let query = "$select=savedqueryid,name,returnedtypecode,querytype,isdefault,fetchxml\
                     &$filter=statecode%20eq%200%20and%20(querytype%20eq%20256%20or%20querytype%20eq%20131072)";
        self.rows("reading the organisation's filters", "savedqueries", query)
            .await
    }

    /// How the rows of a table are called; `None` where the server does not know it.
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

    /// Makes queries as a user, all in one `$batch`; the header is on the outer request, because on a part it may
    /// be ignored. Parts that a stopped batch left unanswered are asked again in another.
    ///
    /// `privileges` are asked last, once: how far the user may read is worth no other request.
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
                // In this order: what is zipped first must not take one answer too many.
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

    /// Whom the answer to the probe names; whoever finds no current user is the caller.
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
