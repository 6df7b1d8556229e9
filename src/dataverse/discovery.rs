//! The environments of the signed-in user, from the Global Discovery Service.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::pages::Pages;
use super::read::join;
use super::rows::{PagedRow, with_query};

/// An environment in which the signed-in user is a member.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Instance {
    /// Its display name.
    pub friendly_name: String,
    /// Its address.
    pub url: String,
    /// 0 where it is enabled, 1 where it is disabled.
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

/// Asks the Global Discovery Service that the channel leads to. Disabled environments are left out.
///
/// Microsoft: "Discover the organizations of a user with the Global Discovery Service". It answers users, not
/// applications, and each cloud has its own service.
pub async fn instances(channel: &Channel) -> Result<Vec<Instance>, Error> {
    const WHAT: &str = "asking for the environments of the user";
    let root = channel.environment().as_url();
    let url = join(root, "api/discovery/v2.0/Instances")?;
    let url = with_query(url, "$select=FriendlyName,Url,State");
    let all: Vec<Instance> = Pages::new(channel, Call::get(WHAT, url)).all().await?;
    let enabled = |instance: &Instance| instance.state == 0;
    Ok(all.into_iter().filter(enabled).collect())
}
