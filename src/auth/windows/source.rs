//! All lanes to one server, and their shared state.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::model::last_cause;

use super::super::{SendError, SignInError, mebibytes};
use super::lane::{Lane, LaneOutcome, LaneServer, not_kept};

/// How often one request is sent where its connection does not stay signed in. One or two losses may be timeouts of
/// idle connections; three mean a proxy that shares connections, where a repetition does not help.
const TRIES: usize = 3;

/// A Windows user at one server, signed in connection by connection.
///
/// Handshakes are made one after the other, and the first final failure is stored: later callers
/// get the same error, so that a wrong password is sent once only.
pub struct Windows {
    server: LaneServer,
    /// Unused lanes. The last one was used last, so its connection is most likely to be still open.
    idle: Mutex<Vec<Lane>>,
    /// Held during a handshake.
    handshake: tokio::sync::Mutex<()>,
    /// Whether the password was accepted once.
    trusted: AtomicBool,
    /// Whether a signed-in connection served a request, so that the server keeps the sign-in.
    keeps: AtomicBool,
    failed: OnceLock<SignInError>,
}

/// A lane in use. It is returned when dropped.
pub struct LaneGuard {
    lane: Option<Lane>,
    home: Arc<Windows>,
}

impl Windows {
    pub(super) fn new(server: LaneServer) -> Self {
        Self {
            server,
            idle: Mutex::default(),
            handshake: tokio::sync::Mutex::default(),
            trusted: AtomicBool::new(false),
            keeps: AtomicBool::new(false),
            failed: OnceLock::new(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Lane>> {
        // The list is consistent at every point at which a holder of the lock could panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane for one request. Sends nothing.
    pub(in super::super) fn take(self: &Arc<Self>) -> Result<LaneGuard, SignInError> {
        let idle = self.idle().pop();
        let lane = match idle {
            Some(lane) => lane,
            None => Lane::new(&self.server.probe)?,
        };
        Ok(LaneGuard {
            lane: Some(lane),
            home: Arc::clone(self),
        })
    }

    pub(in super::super) async fn now(self: &Arc<Self>) -> Result<(), SignInError> {
        let what = || format!("signing in with {}", self.describe());
        let mut taken = self.take()?;
        let Some(lane) = &mut taken.lane else {
            return Ok(());
        };
        match self.sign_in(lane).await {
            Ok(LaneOutcome::SignedIn) => Ok(()),
            Ok(LaneOutcome::Answered(answer)) => {
                let status = answer.status();
                Err(SignInError::bad_answer(what(), format!("status {status}")))
            }
            Err(SendError::SignIn(error)) => Err(error),
            Err(SendError::TooLong { longest }) => {
                let why = format!("the answer is longer than {}", mebibytes(longest));
                Err(SignInError::bad_answer(what(), why))
            }
            Err(SendError::Request(error) | SendError::Connection(error)) => {
                Err(SignInError::Unreachable {
                    what: what(),
                    host: self.server.probe.origin().ascii_serialization(),
                    why: last_cause(&error).to_string(),
                })
            }
        }
    }

    /// Sends a request over a signed-in connection. A request that is answered with 401 was not done; it is sent
    /// again after another handshake. If the server keeps the sign-in of other requests and always refuses this one,
    /// the refusal is about the request, for example about the impersonated user, and is returned.
    pub(in super::super) async fn send(
        &self,
        request: &reqwest::Request,
        taken: &mut LaneGuard,
    ) -> Result<Response<Bytes>, SendError> {
        let lane = taken.lane.as_mut().ok_or_else(|| self.not_kept())?;
        let mut refusal = None;
        for _ in 0..TRIES {
            if !lane.is_signed_in()
                && let LaneOutcome::Answered(answer) = self.sign_in(lane).await?
            {
                return Ok(answer);
            }
            let copy = request.try_clone().ok_or_else(|| self.not_kept())?;
            let answer = lane.send(copy).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                self.keeps.store(true, Ordering::Relaxed);
                return Ok(answer);
            }
            refusal = Some(answer);
        }
        let keeps = self.keeps.load(Ordering::Relaxed);
        let refusal = refusal.filter(|_| keeps);
        refusal.ok_or_else(|| self.not_kept().into())
    }

    async fn sign_in(&self, lane: &mut Lane) -> Result<LaneOutcome, SendError> {
        let _turn = self.handshake.lock().await;
        if let Some(error) = self.failed.get() {
            return Err(error.clone().into());
        }
        let trusted = self.trusted.load(Ordering::Relaxed);
        let result = lane.sign_in(&self.server, trusted).await;
        match &result {
            Ok(LaneOutcome::SignedIn) => self.trusted.store(true, Ordering::Relaxed),
            Err(SendError::SignIn(error)) => {
                // Cannot be set already: this task holds the lock.
                let _ = self.failed.set(error.clone());
            }
            Ok(LaneOutcome::Answered(_)) | Err(_) => {}
        }
        result
    }

    fn not_kept(&self) -> SignInError {
        not_kept(&self.server.probe)
    }

    /// How this signs in, for people. It contains no secret.
    pub fn describe(&self) -> String {
        let LaneServer {
            account, scheme, ..
        } = &self.server;
        let scheme = scheme.as_str();
        format!("the password of {account}, by Windows authentication ({scheme})")
    }
}

impl Drop for LaneGuard {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.home.idle().push(lane);
        }
    }
}

impl fmt::Debug for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Windows")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LaneGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taken")
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}
