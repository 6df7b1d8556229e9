//! `demo --ui`: the local page over an embedded sandbox.

use std::sync::Arc;

use tokio::sync::watch;

use crate::auth::GivenToken;
use crate::connect::{Check, ConnectError, Connector};
use crate::journal::{RunHeader, RunStore};
use crate::report::ErrorReport;
use crate::rollout::Connection;
use crate::sandbox::Sandbox;
use crate::ui::{Environments, ListedEnvironment, ListedEnvironments, SignInLines, Working};

use super::App;
use super::demo::target;
use super::error::CliError;
use super::exit::Exit;
use super::ui::{PageArgs, connector, show as show_page};

/// The name of the only environment.
const NAME: &str = "sandbox";

/// Serves the page until it is stopped. The sandbox and its runs are deleted then.
pub(super) async fn show(
    app: &App,
    sandbox: Sandbox,
    store: RunStore,
    page: PageArgs,
) -> Result<Exit, CliError> {
    let said = SignInLines::default();
    let stop = app.interrupted.child_token();
    let place = SandboxPlace {
        url: sandbox.url(),
        token: sandbox.token(),
        connector: connector(app, &said, &stop),
    };
    let ended = show_page(app, Arc::new(place), store, (page, said, stop)).await;
    sandbox.stop().await;
    ended
}

#[derive(Debug)]
struct SandboxPlace {
    url: String,
    token: &'static str,
    connector: Connector,
}

impl SandboxPlace {
    fn listed(&self) -> ListedEnvironment {
        ListedEnvironment {
            name: NAME.to_owned(),
            address: self.url.clone(),
            sign_in: "a token of the sandbox".to_owned(),
            production: false,
            is_named: false,
            settings: String::new(),
        }
    }

    async fn signed_in(&self) -> Result<Connection, ConnectError> {
        let token = Arc::new(GivenToken::new(self.token)?);
        self.connector.connect_with(target(&self.url)?, token).await
    }
}

impl Environments for SandboxPlace {
    fn list(&self) -> Result<ListedEnvironments, ErrorReport> {
        Ok(ListedEnvironments {
            usable: vec![self.listed()],
            wrong: Vec::new(),
        })
    }

    fn keep_runs(&self) -> bool {
        false
    }

    fn connect<'a>(&'a self, _: &'a str) -> Working<'a, Result<Connection, ErrorReport>> {
        Box::pin(async {
            self.signed_in()
                .await
                .map_err(|error| ErrorReport::from(&error))
        })
    }

    fn of_run(&self, _: &RunHeader, _: bool) -> Result<ListedEnvironment, ErrorReport> {
        Ok(self.listed())
    }

    fn connect_to_run<'a>(
        &'a self,
        _: &'a RunHeader,
        _: bool,
    ) -> Working<'a, Result<Connection, ErrorReport>> {
        self.connect(NAME)
    }

    fn examine<'a>(
        &'a self,
        _: &'a str,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, Result<Option<Connection>, ErrorReport>> {
        Box::pin(async move {
            let on = self.connect(NAME).await?;
            self.connector.examine_connected(&on, seen).await;
            Ok(Some(on))
        })
    }

    fn examine_connected<'a>(
        &'a self,
        on: &'a Connection,
        seen: watch::Sender<Vec<Check>>,
    ) -> Working<'a, ()> {
        Box::pin(self.connector.examine_connected(on, seen))
    }
}
