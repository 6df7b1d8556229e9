//! `doctor` for several environments.

use std::num::NonZeroUsize;

use crate::cli::App;
use crate::cli::args::DoctorArgs;
use crate::cli::checklist::Checklist;
use crate::cli::doctor::{examine, exit_of};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::sign_in::{chosen, may_turn_to_a_person};

use super::Place;
use super::ending::{Conclusion, Ending, line};
use super::places::side_by_side;

/// Checks everything that a run depends on, everywhere: first where a person may be asked, one environment after the
/// other; then all others side by side.
pub(in crate::cli) async fn doctor(
    app: &App,
    args: &DoctorArgs,
    places: &[Place],
) -> Result<Exit, CliError> {
    let at_once = args.several.environments_at_once;
    let mut conclusion = Conclusion::new(app)?;
    for (place, list) in places.iter().zip(examine_all(app, places, at_once).await) {
        let name = &*place.name;
        let list = match list {
            Ok(list) => list,
            Err(error) => {
                conclusion.without_result(name, &Ending::badly(app, name, &error))?;
                continue;
            }
        };
        let mut out = conclusion.begin(name, None)?;
        list.write(&mut out, app.printer.format, app.printer.look())?;
        drop(out);
        let exit = exit_of(&list);
        let word = if list.has_failed() { "failed" } else { "ok" };
        conclusion.end(line(name, &Ending::well(word, exit)), exit)?;
    }
    conclusion.finish()
}

async fn examine_all(
    app: &App,
    places: &[Place],
    at_once: NonZeroUsize,
) -> Vec<Result<Checklist, CliError>> {
    let mut in_turn = Vec::new();
    for place in places {
        let settled = chosen(&place.target);
        let personal = settled.is_ok_and(|settled| may_turn_to_a_person(&settled.method));
        in_turn.push(if personal {
            Some(examine(app, Some(&place.name), place.target.clone()).await)
        } else {
            None
        });
    }
    let work = places.iter().zip(in_turn).map(|(place, done)| async {
        match done {
            Some(done) => done,
            None => examine(app, Some(&place.name), place.target.clone()).await,
        }
    });
    side_by_side(at_once, work).await
}
