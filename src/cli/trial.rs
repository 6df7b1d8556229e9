//! `trial`: finds out what no document says about a server, on one user's filter, which is restored.

use std::num::NonZeroUsize;
use std::path::Path;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::journal::RunStore;
use crate::model::Operation;
use crate::model::disclosure::shown_path;
use crate::plan::{Confirmations, GivenBy, NameSource, Selection, Topic, UserRef, one_name};
use crate::report::{ReportError, RunCommand, Watch, question, write_json, write_trial};
use crate::rollout::{
    AgreeResult, Agreed, Applied, Connection, EndedRun, Halted, NewRun, NewRunFile, Planned,
    Refused, SourceRun, TrialRow, agree,
};
use crate::settings::state_dir;
use crate::trial::{FactStore, FactsDocument, Findings, Harmless, TrialFilter};

use super::App;
use super::carry_out::watches;
use super::change::connect_for_a_change;
use super::conclude::conclude;
use super::connect::{environments, store};
use super::consent::{self, Consent, read_answer};
use super::error::CliError;
use super::exit::Exit;
use super::printer::{Printer, STANDARD_OUTPUT};
use super::site::{Ending, EnvironmentRun};
use super::trial_args::TrialArgs;

/// Plans, asks, tries, restores, and shows the findings.
pub(super) async fn trial(app: &App, args: &TrialArgs) -> Result<Exit, CliError> {
    check_output(&args.output)?;
    let flags = args.consent();
    let mut consent = Consent::new(&flags);
    check_confirmed(args, &consent)?;
    let new = NewRun {
        selection: only(&args.user)?,
        settings: consent::settings(&flags, &args.connection),
        ..NewRun::of(Operation::Deactivate)
    };
    let places = environments(&args.connection, &app.output)?;
    if places.len() > 1 {
        let why = "this command works on one environment; --environment was given several times";
        return Err(CliError::Usage(why.into()));
    }
    let store = store(&app.output, Some(&args.connection))?;
    let what = (Operation::Deactivate, false);
    let connected = connect_for_a_change(app, &places, NonZeroUsize::MIN, what, &consent).await?;
    let Some((name, on)) = connected.into_iter().next() else {
        return Ok(Exit::Done);
    };
    let on = on?;
    let site = Site {
        app,
        watch: watches(app, &[&name]).1.remove(0),
        name,
        on,
        store,
    };
    let (planned, chosen, row) = match site.plan(new).await {
        Ok(planned) => planned,
        Err(halted) => return site.end(halted),
    };
    print_choice(app, &chosen, &row);
    let agreed = match site.agree(planned, args, &mut consent, &row).await? {
        Ok(agreed) => agreed,
        Err(halted) => return site.end(halted),
    };
    let run = agreed.handle();
    let tried = agreed.try_out(&row, args.wait);
    let end = match app.during(&site.watch, run, tried).await {
        Ok(end) => end,
        Err(mut halted) => {
            // The filter is restored, whatever ended the trial.
            if let Some(run) = halted.run.take_if(|run| run.has_written) {
                site.put_back(&run, &row).await;
            }
            return site.end(halted);
        }
    };
    let is_back = site.put_back(&end.run, &row).await;
    site.show(&end.findings, &args.output)?;
    Ok(if is_back { Exit::Done } else { Exit::Partial })
}

/// Refuses an existing file before anything is changed.
fn check_output(path: &Path) -> Result<(), CliError> {
    if path.as_os_str() != STANDARD_OUTPUT && path.exists() {
        return Err(CliError::Usage(format!(
            "{} exists; name another file with --output",
            shown_path(path, "the file")
        )));
    }
    Ok(())
}

/// Checks that the user was named twice, by flags or by typing.
fn check_confirmed(args: &TrialArgs, consent: &Consent) -> Result<(), CliError> {
    match &args.confirm_user {
        Some(name) if is_same(name, &args.user) => Ok(()),
        Some(_) => Err(CliError::Usage(
            "--confirm-user names another user than --user".into(),
        )),
        None if consent.can_ask() => Ok(()),
        None => Err(CliError::WouldAsk(
            "there is no terminal for a question; give --yes --confirm-user USER".into(),
        )),
    }
}

fn is_same(name: &str, user: &str) -> bool {
    name.trim().eq_ignore_ascii_case(user.trim())
}

