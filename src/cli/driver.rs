//! Driving one run from the terminal: progress while it works, and a good end whatever happens.

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::dataverse::{self, Reader};
use crate::journal::{Asked, Phase, RunFile, RunReader, discard};
use crate::model::Outcome;
use crate::plan::Wave;
use crate::report::Watch;
use crate::rollout::{Application, Events, Rollout, RolloutError, SurveyMode, SurveyedAs};

use super::consent::{self, Consent, Stakes};
use super::error::{CliError, Told};
use super::exit::Exit;
use super::printer::Printer;

/// A run being driven.
pub(super) struct Driver<'a> {
    pub(super) printer: &'a Printer,
    pub(super) rollout: Arc<Rollout>,
    pub(super) path: PathBuf,
    watch: Watch,
    pub(super) interrupted: CancellationToken,
}

/// How a run was closed.
#[derive(Debug)]
pub(super) enum Closed {
    /// It ended by itself.
    Ended(Outcome),
    /// It was left before its end, for this reason, and can be gone on with.
    Stopped(Told),
}

impl Closed {
    /// How it ends the command.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Ended(outcome) => Exit::of_outcome(*outcome),
            Self::Stopped(told) if told.exit == Exit::Interrupted => Exit::Interrupted,
            Self::Stopped(_) => Exit::Stopped,
        }
    }
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

    /// Shows progress here from now on.
    pub(super) fn show_on(&mut self, watch: Watch) {
        self.watch = watch;
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

    /// Records what is to be found out of the plan; before the users are gathered.
    pub(super) async fn find_out(&self, asked: Asked) -> Result<(), CliError> {
        if asked.is_nothing() {
            return Ok(());
        }
        Ok(self.rollout.journal().ask(asked).await?)
    }

    /// Gathers the selected users, reads them, and plans the changes.
    pub(super) async fn gather_and_survey(&self, mode: SurveyMode) -> Result<(), RolloutError> {
        self.stretch(self.rollout.gather()).await?;
        self.survey(mode).await
    }

    /// Plans anew the users whom the saved plan changes, and shows what is different.
    pub(super) async fn replan(&self) -> Result<Result<(), RolloutError>, CliError> {
        Ok(match self.stretch(self.rollout.replan()).await {
            Ok(differences) => {
                self.show_differences(&differences)?;
                Ok(())
            }
            Err(error) => Err(error),
        })
    }

    /// Shows the plan, gets consent, and makes the changes.
    pub(super) async fn agree_and_apply(&self, consent: &Consent<'_>) -> Result<Exit, CliError> {
        let stakes = self.stakes().await?;
        if stakes.filters > 0 {
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

    /// What is about to happen, as far as agreeing to it goes.
    pub(super) async fn stakes(&self) -> Result<Stakes, CliError> {
        let journal = self.rollout.journal();
        let filters = journal.filter_totals().await?.planned;
        Ok(Stakes {
            filters,
            users: journal.users_to_change().await?,
            calendar_loss: filters > 0 && self.calendar_loss().await?,
        })
    }

    async fn agree(&self, consent: &Consent<'_>, stakes: Stakes) -> Result<(), CliError> {
        self.guard(consent, stakes).await?;
        consent::obtain(consent, stakes, &self.interrupted).await
    }

    /// The guards: nobody should be asked about what is refused anyway.
    pub(super) async fn guard(
        &self,
        consent: &Consent<'_>,
        stakes: Stakes,
    ) -> Result<(), CliError> {
        let Some(limit) = consent.limit() else {
            return Ok(());
        };
        let selected = self.rollout.journal().user_totals().await?.selected;
        if limit.allows(stakes.users, selected) {
            return Ok(());
        }
        Err(CliError::TooManyChanges {
            users: stakes.users,
            selected,
            limit,
        })
    }

    /// Makes the changes of one wave, and answers how many users are left.
    pub(super) async fn wave(
        &self,
        consent: &Consent<'_>,
        wave: Wave,
    ) -> Result<(Result<(), RolloutError>, u64), CliError> {
        let applied = self.stretch(self.rollout.apply(application(consent, wave)));
        let applied = applied.await;
        let left = self.rollout.journal().users_to_change().await?;
        Ok((applied, left))
    }

    /// Ends the command: with the outcome of the run, or with how to go on.
    pub(super) async fn end(&self, result: Result<(), RolloutError>) -> Result<Exit, CliError> {
        let closed = self.close(result).await?;
        self.show_closed(&closed)
    }

    /// Records how the run ended, or that it was left and can be gone on with.
    pub(super) async fn close(&self, result: Result<(), RolloutError>) -> Result<Closed, CliError> {
        match result {
            Ok(()) => Ok(Closed::Ended(self.rollout.finish().await?)),
            Err(error) if is_resumable(&error) => {
                self.rollout.leave(Outcome::Stopped).await?;
                Ok(Closed::Stopped(CliError::from(error).told()))
            }
            Err(error) => {
                self.forget_if_nothing_came_of_it().await?;
                Err(error.into())
            }
        }
    }

    /// Records that the plan is complete; where there is nothing to change, that ends the run.
    pub(super) async fn close_plan(&self) -> Result<Closed, CliError> {
        if self.rollout.journal().filter_totals().await?.planned == 0 {
            return self.close(Ok(())).await;
        }
        self.rollout.leave(Outcome::Planned).await?;
        Ok(Closed::Ended(Outcome::Planned))
    }

    /// Records that the plan is complete and shows it.
    pub(super) async fn keep_plan(&self, detailed: bool) -> Result<Exit, CliError> {
        let closed = self.close_plan().await?;
        if !matches!(closed, Closed::Ended(Outcome::Planned)) {
            return self.show_closed(&closed);
        }
        let mut out = Printer::result();
        self.write_kept_plan(&mut out).await?;
        out.flush().map_err(CliError::Output)?;
        let name = self.name_to_type();
        self.printer.say(&format!(
            "Nothing was changed. `syncfilters apply {name}` applies this plan."
        ));
        self.exit_of_plan(detailed).await
    }

    /// How a plan that is kept ends the command.
    pub(super) async fn exit_of_plan(&self, detailed: bool) -> Result<Exit, CliError> {
        let failed = self.rollout.journal().user_totals().await?.failed;
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
    pub(super) fn name_to_type(&self) -> String {
        let id = self.rollout.head().id.as_str();
        let kept_with_the_others = self.path.file_stem().is_some_and(|stem| stem == id);
        if kept_with_the_others {
            id[..6].to_owned()
        } else {
            self.path.display().to_string()
        }
    }

    /// Whether what is planned can empty calendars.
    pub(super) async fn calendar_loss(&self) -> Result<bool, CliError> {
        let spared = self.rollout.head().organization.distinct_deletes == Some(true);
        Ok(!spared && self.rollout.journal().deactivates().await?)
    }

    /// Removes the run file of a run in which there was nothing to do.
    pub(super) fn forget(self) {
        discard(&self.path);
    }

    /// A run that ended before it had a plan is of no use to anybody.
    async fn forget_if_nothing_came_of_it(&self) -> Result<(), CliError> {
        let journal = self.rollout.journal();
        let phase = journal.phase().await?;
        let has_written = journal.has_written().await?;
        if phase < Phase::Planned && !has_written {
            discard(&self.path);
        } else if phase == Phase::Applying || has_written {
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
