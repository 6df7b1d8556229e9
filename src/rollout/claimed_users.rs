//! Compares the users of a run from elsewhere with the environment.
//!
//! The contents of a run file are claims: a name may be beside another user's id. A user who narrows such a run by
//! name, or reads the names in it, could then change other users than intended.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use crate::journal::{Phase, PlanStanding, PlanUser, ReadError, RunLocation};
use crate::model::{Problem, ProblemKind, Stage, Target, User, UserId};

use super::RolloutError;
use super::phases::Planned;
use super::run::Halted;
use super::session::Rollout;

impl Planned {
    /// The same plan, with the users of a run from elsewhere compared.
    pub(super) async fn with_checked_users(self) -> Result<Self, Halted> {
        match self.rollout.check_users().await {
            Ok(()) => Ok(self),
            Err(why) => Err(self.halt(why).await),
        }
    }
}

impl Rollout {
    /// For a run from elsewhere, compares id and names of every user with something left to do with those of the
    /// environment, once per process. A user who differs is not written and fails, with the name of the user who has
    /// that id. The others continue, because a login can have been changed since, and an undo is needed nevertheless.
    ///
    /// Takes one request for some thousands of users of the environment, however many are in the run.
    pub(super) async fn check_users(&self) -> Result<(), RolloutError> {
        if self.users_checked.load(Ordering::Relaxed) || !self.is_from_elsewhere().await? {
            return Ok(());
        }
        let journal = self.journal();
        let claimed = journal.view(|view| {
            let mut claimed: HashMap<UserId, PlanUser> = HashMap::new();
            view.each_plan_user(|user| {
                if matches!(user.standing, PlanStanding::ToDo | PlanStanding::Begun) {
                    claimed.insert(user.id, user);
                }
                Ok::<_, ReadError>(())
            })?;
            Ok::<_, ReadError>(claimed)
        });
        let mut claimed = claimed.await?;
        let mut differ = Vec::new();
        let mut pages = self.reader.users(None);
        while !claimed.is_empty()
            && let Some(users) = pages.next().await?
        {
            for user in users {
                let Some(of_file) = claimed.remove(&user.id) else {
                    continue;
                };
                if let Some(why) = difference(&of_file, &user) {
                    let problem = Problem::seen(Stage::Survey, ProblemKind::OtherUser, why);
                    differ.push((of_file.seq, problem));
                }
            }
        }
        differ.extend(claimed.into_values().map(|user| {
            let why = format!("the environment lists no user with the id {}", user.id);
            let problem = Problem::seen(Stage::Survey, ProblemKind::UnknownUser, why);
            (user.seq, problem)
        }));
        if !differ.is_empty() {
            journal.refuse_users(differ).await?;
            if journal.phase().await? >= Phase::Planned {
                journal.record_digest().await?;
            }
        }
        self.users_checked.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the users come from a file that this computer did not make.
    async fn is_from_elsewhere(&self) -> Result<bool, RolloutError> {
        if self.header().target == Target::Templates {
            return Ok(false);
        }
        let is_elsewhere = matches!(self.file.reference.location, RunLocation::File(_));
        if !self.is_new && is_elsewhere {
            return Ok(true);
        }
        Ok(self.journal().view(|view| view.is_imported()).await?)
    }
}

/// How the run file's data about a user differs from the environment; none where it does not.
fn difference(of_file: &PlanUser, user: &User) -> Option<String> {
    let is = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let is_or_unknown = |claimed: Option<&str>, found: &str| claimed.is_none_or(|a| is(a, found));
    let label = user.label();
    let same_names = is(&of_file.label, &label)
        && is_or_unknown(of_file.login.as_deref(), &user.login)
        && is_or_unknown(
            of_file.email.as_deref(),
            user.email.as_deref().unwrap_or_default(),
        );
    let claimed = [
        Some(of_file.label.as_str()),
        of_file.login.as_deref(),
        of_file.email.as_deref(),
    ];
    if !same_names {
        let mut names: Vec<&str> = claimed.into_iter().flatten().collect();
        names.dedup();
        let mut found = vec![label.as_str()];
        found.extend(user.email.as_deref().filter(|email| *email != label));
        return Some(format!(
            "the run file names the user {} as {}; in the environment this id is {}",
            user.id,
            names.join(", "),
            found.join(", ")
        ));
    }
    // Servers without such ids have none to compare.
    let other_account = of_file.object_id.zip(user.object_id);
    other_account
        .filter(|(claimed, found)| claimed != found)
        .map(|(claimed, found)| {
            format!("the run file has the Entra object id {claimed}; in the environment the user's is {found}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccessMode, ObjectId};
    use uuid::Uuid;

    fn user() -> User {
        User {
            id: UserId(Uuid::from_u128(1)),
            object_id: Some(ObjectId(Uuid::from_u128(2))),
            login: "ada@contoso.example".into(),
            full_name: "Ada".into(),
            email: Some("ada@mail.example".into()),
            disabled: false,
            access_mode: AccessMode::ReadWrite,
            application: false,
            integration: false,
            stub: false,
            deleted: false,
            filters_populated: true,
            unit: None,
        }
    }

    fn claim() -> PlanUser {
        let User {
            id,
            object_id,
            login,
            email,
            ..
        } = user();
        PlanUser {
            seq: 1,
            id,
            object_id,
            label: login.clone(),
            login: Some(login),
            email,
            skipped: false,
            standing: PlanStanding::ToDo,
        }
    }

    #[test]
    fn every_name_and_id_of_a_user_has_to_be_that_of_the_environment() {
        assert_eq!(difference(&claim(), &user()), None);
        let other = || Some("bob@contoso.example".to_owned());
        for wrong in [
            PlanUser {
                label: "bob@contoso.example".into(),
                ..claim()
            },
            PlanUser {
                login: other(),
                ..claim()
            },
            PlanUser {
                email: other(),
                ..claim()
            },
        ] {
            let why = difference(&wrong, &user()).unwrap();
            assert!(why.contains("bob@contoso.example"), "{why}");
            assert!(why.contains("is ada@contoso.example"), "{why}");
        }
        let account = PlanUser {
            object_id: Some(ObjectId(Uuid::from_u128(9))),
            ..claim()
        };
        let why = difference(&account, &user()).unwrap();
        assert!(why.contains("Entra object id"), "{why}");
    }

    #[test]
    fn what_an_older_file_does_not_have_and_capital_letters_are_no_difference() {
        let older = PlanUser {
            label: "ADA@contoso.example".into(),
            login: None,
            email: None,
            object_id: None,
            ..claim()
        };
        assert_eq!(difference(&older, &user()), None);
    }
}
