//! Which users of a run a report shows.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::journal::{ChangeRow, EvidenceUser, ImpactRow, ProblemRow, ReadError, UserGroup, View};
use crate::model::{ProblemKind, UserOutcome};
use crate::plan::{ALIKE, name_key};

use super::ReportError;

/// A property by which users of a run can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserClass {
    /// The outcome of the user.
    Outcome(UserOutcome),
    /// A group of the user.
    Group(UserGroup),
    /// A problem that is not over.
    Problem(ProblemKind),
}

/// A word that names no property.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is no word for users")]
pub struct UserClassError;

impl UserClass {
    /// Outcomes that can be chosen. `left` is a group, because a user can have a changed filter and one that was left
    /// alone.
    const OUTCOMES: [UserOutcome; 6] = [
        UserOutcome::Planned,
        UserOutcome::Changed,
        UserOutcome::Unchanged,
        UserOutcome::LeftOut,
        UserOutcome::Skipped,
        UserOutcome::Failed,
    ];

    /// All of them: outcomes, groups, and kinds of problem.
    pub fn all() -> impl Iterator<Item = Self> {
        let outcomes = Self::OUTCOMES.into_iter().map(Self::Outcome);
        let groups = UserGroup::ALL.iter().copied().map(Self::Group);
        let problems = ProblemKind::ALL.iter().copied().map(Self::Problem);
        outcomes.chain(groups).chain(problems)
    }

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.as_str(),
            Self::Group(group) => group.as_str(),
            Self::Problem(kind) => kind.as_str(),
        }
    }

    /// Whether a user has the property, as far as that is known without problems.
    fn holds(self, user: &EvidenceUser) -> bool {
        match self {
            Self::Outcome(outcome) => user.outcome == outcome,
            Self::Group(group) => user.groups.contains(&group),
            Self::Problem(_) => false,
        }
    }
}

impl fmt::Display for UserClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for UserClass {
    type Err = UserClassError;

    fn from_str(text: &str) -> Result<Self, UserClassError> {
        let found = Self::all().find(|class| class.as_str() == text);
        found.ok_or(UserClassError)
    }
}

/// Which users of a run a report shows; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserChoice {
    /// Users with at least one of these properties; all users where it is empty.
    pub only: Vec<UserClass>,
    /// Users with these names or ids; all users where it is empty.
    pub names: Vec<String>,
    /// The most users that are shown.
    pub limit: Option<u64>,
}

/// A user who is shown.
pub(super) struct ChosenUser {
    pub(super) user: EvidenceUser,
    pub(super) changes: Vec<ChangeRow>,
    /// The problems that are not over.
    pub(super) problems: Vec<ProblemRow>,
    pub(super) losses: Vec<ImpactRow>,
}

/// How many users were shown, and how many the limit left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownUsers {
    /// The number of users that were shown.
    pub shown: u64,
    /// The number of users beyond the limit.
    pub left_out: u64,
}

/// A choice with its names found in a run.
#[derive(Debug, Default)]
pub(super) struct FoundChoice<'a> {
    only: &'a [UserClass],
    numbers: Option<HashSet<i64>>,
    limit: Option<u64>,
}

impl UserChoice {
    /// Whether it is all users.
    pub fn is_everyone(&self) -> bool {
        *self == Self::default()
    }

    /// The words of `only` and the limit, for the heading of a report.
    pub(super) fn describe(&self) -> String {
        let words: Vec<_> = self.only.iter().map(|class| class.as_str()).collect();
        let mut said = Vec::new();
        if !words.is_empty() {
            said.push(words.join(", "));
        }
        said.extend((!self.names.is_empty()).then(|| self.names.join(", ")));
        match &said[..] {
            [] => "every user".to_owned(),
            said => said.join("; of "),
        }
    }

