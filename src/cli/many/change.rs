//! `deactivate`, `reactivate` and `plan` for several environments: the plans of all first, then one consent for all.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::dataverse::{self, Reader};
use crate::journal::{Asked, RunFile, RunStore};
use crate::model::{Outcome, RunId};
use crate::plan::Wave;
use crate::report::{Board, write_heading};
use crate::rollout::{RolloutError, Started, SurveyMode};

use crate::cli::App;
use crate::cli::args::{ChangeArgs, ConsentArgs, PlanArgs};
use crate::cli::change::can_lose;
use crate::cli::connect::store;
use crate::cli::consent::{self, Consent};
use crate::cli::driver::{Closed, Driver};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::waves::{last_wave, waves};

use super::Place;
use super::ending::{Conclusion, Ending, line_of_run};
use super::places::{connect_all, side_by_side};

/// One environment and how far it has come.
struct Site<'a> {
    name: &'a str,
    /// What it has to keep to, and what was agreed to; none where nothing is to be changed.
    consent: Option<&'a Consent<'a>>,
    driver: Option<Driver<'a>>,
    ending: Option<Ending>,
}

impl<'a> Site<'a> {
    /// The run, while there is something to do.
    fn at_work(&self) -> Option<&Driver<'a>> {
        self.driver.as_ref().filter(|_| self.ending.is_none())
    }

    /// The consent, while there is something to do.
    fn undecided(&self) -> Option<&'a Consent<'a>> {
        self.consent.filter(|_| self.at_work().is_some())
    }
}

/// What is asked of every environment.
struct Job<'a> {
    app: &'a App,
    started: Started,
    asked: Asked,
    survey: SurveyMode,
    at_once: NonZeroUsize,
    store: RunStore,
}

/// Plans everywhere, shows, asks once, applies side by side and sums up.
pub(in crate::cli) async fn change(
    app: &App,
    (started, asked): (Started, Asked),
    args: &ChangeArgs,
    places: &[Place],
) -> Result<Exit, CliError> {
    confirms_only(&args.consent, places)?;
    let flags: Vec<_> = places.iter().map(|place| flags_of(args, place)).collect();
    let consents: Vec<_> = places
        .iter()
        .zip(&flags)
        .map(|(place, flags)| Consent::new(flags, place.target.guards.clone()))
        .collect();
    let job = Job {
        app,
        started,
        asked,
        survey: args.scope.survey.into(),
        at_once: args.several.environments_at_once,
        store: store(&app.output)?,
    };
    let (waves, dry_run) = (waves(&args.consent), args.consent.dry_run);
    let mut sites = job.plan_all(places, &consents).await?;
    job.agree(&mut sites).await?;
    for (number, wave) in waves.iter().enumerate() {
        job.wave(&mut sites, *wave, number + 1).await?;
        let Some(consent) = sites.iter().find_map(Site::undecided) else {
            break;
        };
        let go_on = if number + 1 == waves.len() {
            Err(last_wave())
        } else {
            consent::between_waves(consent, &app.printer, &app.interrupted).await?
        };
        if let Err(stopped) = go_on {
            job.stop(&mut sites, &stopped).await;
            break;
        }
    }
    if dry_run {
        app.printer
            .say("This was a dry run: no change was sent, and the plans are kept.");
    }
    job.conclude(sites, false).await
}

/// Refuses a confirmation of an environment that is none of these.
fn confirms_only(flags: &ConsentArgs, places: &[Place]) -> Result<(), CliError> {
    let named = |name: &&String| {
        let mut guards = places.iter().map(|place| &place.target.guards);
        guards.any(|guards| guards.name.as_ref() == Some(name))
    };
    let mut said = flags.confirm_environment.iter();
    match said.find(|name| !named(name)) {
        None => Ok(()),
        Some(stranger) => Err(CliError::WouldAsk(format!(
            "--confirm-environment is `{stranger}`, and none of the environments that were named is called so; \
             nothing was changed"
        ))),
    }
}

/// The flags as they hold for one environment: with its own confirmation only.
fn flags_of(args: &ChangeArgs, place: &Place) -> ConsentArgs {
    let mut flags = args.consent.clone();
    let own = place.target.guards.name.as_ref();
    flags.confirm_environment.retain(|name| Some(name) == own);
    flags
}

