//! All reads. A reader cannot write.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde::Deserialize;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::model::{Filter, FilterKind, UserId};
use crate::settings::Address;

use super::call::Call;
use super::channel::Channel;
use super::columns::Columns;
use super::error::Error;
use super::identity::{self, Identity};
use super::impersonation::{HeaderInUse, Impersonated, ImpersonationHeader, impersonation_header};
use super::pages::Pages;
use super::read::{bad_answer, join, read};
use super::rows::{FilterRow, ODataPage, PagedRow, UserColumns, UserIdRow, WhoAmI, with_query};
use super::trial::FirstAttempts;

/// Reads from one environment, as the caller or as a user. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) channel: Channel,
    identity: Arc<Identity>,
    header: HeaderInUse,
    learnt: Arc<Learnt>,
}

/// Facts about the server that hold for this reader and all readers made from it.
#[derive(Debug)]
struct Learnt {
    /// Whether sync filters support optimistic concurrency, where the server said so.
    concurrency: OnceCell<Option<bool>>,
    /// The columns of users to request; refused ones are not requested again.
    user_columns: Mutex<UserColumns>,
    /// The facts that a trial found in this organisation.
    first_attempts: OnceLock<FirstAttempts>,
}

impl Reader {
    /// Finds out who signed in and which server answers.
    pub async fn connect(channel: Channel) -> Result<Self, Error> {
        let identity = Arc::new(identity::find_out(&channel).await?);
        channel.learn_who_am_i(join(&identity.service_root, "WhoAmI")?);
        let first = ImpersonationHeader::first_choice(
            channel.environment(),
            channel.is_on_premises(),
            identity.version,
        );
        let learnt = Learnt {
            concurrency: OnceCell::new(),
            user_columns: Mutex::new(UserColumns::of_version(identity.version)),
            first_attempts: OnceLock::new(),
        };
        Ok(Self {
            channel,
            identity,
            header: HeaderInUse::new(first),
            learnt: Arc::new(learnt),
        })
    }

    /// The same reader, with requests that stop when `token` is cancelled, and not when this one's token is. Transport,
    /// identity and pace are shared. For both, pass a child of that token
    /// ([`Channel::interrupted`]).
    pub fn under(&self, token: CancellationToken) -> Self {
        Self {
            channel: self.channel.under(token),
            identity: Arc::clone(&self.identity),
            header: self.header.clone(),
            learnt: Arc::clone(&self.learnt),
        }
    }

    /// The header that impersonates users who have an id for it.
    pub fn header(&self) -> ImpersonationHeader {
        self.header.get()
    }

    /// Changes to the other header for all later requests; false where there is no other one for this user.
    pub fn turn_header(&self, who: &Impersonated) -> bool {
        self.header.turn(who, self.identity.version)
    }