    /// Finds the names in a run, and checks that the run contains what is asked for.
    pub(super) fn find(&self, view: &View<'_>) -> Result<FoundChoice<'_>, ReportError> {
        for class in &self.only {
            if let UserClass::Group(group) = class
                && let Some(why) = view.why_group_is_unknown(*group)?
            {
                return Err(ReportError::GroupUnknown(group.as_str(), why));
            }
        }
        let numbers = (!self.names.is_empty()).then(|| numbers_of(view, &self.names));
        Ok(FoundChoice {
            only: &self.only,
            numbers: numbers.transpose()?,
            limit: self.limit,
        })
    }
}

/// The users with these names or ids. Each name must match at least one.
fn numbers_of(view: &View<'_>, names: &[String]) -> Result<HashSet<i64>, ReportError> {
    struct Wanted<'a> {
        name: &'a str,
        key: String,
        found: bool,
        nearest: Option<(f64, String)>,
    }
    let mut wanted: Vec<_> = names
        .iter()
        .map(|name| Wanted {
            name,
            key: name_key(name),
            found: false,
            nearest: None,
        })
        .collect();
    let mut numbers = HashSet::new();
    view.each_user_name(|seq, label, id| {
        let (key, id) = (name_key(label), id.to_string());
        for one in &mut wanted {
            if one.key == key || one.key == id {
                one.found = true;
                numbers.insert(seq);
                continue;
            }
            let alike = strsim::jaro_winkler(&one.key, &key);
            let best = one.nearest.as_ref().map_or(ALIKE, |(best, _)| *best);
            if !one.found && alike > best {
                one.nearest = Some((alike, label.to_owned()));
            }
        }
        Ok::<_, ReadError>(())
    })?;
    let missing = wanted.iter().filter(|one| !one.found);
    let missing: Vec<_> = missing
        .map(|one| match &one.nearest {
            Some((_, near)) => format!("`{}` (did you mean `{near}`?)", one.name),
            None => format!("`{}`", one.name),
        })
        .collect();
    if missing.is_empty() {
        Ok(numbers)
    } else {
        Err(ReportError::NotInRun(missing))
    }
}

fn standing_problems(view: &View<'_>, user: &EvidenceUser) -> Result<Vec<ProblemRow>, ReadError> {
    let mut problems = view.problems_of(user.seq)?;
    problems.retain(|problem| !problem.over);
    Ok(problems)
}

impl FoundChoice<'_> {
    /// Whether one of the properties holds. Problems are read only where they decide.
    fn is_asked_for(&self, view: &View<'_>, user: &EvidenceUser) -> Result<bool, ReadError> {
        if self.only.is_empty() || self.only.iter().any(|class| class.holds(user)) {
            return Ok(true);
        }
        let mut kinds = self.only.iter().filter_map(|class| match class {
            UserClass::Problem(kind) => Some(*kind),
            UserClass::Outcome(_) | UserClass::Group(_) => None,
        });
        let Some(first) = kinds.next() else {
            return Ok(false);
        };
        let kinds: Vec<_> = std::iter::once(first).chain(kinds).collect();
        let problems = standing_problems(view, user)?;
        Ok(problems.iter().any(|problem| kinds.contains(&problem.kind)))
    }

    /// Passes each shown user to `each`, one at a time, in the order of the run.
    pub(super) fn each<E: From<ReadError>>(
        &self,
        view: &View<'_>,
        mut each: impl FnMut(ChosenUser) -> Result<(), E>,
    ) -> Result<ShownUsers, E> {
        self.each_user(view, |user| {
            each(ChosenUser {
                changes: view.changes_of(user.seq)?,
                losses: view.impact_of(user.id)?,
                problems: standing_problems(view, &user)?,
                user,
            })
        })
    }

    /// As [`Self::each`], with the users alone.
    pub(super) fn each_user<E: From<ReadError>>(
        &self,
        view: &View<'_>,
        mut each: impl FnMut(EvidenceUser) -> Result<(), E>,
    ) -> Result<ShownUsers, E> {
        let mut users = ShownUsers::default();
        view.each_user(|user| {
            let named = self.numbers.as_ref();
            if named.is_some_and(|numbers| !numbers.contains(&user.seq)) {
                return Ok(());
            }
            if !self.is_asked_for(view, &user)? {
                return Ok(());
            }
            if self.limit.is_some_and(|limit| users.shown >= limit) {
                users.left_out += 1;
                return Ok(());
            }
            users.shown += 1;
            each(user)
        })?;
        Ok(users)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_its_own_and_reads_back() {
        let words: HashSet<_> = UserClass::all().map(UserClass::as_str).collect();
        assert_eq!(words.len(), UserClass::all().count());
        for class in UserClass::all() {
            assert_eq!(class.as_str().parse(), Ok(class));
        }
        assert!("lost".parse::<UserClass>().is_err());
    }
}
