//! Whether the user agreed to what is about to be written.
//!
//! The guards are one plain function, [`decide`], and only it makes a [`Granted`]. It is called again whenever a run
//! is continued: an agreement of an earlier time or another process is no permission.

use std::collections::BTreeSet;

use crate::model::{Target, number};

use super::confirmations::{Confirmations, GivenBy, Need, Topic};
use super::stakes::Stakes;
use super::{Limit, PlanDigest};

/// Why a change is refused, whatever the answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name of another organisation was given.
    #[error("{}", wrong_name(said, names))]
    WrongName {
        /// The name that was given.
        said: String,
        /// The names of this organisation.
        names: Vec<String>,
    },
    /// The number of users exceeds a limit.
    #[error("the run changes {} of the {} selected {}, and {limit}", number(*users), number(*selected), selected_noun(*target))]
    TooManyChanges {
        /// What is changed: filters or templates.
        target: Target,
        /// Users or templates that were changed or are left.
        users: u64,
        /// Users or templates that were selected.
        selected: u64,
        /// The limit that is exceeded.
        limit: Limit,
    },
    /// The plan is not the one that was shown.
    #[error("the digest of the plan is {found}, and {expected} is expected")]
    OtherPlan {
        /// The digest of what is left.
        found: PlanDigest,
        /// The digest of the plan that was shown.
        expected: PlanDigest,
    },
}

/// The noun of what a limit counts.
const fn selected_noun(target: Target) -> &'static str {
    match target {
        Target::Filters => "users",
        Target::Templates => "templates",
    }
}

fn wrong_name(said: &str, names: &[String]) -> String {
    match names {
        [] => format!(
            "`{said}` was given as the name of the environment, and its address is not in the configuration file"
        ),
        names => format!(
            "`{said}` was given as the name of the environment, and its name in the configuration file is `{}`",
            names.join("` or `")
        ),
    }
}

/// Permission to continue one run. Only [`decide`] makes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Granted {
    answers: Vec<(Topic, GivenBy)>,
    limits: Vec<Limit>,
}

impl Granted {
    /// The answers, and how they were given.
    pub fn answers(&self) -> &[(Topic, GivenBy)] {
        &self.answers
    }

    /// The limits that were checked.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }
}

/// The decision about several runs that are agreed to together.
#[derive(Debug, PartialEq, Eq)]
pub struct Decision {
    /// For each run: granted, or why it is refused. A refused run does not affect the others.
    pub runs: Vec<Result<Granted, Vec<Refusal>>>,
    /// The missing answers. While there are any, nothing is granted.
    pub missing: Vec<Need>,
}

/// Whether these runs may continue. Returns all missing answers at once.
pub fn decide(runs: &[&Stakes], said: &Confirmations) -> Decision {
    let known: BTreeSet<&str> = runs
        .iter()
        .flat_map(|stakes| stakes.guards.names.iter().map(String::as_str))
        .collect();
    let stranger = said.names().find(|name| !known.contains(name));
    let refusals: Vec<_> = runs
        .iter()
        .map(|stakes| refusals(stakes, said, stranger))
        .collect();
    let mut missing = Vec::new();
    for (stakes, refusals) in runs.iter().zip(&refusals) {
        for need in stakes.needs() {
            if refusals.is_empty() && said.to(&need).is_none() && !missing.contains(&need) {
                missing.push(need);
            }
        }
    }
    let granted = |(stakes, refusals): (&&Stakes, Vec<Refusal>)| {
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let needs = stakes.needs();
        let answers = needs
            .iter()
            .filter_map(|need| Some((need.topic(), said.to(need)?)));
        Ok(Granted {
            answers: answers.collect(),
            limits: stakes.limits.clone(),
        })
    };
    Decision {
        runs: runs.iter().zip(refusals).map(granted).collect(),
        missing,
    }
}

impl Decision {
    /// Whether answers are missing, so that nothing is granted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.missing.is_empty()
    }
}

