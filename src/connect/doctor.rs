//! `doctor`: from the address to the privileges, one check at a time. It writes nothing to the CRM.

use std::num::NonZeroUsize;

use tokio::sync::watch;

use crate::auth::{self, Http, SignInMethod};
use crate::dataverse;
use crate::rollout::Connection;
use crate::settings::ResolvedTarget;

use super::doctor_checks::{AFTER_SIGN_IN, after_sign_in};
use super::privileges::NeededBy;
use super::several::side_by_side;
use super::sign_in::{chosen, may_turn_to_a_person};
use super::{Check, Checklist, ConnectError, Connector, NamedEnvironment};

const ADDRESS: &str = "address";
const CHALLENGE: &str = "where to sign in";
const TOKEN: &str = "token";
const IDENTITY: &str = "identity";

impl Connector {
    /// Checks everything that a run depends on, in all environments: first, one after the other, those where a user may
    /// be asked; then the others, a limited number at once. Privileges are checked for what was asked for.
    pub async fn examine_all(
        &self,
        environments: &[NamedEnvironment],
        at_once: NonZeroUsize,
        asked: &[NeededBy],
    ) -> Vec<Result<Checklist, ConnectError>> {
        let several = environments.len() > 1;
        let examine = |one: &NamedEnvironment| {
            let (name, target) = (one.name.clone(), one.target.clone());
            async move {
                let name = several.then_some(&*name);
                self.examine(name, target, asked).await
            }
        };
        let mut in_turn = Vec::new();
        for one in environments {
            let settled = chosen(&one.target);
            let personal = settled.is_ok_and(|settled| may_turn_to_a_person(&settled.method));
            in_turn.push(if personal {
                Some(examine(one).await)
            } else {
                None
            });
        }
        let work = environments.iter().zip(in_turn).map(|(one, done)| async {
            match done {
                Some(done) => done,
                None => examine(one).await,
            }
        });
        side_by_side(at_once, work).await
    }

    /// Asks where to sign in, shows what it waits for, and stops on interruption.
    async fn challenge(
        &self,
        list: &mut Checklist,
        target: &ResolvedTarget,
        method: Option<&SignInMethod>,
    ) -> Result<(), ConnectError> {
        let asked = Box::pin(challenge(list, target, method));
        let asked = self.with_progress(target.environment.to_string(), None, || None, asked);
        tokio::select! {
            () = self.interrupted.cancelled() => Err(dataverse::Error::Interrupted.into()),
            asked = asked => asked,
        }
    }

    /// All checks of one environment, each sent when it was made. Privileges are checked for a plan with its impact.
    /// Returns the connection that was made for them; none where the sign-in failed.
    pub async fn examine_watched(
        &self,
        target: ResolvedTarget,
        seen: watch::Sender<Vec<Check>>,
    ) -> Result<Option<Connection>, ConnectError> {
        let mut list = Checklist::watched(seen);
        self.examine_into(&mut list, None, target, &[NeededBy::Impact])
            .await
    }

    /// The checks after the sign-in of a connected environment, each sent when it was made.
    pub async fn examine_connected(&self, on: &Connection, seen: watch::Sender<Vec<Check>>) {
        let mut list = Checklist::watched(seen);
        let reader = on.reader();
        list.ok(ADDRESS, reader.environment().to_string());
        let identity = reader.identity();
        let (user, organization) = (&identity.caller.user, &identity.organization.name);
        list.ok(IDENTITY, format!("{user} in {organization}"));
        after_sign_in(&mut list, reader, &[NeededBy::Impact]).await;
    }

    /// All checks of one environment; `name` is shown where there are several.
    async fn examine(
        &self,
        name: Option<&str>,
        target: ResolvedTarget,
        asked: &[NeededBy],
    ) -> Result<Checklist, ConnectError> {
        let mut list = Checklist::default();
        self.examine_into(&mut list, name, target, asked).await?;
        Ok(list)
    }

    async fn examine_into(
        &self,
        list: &mut Checklist,
        name: Option<&str>,
        target: ResolvedTarget,
        asked: &[NeededBy],
    ) -> Result<Option<Connection>, ConnectError> {
        list.ok(
            ADDRESS,
            format!("{} ({})", target.environment, target.origin),
        );
        let connection = sign_in(self, list, name, target).await?;
        if let Some(connection) = &connection {
            after_sign_in(list, connection.reader(), asked).await;
        }
        Ok(connection)
    }
}

/// From the address to the signed-in caller.
async fn sign_in(
    connector: &Connector,
    list: &mut Checklist,
    name: Option<&str>,
    target: ResolvedTarget,
) -> Result<Option<Connection>, ConnectError> {
    let settled = match chosen(&target) {
        Ok(settled) => settled,
        Err(error) => {
            connector.challenge(list, &target, None).await?;
            list.error(TOKEN, &error);
            list.skipped(&[IDENTITY]);
            list.skipped(&AFTER_SIGN_IN);
            return Ok(None);
        }
    };
    connector
        .challenge(list, &target, Some(&settled.method))
        .await?;
    let signed_in = async {
        let sign_in = connector.open_sign_in(name, &target).await?;
        connector.sign_in_now(&sign_in).await?;
        Ok::<_, ConnectError>(sign_in)
    };
    let sign_in = match signed_in.await {
        Ok(sign_in) => sign_in,
        Err(error) => {
            list.error(TOKEN, &error);
            list.skipped(&[IDENTITY]);
            list.skipped(&AFTER_SIGN_IN);
            return Ok(None);
        }
    };
    list.ok(TOKEN, format!("from {}", sign_in.signed_in().describe()));
    match connector.connect_with(target, sign_in.signed_in()).await {
        Ok(connection) => {
            let identity = connection.reader().identity();
            let (user, organization) = (&identity.caller.user, &identity.organization.name);
            list.ok(IDENTITY, format!("{user} in {organization}"));
            Ok(Some(connection))
        }
        Err(error) => {
            list.error(IDENTITY, &error);
            list.skipped(&AFTER_SIGN_IN);
            Ok(None)
        }
    }
}

/// Whether a token comes from elsewhere than the identity provider that the environment names.
const fn names_no_authority(method: &SignInMethod) -> bool {
    matches!(
        method,
        SignInMethod::Given { .. }
            | SignInMethod::ManagedIdentity { .. }
            | SignInMethod::Tool { .. }
    )
}

/// Reachability, TLS and the challenge. A missing challenge is no failure where nothing depends on it.
async fn challenge(
    list: &mut Checklist,
    target: &ResolvedTarget,
    method: Option<&SignInMethod>,
) -> Result<(), ConnectError> {
    let needed = !method.is_some_and(names_no_authority);
    let by_windows = matches!(method, Some(SignInMethod::Windows { .. }));
    let http = Http::new().map_err(ConnectError::Http)?;
    let keys = &target.sign_in;
    let (vouched, tenant) = (keys.authority.as_deref(), keys.tenant.as_deref());
    let found = match auth::challenge(&http, &target.environment).await {
        Ok(challenge) if by_windows && challenge.windows() => {
            Ok("at the server itself, by Windows authentication".to_owned())
        }
        Ok(challenge) => auth::judge(&target.environment, &challenge, vouched, tenant)
            .map(|found| format!("{}, for {}", found.authority, found.resource)),
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => list.ok(CHALLENGE, found),
        Err(error) if needed || error.kind() == "sign-in-unreachable" => {
            list.error(CHALLENGE, &error);
        }
        Err(error) => list.warning(
            CHALLENGE,
            error.to_string(),
            "this does not matter while the token comes from elsewhere",
        ),
    }
    Ok(())
}
