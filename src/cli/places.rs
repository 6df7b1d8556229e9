//! Which environments, and signing in to them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroUsize};

use futures_util::StreamExt;

use crate::auth::{SecretFrom, SignInMethod};
use crate::model::is_same_place;
use crate::plan::RunSettings;
use crate::report::{Format, ReportError};
use crate::rollout::Connection;
use crate::settings::{Pace, RunAddress, Target};

use super::App;
use super::args::{ConnectionArgs, OutputArgs};
use super::connect::{Layers, connect_with, target};
use super::error::CliError;
use super::sign_in::{SignIn, announce, chosen, may_turn_to_a_person};

/// An environment that was named.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) target: Target,
}

/// The environments that are meant: the one that was named, or the default, or several.
///
/// # Errors
/// With everything that is wrong with them, before anything is asked of any server.
pub(super) fn places(args: &ConnectionArgs, output: &OutputArgs) -> Result<Vec<Place>, CliError> {
    if args.environment.len() < 2 {
        return Ok(vec![Place::of(target(args, None)?)]);
    }
    if output.format == Format::Html {
        return Err(ReportError::OnlyOneRun.into());
    }
    let layers = Layers::read(args)?;
    let (mut places, mut wrong) = (Vec::new(), Vec::new());
    for name in &args.environment {
        match layers.target(args, Some(name), None) {
            Ok(target) => places.push(Place {
                name: name.clone(),
                target,
            }),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    wrong.extend(same(&places));
    let tokens = places.iter().filter_map(|place| {
        let variable = token_variable(&chosen(&place.target).ok()?.method)?;
        Some((place.name.clone(), variable))
    });
    wrong.extend(shared(tokens));
    if wrong.is_empty() {
        return Ok(places);
    }
    Err(CliError::Environments(wrong))
}

/// The environment of a run that has a file.
pub(super) fn place_of_run(args: &ConnectionArgs, run: RunAddress<'_>) -> Result<Place, CliError> {
    Ok(Place::of(target(args, Some(run))?))
}

impl Place {
    /// At the pace that was given with a run, unless a flag of this command says another.
    pub(super) fn at_pace_of(mut self, kept: &RunSettings) -> Self {
        let Pace {
            concurrency,
            max_requests_per_5m,
        } = self.target.flags;
        let number = |n: NonZeroU32| n.get();
        if let (None, Some(kept)) = (concurrency, kept.concurrency) {
            self.target.pacing.fixed_concurrency = Some(number(kept));
        }
        if let (None, Some(kept)) = (max_requests_per_5m, kept.max_requests_per_5m) {
            self.target.pacing.max_requests_per_5m = Some(number(kept));
        }
        self
    }

    /// The only environment: named as in the configuration file, else by its address.
    fn of(target: Target) -> Self {
        let name = target.guards.names.first().cloned();
        Self {
            name: name.unwrap_or_else(|| target.environment.to_string()),
            target,
        }
    }
}

/// Environments that were named twice, by the same name or by two names of one address.
fn same(places: &[Place]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let url = place.target.environment.as_url();
        let before = places[..at]
            .iter()
            .find(|one| is_same_place(one.target.environment.as_url(), url));
        match before {
            Some(before) if before.name == place.name => {
                wrong.push(format!("environment `{}` is named twice", place.name));
            }
            Some(before) => wrong.push(format!(
                "environments `{}` and `{}` have the same address, {}",
                before.name, place.name, place.target.environment
            )),
            None => {}
        }
    }
    wrong
}

fn token_variable(method: &SignInMethod) -> Option<String> {
    match method {
        SignInMethod::Given {
            token: SecretFrom::Variable(variable),
        } => Some(variable.clone()),
        _ => None,
    }
}

/// A token is for one environment, and goes to no other.
fn shared(tokens: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut by_variable = BTreeMap::<String, Vec<String>>::new();
    for (name, variable) in tokens {
        by_variable.entry(variable).or_default().push(name);
    }
    by_variable.retain(|_, names| names.len() > 1);
    let told = |(variable, names): (String, Vec<String>)| {
        let mut text = format!("the token in {variable} is for one environment, and would go to ");
        for (at, name) in names.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}`{name}`", if at > 0 { ", " } else { "" });
        }
        text.push_str(
            "; set `access-token-variable` of each in the configuration file, or use another way of signing in",
        );
        text
    };
    by_variable.into_iter().map(told).collect()
}

