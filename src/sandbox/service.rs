//! The imitated service: answers one operation. No sockets, no waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;

use super::address::AddressTarget;
use super::counts::Counts;
use super::data::organization;
use super::definitions::Catalogue;
use super::errors::ApiError;
use super::faults::{Fault, FaultInjector};
use super::functions;
use super::impersonate::{Acting, acting};
use super::limits::Limiter;
use super::message::{IncomingCall, Reply};
use super::metadata;
use super::options::Options;
use super::prefer::Prefer;
use super::read::RowReader;
use super::record::Recorder;
use super::rows::PersonIndex;
use super::store::Store;
use super::switches::Switch;
use super::tables::Kind;
use super::write::RowWriter;

/// The position of an operation: alone, in a batch, in a change set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperationContext {
    Alone,
    Batch,
    ChangeSet,
}

/// The common data of one request's operations.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) caller: PersonIndex,
    /// The service root, absolute, with its final slash.
    pub(super) root: String,
    /// Headers of the outer request, which can impersonate.
    pub(super) outer: HeaderMap,
}

/// The organisation with faults, limits and counts.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) options: Options,
    store: RwLock<Store>,
    injector: Mutex<FaultInjector>,
    counts: Mutex<Counts>,
    limiter: Mutex<Limiter>,
    started: Instant,
    turn: AtomicUsize,
    /// How often filters were read since the last write.
    filter_reads: AtomicUsize,
    pub(super) recorder: Recorder,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    pub(super) fn new(options: Options) -> Self {
        Self {
            store: RwLock::new(organization(&options)),
            injector: Mutex::new(FaultInjector::new(options.faults.clone(), options.seed)),
            counts: Mutex::default(),
            limiter: Mutex::new(Limiter::new(options.limits)),
            started: Instant::now(),
            turn: AtomicUsize::new(0),
            filter_reads: AtomicUsize::new(0),
            recorder: Recorder::default(),
            options,
        }
    }

    pub(super) fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn store_mut(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> MutexGuard<'_, Counts> {
        lock(&self.counts)
    }

    pub(super) fn injector(&self) -> MutexGuard<'_, FaultInjector> {
        lock(&self.injector)
    }

    pub(super) fn limiter(&self) -> MutexGuard<'_, Limiter> {
        lock(&self.limiter)
    }

    /// Time since the start, for the limits.
    pub(super) fn clock(&self) -> Duration {
        self.started.elapsed()
    }

    /// The next web server, for a request without a cookie.
    pub(super) fn next_server(&self, servers: usize) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed) % servers
    }

    /// The first of these faults that occurs now. It is counted.
    pub(super) fn strike(&self, candidates: &[Fault]) -> Option<Fault> {
        let fault = self.injector().strike(candidates);
        if fault.is_some() {
            self.counts().faults += 1;
        }
        fault
    }

    /// An error in the form of the imitated version.
    pub(super) fn refuse(&self, error: &ApiError, headers: &HeaderMap) -> Reply {
        let mut error = error.clone();
        let conditional =
            error.status == StatusCode::PRECONDITION_FAILED || error.code == "0x80040217";
        if conditional && self.options.switches.on(Switch::EmptyErrorCodes) {
            error.code = "";
        }
        let annotations = Prefer::of(headers).annotations;
        Reply::error(&error, self.options.version.is_8(), &annotations)
    }

    /// Executes one operation, alone or as a part of a batch.
    pub(super) fn answer(
        &self,
        scope: &Scope,
        call: &IncomingCall,
        place: OperationContext,
    ) -> Reply {
        self.recorder.keep(call);
        let result = AddressTarget::parse(&call.path).and_then(|target| {
            self.counts().operation(&call.method, &target);
            self.part_fault(place)?;
            let acting = self.acting(&self.store(), scope)?;
            if is_write(&call.method) {
                let done = self.write(&mut self.store_mut(), scope, call, &target, acting)?;
                self.filter_reads.store(0, Ordering::Relaxed);
                self.misreported(done)
            } else {
                self.move_versions(&target);
                self.read(scope, call, &target, acting)
            }
        });
        self.finish(result, call)
    }

    /// Executes one operation of a change set, which holds the store.
    pub(super) fn answer_within(
        &self,
        store: &mut Store,
        scope: &Scope,
        call: &IncomingCall,
    ) -> Reply {
        self.recorder.keep(call);
        let result = AddressTarget::parse(&call.path).and_then(|target| {
            self.counts().operation(&call.method, &target);
            self.part_fault(OperationContext::ChangeSet)?;
            let acting = self.acting(store, scope)?;
            self.write(store, scope, call, &target, acting)
        });
        self.finish(result, call)
    }

    /// Changes versions although nobody writes.
    fn move_versions(&self, target: &AddressTarget) {
        if !self.options.switches.on(Switch::VersionMovesByItself)
            || !matches!(target, AddressTarget::Set(Kind::Filters))
        {
            return;
        }
        let before = self.filter_reads.fetch_add(1, Ordering::Relaxed);
        if before == 2 {
            self.store_mut().upgrade();
        }
    }

    fn finish(&self, result: Result<Reply, ApiError>, call: &IncomingCall) -> Reply {
        let reply = result.unwrap_or_else(|error| self.refuse(&error, &call.headers));
        self.counts().status(reply.status.as_u16());
        reply
    }

    /// The answer to an executed write, or the answer of a gateway in its place.
    fn misreported(&self, done: Reply) -> Result<Reply, ApiError> {
        let fault = self.strike(&[
            Fault::DoneBut412,
            Fault::DoneBut404,
            Fault::DoneBut429,
            Fault::DoneBut302,
        ]);
        let error = |status, code, text: &str| ApiError::new(status, code, text.to_owned());
        Err(match fault {
            Some(Fault::DoneBut412) => error(
                StatusCode::PRECONDITION_FAILED,
                "0x80060882",
                "The version of the existing record doesn't match the RowVersion property provided.",
            ),
            Some(Fault::DoneBut404) => error(
                StatusCode::NOT_FOUND,
                "0x80040217",
                "The specified object was not found.",
            ),
            Some(Fault::DoneBut429) => error(
                StatusCode::TOO_MANY_REQUESTS,
                "0x80072322",
                "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
            )
            .later("0".to_owned()),
            Some(Fault::DoneBut302) => {
                return Ok(Reply::new(StatusCode::FOUND).with("location", "/elsewhere"));
            }
            _ => return Ok(done),
        })
    }

    fn part_fault(&self, place: OperationContext) -> Result<(), ApiError> {
        if place == OperationContext::Alone || self.strike(&[Fault::ThrottlePart]).is_none() {
            return Ok(());
        }
        let limit = self.options.limits.requests.unwrap_or(6000);
        Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "0x80072322",
            format!(
                "Number of requests exceeded the limit of {limit} over time window of 300 seconds."
            ),
        )
        .later("1".to_owned()))
    }

    /// Impersonation is documented for the outer request only.
    fn acting(&self, store: &Store, scope: &Scope) -> Result<Acting, ApiError> {
        let options = &self.options;
        let acting = acting(
            &scope.outer,
            store,
            scope.caller,
            options.version,
            options.switches,
        )?;
        self.counts().acted(store.people[acting.user].id);
        Ok(acting)
    }

    fn read(
        &self,
        scope: &Scope,
        call: &IncomingCall,
        target: &AddressTarget,
        acting: Acting,
    ) -> Result<Reply, ApiError> {
        if call.method != Method::GET {
            return Err(ApiError::method(call.method.as_str()));
        }
        let foreign_row = matches!(target, AddressTarget::Set(Kind::Filters))
            && self.strike(&[Fault::ForeignRow]).is_some();
        let store = self.store();
        let (options, root) = (&self.options, scope.root.as_str());
        let reader = RowReader {
            store: &store,
            acting,
            options,
            root,
            now: Timestamp::now(),
            foreign_row,
        };
        let catalogue = || Catalogue {
            options,
            root,
            asker: reader.asker(),
            now: reader.now,
        };
        match target {
            AddressTarget::Service => Ok(functions::service_document(options, root)),
            AddressTarget::Metadata => Ok(metadata::metadata(options.version)),
            AddressTarget::Batch
            | AddressTarget::PublishXml
            | AddressTarget::ResetUserFilters
            | AddressTarget::InstantiateFilters(_) => Err(ApiError::method("GET")),
            AddressTarget::WhoAmI => Ok(functions::who_am_i(&store, &acting, options, root)),
            AddressTarget::RetrieveVersion => Ok(functions::version(options, root)),
            AddressTarget::RetrieveCurrentOrganization => {
                Ok(functions::current_organization(&store, options, root))
            }
            AddressTarget::UserPrivilege(key, name) => {
                functions::user_privilege(&store, *key, name, options, root)
            }
            AddressTarget::UserPrivileges(key) => {
                functions::user_privileges(&store, *key, options, root)
            }
            AddressTarget::Definitions => catalogue().list(call),
            AddressTarget::Definition(kind) => catalogue().one(*kind, call),
            AddressTarget::Attributes(kind) => Ok(catalogue().attributes(*kind)),
            AddressTarget::Set(kind) => reader.set(*kind, call, false),
            AddressTarget::Count(kind) => reader.set(*kind, call, true),
            AddressTarget::Row(kind, key) => reader.row(*kind, *key, call),
            AddressTarget::Related(kind, key, property) => {
                reader.related(*kind, *key, property, call)
            }
        }
    }

    fn write(
        &self,
        store: &mut Store,
        scope: &Scope,
        call: &IncomingCall,
        target: &AddressTarget,
        acting: Acting,
    ) -> Result<Reply, ApiError> {
        let fault = self.strike(&[
            Fault::Deadlock,
            Fault::Gone,
            Fault::MeanwhileState,
            Fault::Meanwhile,
        ]);
        if fault == Some(Fault::Deadlock) {
            return Err(ApiError::deadlock());
        }
        let mut writer = RowWriter {
            store,
            acting,
            options: &self.options,
            root: &scope.root,
            now: Timestamp::now(),
            fault,
        };
        match (call.method.as_str(), target) {
            ("PATCH", AddressTarget::Row(kind, key)) => writer.patch(*kind, *key, call),
            ("POST", AddressTarget::Set(kind)) => writer.create(*kind, call),
            ("DELETE", AddressTarget::Row(kind, key)) => writer.delete(*kind, *key, call),
            ("POST", AddressTarget::PublishXml) => writer.publish(call),
            ("POST", AddressTarget::ResetUserFilters) => writer.reset_filters(call),
            ("POST", AddressTarget::InstantiateFilters(key)) => writer.instantiate(*key, call),
            (method, AddressTarget::Batch) => Err(ApiError::bad_request(format!(
                "A batch cannot contain a batch: '{method} $batch'."
            ))),
            (method, _) => Err(ApiError::method(method)),
        }
    }
}

/// Whether the method changes something.
pub(super) fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}
