//! From plans to the end: show, agree, apply wave by wave, sum up. Every command that writes uses this; one
//! environment is a list of one.

use std::io::Write;
use std::num::NonZeroUsize;

use crate::connect::side_by_side;
use crate::model::count;
use crate::plan::{Refusal, Stakes};
use crate::report::{Board, Watch, after_undo, question, wave_line, width_of_names, write_heading};
use crate::rollout::{
    AgreeResult, Agreed, Applied, DryRunResult, Halted, Planned, Refused, RunHandle, StopReason,
    agree,
};

use super::App;
use super::conclude::conclude;
use super::consent::{Consent, DryRunConsent};
use super::error::CliError;
use super::exit::Exit;
use super::site::{
    Ending, EnvironmentRun, EnvironmentStage, failed, leave, show_block, show_plan, show_refused,
};

/// Environments that are processed together.
pub(super) struct RunGroup<'a> {
    pub(super) app: &'a App,
    pub(super) sites: Vec<EnvironmentRun>,
    /// How many are processed at once.
    pub(super) at_once: NonZeroUsize,
    /// Whether their plans were narrowed by this command.
    pub(super) is_narrowed: bool,
}

/// Where the progress of each run is shown; a single run has no name.
pub(super) fn watches(app: &App, names: &[&str]) -> (Option<Board>, Vec<Watch>) {
    let style = app.printer.progress();
    if names.len() == 1 {
        return (None, vec![Watch::alone(style)]);
    }
    let board = Board::new(style, names);
    let watches = (0..names.len()).map(|at| board.watch(at)).collect();
    (Some(board), watches)
}

