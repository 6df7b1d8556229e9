//! Narrowing a saved plan to some of its users. Nothing is asked of the server: the run file knows its users.

use std::collections::HashSet;

use crate::journal::{Narrowed, Phase, PlanUser, ReadError, RunFile, View};
use crate::model::{AccessMode, Target, User, UserId};
use crate::plan::{Among, PlanDigest, Resolved, Selection, Selector, SkippedName, UserRef};

use super::RolloutError;

/// What a plan was narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarrowResult {
    /// Users who were taken out.
    pub left_out: u64,
    /// What became of the plan.
    pub plan: Narrowed,
    /// Names of users for whom the plan has nothing to do anyway.
    pub not_in_plan: Vec<UserRef>,
    /// Names that match no user of the run, and that are skipped.
    pub skipped: Vec<SkippedName>,
}

/// Whom a selection leaves in a plan.
#[derive(Debug)]
struct Chosen {
    taken_out: Vec<i64>,
    not_in_plan: Vec<UserRef>,
    resolved: Resolved,
}

/// Takes out of a saved plan every user whom the selection does not mean. The run file records it, so that the run is
/// resumed and undone as it was narrowed. `expected` is the digest that what is left has to have.
///
/// # Errors
/// Where a name matches no user of the run, or several; and where the run is no plan any more. The plan is as it was.
pub async fn narrow(
    file: &RunFile,
    to: &Selection,
    expected: Option<&PlanDigest>,
) -> Result<NarrowResult, RolloutError> {
    if file.header.target == Target::Templates {
        return Err(RolloutError::NotNarrowed("it is about templates"));
    }
    if file.header.phase != Phase::Planned {
        return Err(RolloutError::NotNarrowed("it is no plan any more"));
    }
    let selection = to.clone();
    let journal = &file.journal;
    let chosen = journal.view(move |view| choose(view, &selection)).await?;
    let Chosen {
        taken_out,
        not_in_plan,
        resolved,
    } = chosen;
    if !resolved.mismatches.is_empty() {
        return Err(RolloutError::Selection(resolved.mismatches));
    }
    let left_out = u64::try_from(taken_out.len()).unwrap_or(u64::MAX);
    let plan = journal
        .narrow(taken_out, expected.cloned(), to.describe())
        .await?;
    Ok(NarrowResult {
        left_out,
        plan,
        not_in_plan,
        skipped: resolved.skipped,
    })
}

fn choose(view: &View<'_>, to: &Selection) -> Result<Chosen, ReadError> {
    let mut selector = Selector::among(to, Among::Run);
    let (mut kept, mut in_plan) = (HashSet::new(), Vec::new());
    view.each_plan_user(|user| {
        if user.is_in_plan {
            in_plan.push((user.seq, user.id));
        }
        kept.extend(selector.offer(as_user(user)).map(|user| user.id));
        Ok::<_, ReadError>(())
    })?;
    let ids: HashSet<UserId> = in_plan.iter().map(|(_, id)| *id).collect();
    let not_in_plan = selector.without(|user| ids.contains(&user));
    let resolved = selector.resolve();
    kept.extend(resolved.users.iter().map(|user| user.id));
    let others = in_plan.into_iter().filter(|(_, id)| !kept.contains(id));
    Ok(Chosen {
        taken_out: others.map(|(seq, _)| seq).collect(),
        not_in_plan,
        resolved,
    })
}

/// As far as names go. The label is the login where there is one; run files of earlier versions have no other name.
fn as_user(user: PlanUser) -> User {
    User {
        id: user.id,
        object_id: user.object_id,
        login: user.login.unwrap_or(user.label),
        full_name: String::new(),
        email: user.email,
        disabled: user.skipped,
        access_mode: AccessMode::ReadWrite,
        application: false,
        integration: false,
        stub: false,
        deleted: false,
        filters_populated: true,
        unit: None,
    }
}