    /// Whether a sync filter can be changed only in the version that was read (`IsOptimisticConcurrencyEnabled` of
    /// `userquery`); `None` where the server does not say. Requested once.
    ///
    /// Microsoft: "Optimistic concurrency".
    pub async fn optimistic_concurrency(&self) -> Result<Option<bool>, Error> {
        let asked = self.learnt.concurrency.get_or_try_init(|| async {
            let path = "EntityDefinitions(LogicalName='userquery')";
            let url = with_query(self.url(path)?, "$select=IsOptimisticConcurrencyEnabled");
            let call = Call::get("asking whether sync filters have versions", url);
            match read::<Concurrency>(&self.channel, &call).await {
                Ok(answer) => Ok(answer.is_optimistic_concurrency_enabled),
                Err(Error::Refused { .. } | Error::BadAnswer { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        Ok(*asked.await?)
    }

    /// Whether sync filters cannot be written by version: the server has said so, or a trial found it.
    pub fn is_without_concurrency(&self) -> bool {
        self.learnt.concurrency.get() == Some(&Some(false)) || !self.first_attempts().versions_hold
    }

    /// Starts with the facts of a trial in this organisation: they choose what is tried first, and prove nothing.
    pub fn begin_with(&self, first: FirstAttempts) {
        if let Some(header) = first.header.filter(|_| self.identity.version.is_nine()) {
            self.header.set(header);
        }
        if !first.batches {
            self.channel.learn_no_batch();
        }
        // Any one of them will do.
        let _ = self.learnt.first_attempts.set(first);
    }

    /// Whether the first attempts come from a trial in this organisation.
    pub fn begins_with_facts(&self) -> bool {
        self.learnt.first_attempts.get().is_some()
    }

    /// What is tried first.
    pub fn first_attempts(&self) -> FirstAttempts {
        self.learnt
            .first_attempts
            .get()
            .copied()
            .unwrap_or_default()
    }

    /// The same reader, with this header for impersonation.
    pub fn by_header(&self, header: ImpersonationHeader) -> Self {
        Self {
            header: HeaderInUse::new(header),
            ..self.clone()
        }
    }

    pub(super) fn user_columns(&self) -> UserColumns {
        let kept = self.learnt.user_columns.lock();
        kept.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_user_columns(&self, columns: &UserColumns) {
        let kept = self.learnt.user_columns.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
            .clone_from(columns);
    }

    /// Who signed in, and to which organisation.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether items that leave the filters stay in Exchange (`DistinctPhysicalAndLogicalDeletesForExchangeSync`), as
    /// the organisation has it now; none where it cannot be read.
    pub async fn distinct_deletes(&self) -> Result<Option<bool>, Error> {
        let Identity {
            organization,
            service_root,
            ..
        } = &*self.identity;
        identity::distinct_deletes_now(&self.channel, service_root, organization.id).await
    }

    /// The addresses that the organisation gives for itself, where it says them. Only for comparison; requests must not
    /// be sent there (Microsoft: `RetrieveCurrentOrganization`, from 8.0 on).
    pub async fn own_addresses(&self) -> Result<Vec<Url>, Error> {
        identity::own_addresses(&self.channel, &self.identity.service_root).await
    }

    /// The address of the environment.
    pub fn environment(&self) -> &Address {
        self.channel.environment()
    }

    /// The channel through which requests are sent.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The sync filters of one kind of one user, read as that user.
    ///
    /// Owner and kind are the only conditions. A further one would hide other users' filters from an
    /// administrator (Microsoft: "Offline and Outlook filters and templates"); without the owner, the
    /// caller's own would be returned where impersonation is ignored. The caller has to check the owner of each row.
    pub async fn filters(
        &self,
        who: &Impersonated,
        kind: FilterKind,
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

    /// The address of one user's filters of one kind.
    pub(super) fn filters_url(
        &self,
        user: UserId,
        kind: FilterKind,
        columns: Columns,
    ) -> Result<Url, Error> {
        let query = columns.query_of(user, kind);
        Ok(with_query(self.url("userqueries")?, &query))
    }

    /// All rows of a listing, of all its pages.
    pub(super) async fn all<T: PagedRow>(&self, first: Call) -> Result<Vec<T>, Error> {
        Pages::new(&self.channel, first).all().await
    }

    /// The user in WhoAmI while this user is impersonated.
    pub async fn who_am_i_as(&self, who: &Impersonated) -> Result<UserId, Error> {
        let call = Call::get("asking who we are as another user", self.url("WhoAmI")?);
        let answer: WhoAmI = read(&self.channel, &self.as_user(call, who)).await?;
        Ok(UserId(answer.user_id))
    }

    /// The current user of a query while this user is impersonated; `None` where it finds none.
    ///
    /// Microsoft: query function `EqualUserId`.
    pub async fn current_user_as(&self, who: &Impersonated) -> Result<Option<UserId>, Error> {
        let url = self.current_user_url()?;
        let call = self.as_user(Call::get("asking for the current user", url), who);
        let page: ODataPage<UserIdRow> = read(&self.channel, &call).await?;
        Ok(page.value.first().map(|row| UserId(row.systemuserid)))
    }

    pub(super) fn current_user_url(&self) -> Result<Url, Error> {
        let query = "$select=systemuserid&$filter=Microsoft.Dynamics.CRM.EqualUserId(PropertyName='systemuserid')";
        Ok(with_query(self.url("systemusers")?, query))
    }

    /// A URL below the root of the Web API.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        join(&self.identity.service_root, path)
    }

    /// The same request, as this user.
    pub(super) fn as_user(&self, call: Call, who: &Impersonated) -> Call {
        let (name, value) = impersonation_header(who, self.header.get());
        call.header(name, value)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    #[serde(default)]
    is_optimistic_concurrency_enabled: Option<bool>,
}
