//! `whoami`: who is signed in, and how.

use std::io::Write;

use serde::Serialize;

use crate::report::{Format, ReportError, clean, write_json};

use super::App;
use super::args::SignInArgs;
use super::connect::{connector, target};
use super::error::CliError;
use super::exit::Exit;
use super::printer::Printer;

#[derive(Debug, Serialize)]
struct Document {
    format: u32,
    environment: Environment,
    caller: Caller,
    version: String,
    sign_in: SignInShown,
}

#[derive(Debug, Serialize)]
struct Environment {
    url: String,
    organization: String,
    id: String,
}

#[derive(Debug, Serialize)]
struct Caller {
    user: String,
    id: String,
}

#[derive(Debug, Serialize)]
struct SignInShown {
    kind: &'static str,
    description: String,
}

/// Signs in and prints who that is.
pub(super) async fn whoami(app: &App, args: &SignInArgs) -> Result<Exit, CliError> {
    let target = target(&args.connection)?;
    let environment = target.environment.to_string();
    let connector = connector(app);
    let sign_in = connector.open_sign_in(None, &target).await?;
    let connection = connector.connect_with(target, sign_in.signed_in()).await?;
    let reader = connection.reader();
    let identity = reader.identity();
    let document = Document {
        format: 1,
        environment: Environment {
            url: environment,
            organization: identity.organization.name.clone(),
            id: identity.organization.id.to_string(),
        },
        caller: Caller {
            user: identity.caller.user.clone(),
            id: identity.caller.id.to_string(),
        },
        version: identity.version.to_string(),
        sign_in: SignInShown {
            kind: sign_in.chosen().method.word(),
            description: sign_in.signed_in().describe(),
        },
    };
    let mut out = Printer::result();
    write(&mut out, app.printer.format, &document)?;
    out.flush().map_err(CliError::Output)?;
    Ok(Exit::Done)
}

fn write(out: &mut dyn Write, format: Format, document: &Document) -> Result<(), CliError> {
    if format == Format::Json {
        return Ok(write_json(out, document).map_err(ReportError::from)?);
    }
    let Document {
        format: _,
        environment,
        caller,
        version,
        sign_in,
    } = document;
    let rows = [
        ("Environment", &environment.url),
        ("Organisation", &environment.organization),
        ("Organisation id", &environment.id),
        ("Version", version),
        ("User", &caller.user),
        ("User id", &caller.id),
        ("Signed in with", &sign_in.description),
    ];
    for (name, value) in rows {
        writeln!(out, "{name:<16} {}", clean(value)).map_err(CliError::Output)?;
    }
    Ok(())
}
