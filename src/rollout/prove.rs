//! Proving that impersonation is honoured, before anything depends on it.
//!
//! The platform drops an impersonation header silently where it does not like it, and goes on as the
//! caller. A caller who is an administrator would then see, and change, the right rows in his own name;
//! one who is not would see nothing and take it for "no filters".

use std::sync::PoisonError;

use crate::dataverse::{self, Impersonated};
use crate::journal::RunUser;
use crate::model::ProblemKind;

use super::RolloutError;
use super::impersonation_proof::ImpersonationProof;
use super::progress::RunStep;
use super::session::Rollout;

/// How many users are tried: some cannot be impersonated, and that proves nothing. Where one in two cannot, 25 in a row
/// come once in thirty million runs.
const TRIES: usize = 25;
/// How many users have to be answered as the caller before impersonation counts as not honoured: a
/// header can be dropped for a single user whose account is unusual. Three in a row are no accident where one in ten is
/// (a thousandth), and no reason to ask all 25.
const DROPPED: usize = 3;

impl Rollout {
    /// Asks as some of the run's users who we are. Users who cannot be impersonated are passed over; where
    /// that leaves nobody, the proof is put off until there is something to write.
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

    /// Like [`Rollout::prove`], but with the users who are to be changed, and with no putting off.
    pub(super) async fn require_proof(&self) -> Result<(), RolloutError> {
        if self.kept().is_none() {
            let pending = self.journal().to_apply(0, TRIES + 1).await?;
            let run_users = pending.into_iter().map(|user| user.run_user).collect();
            self.keep(self.prove_with(run_users).await?);
        }
        Ok(())
    }

    /// What was proved; where nothing was, what is likeliest.
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
        // Acting as oneself proves nothing, and needs no proof.
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

    /// Tries the other header, too, before this user counts as one who cannot be impersonated: which one a server
    /// honours is documented for the cloud and for version 8 only.
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
        // That WhoAmI reflects impersonation is not documented, so a query is asked as well.
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

/// Whether another header could lead to another answer: not where the user, or the caller's rights, are the reason.
fn may_be_the_header(why: &RolloutError) -> bool {
    match why {
        RolloutError::NotImpersonated { .. } => true,
        RolloutError::Dataverse(dataverse::Error::Refused { fault, .. }) => {
            fault.kind() == ProblemKind::Refused
        }
        _ => false,
    }
}
