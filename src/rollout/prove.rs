//! Proves that the server honours impersonation, before anything depends on it.
//!
//! The platform may ignore an impersonation header without an error and act as the
//! caller. A caller who is an administrator would then see and change the right rows, but as the caller;
//! another caller would see none, which looks like "no filters".

use std::sync::PoisonError;

use crate::dataverse::{self, Impersonated};
use crate::journal::RunUser;
use crate::model::ProblemKind;

use super::RolloutError;
use super::impersonation_proof::ImpersonationProof;
use super::progress::RunStep;
use super::session::Rollout;

/// The number of users that are tried, because some cannot be impersonated, which proves nothing. If that is one in
/// two, 25 in a row happen once in thirty million runs.
const TRIES: usize = 25;
/// The number of users with answers for the caller after which impersonation counts as not honoured. The header may be
/// ignored for a single user with an unusual account. If that is one in ten, three in a row happen once in a thousand,
/// and asking all 25 is not needed.
const DROPPED: usize = 3;

impl Rollout {
    /// Asks the server for the current user as some of the run's users. Users who cannot be impersonated are skipped;
    /// if none is left, the proof is postponed until there is something to write.
    ///
    /// # Errors
    /// [`RolloutError::NotImpersonated`] or [`RolloutError::MayNotImpersonate`] where the proof fails.
    pub(super) async fn prove(&self) -> Result<(), RolloutError> {
        self.progress.begin(RunStep::Prove, None);
        let run_users = self.journal().to_survey(0, TRIES + 1).await?;
        let proof = self.prove_with(run_users).await;
        self.progress.end();
        match proof {
            Err(RolloutError::NotProved { .. }) => Ok(()),
            proof => {
                self.keep(proof?);
                Ok(())
            }
        }
    }

    /// As [`Rollout::prove`], with the users who are to be changed, and without postponing.
    pub(super) async fn require_proof(&self) -> Result<(), RolloutError> {
        if self.kept().is_none() {
            let pending = self.journal().to_apply(0, TRIES + 1).await?;
            let run_users = pending.into_iter().map(|user| user.run_user).collect();
            self.keep(self.prove_with(run_users).await?);
        }
        Ok(())
    }

    /// What was proved, else the most likely result.
    pub(super) fn proof(&self) -> ImpersonationProof {
        self.kept().unwrap_or(ImpersonationProof::WhoAmI)
    }

    fn kept(&self) -> Option<ImpersonationProof> {
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, proof: ImpersonationProof) {
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner) = Some(proof);
    }

    async fn prove_with(
        &self,
        mut run_users: Vec<RunUser>,
    ) -> Result<ImpersonationProof, RolloutError> {
        // Impersonating oneself proves nothing and needs no proof.
        run_users.retain(|run_user| run_user.id != self.reader.identity().caller.id);
        run_users.truncate(TRIES);
        if run_users.is_empty() {
            return Ok(ImpersonationProof::OnlyOurselves);
        }
        let mut dropped = Vec::new();
        for run_user in &run_users {
            match self.prove_as(run_user).await {
                Ok(proof) => return Ok(proof),
                Err(error @ RolloutError::NotImpersonated { .. }) => dropped.push(error),
                Err(RolloutError::Dataverse(error)) if !error.is_fatal() => {}
                Err(RolloutError::Dataverse(dataverse::Error::Refused { fault, .. })) => {
                    return Err(RolloutError::MayNotImpersonate(fault));
                }
                Err(error) => return Err(error),
            }
            if dropped.len() == DROPPED {
                break;
            }
        }
        let tried = run_users.len();
        Err(dropped.pop().unwrap_or(RolloutError::NotProved { tried }))
    }

    /// Also tries the other header before this user counts as one who cannot be impersonated: which one a server
    /// honours is documented only for the cloud and for version 8.
    async fn prove_as(&self, run_user: &RunUser) -> Result<ImpersonationProof, RolloutError> {
        let who = Impersonated::from(run_user);
        let first = self.prove_by_header(run_user, &who).await;
        let Err(why) = first else { return first };
        if !may_be_the_header(&why) || !self.reader.turn_header(&who) {
            return Err(why);
        }
        let other = self.prove_by_header(run_user, &who).await;
        if other.is_err() {
            self.reader.turn_header(&who);
            return Err(why);
        }
        other
    }

    async fn prove_by_header(
        &self,
        run_user: &RunUser,
        who: &Impersonated,
    ) -> Result<ImpersonationProof, RolloutError> {
        if self.reader.who_am_i_as(who).await? == run_user.id {
            return Ok(ImpersonationProof::WhoAmI);
        }
        // It is not documented that WhoAmI names the impersonated user, so a query is made as well.
        match self.reader.current_user_as(who).await? {
            Some(user) if user == run_user.id => Ok(ImpersonationProof::CurrentUser),
            answered => Err(RolloutError::NotImpersonated {
                user: run_user.label.clone(),
                answered: match answered {
                    Some(user) if user == self.reader.identity().caller.id => {
                        self.reader.identity().caller.user.clone()
                    }
                    Some(user) => user.to_string(),
                    None => "nobody".into(),
                },
            }),
        }
    }
}

/// Whether another header could give another answer: not where the user or the caller's rights are the reason.
fn may_be_the_header(why: &RolloutError) -> bool {
    match why {
        RolloutError::NotImpersonated { .. } => true,
        RolloutError::Dataverse(dataverse::Error::Refused { fault, .. }) => {
            fault.kind() == ProblemKind::Refused
        }
        _ => false,
    }
}
