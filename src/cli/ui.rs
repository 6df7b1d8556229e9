//! `ui`: the local page.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;

use clap::Args;
use secrecy::SecretString;
use serde::Serialize;
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::auth::{PromptText, UserPrompt};
use crate::connect::{Connector, environments};
use crate::journal::{RunRef, RunStore};
use crate::report::{Format, ReportError, RunCommand, write_json};
use crate::ui::{
    ConfiguredEnvironments, Environments, Listeners, RunObserver, SignInLines, Site, serve,
};

use super::App;
use super::connect::{options, store};
use super::error::CliError;
use super::exit::Exit;
use super::interrupt::DrivenRuns;
use super::printer::Printer;
use super::shared_args::ConnectionArgs;
use super::sign_in::notice_lines;

/// `ui`.
#[derive(Debug, Args)]
pub(super) struct UiArgs {
    #[command(flatten)]
    pub(super) page: PageArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// Where the page is, and whether a browser is started.
#[derive(Clone, Copy, Debug, Default, Args)]
#[command(next_help_heading = "Page")]
pub(super) struct PageArgs {
    /// The port on this machine; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// Print the address only, and start no browser
    #[arg(long)]
    no_open: bool,
}

pub(super) async fn ui(app: &App, args: &UiArgs) -> Result<Exit, CliError> {
    let options = options(&args.connection);
    if !options.environments.is_empty() || options.url.is_some() {
        // A wrong name is reported before anything is started.
        environments(&options)?;
    }
    let said = SignInLines::default();
    let stop = app.interrupted.child_token();
    let places = ConfiguredEnvironments {
        options,
        connector: connector(app, &said, &stop),
    };
    let store = store(&app.output, Some(&args.connection))?;
    show(app, Arc::new(places), store, (args.page, said, stop)).await
}

/// Signs in for the page, which shows what is said meanwhile.
pub(super) fn connector(app: &App, said: &SignInLines, stop: &CancellationToken) -> Connector {
    Connector {
        prompt: Arc::new(InTheBrowser(said.clone())),
        notices: Arc::new(said.clone()),
        state_dir: app.output.state_dir.clone(),
        interrupted: stop.clone(),
    }
}

/// Serves the page for these environments until it is stopped.
pub(super) async fn show(
    app: &App,
    environments: Arc<dyn Environments>,
    store: RunStore,
    (page, said, stop): (PageArgs, SignInLines, CancellationToken),
) -> Result<Exit, CliError> {
    let listeners = Listeners::bind(page.port).await.map_err(CliError::Page)?;
    let port = listeners.port;
    let under_way = Arc::new(app.under_way.clone());
    let site = Arc::new(Site::new(environments, store, (said, under_way, stop)));
    print_address(app, &site.address(port))?;
    let opened = if page.no_open {
        None
    } else {
        app.printer.status_line(
            "If no page appears, open the address above in a browser on this machine.",
        );
        open(&site.address(port))
    };
    if io::stdin().is_terminal() && app.printer.format == Format::Table {
        app.printer
            .status_line("The address leads in once, within a minute. Press Enter for another; Ctrl-C ends the page.");
        print_more(Arc::clone(&site), port);
    }
    serve(listeners, Arc::clone(&site)).await;
    drop(opened);
    let kept = if site.keeps_runs() {
        site.unfinished()
    } else {
        Vec::new()
    };
    for run in kept {
        let resume = RunCommand::Resume.of(&run);
        app.printer.status_line(&format!(
            "Run {} is left as it was: `{resume}` continues it.",
            run.id.short()
        ));
    }
    Ok(
        if app.interrupted.is_cancelled() && app.under_way.had_any() {
            Exit::Interrupted
        } else {
            Exit::Done
        },
    )
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    url: &'a str,
}

fn print_address(app: &App, address: &str) -> Result<(), CliError> {
    let mut out = Printer::result();
    if app.printer.format == Format::Json {
        let document = Document {
            format: 1,
            url: address,
        };
        write_json(&mut out, &document).map_err(ReportError::from)?;
    } else {
        writeln!(out, "{address}").map_err(CliError::Output)?;
    }
    out.flush().map_err(CliError::Output)
}

/// Prints another address for each line that is typed. The thread ends with the process, because a read cannot be
/// ended.
fn print_more(site: Arc<Site>, port: u16) {
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            if line.is_err() {
                return;
            }
            let mut out = Printer::result();
            // A closed standard output cannot be reported anywhere.
            let _ = writeln!(out, "{}", site.address(port)).and_then(|()| out.flush());
        }
    });
}

/// Starts a browser with a file that leads to the page: other accounts of the machine can read the arguments of
/// programs, but not this file. It is deleted when the returned value is dropped. Some browsers return only when they
/// are closed, and the page has to be served meanwhile.
fn open(address: &str) -> Option<NamedTempFile> {
    let file = redirection(address).ok()?;
    let path = Url::from_file_path(file.path()).ok()?;
    // A separate thread that nothing waits for.
    std::thread::spawn(move || webbrowser::open(path.as_str()));
    Some(file)
}

/// A private file that leads to the address.
fn redirection(address: &str) -> io::Result<NamedTempFile> {
    // Only its owner can read it, as every file that `tempfile` makes.
    let mut file = tempfile::Builder::new()
        .prefix("syncfilters-")
        .suffix(".html")
        .tempfile()?;
    writeln!(
        file,
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"0;url={address}\">\
         <a href=\"{address}\">Open the page</a>"
    )?;
    file.flush()?;
    Ok(file)
}

/// The command to run in the terminal before the page can sign in.
const SIGN_IN_FIRST: &str = "syncfilters login --keep keyring";

/// The user at the page: a browser can be opened, but nothing can be typed.
#[derive(Debug)]
struct InTheBrowser(SignInLines);

impl UserPrompt for InTheBrowser {
    fn is_there(&self) -> bool {
        true
    }

    fn tell(&self, notice: &PromptText) {
        for line in notice_lines(notice) {
            self.0.add(&line);
        }
    }

    fn open(&self, address: &str) -> bool {
        webbrowser::open(address).is_ok()
    }

    fn ask(&self, _: &str) -> Option<SecretString> {
        self.0.add(&format!(
            "This sign-in asks for something that has to be typed: sign in with `{SIGN_IN_FIRST}` first."
        ));
        None
    }
}

impl RunObserver for DrivenRuns {
    fn begin(&self, run: &RunRef) {
        Self::begin(self, run.clone());
    }

    fn end(&self, run: &RunRef) {
        Self::end(self, run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_command_that_signs_in_first_is_one() {
        let words = SIGN_IN_FIRST.split(' ');
        assert!(crate::cli::args::Cli::try_parse_from(words).is_ok());
    }

    #[test]
    fn the_file_that_leads_to_the_page_can_be_read_by_its_owner_only() {
        let file = redirection("http://127.0.0.1:5000/?token=abc").unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("url=http://127.0.0.1:5000/?token=abc"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = file.as_file().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
    }
}
