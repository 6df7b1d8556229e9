//! Which environments a command uses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;

use crate::auth::{SecretFrom, SignInMethod};
use crate::model::is_same_place;
use crate::plan::RunSettings;
use crate::settings::{PacingKeys, ResolvedTarget, RunAddress};

use super::sign_in::chosen;
use super::{ConnectError, ConnectionOptions, Layers};

/// An environment with its name for people.
#[derive(Clone, Debug)]
pub struct NamedEnvironment {
    /// Its name in the configuration file, else its address.
    pub name: String,
    /// Its address and how to connect.
    pub target: ResolvedTarget,
}

/// The environments of a command: the named one, the default, or several.
///
/// # Errors
/// With everything that is wrong with them, before any request is sent.
pub fn environments(options: &ConnectionOptions) -> Result<Vec<NamedEnvironment>, ConnectError> {
    if options.environments.len() < 2 {
        return Ok(vec![NamedEnvironment::of(options.target(None)?)]);
    }
    let layers = Layers::read(options)?;
    let (mut environments, mut wrong) = (Vec::new(), Vec::new());
    for (at, name) in (1..).zip(&options.environments) {
        match layers.target(options, Some(name), None) {
            Ok(target) => environments.push(NamedEnvironment {
                name: name.clone(),
                target,
            }),
            // The name may be a secret in the wrong place and is not repeated; its position identifies it.
            Err(error) => wrong.push(format!("environment {at} of those given: {error}")),
        }
    }
    wrong.extend(same(&environments));
    let tokens = environments.iter().filter_map(|one| {
        let variable = token_variable(&chosen(&one.target).ok()?.method)?;
        Some((one.name.clone(), variable))
    });
    wrong.extend(shared(tokens));
    if wrong.is_empty() {
        return Ok(environments);
    }
    Err(ConnectError::Environments(wrong))
}

/// The environment of a run that has a file.
pub fn environment_of_run(
    options: &ConnectionOptions,
    run: RunAddress<'_>,
) -> Result<NamedEnvironment, ConnectError> {
    Ok(NamedEnvironment::of(options.target(Some(run))?))
}

impl NamedEnvironment {
    /// Uses the pace that was given with a run, unless a flag of this command says another.
    pub fn at_pace_of(mut self, kept: &RunSettings) -> Self {
        let PacingKeys {
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

    /// The only environment, with its name in the configuration file, else its address.
    fn of(target: ResolvedTarget) -> Self {
        let name = target.guards.names.first().cloned();
        Self {
            name: name.unwrap_or_else(|| target.environment.to_string()),
            target,
        }
    }
}

/// Environments that were named twice, by the same name or by two names of one address.
fn same(places: &[NamedEnvironment]) -> Vec<String> {
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

/// Environments that share a token, which is for one environment only.
fn shared(tokens: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut by_variable = BTreeMap::<String, Vec<String>>::new();
    for (name, variable) in tokens {
        by_variable.entry(variable).or_default().push(name);
    }
    by_variable.retain(|_, names| names.len() > 1);
    let warning = |(variable, names): (String, Vec<String>)| {
        let mut text =
            format!("{variable} can be used with one environment only, and not with all of ");
        for (at, name) in names.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}`{name}`", if at > 0 { ", " } else { "" });
        }
        text.push_str(
            "; unset it, and set `access-token-variable` for each environment in the configuration file",
        );
        text
    };
    by_variable.into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Address, Origin, SignInKeys};

    fn place(name: &str, url: &str) -> NamedEnvironment {
        let origin = Origin::Profile(name.into());
        NamedEnvironment {
            name: name.into(),
            target: ResolvedTarget {
                environment: Address::given(url, &origin).unwrap(),
                named_by: origin.clone(),
                origin,
                pacing: crate::pacing::Settings::default(),
                sign_in: SignInKeys::default(),
                guards: crate::plan::Guards::default(),
                guards_by_organization: crate::plan::GuardsByOrganization::default(),
                config: crate::settings::ConfigSource::None,
                named: None,
                flags: PacingKeys::default(),
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
            wrong[0].starts_with(
                "T can be used with one environment only, and not with all of `a`, `b`;"
            )
        );
    }
}
