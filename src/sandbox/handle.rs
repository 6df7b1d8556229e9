//! A running sandbox, for use by other code.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::actions;
use super::challenge;
use super::counts::Counts;
use super::data;
use super::faults::Faults;
use super::options::Options;
use super::record::RecordedRequest;
use super::server::serve;
use super::service::Service;
use super::snapshot::{self, ActivitySnapshot, FilterEdit, FilterSnapshot, UserSnapshot};

/// A running server. It stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    service: Arc<Service>,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Makes the organisation and listens.
    ///
    /// Fails when the address is not a loopback address or cannot be bound.
    pub async fn start(options: Options) -> io::Result<Self> {
        if !options.bind.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "the sandbox listens on loopback addresses only, not on {}",
                    options.bind.ip()
                ),
            ));
        }
        let listener = TcpListener::bind(options.bind).await?;
        let address = listener.local_addr()?;
        // Making a large organisation takes seconds.
        let service = tokio::task::spawn_blocking(move || Arc::new(Service::new(options)));
        let service = service.await.map_err(io::Error::other)?;
        let stop = CancellationToken::new();
        let server = serve(listener, Arc::clone(&service), stop.clone());
        Ok(Self {
            service,
            address,
            stop,
            server,
        })
    }

    /// The address of the organisation: `http://127.0.0.1:5000/`, with the path of the organisation if there is one.
    pub fn url(&self) -> String {
        format!("http://{}/{}", self.address, self.service.options.prefix())
    }

    /// The bearer token of the administrator.
    pub fn token(&self) -> &'static str {
        challenge::ADMINISTRATOR
    }

    /// The bearer token of any user, by `systemuserid`.
    pub fn token_of(&self, user: Uuid) -> String {
        format!("{}{user}", challenge::USER)
    }

    /// A bearer token that the organisation does not know: 403.
    pub fn stranger_token(&self) -> &'static str {
        challenge::STRANGER
    }

    /// Requests since the start or the last reset.
    pub fn counts(&self) -> Counts {
        self.service.counts().clone()
    }

    /// Sets all counts to zero.
    pub fn reset_counts(&self) {
        *self.service.counts() = Counts::default();
    }

    /// Records all operations from now on, for [`Sandbox::recorded`].
    pub fn record(&self) {
        self.service.recorder.begin();
    }

    /// All operations since [`Sandbox::record`], those of a batch separately.
    pub fn recorded(&self) -> Vec<RecordedRequest> {
        self.service.recorder.recorded()
    }

    /// Every filter and personal view, by id.
    pub fn filters(&self) -> Vec<FilterSnapshot> {
        snapshot::filters(&self.service.store())
    }

    /// Every user.
    pub fn users(&self) -> Vec<UserSnapshot> {
        snapshot::users(&self.service.store())
    }

    /// All activities in which a user takes part, as owner or guest, whoever may read them.
    pub fn activities(&self, user: Uuid) -> Vec<ActivitySnapshot> {
        snapshot::activities(&self.service.store(), user)
    }

    /// Synchronises a user for the first time: makes active filters from the active default templates.
    /// Returns how many; 0 when that was done before or there is no such user.
    pub fn synchronise(&self, user: Uuid) -> usize {
        let mut store = self.service.store_mut();
        let Some(person) = store.person(user) else {
            return 0;
        };
        actions::populate(&mut store, person, Timestamp::now())
    }

    /// The owner changes a filter: it gets a new version, without impersonation. `false` when there is none.
    pub fn edit(&self, filter: Uuid, change: impl FnOnce(&mut FilterEdit)) -> bool {
        let mut store = self.service.store_mut();
        let Some(row) = store.filter(filter) else {
            return false;
        };
        let mut edit = FilterEdit::of(row);
        change(&mut edit);
        store.meanwhile(filter, Timestamp::now(), |row| edit.apply(row));
        true
    }

    /// The platform is upgraded: every filter gets a new version without a modification.
    pub fn upgrade(&self) {
        self.service.store_mut().upgrade();
    }

    /// Another user changes a filter on behalf of its owner, as another administrator's tool does. `false` when there
    /// is none.
    pub fn edit_on_behalf(
        &self,
        filter: Uuid,
        caller: Uuid,
        change: impl FnOnce(&mut FilterEdit),
    ) -> bool {
        let mut store = self.service.store_mut();
        let (Some(row), Some(caller)) = (store.filter(filter), store.person(caller)) else {
            return false;
        };
        let mut edit = FilterEdit::of(row);
        change(&mut edit);
        store.meanwhile(filter, Timestamp::now(), |row| edit.apply(row));
        store.on_behalf(filter, caller);
        true
    }

    /// The owner deletes a filter. `false` when there is none.
    pub fn delete(&self, filter: Uuid) -> bool {
        let mut store = self.service.store_mut();
        let there = store.filter(filter).is_some();
        store.meanwhile_gone(filter);
        there
    }

    /// Sets `DistinctPhysicalAndLogicalDeletesForExchangeSync` of the organisation.
    pub fn set_distinct_deletes(&self, on: bool) {
        let mut store = self.service.store_mut();
        store.organization.settings = data::settings(Some(on));
    }

    /// Replaces the faults from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.service.injector().replace(faults);
    }

    /// Stops after the requests under way, or after two seconds.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(2), &mut self.server).await;
        self.server.abort();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
