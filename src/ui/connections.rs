//! The environments that were signed in to, or are being signed in to: one sign-in and one pace for all runs of each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::report::ErrorReport;
use crate::rollout::Connection;

use super::blocking::to_its_end;
use super::live::usage;

/// How long a form waits for a sign-in. One that takes longer waits for a person, who has to see what to do.
const FORM_WAITS: Duration = Duration::from_secs(10);

/// A sign-in, under way or over; no connection where a check says why there is none.
pub(super) type SignIn = Shared<BoxFuture<'static, Result<Option<Connection>, ErrorReport>>>;

/// The sign-ins, by the key of the environment.
#[derive(Debug, Default)]
pub(super) struct Connections(Mutex<HashMap<String, SignIn>>);

impl Connections {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, SignIn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, where one is there.
    fn get(&self, key: &str) -> Option<Connection> {
        let all = self.all();
        let ended = all.get(key)?.peek()?;
        ended.clone().ok().flatten()
    }

    /// Who is signed in.
    pub(super) fn caller(&self, key: &str) -> Option<String> {
        let on = self.get(key)?;
        Some(on.reader().identity().caller.user.clone())
    }

    /// The sign-in that is there or under way; where there is none, or where it failed, this one begins.
    pub(super) fn join(
        &self,
        key: &str,
        work: impl Future<Output = Result<Option<Connection>, ErrorReport>> + Send + 'static,
    ) -> SignIn {
        let mut all = self.all();
        if let Some(known) = all.get(key)
            && !matches!(known.peek(), Some(Err(_) | Ok(None)))
        {
            return known.clone();
        }
        // It goes on when whoever asked for it is gone.
        let sign_in = to_its_end(work).boxed().shared();
        tokio::spawn(sign_in.clone());
        all.insert(key.to_owned(), sign_in.clone());
        sign_in
    }
}

/// A connection, waited for as long as a form waits.
pub(super) async fn in_time(name: &str, sign_in: SignIn) -> Result<Connection, ErrorReport> {
    match tokio::time::timeout(FORM_WAITS, sign_in).await {
        Ok(Ok(Some(on))) => Ok(on),
        Ok(Ok(None)) => Err(usage(&format!(
            "nobody could sign in to `{name}`; its check, under Environments, says why"
        ))),
        Ok(Err(problem)) => Err(problem),
        Err(_) => Err(usage(&format!(
            "the sign-in to `{name}` waits for you: its check, under Environments, shows what to do; then do this again"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn whoever_comes_while_somebody_signs_in_waits_for_the_same_sign_in() {
        let connections = Connections::default();
        let begun = Arc::new(AtomicUsize::new(0));
        let work = |until: oneshot::Receiver<()>| {
            let begun = Arc::clone(&begun);
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                let _ = until.await;
                Err(usage("declined"))
            }
        };
        let (over, until) = oneshot::channel();
        let one = connections.join("contoso", work(until));
        let (_other_over, until) = oneshot::channel();
        let other = connections.join("contoso", work(until));
        over.send(()).unwrap();
        assert!(one.await.is_err() && other.await.is_err());
        assert_eq!(begun.load(Ordering::Relaxed), 1);
        // What failed is tried again.
        let (over, until) = oneshot::channel();
        over.send(()).unwrap();
        assert!(connections.join("contoso", work(until)).await.is_err());
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        assert!(connections.get("contoso").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_does_not_wait_for_a_person_who_has_to_see_something_first() {
        let connections = Connections::default();
        let sign_in = connections.join("contoso", std::future::pending());
        let waits = in_time("contoso", sign_in).await;
        let said = waits.unwrap_err().message;
        assert!(
            said.contains("waits for you") && said.contains("check"),
            "{said}"
        );
        let failed = connections.join("fabrikam", async { Ok(None) });
        let said = in_time("fabrikam", failed).await.unwrap_err().message;
        assert!(said.contains("could sign in"), "{said}");
    }
}
