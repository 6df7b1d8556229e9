//! Everything that is read. A reader has no way to write.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::model::{Filter, Kind, UserId};
use crate::settings::Address;

use super::call::Call;
use super::channel::Channel;
use super::error::Error;
use super::identity::{self, Identity};
use super::impersonation::{Impersonated, impersonation_header};
use super::many::Columns;
use super::pages::{Pages, Row};
use super::rows::{FilterRow, Page, UserIdRow, WhoAmI, read_json, with_query};
use super::users::UserPages;

/// Reads from one environment, as the caller or as somebody else. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) channel: Channel,
    identity: Arc<Identity>,
}

impl Reader {
    /// Finds out who signed in and what answers at the address.
    pub async fn connect(channel: Channel) -> Result<Self, Error> {
        let identity = Arc::new(identity::find_out(&channel).await?);
        channel.learn_who_am_i(join(&identity.service_root, "WhoAmI")?);
        Ok(Self { channel, identity })
    }

    /// The same reader, whose requests stop when `token` is cancelled, and not when this one's token is: transport,
    /// identity and pace are shared. A token that is to do both is a child of that one
    /// ([`Channel::interrupted`]).
    pub fn under(&self, token: CancellationToken) -> Self {
        Self {
            channel: self.channel.under(token),
            identity: Arc::clone(&self.identity),
        }
    }

    /// Who signed in, and where.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether items that leave the filters stay in Exchange (`DistinctPhysicalAndLogicalDeletesForExchangeSync`), as
    /// the organisation has it at this moment; none where it cannot be read.
    pub async fn distinct_deletes(&self) -> Result<Option<bool>, Error> {
        let Identity {
            organization,
            service_root,
            ..
        } = &*self.identity;
        identity::distinct_deletes_now(&self.channel, service_root, organization.id).await
    }

    /// The addresses that the organisation gives for itself, as far as it tells. They are to be compared, and not to be
    /// called (Microsoft: `RetrieveCurrentOrganization`, from 8.0 on).
    pub async fn own_addresses(&self) -> Result<Vec<Url>, Error> {
        identity::own_addresses(&self.channel, &self.identity.service_root).await
    }

    /// The environment.
    pub fn environment(&self) -> &Address {
        self.channel.environment()
    }

    /// How requests leave.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Every user of the organisation, or those who fulfil a condition, a page at a time.
    pub fn users(&self, condition: Option<&str>) -> UserPages {
        UserPages::new(self.clone(), condition)
    }

    /// The sync filters of one kind of one user, asked as that user.
    ///
    /// Owner and kind are the only conditions: one more would break the administrator's view of other
    /// people's filters (Microsoft: "Offline and Outlook filters and templates"), and one less would show
    /// the caller's own where impersonation was dropped. The owner of each row is not checked here.
    pub async fn filters(
        &self,
        who: &Impersonated,
        kind: Kind,
        columns: Columns,
    ) -> Result<Vec<Filter>, Error> {
        const WHAT: &str = "reading the sync filters";
        let url = self.filters_url(who.id, kind, columns)?;
        let call = self.as_user(Call::get(WHAT, url), who);
        let rows: Vec<FilterRow> = self.all(call).await?;
        let filters = rows.into_iter().map(Filter::try_from);
        filters
            .collect::<Result<_, _>>()
            .map_err(|error| bad_answer(WHAT, &error))
    }

    /// Where one user's filters of one kind are.
    pub(super) fn filters_url(
        &self,
        user: UserId,
        kind: Kind,
        columns: Columns,
    ) -> Result<Url, Error> {
        let query = columns.query_of(user, kind);
        Ok(with_query(self.url("userqueries")?, &query))
    }

    /// Every row of a listing, over all of its pages.
    pub(super) async fn all<T: Row>(&self, first: Call) -> Result<Vec<T>, Error> {
        Pages::new(&self.channel, first).all().await
    }

    /// Who the server says we are while we act as this user.
    pub async fn who_am_i_as(&self, who: &Impersonated) -> Result<UserId, Error> {
        let call = Call::get("asking who we are as another user", self.url("WhoAmI")?);
        let answer: WhoAmI = read(&self.channel, &self.as_user(call, who)).await?;
        Ok(UserId(answer.user_id))
    }

    /// Which user a query takes for the current one while we act as this user; `None` where it finds none.
    ///
    /// Microsoft: query function `EqualUserId`.
    pub async fn current_user_as(&self, who: &Impersonated) -> Result<Option<UserId>, Error> {
        let url = self.current_user_url()?;
        let call = self.as_user(Call::get("asking for the current user", url), who);
        let page: Page<UserIdRow> = read(&self.channel, &call).await?;
        Ok(page.value.first().map(|row| UserId(row.systemuserid)))
    }

    /// A query for the current user, whoever that is.
    pub(super) fn current_user_url(&self) -> Result<Url, Error> {
        let query = "$select=systemuserid&$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='systemuserid')";
        Ok(with_query(self.url("systemusers")?, query))
    }

    /// A URL below the root of the Web API.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        join(&self.identity.service_root, path)
    }

    /// The same call, as this user.
    pub(super) fn as_user(&self, call: Call, who: &Impersonated) -> Call {
        let (name, value) = impersonation_header(who, self.identity.version);
        call.header(name, value)
    }
}

/// The address of a next page: used as it is, and only where it leads to the same server.
pub(super) fn follow(
    channel: &Channel,
    what: &'static str,
    from: &Url,
    link: &str,
) -> Result<Url, Error> {
    let url = join(from, link)?;
    if channel.environment().is_same_server(&url) {
        Ok(url)
    } else {
        Err(Error::ForeignUrl {
            what: what.into(),
            url: Box::new(url),
        })
    }
}

/// Makes a call and reads its answer.
pub(super) async fn read<T: DeserializeOwned>(channel: &Channel, call: &Call) -> Result<T, Error> {
    let answer = channel.send(call).await?;
    if !answer.status.is_success() {
        return Err(Error::refused(call.what, answer.fault()));
    }
    read_json(&answer.body).map_err(|why| Error::BadAnswer {
        what: call.what.into(),
        why,
    })
}

pub(super) fn join(root: &Url, path: &str) -> Result<Url, Error> {
    root.join(path)
        .map_err(|error| bad_answer("following a link", &error))
}

pub(super) fn bad_answer(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::BadAnswer {
        what: what.to_owned(),
        why: why.to_string(),
    }
}