/// Does pieces of work side by side, so many at once; what came of them is in the order of the pieces.
pub(super) async fn side_by_side<T, F: Future<Output = T>>(
    at_once: NonZeroUsize,
    work: impl IntoIterator<Item = F>,
) -> Vec<T> {
    let numbered = work
        .into_iter()
        .enumerate()
        .map(|(at, one)| async move { (at, one.await) });
    let mut done: Vec<_> = futures_util::stream::iter(numbered)
        .buffer_unordered(at_once.get())
        .collect()
        .await;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, one)| one).collect()
}

/// Signs in to every environment and finds out who answers: first those where a person may be asked, one after the
/// other; then all others side by side.
pub(super) async fn connect_all(
    app: &App,
    places: &[Place],
    at_once: NonZeroUsize,
) -> Vec<(String, Result<Connection, CliError>)> {
    let several = places.len() > 1;
    let mut signed_in = Vec::new();
    for place in places {
        signed_in.push(if several {
            sign_in_in_turn(app, place).await
        } else {
            Ok(None)
        });
    }
    let work = places
        .iter()
        .zip(signed_in)
        .map(|(place, signed_in)| async {
            let connected = connect(app, place, several, signed_in).await;
            (place.name.clone(), connected)
        });
    side_by_side(at_once, work).await
}

async fn connect(
    app: &App,
    place: &Place,
    several: bool,
    signed_in: Result<Option<SignIn>, CliError>,
) -> Result<Connection, CliError> {
    let sign_in = match signed_in? {
        Some(sign_in) => sign_in,
        None => open(app, place, several).await?,
    };
    let target = place.target.clone();
    let connection = connect_with(app, target, sign_in.signed_in()).await?;
    announce(&sign_in, connection.reader().identity());
    Ok(connection)
}

/// `None` where nobody has to be asked.
async fn sign_in_in_turn(app: &App, place: &Place) -> Result<Option<SignIn>, CliError> {
    if !may_turn_to_a_person(&chosen(&place.target)?.method) {
        return Ok(None);
    }
    app.printer.say(&format!("Signing in to {}.", place.name));
    let sign_in = open(app, place, true).await?;
    sign_in.first(&app.interrupted).await?;
    Ok(Some(sign_in))
}

async fn open(app: &App, place: &Place, several: bool) -> Result<SignIn, CliError> {
    let name = several.then_some(place.name.as_str());
    SignIn::open_named(name, &place.target, &app.interrupted).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Address, Origin, SignInKeys};

    fn place(name: &str, url: &str) -> Place {
        let origin = Origin::Profile(name.into());
        Place {
            name: name.into(),
            target: Target {
                environment: Address::given(url, &origin).unwrap(),
                named_by: origin.clone(),
                origin,
                pacing: crate::pacing::Settings::default(),
                sign_in: SignInKeys::default(),
                guards: crate::plan::Guards::default(),
                guard_book: crate::plan::GuardBook::default(),
                named: None,
                flags: Pace::default(),
            },
        }
    }

    #[test]
    fn an_environment_is_worked_on_once_however_it_is_named() {
        let places = [
            place("a", "https://a.example"),
            place("b", "https://b.example"),
            place("a", "https://a.example"),
            place("c", "https://b.example/"),
        ];
        assert_eq!(
            same(&places),
            [
                "environment `a` is named twice",
                "environments `b` and `c` have the same address, https://b.example"
            ]
        );
        assert!(same(&places[..2]).is_empty());
    }

    #[test]
    fn a_token_goes_to_one_environment_only() {
        let pair = |name: &str, variable: &str| (name.to_owned(), variable.to_owned());
        let each = [pair("a", "TOKEN_A"), pair("b", "TOKEN_B")];
        assert!(shared(each.into_iter()).is_empty());
        let one = [pair("a", "T"), pair("b", "T"), pair("c", "U")];
        let wrong = shared(one.into_iter());
        assert_eq!(wrong.len(), 1);
        assert!(
            wrong[0]
                .starts_with("the token in T is for one environment, and would go to `a`, `b`;")
        );
    }

    #[tokio::test]
    async fn what_is_done_side_by_side_comes_back_in_order() {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        let first = async move {
            receiver.await.unwrap();
            1
        };
        let second = async move {
            sender.send(()).unwrap();
            2
        };
        let work: [std::pin::Pin<Box<dyn Future<Output = i32>>>; 2] =
            [Box::pin(first), Box::pin(second)];
        let at_once = NonZeroUsize::new(2).unwrap();
        assert_eq!(side_by_side(at_once, work).await, [1, 2]);
    }
}
