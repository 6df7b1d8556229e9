//! Who signed in, and which server answers.

use http::StatusCode;
use url::Url;
use uuid::Uuid;

use crate::model::{Caller, Organization, ServerVersion, User, UserId};

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::read::{bad_answer, join, read};
use super::rows::{
    CurrentOrganization, ODataPage, OrganizationRow, RetrieveVersion, UserRow, WhoAmI,
    distinct_deletes, with_query,
};

/// The versions under which a Web API may answer, the newest first.
///
/// Online it is 9.2; a server of 8.x answers to any 8.x version whose update is installed (Microsoft: "Compose HTTP
/// requests and handle errors", "Web API versions").
const API_VERSIONS: [&str; 6] = ["9.2", "9.1", "9.0", "8.2", "8.1", "8.0"];

/// Who signed in, and to which organisation.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The caller.
    pub caller: Caller,
    /// The organisation of the environment.
    pub organization: Organization,
    /// The version of the server.
    pub version: ServerVersion,
    /// The root of the Web API.
    pub service_root: Url,
}

/// Requests everything that a run has to know about the server: four requests, of which two may be refused.
pub(super) async fn find_out(channel: &Channel) -> Result<Identity, Error> {
    let (service_root, who) = find_service(channel).await?;
    let version = read_version(channel, &service_root).await?;
    let organization = read_organization(channel, &service_root, who.organization_id).await?;
    let caller = read_caller(channel, &service_root, UserId(who.user_id)).await?;
    Ok(Identity {
        caller,
        organization,
        version,
        service_root,
    })
}

/// WhoAmI, under the newest version that the server supports.
async fn find_service(channel: &Channel) -> Result<(Url, WhoAmI), Error> {
    let environment = channel.environment();
    let named = environment.api_version();
    let others = API_VERSIONS.into_iter().filter(|v| Some(*v) != named);
    let mut refusal = None;
    for version in named.into_iter().chain(others) {
        let root = environment.service_root(version);
        let call = Call::get("signing in", join(&root, "WhoAmI")?);
        match read::<WhoAmI>(channel, &call).await {
            Ok(who) => return Ok((root, who)),
            Err(error) if is_unknown_version(&error) => {
                refusal.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal.unwrap_or_else(|| bad_answer("signing in", &"no version was tried")))
}

fn is_unknown_version(error: &Error) -> bool {
    let unknown = [StatusCode::NOT_FOUND, StatusCode::NOT_IMPLEMENTED];
    matches!(error, Error::Refused { fault, .. } if unknown.contains(&fault.status))
}

async fn read_version(channel: &Channel, root: &Url) -> Result<ServerVersion, Error> {
    const WHAT: &str = "asking for the server's version";
    let call = Call::get(WHAT, join(root, "RetrieveVersion()")?);
    let answer = optional(read::<RetrieveVersion>(channel, &call).await)?;
    let text = match answer {
        Some(answer) => answer.version,
        // The version of the root is enough.
        None => root
            .path()
            .trim_end_matches('/')
            .rsplit("/v")
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    text.parse().map_err(|error| bad_answer(WHAT, &error))
}

/// `DistinctPhysicalAndLogicalDeletesForExchangeSync` as it is now; none where it cannot be read.
pub(super) async fn distinct_deletes_now(
    channel: &Channel,
    root: &Url,
    who: Uuid,
) -> Result<Option<bool>, Error> {
    let now = read_organization(channel, root, who).await?;
    Ok(now.distinct_deletes)
}

/// None where the server does not say.
pub(super) async fn own_addresses(channel: &Channel, root: &Url) -> Result<Vec<Url>, Error> {
    let url = with_query(
        join(root, "RetrieveCurrentOrganization(AccessType=@p1)")?,
        "@p1=Microsoft.Dynamics.CRM.EndpointAccessType'Default'",
    );
    let call = Call::get("asking for the organisation's addresses", url);
    let answer = optional(read::<CurrentOrganization>(channel, &call).await)?;
    let values = answer.and_then(|answer| answer.detail.endpoints.values);
    let addresses = values.into_iter().flatten();
    Ok(addresses.filter_map(|text| text.parse().ok()).collect())
}

async fn read_organization(
    channel: &Channel,
    root: &Url,
    organization: Uuid,
) -> Result<Organization, Error> {
    let url = with_query(
        join(root, "organizations")?,
        "$select=name,orgdborgsettings",
    );
    let call = Call::get("reading the organisation", url);
    let page = optional(read::<ODataPage<OrganizationRow>>(channel, &call).await)?;
    let row = page.and_then(|page| page.value.into_iter().next());
    let (name, settings) = row.map_or((None, None), |row| (row.name, row.orgdborgsettings));
    Ok(Organization {
        id: organization,
        name: name.unwrap_or_else(|| organization.to_string()),
        distinct_deletes: settings.as_deref().map(distinct_deletes),
    })
}

async fn read_caller(channel: &Channel, root: &Url, id: UserId) -> Result<Caller, Error> {
    let path = format!("systemusers({id})");
    let url = with_query(
        join(root, &path)?,
        "$select=systemuserid,fullname,domainname",
    );
    let call = Call::get("reading who signed in", url);
    let row = optional(read::<UserRow>(channel, &call).await)?;
    let user = row.map_or_else(|| id.to_string(), |row| User::from(row).label());
    Ok(Caller { id, user })
}

/// Ignores a refusal: a run does not need this fact, and the caller may lack the right to read it.
fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused { .. } | Error::BadAnswer { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