fn only(user: &str) -> Result<Selection, CliError> {
    let name = one_name(user).map_err(|fault| CliError::Usage(format!("--user: {fault}")))?;
    Ok(Selection {
        only: Some(vec![UserRef {
            name,
            place: NameSource::Flag("--user".into()),
        }]),
        ..Selection::default()
    })
}

fn print_choice(app: &App, chosen: &TrialFilter, row: &TrialRow) {
    let TrialFilter { filter, harmless } = chosen;
    let why = match harmless {
        Some(Harmless::Mailbox) => {
            "Nothing can be lost: the mailbox of this user synchronises nothing."
        }
        Some(Harmless::SelectsNothing) => "Nothing can be lost: the filter selects nothing now.",
        None => {
            "A synchronisation during the trial can delete what the filter selects from Exchange."
        }
    };
    app.printer.status_line(&format!(
        "Trial with {}: the filter `{}` ({}) is switched off and put back. {why}",
        row.label, filter.name, filter.filter_type
    ));
}

struct Site<'a> {
    app: &'a App,
    watch: Watch,
    name: String,
    on: Connection,
    store: RunStore,
}

impl Site<'_> {
    fn at(&self) -> NewRunFile {
        NewRunFile::InStore(self.store.clone())
    }

    /// Ends the command as for any run that was left.
    fn end(&self, halted: Halted) -> Result<Exit, CliError> {
        let ended = EnvironmentRun::ended(self.name.clone(), Ending::of_halted(halted));
        conclude(self.app, vec![ended], false)
    }

    async fn plan(&self, new: NewRun) -> Result<(Planned, TrialFilter, TrialRow), Halted> {
        let created = new
            .create(&self.on, &self.at())
            .map_err(|why| Halted { why, run: None })?;
        let run = created.handle();
        let work = async { created.gather().await?.plan_trial().await };
        self.app.during(&self.watch, run, work).await
    }

    /// Obtains the answers for the guards. Nothing is kept of a trial that is declined or refused.
    async fn agree(
        &self,
        planned: Planned,
        args: &TrialArgs,
        consent: &mut Consent,
        row: &TrialRow,
    ) -> Result<Result<Agreed, Halted>, CliError> {
        let stakes = planned.stakes().await?;
        if args.confirm_user.is_none() {
            let text = format!("To try this out with {}, type `{}`: ", row.label, args.user);
            let answer = read_answer(&text, &self.app.interrupted).await;
            let declined = match answer {
                Ok(answer) if is_same(&answer, &args.user) => None,
                Ok(_) => Some(CliError::Declined),
                Err(error) => Some(error),
            };
            if let Some(error) = declined {
                return set_aside(planned, error).await;
            }
            consent.said.give(Topic::Change, GivenBy::Typed);
        }
        let mut plans = vec![planned];
        loop {
            match agree(plans, &mut consent.said).await {
                Err(mut halted) => return Ok(Err(halted.remove(0))),
                Ok(AgreeResult::Decided(mut decided)) => {
                    return match decided.remove(0) {
                        Ok(agreed) => Ok(Ok(agreed)),
                        Err(Refused { planned, why }) => {
                            set_aside(planned, CliError::refused(&why, None)).await
                        }
                    };
                }
                Ok(AgreeResult::Missing {
                    plans: back,
                    missing,
                }) => {
                    plans = back;
                    let question = question(&[(&self.name, &stakes)], &[]);
                    let obtained = consent.obtain(&missing, &question, &self.app.interrupted);
                    if let Err(error) = obtained.await {
                        return set_aside(plans.remove(0), error).await;
                    }
                }
            }
        }
    }

    /// Undoes the run of the trial, and proves by reading the filter that it is as it was before. Returns false if that
    /// cannot be proved, after printing what to do.
    async fn put_back(&self, run: &EndedRun, row: &TrialRow) -> bool {
        // An interruption ends the questions, and not the restoring.
        let reader = self.on.reader().under(CancellationToken::new());
        if run.is_kept()
            && let Some(path) = run.path.as_deref()
        {
            let on = Connection::new(reader.clone(), self.on.guards().clone());
            match self.undo(&on, path).await {
                Ok(Ok(_)) => {}
                Ok(Err(halted)) => Ending::of_halted(halted).print_status(self.app, None),
                Err(error) => Ending::badly(&error).print_status(self.app, None),
            }
        }
        let is_back = match row.is_as_before(&reader).await {
            Ok(is_back) => is_back,
            Err(error) => {
                Ending::badly(&error.into()).print_status(self.app, None);
                false
            }
        };
        if is_back {
            let text = "The filter is as it was before the trial: it was read again as its user.";
            self.app.printer.status_line(text);
        } else {
            Printer::warn(&format!(
                "warning: it is not proved that the filter is as it was before the trial; `{}` puts it back where nobody changed it since",
                RunCommand::Undo.of(&run.reference)
            ));
        }
        is_back
    }

    /// Undoes without a question, because restoring the filter was agreed to with the trial.
    async fn undo(
        &self,
        on: &Connection,
        path: &Path,
    ) -> Result<Result<EndedRun, Halted>, CliError> {
        let source = SourceRun::open_in(&self.store, path)?;
        let settings = crate::plan::RunSettings::default();
        let planned = async {
            let gathered = source.undo(on, &self.at(), settings).await?;
            gathered.survey().await
        };
        let planned = match planned.await {
            Ok(planned) => planned,
            Err(halted) => return Ok(Err(halted)),
        };
        let mut said = Confirmations::default();
        said.give(Topic::Change, GivenBy::Command);
        if let Some(name) = on.guards().names.first() {
            said.name(name, GivenBy::Command);
        }
        let agreed = match agree(vec![planned], &mut said).await {
            Ok(AgreeResult::Decided(mut decided)) => decided.remove(0),
            Ok(AgreeResult::Missing { .. }) => {
                return Err(CliError::Unexpected("the undo lacks consent".into()));
            }
            Err(mut halted) => return Ok(Err(halted.remove(0))),
        };
        match agreed {
            Ok(agreed) => match agreed.apply().await {
                Ok(Applied::Finished(run)) => Ok(Ok(run)),
                Ok(Applied::WaveOver(planned)) => Ok(planned.keep().await),
                Err(halted) => Ok(Err(halted)),
            },
            Err(Refused { why, .. }) => Err(CliError::refused(&why, None)),
        }
    }

    /// Shows the findings, stores them for later runs, and writes them to a file for sharing.
    fn show(&self, findings: &Findings, output: &Path) -> Result<(), CliError> {
        let identity = self.on.reader().identity();
        let document = FactsDocument::new(findings, identity.version, Timestamp::now());
        let folder = state_dir(self.app.output.state_dir.as_deref())?;
        let kept = FactStore::new(&folder).keep(identity.organization.id, &document);
        if let Err(error) = kept {
            Printer::warn(&format!(
                "warning: the facts are not kept for later runs: {error}"
            ));
        }
        let to_stdout = output.as_os_str() == STANDARD_OUTPUT;
        let printer = &self.app.printer;
        if to_stdout || printer.format == crate::report::Format::Json {
            let mut out = Printer::result();
            write_json(&mut out, &document).map_err(ReportError::from)?;
            out.flush().map_err(CliError::Output)?;
        } else {
            let mut out = Printer::result();
            write_trial(&mut out, findings, printer.style()).map_err(CliError::Output)?;
            out.flush().map_err(CliError::Output)?;
        }
        if to_stdout {
            return Ok(());
        }
        let failed = |source| CliError::File {
            name: shown_path(output, "the file"),
            source,
        };
        let mut out = Printer::result_in(Some(output)).map_err(failed)?;
        write_json(&mut out, &document).map_err(ReportError::from)?;
        out.flush().map_err(failed)?;
        printer.status_line(&format!(
            "The facts are in {}, without names, addresses and ids; later runs here begin with them for 30 days.",
            shown_path(output, "the file")
        ));
        Ok(())
    }
}

/// Removes a plan that was not agreed to.
async fn set_aside<T>(planned: Planned, error: CliError) -> Result<Result<T, Halted>, CliError> {
    match planned.set_aside().await {
        Ok(_) => Err(error),
        Err(halted) => Ok(Err(halted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_confirmed_by_the_same_name_only() {
        assert!(is_same(" Eva@Contoso.example", "eva@contoso.example\n"));
        assert!(!is_same("eva@contoso.example", "eva2@contoso.example"));
        assert!(!is_same("", "eva@contoso.example"));
    }
}
