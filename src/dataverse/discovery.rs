//! The environments of the signed-in user, from the Global Discovery Service.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::pages::Pages;
use super::read::join;
use super::rows::{PagedRow, with_query};

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

impl PagedRow for Instance {
    fn key(&self) -> Option<u128> {
        let mut hasher = DefaultHasher::new();
        self.url.hash(&mut hasher);
        Some(hasher.finish().into())
    }
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
    let all: Vec<Instance> = Pages::new(channel, Call::get(WHAT, url)).all().await?;
    let enabled = |instance: &Instance| instance.state == 0;
    Ok(all.into_iter().filter(enabled).collect())
}
