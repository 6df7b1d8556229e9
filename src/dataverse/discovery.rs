//! The environments of the signed-in user, from the Global Discovery Service.

use serde::Deserialize;

use super::channel::{Call, Channel};
use super::error::Error;
use super::reader::{join, read};
use super::rows::{Page, with_query};

/// An environment of which the signed-in user is a member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Instance {
    /// What people call it.
    pub friendly_name: String,
    /// Its address.
    pub url: String,
    /// 0 where it is enabled.
    #[serde(default)]
    state: i32,
}

/// Asks the service at the other end of the channel. Environments that are switched off are left out.
///
/// Microsoft: "Discover the organizations of a user with the Global Discovery Service"; it knows people, and not
/// applications, and the commercial one does not know those of other clouds.
pub async fn instances(channel: &Channel) -> Result<Vec<Instance>, Error> {
    const WHAT: &str = "asking for the environments of the user";
    let root = channel.environment().as_url();
    let url = join(root, "api/discovery/v2.0/Instances")?;
    let url = with_query(url, "$select=FriendlyName,Url,State");
    let page: Page<Instance> = read(channel, &Call::get(WHAT, url)).await?;
    let enabled = |instance: &Instance| instance.state == 0;
    Ok(page.value.into_iter().filter(enabled).collect())
}
