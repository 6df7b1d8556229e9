//! Everything that is read. A reader has no way to write.

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

/// Reads from one environment, as the caller or as somebody else. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(super) channel: Channel,
    identity: Arc<Identity>,
    header: HeaderInUse,
    learnt: Arc<Learnt>,
}

/// What one answer tells about the server for as long as the reader, and all that are made of it, are used.
#[derive(Debug)]
struct Learnt {
    /// Whether sync filters have optimistic concurrency, where the server said.
    concurrency: OnceCell<Option<bool>>,
    /// The columns of users to ask for: those that were refused are not asked for again.
    user_columns: Mutex<UserColumns>,
    /// What was found in this organisation before.
    first_attempts: OnceLock<FirstAttempts>,
}

impl Reader {
    /// Finds out who signed in and what answers at the address.
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

    /// The same reader, whose requests stop when `token` is cancelled, and not when this one's token is: transport,
    /// identity and pace are shared. A token that is to do both is a child of that one
    /// ([`Channel::interrupted`]).
    pub fn under(&self, token: CancellationToken) -> Self {
        Self {
            channel: self.channel.under(token),
            identity: Arc::clone(&self.identity),
            header: self.header.clone(),
            learnt: Arc::clone(&self.learnt),
        }
    }

    /// The header by which requests act as a user who has an id for it.
    pub fn header(&self) -> ImpersonationHeader {
        self.header.get()
    }

    /// Goes over to the other header, for every request from now on; false where there is no other one for this user.
    pub fn turn_header(&self, who: &Impersonated) -> bool {
        self.header.turn(who, self.identity.version)
    }

    /// Whether a sync filter is changed only on the version that was read (`IsOptimisticConcurrencyEnabled` of
    /// `userquery`); `None` where the server does not say. Asked once.
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

    /// Whether no version can be demanded of a sync filter: the server has said so, or it was found in a trial.
    pub fn is_without_concurrency(&self) -> bool {
        self.learnt.concurrency.get() == Some(&Some(false)) || !self.first_attempts().versions_hold
    }

    /// Begins with what was found in this organisation before: it chooses what is tried first, and proves nothing.
    pub fn begin_with(&self, first: FirstAttempts) {
        if let Some(header) = first.header.filter(|_| self.identity.version.is_nine()) {
            self.header.set(header);
        }
        if !first.batches {
            self.channel.learn_no_batch();
        }
        // Whoever came first has said the same.
        let _ = self.learnt.first_attempts.set(first);
    }

    /// Whether what is tried first was found in this organisation before.
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

    /// The same reader, whose requests impersonate by this header.
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

    /// The sync filters of one kind of one user, asked as that user.
    ///
    /// Owner and kind are the only conditions: one more would break the administrator's view of other
    /// people's filters (Microsoft: "Offline and Outlook filters and templates"), and one less would show
    /// the caller's own where impersonation was dropped. The owner of each row is not checked here.
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

    /// Where one user's filters of one kind are.
    pub(super) fn filters_url(
        &self,
        user: UserId,
        kind: FilterKind,
        columns: Columns,
    ) -> Result<Url, Error> {
        let query = columns.query_of(user, kind);
        Ok(with_query(self.url("userqueries")?, &query))
    }

    /// Every row of a listing, over all of its pages.
    pub(super) async fn all<T: PagedRow>(&self, first: Call) -> Result<Vec<T>, Error> {
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
        let page: ODataPage<UserIdRow> = read(&self.channel, &call).await?;
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
