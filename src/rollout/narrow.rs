//! Narrows a plan, or what is left of one, to some of its users. No request is sent: the run file contains its users.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use crate::journal::{Narrowed, Phase, PlanEdit, PlanStanding, PlanUser, ReadError, RunFile, View};
use crate::model::{AccessMode, Target, User, UserId};
use crate::plan::{Among, PlanDigest, Resolved, Selection, Selector, SkippedName, UserRef};

use super::RolloutError;
use super::phases::Planned;

/// The result of narrowing a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarrowResult {
    /// The change of the plan.
    pub plan: Narrowed,
    /// Users who were to be removed, but whose changes were sent already: they stay.
    pub begun: u64,
    /// Names of users for whom the plan has nothing to do.
    pub not_in_plan: Vec<UserRef>,
    /// Names that match no user of the run and are skipped.
    pub skipped: Vec<SkippedName>,
}

/// The users that a selection leaves in a plan.
#[derive(Debug)]
struct Chosen {
    edit: PlanEdit,
    begun: u64,
    not_in_plan: Vec<UserRef>,
    resolved: Resolved,
}

/// Removes all users from a plan, or from what is left of one, who are not in the selection; users who were removed
/// earlier are added again where the selection names them. The run file records it, so that the run is resumed and
/// undone as it was narrowed. `expected` is the required digest of what is left.
///
/// # Errors
/// Where a name matches no user of the run, or several; and where the run has no plan, or has ended. The plan is
/// unchanged.
pub async fn narrow(
    file: &RunFile,
    to: &Selection,
    expected: Option<&PlanDigest>,
) -> Result<NarrowResult, RolloutError> {
    is_narrowed(file).await?;
    let selection = to.clone();
    let journal = &file.journal;
    let chosen = journal.view(move |view| choose(view, &selection)).await?;
    let Chosen {
        edit,
        begun,
        not_in_plan,
        resolved,
    } = chosen;
    if !resolved.mismatches.is_empty() {
        return Err(RolloutError::Selection(resolved.mismatches));
    }
    let plan = journal
        .narrow(edit, expected.cloned(), to.describe())
        .await?;
    Ok(NarrowResult {
        plan,
        begun,
        not_in_plan,
        skipped: resolved.skipped,
    })
}

async fn is_narrowed(file: &RunFile) -> Result<(), RolloutError> {
    if file.header.target == Target::Templates {
        return Err(RolloutError::NotNarrowed("it is about templates"));
    }
    match file.journal.phase().await? {
        Phase::Planned | Phase::Applying => Ok(()),
        Phase::Gathering | Phase::Surveying => {
            Err(RolloutError::NotNarrowed("its plan is not complete"))
        }
        Phase::Finished => Err(RolloutError::NotNarrowed("it has ended")),
    }
}

impl Planned {
    /// Removes users from the plan and adds users again, by their numbers in the run.
    ///
    /// # Errors
    /// Where the run is about templates.
    pub async fn edit(&self, edit: PlanEdit) -> Result<Narrowed, RolloutError> {
        // Users who are added again were not compared with the environment.
        self.rollout.users_checked.store(false, Ordering::Relaxed);
        edit_plan(&self.rollout.file, edit).await
    }
}

/// Removes users from a plan that no process drives, or from what is left of one, and adds users again, by their
/// numbers in the run.
///
/// # Errors
/// Where the run has no plan, or has ended.
pub async fn edit_plan(file: &RunFile, edit: PlanEdit) -> Result<Narrowed, RolloutError> {
    is_narrowed(file).await?;
    let chosen = "users who were chosen in the list".to_owned();
    Ok(file.journal.narrow(edit, None, chosen).await?)
}

fn choose(view: &View<'_>, to: &Selection) -> Result<Chosen, ReadError> {
    let mut selector = Selector::among(to, Among::Run);
    let (mut kept, mut users) = (HashSet::new(), Vec::new());
    view.each_plan_user(|user| {
        users.push((user.seq, user.id, user.standing));
        kept.extend(selector.offer(as_user(user)).map(|user| user.id));
        Ok::<_, ReadError>(())
    })?;
    users.retain(|(_, _, standing)| *standing != PlanStanding::Nothing);
    let ids: HashSet<UserId> = users.iter().map(|(_, id, _)| *id).collect();
    let not_in_plan = selector.without(|user| ids.contains(&user));
    let resolved = selector.resolve();
    kept.extend(resolved.users.iter().map(|user| user.id));
    let (mut edit, mut begun) = (PlanEdit::default(), 0);
    for (seq, id, standing) in users {
        match (standing, kept.contains(&id)) {
            (PlanStanding::ToDo, false) => edit.out.push(seq),
            (PlanStanding::Begun, false) => begun += 1,
            // An exclusion adds only users who are named.
            (PlanStanding::LeftOut, true) if to.only.is_some() => edit.back.push(seq),
            _ => {}
        }
    }
    Ok(Chosen {
        edit,
        begun,
        not_in_plan,
        resolved,
    })
}

/// The names of a user. The label is the login where there is one; run files of earlier versions have no other name.
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