impl RunGroup<'_> {
    fn several(&self) -> bool {
        self.sites.len() > 1
    }

    /// Records an ending. It is printed at once if other environments continue.
    fn end(&mut self, at: usize, ending: Ending) {
        if self.several() {
            ending.print_status(self.app, Some(&self.sites[at].name));
        }
        self.sites[at].stage = EnvironmentStage::Ended(ending);
    }

    /// Takes the plans, each with its place.
    fn take_plans(&mut self) -> (Vec<usize>, Vec<Planned>) {
        let (mut places, mut plans) = (Vec::new(), Vec::new());
        for (at, site) in self.sites.iter_mut().enumerate() {
            let taken = EnvironmentStage::Ended(Ending::well("", Exit::Done));
            match std::mem::replace(&mut site.stage, taken) {
                EnvironmentStage::Planned(planned) => {
                    places.push(at);
                    plans.push(*planned);
                }
                ended @ EnvironmentStage::Ended(_) => site.stage = ended,
            }
        }
        (places, plans)
    }

    /// Shows, agrees, applies, sums up.
    pub(super) async fn carry_out(mut self, consent: &mut Consent) -> Result<Exit, CliError> {
        self.work(consent).await?;
        conclude(self.app, self.sites, false)
    }

    /// As [`Self::carry_out`], without the results.
    pub(super) async fn work(&mut self, consent: &mut Consent) -> Result<(), CliError> {
        if consent.dry_run {
            return self.rehearse(consent).await;
        }
        let mut first = true;
        loop {
            let (places, plans) = self.take_plans();
            if plans.is_empty() {
                break;
            }
            let plans = if first {
                plans
            } else {
                match self.pause(plans).await {
                    Ok(plans) => plans,
                    Err(halted) => {
                        self.end_all(&places, halted);
                        break;
                    }
                }
            };
            if self.app.is_time_up() {
                self.stop_all(&places, plans).await;
                break;
            }
            let agreed = self.agree(consent, places, plans, first).await?;
            self.apply(agreed).await?;
            first = false;
        }
        Ok(())
    }

    fn end_all(&mut self, places: &[usize], halted: Vec<Halted>) {
        for (at, halted) in places.iter().zip(halted) {
            self.end(*at, Ending::of_halted(halted));
        }
    }

    /// Stops all plans, because the time has come.
    async fn stop_all(&mut self, places: &[usize], plans: Vec<Planned>) {
        let mut halted = Vec::new();
        for planned in plans {
            halted.push(planned.stop(StopReason::TimeReached).await);
        }
        self.end_all(places, halted);
    }

    /// Waits between two waves, if a pause was given instead of a question.
    async fn pause(&self, plans: Vec<Planned>) -> Result<Vec<Planned>, Vec<Halted>> {
        let pause = plans.iter().filter_map(Planned::wave_pause).max();
        let Some(pause) = pause else {
            return Ok(plans);
        };
        let said = format!("Waiting for {} s.", pause.as_secs());
        self.app.printer.status_line(&said);
        let interrupted = &self.app.interrupted;
        tokio::select! {
            () = interrupted.cancelled() => {}
            // The rest is stopped before the next wave.
            () = self.app.time_is_up() => return Ok(plans),
            () = tokio::time::sleep(pause) => return Ok(plans),
        }
        let mut halted = Vec::new();
        for planned in plans {
            halted.push(planned.interrupt().await);
        }
        Err(halted)
    }

    /// Obtains the answers for the guards. Refused plans are left, and one missing answer prevents all.
    async fn agree(
        &mut self,
        consent: &mut Consent,
        places: Vec<usize>,
        mut plans: Vec<Planned>,
        show: bool,
    ) -> Result<Vec<(usize, Agreed)>, CliError> {
        let mut stakes = Vec::new();
        for planned in &plans {
            stakes.push(planned.stakes().await?);
        }
        let refused = consent.dry_run(&stakes).refused;
        for ((at, planned), (here, refused)) in
            places.iter().zip(&plans).zip(stakes.iter().zip(&refused))
        {
            if !show || here.items == 0 {
                continue;
            }
            let why = refused.as_deref().unwrap_or_default();
            self.show(*at, planned, here, (why, consent.keeps_plans()))?;
            if let Some(said) = after_undo(here).filter(|_| !consent.can_ask()) {
                // If the user is asked, the question contains it.
                self.app.printer.status_line(&said);
            }
        }
        if show && self.shows_blocks() && stakes.iter().any(|here| here.items > 0) {
            let (mut out, _) = self.app.printer.status();
            writeln!(out)
                .and_then(|()| out.flush())
                .map_err(CliError::Output)?;
        }
        let left_out = self.left_out(&places, &refused);
        loop {
            let answer = match agree(plans, &mut consent.said).await {
                Ok(answer) => answer,
                Err(halted) => {
                    self.end_all(&places, halted);
                    return Ok(Vec::new());
                }
            };
            let missing = match answer {
                AgreeResult::Decided(decided) => {
                    return Ok(self.decided(consent, places, decided, show).await);
                }
                AgreeResult::Missing {
                    plans: back,
                    missing,
                } => {
                    plans = back;
                    missing
                }
            };
            let named = places
                .iter()
                .zip(stakes.iter().zip(&refused))
                .filter(|(_, (stakes, refused))| stakes.items > 0 && refused.is_none());
            let named: Vec<_> = named
                .map(|(at, (stakes, _))| (self.sites[*at].name.as_str(), stakes))
                .collect();
            let question = question(&named, &left_out);
            let obtained = consent.obtain(&missing, &question, &self.app.interrupted);
            if let Err(error) = obtained.await {
                let why = (&error, show, consent.keeps_plans());
                self.withhold(&places, plans, &stakes, why).await;
                return Ok(Vec::new());
            }
        }
    }

    /// Whether each plan is shown in a few lines.
    fn shows_blocks(&self) -> bool {
        self.several() && !self.app.details
    }

    /// Environments that the question does not include, because they were refused or have no plan.
    fn left_out(&self, places: &[usize], refused: &[Option<Vec<Refusal>>]) -> Vec<String> {
        let planned = |at: usize| places.iter().position(|place| *place == at);
        let sites = self.sites.iter().enumerate();
        let out = sites.filter(|(at, _)| match planned(*at) {
            Some(here) => refused[here].is_some(),
            None => true,
        });
        out.map(|(_, site)| site.name.clone()).collect()
    }

    fn show(
        &self,
        at: usize,
        planned: &Planned,
        stakes: &Stakes,
        (refused, is_kept): (&[Refusal], bool),
    ) -> Result<(), CliError> {
        if self.shows_blocks() {
            let width = width_of_names(self.sites.iter().map(|site| site.name.as_str()));
            let name = (self.sites[at].name.as_str(), width);
            return match refused.first() {
                Some(why) => show_refused(self.app, name, &format!("refused: {why}")),
                None => show_block(self.app, name, planned, stakes.calendar_loss),
            };
        }
        if self.several() {
            let (mut out, _) = self.app.printer.status();
            write_heading(&mut out, &self.sites[at].name)?;
            out.flush().map_err(CliError::Output)?;
        }
        show_plan(self.app, planned, stakes.calendar_loss, is_kept)
    }

    async fn decided(
        &mut self,
        consent: &Consent,
        places: Vec<usize>,
        decided: Vec<Result<Agreed, Refused>>,
        show: bool,
    ) -> Vec<(usize, Agreed)> {
        let mut agreed = Vec::new();
        for (at, one) in places.into_iter().zip(decided) {
            match one {
                Ok(one) => agreed.push((at, one)),
                Err(Refused { planned, why }) => {
                    let named = consent.keeps_plans().then(|| planned.reference());
                    let error = CliError::refused(&why, named);
                    let ending = leave(planned, error, !show).await;
                    self.end(at, ending.kept_if(consent.keeps_plans()));
                }
            }
        }
        agreed
    }

    /// Leaves all plans, because nothing was agreed to. A plan without changes ends nevertheless.
    async fn withhold(
        &mut self,
        places: &[usize],
        plans: Vec<Planned>,
        stakes: &[Stakes],
        (error, show, keeps_plans): (&CliError, bool, bool),
    ) {
        for ((at, planned), stakes) in places.iter().zip(plans).zip(stakes) {
            let ending = if stakes.items == 0 {
                match planned.keep().await {
                    Ok(run) => Ending::of_run(run),
                    Err(halted) => Ending::of_halted(halted),
                }
            } else {
                let left = leave(planned, error.again(), !show).await;
                left.kept_if(keeps_plans)
            };
            self.end(*at, ending);
        }
    }

    /// Applies one wave in all environments, and waits until all of them are done.
    async fn apply(&mut self, agreed: Vec<(usize, Agreed)>) -> Result<(), CliError> {
        let names: Vec<_> = self.sites.iter().map(|site| &*site.name).collect();
        let app = self.app;
        let (board, watches) = watches(app, &names);
        let work = agreed.into_iter().map(|(at, agreed)| {
            let watch = watches[at].clone();
            async move {
                let run = agreed.handle();
                (at, app.during(&watch, run, agreed.apply()).await)
            }
        });
        let came = side_by_side(self.at_once, work).await;
        drop(board);
        for (at, applied) in came {
            match applied {
                Ok(Applied::WaveOver(planned)) => {
                    self.sum_up(at, &planned).await?;
                    self.sites[at].stage = EnvironmentStage::Planned(Box::new(planned));
                }
                Ok(Applied::Finished(run)) => self.end(at, Ending::of_run(run)),
                Err(halted) => self.end(at, Ending::of_halted(halted)),
            }
        }
        Ok(())
    }

    /// Prints the progress of a run after a wave.
    async fn sum_up(&self, at: usize, planned: &Planned) -> Result<(), CliError> {
        let stakes = planned.stakes().await?;
        let whose = if self.several() {
            format!("{}: ", self.sites[at].name)
        } else {
            String::new()
        };
        let wave = wave_line(&planned.journal().last_wave().await?, &stakes);
        self.app.printer.status_line(&format!("{whose}{wave}"));
        Ok(())
    }

    /// `--dry-run`: reads what would be changed, and leaves every run as it is. Refusals of the guards still apply.
    async fn rehearse(&mut self, consent: &Consent) -> Result<(), CliError> {
        let (places, plans) = self.take_plans();
        let mut stakes = Vec::new();
        for planned in &plans {
            stakes.push(planned.stakes().await?);
        }
        let dry_run = consent.dry_run(&stakes);
        for ((at, planned), (here, refused)) in places
            .iter()
            .zip(&plans)
            .zip(stakes.iter().zip(&dry_run.refused))
        {
            // A narrowed plan is in no file; its numbers were said.
            if !self.is_narrowed {
                let why = refused.as_deref().unwrap_or_default();
                // No later command can name what is only shown.
                self.show(*at, planned, here, (why, false))?;
            }
        }
        let (places, plans) = self.refuse(places, plans, &dry_run).await;
        for stakes in &stakes {
            if let Some(said) = after_undo(stakes) {
                self.app.printer.status_line(&said);
            }
        }
        let names: Vec<_> = self.sites.iter().map(|site| &*site.name).collect();
        let app = self.app;
        let (board, watches) = watches(app, &names);
        let work = places.into_iter().zip(plans).map(|(at, planned)| {
            let watch = watches[at].clone();
            async move {
                let run: RunHandle = planned.handle();
                let rehearsed = app.during(&watch, run, planned.rehearse()).await;
                (at, rehearsed, planned)
            }
        });
        let came = side_by_side(self.at_once, work).await;
        drop(board);
        for (at, rehearsed, planned) in came {
            let kept = match rehearsed {
                Ok(found) => {
                    self.app.printer.status_line(&rehearsal(found));
                    planned.set_aside().await
                }
                Err(why) => {
                    let run = planned.set_aside().await.ok();
                    let ending = failed(why);
                    self.end(at, Ending { run, ..ending });
                    continue;
                }
            };
            let ending = match kept {
                Ok(run) => Ending {
                    exit: Exit::Done,
                    is_shown: true,
                    ..Ending::of_run(run)
                },
                Err(halted) => Ending::of_halted(halted),
            };
            self.end(at, ending);
        }
        dry_run.print(self.app);
        Ok(())
    }

    /// Leaves the refused plans as they are. Returns the others.
    async fn refuse(
        &mut self,
        places: Vec<usize>,
        plans: Vec<Planned>,
        dry_run: &DryRunConsent,
    ) -> (Vec<usize>, Vec<Planned>) {
        let (mut open, mut left) = (Vec::new(), Vec::new());
        for ((at, planned), refused) in places.into_iter().zip(plans).zip(&dry_run.refused) {
            let Some(why) = refused else {
                open.push(at);
                left.push(planned);
                continue;
            };
            let error = CliError::refused(why, None);
            let ending = match planned.set_aside().await {
                Ok(run) => Ending::refused(&error, Some(run)),
                Err(halted) => Ending::of_halted(halted),
            };
            self.end(at, ending);
        }
        (open, left)
    }
}

fn rehearsal(found: DryRunResult) -> String {
    let DryRunResult {
        users,
        filters,
        unchanged,
        templates,
        drifted,
        unread,
    } = found;
    if templates > 0 {
        let templates = count(templates, "template");
        return format!("Dry run: nothing was sent. It would change {templates}.");
    }
    let (filters, users) = (count(filters, "filter"), count(users, "user"));
    let drifted = match drifted {
        0 => String::new(),
        users => format!(
            " The filters of {} are not as planned.",
            count(users, "user")
        ),
    };
    let unchanged = match unchanged {
        0 => String::new(),
        1 => " 1 filter is in the wanted state already.".to_owned(),
        filters => format!(
            " {} are in the wanted state already.",
            count(filters, "filter")
        ),
    };
    let unread = match unread {
        0 => String::new(),
        users => format!(" {} could not be read.", count(users, "user")),
    };
    format!(
        "Dry run: nothing was sent. It would change {filters} of {users}.{unchanged}{drifted}{unread}"
    )
}
