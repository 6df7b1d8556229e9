//! Driving one run from the terminal: progress while it works, and a good end whatever happens.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::dataverse::{self, Reader};
use crate::journal::{Phase, RunFile, RunReader, discard};
use crate::model::Outcome;
use crate::plan::Wave;
use crate::report::{
    Format, Watch, write_calendar_warning, write_document, write_plan, write_run,
    write_summary,
};
use crate::rollout::{Application, Events, Rollout, RolloutError, SurveyMode, SurveyedAs};

use super::consent::{self, Consent, Stakes};
use super::error::{CliError, how_to_go_on};
use super::exit::Exit;
use super::printer::Printer;

/// A run being driven.
pub(super) struct Driver<'a> {
    printer: &'a Printer,
    rollout: Arc<Rollout>,
    path: PathBuf,
    watch: Watch,
    interrupted: CancellationToken,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        printer: &'a Printer,
        reader: Reader,
        file: RunFile,
        interrupted: &CancellationToken,
    ) -> Result<Self, CliError> {
        let path = file.journal.path().to_owned();
        Ok(Self {
            printer,
            rollout: Arc::new(Rollout::new(reader, file)?),
            path,
            watch: Watch::alone(printer.progress()),
            interrupted: interrupted.clone(),
        })
    }

    pub(super) fn rollout(&self) -> &Arc<Rollout> {
        &self.rollout
    }

    /// Does a stretch of work while its progress is shown; nothing more is drawn when it returns.
    pub(super) async fn stretch<T>(&self, work: impl Future<Output = T>) -> T {
        let (events, receiver) = Events::channel();
        self.rollout.set_events(events);
        let pacer = self.rollout.pacer().clone();
        let shown = tokio::spawn(self.watch.clone().follow(receiver, pacer));
        let result = work.await;
        self.rollout.set_events(Events::ignored());
        // Whatever became of the display, the work is done.
        let _ = shown.await;
        result
    }

    /// Reads every user who is not read yet and plans the changes; the users have been gathered.
    pub(super) async fn survey(&self, mode: SurveyMode) -> Result<(), RolloutError> {
        let rollout = &self.rollout;
        let surveyed_as = self
            .stretch(async {
                rollout.prove().await?;
                rollout.survey(mode).await
            })
            .await?;
        if let SurveyedAs::FellBack(why) = surveyed_as {
            self.watch.say(&format!(
                "warning: each user was asked as himself, because the administrator's survey cannot be relied on here: {why}"
            ));
        }
        Ok(())
    }

    /// Gathers the selected users, reads them, and plans the changes.
    pub(super) async fn gather_and_survey(&self, mode: SurveyMode) -> Result<(), RolloutError> {
        self.stretch(self.rollout.gather()).await?;
        self.survey(mode).await
    }

    /// Shows the plan, gets consent, and makes the changes.
    pub(super) async fn agree_and_apply(&self, consent: &Consent<'_>) -> Result<Exit, CliError> {
        let journal = self.rollout.journal();
        let filters = journal.filter_totals().await?.planned;
        if filters > 0 {
            let stakes = Stakes {
                filters,
                users: journal.users_to_change().await?,
                calendar_loss: self.calendar_loss().await?,
            };
            self.show_plan(stakes)?;
            if let Err(error) = self.agree(consent, stakes).await {
                self.rollout.leave(Outcome::Planned).await?;
                let run = &self.rollout.head().id.as_str()[..6];
                let kept = format!("The plan is kept: `syncfilters apply {run}` applies it.");
                self.printer.say(&kept);
                return Err(error);
            }
        }
        self.apply(consent).await
    }

    /// The guards first: nobody should be asked about what is refused anyway.
    async fn agree(&self, consent: &Consent<'_>, stakes: Stakes) -> Result<(), CliError> {
        if let Some(limit) = consent.limit() {
            let selected = self.rollout.journal().user_totals().await?.selected;
            if !limit.allows(stakes.users, selected) {
                return Err(CliError::TooManyChanges {
                    users: stakes.users,
                    selected,
                    limit,
                });
            }
        }
        consent::obtain(consent, stakes, &self.interrupted).await
    }

    /// Makes the changes that are planned and not made yet, wave by wave.
    pub(super) async fn apply(&self, consent: &Consent<'_>) -> Result<Exit, CliError> {
        let all = [Wave::Rest];
        let waves = match &consent.args.wave[..] {
            [] => &all[..],
            waves => waves,
        };
        for (number, wave) in waves.iter().enumerate() {
            let applied = self.stretch(self.rollout.apply(application(consent, *wave)));
            let applied = applied.await;
            if consent.args.dry_run && applied.is_ok() {
                self.rollout.leave(Outcome::Planned).await?;
                self.printer
                    .say("This was a dry run: no change was sent, and the plan is kept.");
                return self.show_result(Outcome::Planned);
            }
            let left = self.rollout.journal().users_to_change().await?;
            if applied.is_err() || left == 0 {
                return self.end(applied).await;
            }
            let last = number + 1 == waves.len();
            let go_on = self.between_waves(consent, number + 1, left, last).await?;
            if let Err(stopped) = go_on {
                return self.end(Err(stopped)).await;
            }
        }
        self.end(Ok(())).await
    }

    /// Sums up a wave and waits for the word, or the time, to go on.
    async fn between_waves(
        &self,
        consent: &Consent<'_>,
        number: usize,
        left: u64,
        last: bool,
    ) -> Result<Result<(), RolloutError>, CliError> {
        let users = self.rollout.journal().user_totals().await?;
        self.printer.say(&format!(
            "Wave {number} is done. Until now {} users were changed and {} failed; {left} are left.",
            users.changed, users.failed
        ));
        if last {
            let why = "the last wave is done, and not everybody was in it";
            return Ok(Err(RolloutError::Stopped(why.into())));
        }
        if let Some(pause) = consent.args.wave_pause {
            self.printer
                .say(&format!("Waiting for {} s.", pause.as_secs()));
            return Ok(tokio::select! {
                () = self.interrupted.cancelled() => Err(RolloutError::Interrupted),
                () = tokio::time::sleep(pause) => Ok(()),
            });
        }
        Ok(match consent::go_on(consent, &self.interrupted).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(RolloutError::Stopped("the next wave was declined".into())),
            Err(CliError::InterruptedAtPrompt) => Err(RolloutError::Interrupted),
            Err(error) => return Err(error),
        })
    }

    /// Ends the command: with the outcome of the run, or with how to go on.
    pub(super) async fn end(&self, result: Result<(), RolloutError>) -> Result<Exit, CliError> {
        match result {
            Ok(()) => {
                let outcome = self.rollout.finish().await?;
                self.show_result(outcome)
            }
            Err(error) if is_resumable(&error) => {
                self.rollout.leave(Outcome::Stopped).await?;
                self.show_result(Outcome::Stopped)?;
                let told = CliError::from(error).told();
                self.printer.error(&told.message, told.hint.as_deref());
                Printer::warn(&format!("hint: {}", how_to_go_on(&self.rollout.head().id)));
                Ok(match told.exit {
                    Exit::Interrupted => Exit::Interrupted,
                    _ => Exit::Stopped,
                })
            }
            Err(error) => {
                self.forget_if_nothing_came_of_it().await?;
                Err(error.into())
            }
        }
    }

    /// Records that the plan is complete and shows it.
    pub(super) async fn keep_plan(&self, detailed: bool) -> Result<Exit, CliError> {
        let journal = self.rollout.journal();
        let filters = journal.filter_totals().await?.planned;
        if filters == 0 {
            return self.end(Ok(())).await;
        }
        let failed = journal.user_totals().await?.failed;
        self.rollout.leave(Outcome::Planned).await?;
        let run = self.read()?;
        let mut out = Printer::result();
        match self.printer.format {
            Format::Table => {
                write_plan(&mut out, &run, self.printer.look())?;
                if self.calendar_loss().await? {
                    writeln!(out).map_err(CliError::Output)?;
                    write_calendar_warning(&mut out, &run.head, self.printer.look())?;
                }
            }
            Format::Json => write_document(&mut out, &run)?,
            format @ (Format::Csv | Format::Markdown | Format::Html) => {
                write_run(&mut out, &run, format, self.printer.look())?;
            }
        }
        out.flush().map_err(CliError::Output)?;
        let name = self.name_to_type();
        self.printer.say(&format!(
            "Nothing was changed. `syncfilters apply {name}` applies this plan."
        ));
        Ok(match (detailed, failed) {
            (true, _) => Exit::Pending,
            (false, 0) => Exit::Done,
            (false, _) => Exit::Partial,
        })
    }

    /// The run as its file has it now.
    pub(super) fn read(&self) -> Result<RunReader, CliError> {
        Ok(RunReader::open(&self.path)?)
    }

    /// A run that is not among the others is named by its path.
    fn name_to_type(&self) -> String {
        let id = self.rollout.head().id.as_str();
        let kept_with_the_others = self.path.file_stem().is_some_and(|stem| stem == id);
        if kept_with_the_others {
            id[..6].to_owned()
        } else {
            self.path.display().to_string()
        }
    }

    fn show_plan(&self, stakes: Stakes) -> Result<(), CliError> {
        let run = self.read()?;
        let (mut out, look) = self.printer.talk();
        write_plan(&mut out, &run, look)?;
        writeln!(out).map_err(CliError::Output)?;
        if stakes.calendar_loss {
            write_calendar_warning(&mut out, &run.head, look)?;
            writeln!(out).map_err(CliError::Output)?;
        }
        out.flush().map_err(CliError::Output)
    }

    fn show_result(&self, outcome: Outcome) -> Result<Exit, CliError> {
        let run = self.read()?;
        let mut out = Printer::result();
        match self.printer.format {
            Format::Table => write_summary(&mut out, &run, self.printer.look())?,
            Format::Json => write_document(&mut out, &run)?,
            format @ (Format::Csv | Format::Markdown | Format::Html) => {
                write_run(&mut out, &run, format, self.printer.look())?;
            }
        }
        out.flush().map_err(CliError::Output)?;
        Ok(Exit::of_outcome(outcome))
    }

    /// Whether what is planned can empty calendars.
    async fn calendar_loss(&self) -> Result<bool, CliError> {
        let spared = self.rollout.head().organization.distinct_deletes == Some(true);
        Ok(!spared && self.rollout.journal().deactivates().await?)
    }

    /// Removes the run file of a run in which there was nothing to do.
    pub(super) fn forget(self) {
        discard(&self.path);
    }

    /// A run that ended before it had a plan is of no use to anybody.
    async fn forget_if_nothing_came_of_it(&self) -> Result<(), CliError> {
        let phase = self.rollout.journal().phase().await?;
        if phase < Phase::Planned {
            discard(&self.path);
        } else if phase == Phase::Applying {
            self.rollout.leave(Outcome::Stopped).await?;
        }
        Ok(())
    }
}

fn application(consent: &Consent<'_>, wave: Wave) -> Application {
    Application {
        dry_run: consent.args.dry_run,
        users: match wave {
            Wave::Users(users) => Some(users),
            Wave::Rest => None,
        },
        stop_after_failures: consent.args.stop_after_failures,
    }
}

/// Whether going on later makes sense: what is in the run file is right, and the obstacle can go away.
fn is_resumable(error: &RolloutError) -> bool {
    use dataverse::Error;
    match error {
        RolloutError::Interrupted | RolloutError::Stopped(_) => true,
        RolloutError::Dataverse(error) => matches!(
            error,
            Error::Interrupted
                | Error::Unauthorized { .. }
                | Error::Unreachable { .. }
                | Error::Lost { .. }
                | Error::Quiet { .. }
                | Error::SignIn(_)
        ),
        RolloutError::Journal(_)
        | RolloutError::Open(_)
        | RolloutError::Selection(_)
        | RolloutError::Groups(_)
        | RolloutError::NotImpersonated { .. }
        | RolloutError::MayNotImpersonate(_)
        | RolloutError::NotProved { .. }
        | RolloutError::Stale { .. }
        | RolloutError::OtherOrganization { .. } => false,
    }
}
