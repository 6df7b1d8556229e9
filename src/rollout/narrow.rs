//! Narrowing a plan, or what is left of one, to some of its users. Nothing is asked of the server: the run file knows its users.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use crate::journal::{Narrowed, Phase, PlanEdit, PlanStanding, PlanUser, ReadError, RunFile, View};
use crate::model::{AccessMode, Target, User, UserId};
use crate::plan::{Among, PlanDigest, Resolved, Selection, Selector, SkippedName, UserRef};

use super::RolloutError;
use super::phases::Planned;

/// What a plan was narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NarrowResult {
    /// What became of the plan.
    pub plan: Narrowed,
    /// Users who would have been taken out, but of whom changes were sent already: they stay.
    pub begun: u64,
    /// Names of users for whom the plan has nothing to do anyway.
    pub not_in_plan: Vec<UserRef>,
    /// Names that match no user of the run, and that are skipped.
    pub skipped: Vec<SkippedName>,
}

/// Whom a selection leaves in a plan.
#[derive(Debug)]
struct Chosen {
    edit: PlanEdit,
    begun: u64,
    not_in_plan: Vec<UserRef>,
    resolved: Resolved,
}

/// Takes out of a plan, or of what is left of one, every user whom the selection does not mean; users who were taken out
/// before come back where the selection names them. The run file records it, so that the run is resumed and undone as
/// it was narrowed. `expected` is the digest that what is left has to have.
///
/// # Errors
/// Where a name matches no user of the run, or several; and where the run has no plan, or has ended. The plan is as it
/// was.
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
    /// Takes users out of the plan, and back into it, by their numbers in the run.
    ///
    /// # Errors
    /// Where the run is about templates.
    pub async fn edit(&self, edit: PlanEdit) -> Result<Narrowed, RolloutError> {
        // Who comes back was not compared with the environment.
        self.rollout.users_checked.store(false, Ordering::Relaxed);
        edit_plan(&self.rollout.file, edit).await
    }
}

/// Takes users out of a plan that nobody drives, or out of what is left of one, and back into it, by their numbers in
/// the run.
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
            // An exclusion takes nobody back who is not named.
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
