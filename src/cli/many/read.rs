//! `list` and `check` for several environments.

use std::num::NonZeroUsize;

use crate::dataverse::Reader;
use crate::journal::RunFile;
use crate::model::{RunId, State};
use crate::report::{Board, ListWriter};
use crate::rollout::{Started, SurveyMode};

use crate::cli::App;
use crate::cli::args::{CheckArgs, ListArgs};
use crate::cli::check::{self, sentence, show_drift};
use crate::cli::driver::Driver;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::list::{self, show};

use super::Place;
use super::ending::{Conclusion, Ending, line};
use super::places::{connect_all, side_by_side};

/// An environment whose users and filters were read into a run that leaves no file.
type Surveyed<'a> = Result<(Driver<'a>, Reader), CliError>;

/// Lists users and their filters everywhere.
pub(in crate::cli) async fn list(
    app: &App,
    started: Started,
    args: &ListArgs,
    places: &[Place],
) -> Result<Exit, CliError> {
    let survey = args.scope.survey.into();
    let at_once = args.several.environments_at_once;
    let mut conclusion = Conclusion::new(app)?;
    let found = survey_all(app, started, survey, at_once, places).await;
    for (place, surveyed) in places.iter().zip(found) {
        let name = &*place.name;
        let (driver, _) = match surveyed {
            Ok(surveyed) => surveyed,
            Err(error) => {
                conclusion.without_result(name, &Ending::badly(app, name, &error))?;
                continue;
            }
        };
        let mut out = conclusion.begin(name, None)?;
        let mut writer = ListWriter::new(&mut out, app.printer.format, app.printer.look())?;
        let shown = show(driver.rollout(), &mut writer, None, Some).await?;
        writer.finish()?;
        drop(out);
        let exit = list::exit_of(shown);
        let ending = Ending::well(word(exit), exit);
        conclusion.end(line(name, &ending), exit)?;
    }
    conclusion.finish()
}

/// Lists what is not in the wanted state everywhere, and who changed it.
pub(in crate::cli) async fn check(
    app: &App,
    (started, wanted): (Started, State),
    args: &CheckArgs,
    places: &[Place],
) -> Result<Exit, CliError> {
    let survey = args.scope.survey.into();
    let at_once = args.several.environments_at_once;
    let mut conclusion = Conclusion::new(app)?;
    let found = survey_all(app, started, survey, at_once, places).await;
    for (place, surveyed) in places.iter().zip(found) {
        let name = &*place.name;
        let (driver, reader) = match surveyed {
            Ok(surveyed) => surveyed,
            Err(error) => {
                conclusion.without_result(name, &Ending::badly(app, name, &error))?;
                continue;
            }
        };
        let mut out = conclusion.begin(name, None)?;
        let mut writer = ListWriter::drift(&mut out, app.printer.format, app.printer.look())?;
        let shown = show_drift(driver.rollout(), &mut writer, &reader, wanted).await?;
        writer.finish()?;
        drop(out);
        app.printer
            .say(&format!("{name}: {}", sentence(shown, wanted)));
        let exit = check::exit_of(shown);
        let ending = Ending::well(word(exit), exit);
        conclusion.end(line(name, &ending), exit)?;
    }
    conclusion.finish()
}

const fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "complete",
        Exit::Pending => "out-of-line",
        _ => "partial",
    }
}

async fn survey_all<'a>(
    app: &'a App,
    started: Started,
    survey: SurveyMode,
    at_once: NonZeroUsize,
    places: &[Place],
) -> Vec<Surveyed<'a>> {
    let foreseen = places.iter().map(|_| Ok(())).collect();
    let readers = connect_all(app, places, at_once, foreseen).await;
    let names: Vec<_> = places.iter().map(|place| &*place.name).collect();
    let board = Board::new(app.printer.progress(), &names);
    let work = readers.into_iter().enumerate().map(|(at, reader)| {
        let (started, watch) = (started.clone(), board.watch(at));
        async move {
            let reader = reader?;
            let mut driver = begin(app, started, reader.clone())?;
            driver.show_on(watch);
            driver.gather_and_survey(survey).await?;
            Ok((driver, reader))
        }
    });
    side_by_side(at_once, work).await
}

fn begin(app: &App, started: Started, reader: Reader) -> Result<Driver<'_>, CliError> {
    let file = RunFile::temporary(started.head(RunId::random(), &reader))?;
    Driver::new(&app.printer, reader, file, &app.interrupted)
}