/// Plans everywhere, and keeps the plans.
pub(in crate::cli) async fn plan(
    app: &App,
    (started, asked): (Started, Asked),
    args: &PlanArgs,
    places: &[Place],
) -> Result<Exit, CliError> {
    if args.out.is_some() {
        let why = "--out keeps one plan; of several environments each plan is kept among the runs";
        return Err(CliError::Usage(why.into()));
    }
    let job = Job {
        app,
        started,
        asked,
        survey: args.scope.survey.into(),
        at_once: args.several.environments_at_once,
        store: store(&app.output)?,
    };
    let mut sites = job.plan_all(places, &[]).await?;
    for site in &mut sites {
        let Some(driver) = site.at_work() else {
            continue;
        };
        let closed = driver.close_plan().await?;
        let mut ending = Ending::of_run(app, site.name, driver, closed);
        if ending.word == "planned" {
            ending.exit = driver.exit_of_plan(args.detailed_exitcode).await?;
            let (name, run) = (site.name, driver.name_to_type());
            app.printer.say(&format!(
                "{name}: nothing was changed. `syncfilters apply {run}` applies this plan."
            ));
        }
        site.ending = Some(ending);
    }
    job.conclude(sites, true).await
}

impl<'a> Job<'a> {
    /// Signs in everywhere and makes every plan. What fails somewhere ends that environment only, and is said.
    /// Without consents nothing is to be changed.
    async fn plan_all(
        &self,
        places: &'a [Place],
        consents: &'a [Consent<'a>],
    ) -> Result<Vec<Site<'a>>, CliError> {
        let (app, operation) = (self.app, self.started.operation);
        let foresee = |at: usize, loss: bool| {
            let consent = consents.get(at);
            consent.map_or(Ok(()), |consent| consent::foresee(consent, loss))
        };
        let foreseen = (0..places.len()).map(|at| foresee(at, false)).collect();
        let readers = connect_all(app, places, self.at_once, foreseen).await;
        let begun = readers.into_iter().enumerate().map(|(at, reader)| {
            let reader = reader?;
            foresee(at, can_lose(operation, &reader))?;
            Ok::<_, CliError>(reader)
        });
        let names: Vec<_> = places.iter().map(|place| &*place.name).collect();
        let board = Board::new(app.printer.progress(), &names);
        let work = begun.enumerate().map(|(at, reader)| {
            let watch = board.watch(at);
            async move {
                let mut driver = self.begin(reader?)?;
                driver.show_on(watch);
                driver.find_out(self.asked.clone()).await?;
                let surveyed = driver.gather_and_survey(self.survey).await;
                Ok::<_, CliError>((driver, surveyed))
            }
        });
        let planned = side_by_side(self.at_once, work).await;
        drop(board);
        let mut sites = Vec::new();
        for (at, (name, planned)) in names.into_iter().zip(planned).enumerate() {
            let mut site = self.site(name, planned).await;
            site.consent = consents.get(at);
            sites.push(site);
        }
        Ok(sites)
    }

    /// A new run; none is begun after an interruption.
    fn begin(&self, reader: Reader) -> Result<Driver<'a>, CliError> {
        if self.app.interrupted.is_cancelled() {
            return Err(dataverse::Error::Interrupted.into());
        }
        let id = RunId::random();
        let path: PathBuf = self.store.path_for(&id)?;
        let file = RunFile::create(&path, self.started.clone().head(id, &reader))?;
        Driver::new(&self.app.printer, reader, file, &self.app.interrupted)
    }

    async fn site(
        &self,
        name: &'a str,
        planned: Result<(Driver<'a>, Result<(), RolloutError>), CliError>,
    ) -> Site<'a> {
        let (driver, ending) = match planned {
            Ok((driver, Ok(()))) => (Some(driver), None),
            Ok((driver, stopped)) => match driver.close(stopped).await {
                Ok(closed) => {
                    let ending = Ending::of_run(self.app, name, &driver, closed);
                    (Some(driver), Some(ending))
                }
                // Its file may be gone.
                Err(error) => (None, Some(Ending::badly(self.app, name, &error))),
            },
            Err(error) => (None, Some(Ending::badly(self.app, name, &error))),
        };
        Site {
            name,
            consent: None,
            driver,
            ending,
        }
    }

    /// Shows every plan, one after the other, and gets one consent for all that are within their guards.
    async fn agree(&self, sites: &mut [Site<'a>]) -> Result<(), CliError> {
        let (mut stakes, mut names) = (Vec::new(), Vec::new());
        for site in sites.iter_mut() {
            let (Some(driver), Some(consent)) = (site.at_work(), site.consent) else {
                continue;
            };
            let here = driver.stakes().await?;
            if here.filters == 0 {
                continue;
            }
            let (mut out, _) = self.app.printer.talk();
            write_heading(&mut out, site.name)?;
            out.flush().map_err(CliError::Output)?;
            driver.show_plan(here)?;
            match driver.guard(consent, here).await {
                Ok(()) => {
                    stakes.push((consent, here));
                    names.push(site.name);
                }
                Err(error) => self.keep(site, &error).await?,
            }
        }
        let interrupted = &self.app.interrupted;
        let agreed = if stakes.is_empty() {
            Ok(())
        } else if interrupted.is_cancelled() {
            Err(CliError::InterruptedAtPrompt)
        } else {
            consent::obtain_for_all(&stakes, &names, interrupted).await
        };
        let Err(error) = agreed else { return Ok(()) };
        for site in sites {
            if names.contains(&site.name) {
                self.keep(site, &error).await?;
            }
        }
        Ok(())
    }

    /// The plan is kept, and nothing is changed.
    async fn keep(&self, site: &mut Site<'a>, error: &CliError) -> Result<(), CliError> {
        if let Some(driver) = &site.driver {
            driver.rollout().leave(Outcome::Planned).await?;
            site.ending = Some(Ending::badly(self.app, site.name, error));
            let (name, run) = (site.name, driver.name_to_type());
            self.app.printer.say(&format!(
                "{name}: the plan is kept: `syncfilters apply {run}` applies it."
            ));
        }
        Ok(())
    }

    /// One wave in every environment that has something left to do; it is over when it is over everywhere.
    async fn wave(
        &self,
        sites: &mut [Site<'a>],
        wave: Wave,
        number: usize,
    ) -> Result<(), CliError> {
        let names: Vec<_> = sites.iter().map(|site| site.name).collect();
        let board = Board::new(self.app.printer.progress(), &names);
        let work = sites.iter_mut().enumerate().map(|(at, site)| {
            let watch = board.watch(at);
            async move {
                let consent = site.undecided()?;
                let driver = site.driver.as_mut()?;
                driver.show_on(watch);
                Some(advance(driver, consent, wave).await)
            }
        });
        let came = side_by_side(self.at_once, work).await;
        drop(board);
        for (site, came) in sites.iter_mut().zip(came) {
            let (Some(came), Some(driver)) = (came, &site.driver) else {
                continue;
            };
            match came {
                Ok(Advance::Closed(closed)) => {
                    site.ending = Some(Ending::of_run(self.app, site.name, driver, closed));
                }
                Ok(Advance::Left(left)) => {
                    driver.sum_up_wave(number, left, Some(site.name)).await?;
                }
                Err(error) => site.ending = Some(Ending::badly(self.app, site.name, &error)),
            }
        }
        Ok(())
    }

    /// Leaves what is not done for `resume`.
    async fn stop(&self, sites: &mut [Site<'a>], why: &RolloutError) {
        for site in sites {
            let Some(driver) = site.at_work() else {
                continue;
            };
            let why = match why {
                RolloutError::Stopped(why) => RolloutError::Stopped(why.clone()),
                _ => RolloutError::Interrupted,
            };
            let ending = match driver.close(Err(why)).await {
                Ok(closed) => Ending::of_run(self.app, site.name, driver, closed),
                Err(error) => Ending::badly(self.app, site.name, &error),
            };
            site.ending = Some(ending);
        }
    }

    /// Writes what came of every environment; `plans` says that a plan is what was asked for.
    async fn conclude(&self, sites: Vec<Site<'a>>, plans: bool) -> Result<Exit, CliError> {
        let mut conclusion = Conclusion::new(self.app)?;
        for Site {
            name,
            consent: _,
            driver,
            ending,
        } in &sites
        {
            let Some(ending) = ending else { continue };
            let Some(driver) = driver else {
                conclusion.without_result(name, ending)?;
                continue;
            };
            let line = line_of_run(name, ending, driver).await?;
            let mut out = conclusion.begin(name, ending.error.as_ref())?;
            if plans && ending.word == "planned" {
                driver.write_kept_plan(&mut out).await?;
            } else {
                driver.write_result(&mut out)?;
            }
            drop(out);
            conclusion.end(line, ending.exit)?;
        }
        conclusion.finish()
    }
}

/// How far a wave has led.
enum Advance {
    /// The run is over, or was left.
    Closed(Closed),
    /// So many users are left for the next wave.
    Left(u64),
}

async fn advance(
    driver: &Driver<'_>,
    consent: &Consent<'_>,
    wave: Wave,
) -> Result<Advance, CliError> {
    let (applied, left) = driver.wave(consent, wave).await?;
    if consent.args.dry_run && applied.is_ok() {
        driver.rollout().leave(Outcome::Planned).await?;
        return Ok(Advance::Closed(Closed::Ended(Outcome::Planned)));
    }
    if applied.is_err() || left == 0 {
        return Ok(Advance::Closed(driver.close(applied).await?));
    }
    Ok(Advance::Left(left))
}
