//! Signing in to environments, and checking them.

use std::sync::Arc;

use crate::connect::Check;
use crate::journal::RunHeader;
use crate::report::ErrorReport;
use crate::rollout::Connection;

use super::connections::{SignIn, in_time};
use super::live::usage;
use super::site::Site;

/// What is said where an environment was asked for that is none.
pub(super) fn not_there() -> ErrorReport {
    usage("there is no environment of this name")
}

impl Site {
    /// Signs in to an environment, where that was not done yet.
    pub(super) async fn connect(&self, name: &str) -> Result<Connection, ErrorReport> {
        let (environments, of) = (Arc::clone(&self.environments), name.to_owned());
        let work = async move { environments.connect(&of).await.map(Some) };
        in_time(name, self.sign_in(&self.key(name)?, work)).await
    }

    /// What the sign-in and the check of an environment are kept by, as it is set now.
    fn key(&self, name: &str) -> Result<String, ErrorReport> {
        let all = self.environments.list()?;
        let place = all.named(name).ok_or_else(not_there)?;
        Ok(place.key())
    }

    fn sign_in(
        &self,
        key: &str,
        work: impl Future<Output = Result<Option<Connection>, ErrorReport>> + Send + 'static,
    ) -> SignIn {
        let said = self.sign_in_lines.clone();
        let work = async move {
            said.clear();
            work.await
        };
        self.connections.join(key, work)
    }

    /// Signs in to the environment of a run, where that was not done yet.
    pub(super) async fn connect_to_run(
        &self,
        run: &RunHeader,
        is_own: bool,
    ) -> Result<(String, Connection), ErrorReport> {
        let place = self.environments.of_run(run, is_own)?;
        let (environments, run) = (Arc::clone(&self.environments), run.clone());
        let work = async move { environments.connect_to_run(&run, is_own).await.map(Some) };
        let on = in_time(&place.name, self.sign_in(&place.key(), work)).await?;
        Ok((place.name, on))
    }

    /// Checks an environment. Where nobody has signed in to it, the check does so.
    pub(super) async fn examine(
        &self,
        name: &str,
        seen: tokio::sync::watch::Sender<Vec<Check>>,
    ) -> Result<(), ErrorReport> {
        let (environments, of) = (Arc::clone(&self.environments), name.to_owned());
        let (is_begun, begun) = tokio::sync::oneshot::channel();
        let first = seen.clone();
        let work = async move {
            // Whoever waits below is told that this is the check itself.
            let _ = is_begun.send(());
            environments.examine(&of, first).await
        };
        let sign_in = self.sign_in(&self.key(name)?, work);
        let connected = sign_in.await?;
        let checked_by_it = begun.await.is_ok();
        match connected {
            Some(on) if !checked_by_it => self.environments.examine_connected(&on, seen).await,
            Some(_) | None => {}
        }
        Ok(())
    }
}
