//! `login` and `logout`: keep a user's sign-in for later commands, and delete it.

use crate::auth::{SignInMethod, TokenStore, forget, is_kept};
use crate::connect::{personal, sign_in_target};

use super::App;
use super::args::SignInArgs;
use super::connect::{connector, target};
use super::error::CliError;
use super::exit::Exit;

/// Signs in and keeps the sign-in.
pub(super) async fn login(app: &App, args: &SignInArgs) -> Result<Exit, CliError> {
    let target = target(&args.connection)?;
    let settled = personal(&target)?;
    let place = where_kept(&settled.method).ok_or_else(|| {
        CliError::Usage(
            "there is no place to keep a sign-in: give --keep keyring or --keep file, or set `keep` of the environment \
             in the configuration file"
                .into(),
        )
    })?;
    let connector = connector(app);
    let sign_in = connector.open_sign_in(None, &target).await?;
    connector.sign_in_now(&sign_in).await?;
    if !is_kept(&settled.method, &sign_in_target(&target))? {
        let why = "you are signed in, but the identity provider gave nothing that could be kept (no refresh token)";
        return Err(CliError::Unexpected(why.into()));
    }
    let environment = &target.environment;
    app.printer.status_line(&format!(
        "Signed in to {environment}; the sign-in is kept in {place}. `syncfilters logout` forgets it."
    ));
    Ok(Exit::Done)
}

/// Deletes a kept sign-in.
pub(super) fn logout(app: &App, args: &SignInArgs) -> Result<Exit, CliError> {
    let target = target(&args.connection)?;
    let settled = personal(&target)?;
    let environment = &target.environment;
    app.printer
        .status_line(&if forget(&settled.method, &sign_in_target(&target))? {
            format!("The sign-in to {environment} is forgotten here.")
        } else {
            format!("There was no kept sign-in to {environment}.")
        });
    Ok(Exit::Done)
}

fn where_kept(method: &SignInMethod) -> Option<String> {
    match method {
        SignInMethod::DeviceCode { keep, .. } | SignInMethod::Browser { keep, .. } => match keep {
            TokenStore::No => None,
            TokenStore::Keyring => Some("the key store of this system".into()),
            TokenStore::File(folder) => Some(format!("a private file in {}", folder.display())),
        },
        _ => None,
    }
}