fn refusals(stakes: &Stakes, said: &Confirmations, stranger: Option<&str>) -> Vec<Refusal> {
    let wrong_name = stranger.map(|said| Refusal::WrongName {
        said: said.to_owned(),
        names: stakes.guards.names.clone(),
    });
    let other_plan = match (&said.shown, &stakes.digest) {
        (Some(expected), Some(found)) if expected != found => Some(Refusal::OtherPlan {
            found: found.clone(),
            expected: expected.clone(),
        }),
        _ => None,
    };
    let (users, selected) = (stakes.touched, stakes.selected);
    let broken = stakes
        .limits
        .iter()
        .find(|limit| !limit.allows(users, selected));
    let too_many = broken
        .filter(|_| stakes.items > 0)
        .map(|limit| Refusal::TooManyChanges {
            target: stakes.target,
            users,
            selected,
            limit: limit.clone(),
        });
    [wrong_name, other_plan, too_many]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Operation, RunId};
    use crate::plan::{Guards, UserLimit};

    fn stakes() -> Stakes {
        Stakes {
            users: 3,
            touched: 3,
            selected: 10,
            items: 7,
            ..Stakes::expected(Operation::Deactivate, false, Guards::default())
        }
    }

    fn production(names: &[&str]) -> Guards {
        Guards {
            names: names.iter().map(ToString::to_string).collect(),
            production: true,
            limits: Vec::new(),
        }
    }

    fn said(topics: &[Topic]) -> Confirmations {
        let mut said = Confirmations::default();
        for topic in topics {
            said.give(*topic, GivenBy::Flag);
        }
        said
    }

    fn decide_one(
        stakes: &Stakes,
        said: &Confirmations,
    ) -> Result<Granted, (Vec<Refusal>, Vec<Need>)> {
        let mut decision = decide(&[stakes], said);
        match decision.runs.remove(0) {
            Ok(granted) if decision.missing.is_empty() => Ok(granted),
            Ok(_) => Err((Vec::new(), decision.missing)),
            Err(refused) => Err((refused, decision.missing)),
        }
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let all = Stakes {
            calendar_loss: true,
            time: None,
            guards: production(&["contoso"]),
            undone_by: Some(RunId::random()),
            ..stakes()
        };
        let (refused, missing) = decide_one(&all, &Confirmations::default()).unwrap_err();
        assert_eq!((refused.len(), missing.len()), (0, 4));
        let mut everything = said(&[Topic::Change, Topic::CalendarLoss, Topic::AfterUndo]);
        everything.name("contoso", GivenBy::Flag);
        assert_eq!(decide_one(&all, &everything).unwrap().answers().len(), 4);
    }

    #[test]
    fn each_guard_holds_alone() {
        let loss = Stakes {
            calendar_loss: true,
            ..stakes()
        };
        let undone = Stakes {
            undone_by: Some(RunId::random()),
            ..stakes()
        };
        let named = Stakes {
            guards: production(&["contoso"]),
            ..stakes()
        };
        for one in [stakes(), loss.clone(), undone.clone(), named.clone()] {
            assert!(decide_one(&one, &Confirmations::default()).is_err());
        }
        assert!(decide_one(&stakes(), &said(&[Topic::Change])).is_ok());
        for one in [loss, undone, named] {
            let (_, missing) = decide_one(&one, &said(&[Topic::Change])).unwrap_err();
            assert_eq!(missing.len(), 1);
        }
    }

    #[test]
    fn nothing_has_to_be_said_where_nothing_is_left() {
        let nothing = Stakes {
            items: 0,
            calendar_loss: true,
            ..stakes()
        };
        assert!(decide_one(&nothing, &Confirmations::default()).is_ok());
    }

    #[test]
    fn every_limit_holds_and_what_was_changed_before_counts() {
        let limit = |users| Limit::of_flag(UserLimit::Users(users));
        let all = Stakes {
            limits: vec![limit(5), limit(2)],
            ..stakes()
        };
        let (refused, _) = decide_one(&all, &said(&[Topic::Change])).unwrap_err();
        assert!(matches!(
            refused[..],
            [Refusal::TooManyChanges { users: 3, .. }]
        ));
        let fewer = Stakes {
            limits: vec![limit(3)],
            ..stakes()
        };
        assert!(decide_one(&fewer, &said(&[Topic::Change])).is_ok());
    }

    #[test]
    fn a_name_that_is_not_its_name_is_refused_and_any_of_its_names_will_do() {
        let two = Stakes {
            guards: production(&["contoso", "live"]),
            ..stakes()
        };
        let mut wrong = said(&[Topic::Change]);
        wrong.name("test", GivenBy::Flag);
        let (refused, _) = decide_one(&two, &wrong).unwrap_err();
        assert!(matches!(refused[..], [Refusal::WrongName { .. }]));
        let mut right = said(&[Topic::Change]);
        right.name("live", GivenBy::Flag);
        assert!(decide_one(&two, &right).is_ok());
    }

    #[test]
    fn only_the_plan_that_was_seen_is_agreed_to() {
        let digest = |text: &str| text.parse::<PlanDigest>().unwrap();
        let found = Stakes {
            digest: Some(digest("00000000000000aa")),
            ..stakes()
        };
        let mut expects = said(&[Topic::Change]);
        expects.expect(digest("00000000000000bb"));
        let (refused, _) = decide_one(&found, &expects).unwrap_err();
        assert!(matches!(refused[..], [Refusal::OtherPlan { .. }]));
        expects.expect(digest("00000000000000aa"));
        assert!(decide_one(&found, &expects).is_ok());
    }

    #[test]
    fn a_run_that_is_refused_leaves_and_a_missing_word_withholds_all() {
        let too_many = Stakes {
            limits: vec![Limit::of_flag(UserLimit::Users(1))],
            ..stakes()
        };
        let lossy = Stakes {
            calendar_loss: true,
            ..stakes()
        };
        let decision = decide(&[&too_many, &lossy], &said(&[Topic::Change]));
        assert!(decision.runs[0].is_err() && !decision.is_open());
        let decision = decide(
            &[&too_many, &lossy],
            &said(&[Topic::Change, Topic::CalendarLoss]),
        );
        assert!(decision.is_open() && decision.runs[0].is_err() && decision.runs[1].is_ok());
    }

    #[test]
    fn yes_is_not_enough_where_items_can_be_lost() {
        let lossy = Stakes {
            calendar_loss: true,
            ..stakes()
        };
        let mut said = Confirmations::default();
        assert!(!said.answer(&lossy.needs(), "yes", GivenBy::Typed));
        assert!(said.answer(&lossy.needs(), " Deactivate ", GivenBy::Typed));
        assert!(decide_one(&lossy, &said).is_ok());
    }

    #[test]
    fn a_typed_word_holds_for_one_agreement_and_a_flag_for_the_command() {
        let mut both = said(&[Topic::Change]);
        both.give(Topic::CalendarLoss, GivenBy::Typed);
        let lossy = Stakes {
            calendar_loss: true,
            ..stakes()
        };
        assert!(decide_one(&lossy, &both).is_ok());
        both.spend();
        assert!(decide_one(&lossy, &both).is_err());
        assert!(decide_one(&stakes(), &both).is_ok());
    }
}
