//! From the groups of a selection to requests.

use std::collections::HashSet;

use http::StatusCode;

use crate::dataverse::{Arranged, Error, Holder, Reader, arrange, associated, column_is, quoted};
use crate::model::UserId;
use crate::plan::{
    BusinessUnit, GroupMismatch, Groups, Selection, UserView, find_name, find_units, find_view,
};

use super::RolloutError;

/// The users that the groups of a selection leave.
#[derive(Debug, Default)]
pub(super) struct ChosenUsers {
    /// The condition for listing users.
    pub(super) filter: Option<String>,
    /// A user has to be in each of these sets.
    sets: Vec<HashSet<UserId>>,
}

impl ChosenUsers {
    /// Whether a listed user belongs to all groups.
    pub(super) fn has(&self, user: UserId) -> bool {
        self.sets.iter().all(|set| set.contains(&user))
    }
}

/// Looks up all groups before any user is listed.
///
/// # Errors
/// [`RolloutError::Groups`] with everything that is unknown, ambiguous or refused.
pub(super) async fn choose(
    reader: &Reader,
    selection: &Selection,
) -> Result<ChosenUsers, RolloutError> {
    if selection.groups.is_empty() {
        return Ok(ChosenUsers::default());
    }
    let mut mismatches = Vec::new();
    let lists = lists(reader, &selection.groups, &mut mismatches).await?;
    let in_views = in_views(reader, &selection.groups.views, &mut mismatches).await?;
    if !mismatches.is_empty() {
        return Err(RolloutError::Groups(mismatches));
    }
    // A name is looked up among all users: a user outside the groups is not unknown.
    let by_name = selection.only.is_some() || !selection.except.is_empty();
    let Arranged {
        with_the_list,
        apart,
    } = arrange(lists, by_name);
    let mut sets: Vec<_> = in_views.into_iter().collect();
    for conditions in apart {
        let mut users = HashSet::new();
        for condition in &conditions {
            reader.users_where(condition, &mut users).await?;
        }
        sets.push(users);
    }
    Ok(ChosenUsers {
        filter: with_the_list,
        sets,
    })
}

/// Alternative conditions for each kind of group that was given.
async fn lists(
    reader: &Reader,
    groups: &Groups,
    mismatches: &mut Vec<GroupMismatch>,
) -> Result<Vec<Vec<String>>, RolloutError> {
    let mut lists = Vec::new();
    if !groups.roles.is_empty() {
        let roles = known(reader, Holder::Role, &groups.roles, mismatches).await?;
        lists.push(with_roles(reader, &roles).await?);
    }
    if !groups.teams.is_empty() {
        let teams = known(reader, Holder::Team, &groups.teams, mismatches).await?;
        let teams: Vec<_> = teams.iter().map(|name| quoted(name)).collect();
        lists.push(associated("teammembership_association", "name", &teams));
    }
    if !groups.units.is_empty() {
        lists.extend(in_units(reader, groups, mismatches).await?);
    }
    for condition in &groups.conditions {
        if let Some(says) = refusal(reader.try_condition(condition).await)? {
            mismatches.push(GroupMismatch::Condition {
                condition: condition.clone(),
                says,
            });
        }
    }
    if !groups.conditions.is_empty() {
        lists.push(groups.conditions.clone());
    }
    Ok(lists)
}

/// The names as the server spells them. Unknown ones are reported with the most similar name.
async fn known(
    reader: &Reader,
    of: Holder,
    wanted: &[String],
    mismatches: &mut Vec<GroupMismatch>,
) -> Result<Vec<String>, RolloutError> {
    let what = match of {
        Holder::Role => "role",
        Holder::Team => "team",
    };
    let mut found = Vec::new();
    for name in wanted {
        // The server compares as its database does, which may be more lenient than this program.
        if let Some(there) = reader
            .names(of, Some(name.trim()))
            .await?
            .into_iter()
            .next()
        {
            found.push(there);
            continue;
        }
        let all = reader.names(of, None).await?;
        match find_name(name, all.iter().map(String::as_str)) {
            Ok(there) => found.push(there.to_owned()),
            Err(nearest) => mismatches.push(GroupMismatch::Unknown {
                what,
                name: name.clone(),
                nearest,
            }),
        }
    }
    Ok(found)
}

/// By name, because each business unit has its own copy of a role; held directly or through a team.
async fn with_roles(reader: &Reader, roles: &[String]) -> Result<Vec<String>, RolloutError> {
    let mut teams = Vec::new();
    for role in roles {
        let through = reader.teams_with_role(role).await?;
        teams.extend(through.iter().map(ToString::to_string));
    }
    teams.sort_unstable();
    teams.dedup();
    let names: Vec<_> = roles.iter().map(|name| quoted(name)).collect();
    let mut list = associated("systemuserroles_association", "name", &names);
    list.extend(associated("teammembership_association", "teamid", &teams));
    Ok(list)
}

/// `None` where these are all units.
async fn in_units(
    reader: &Reader,
    groups: &Groups,
    mismatches: &mut Vec<GroupMismatch>,
) -> Result<Option<Vec<String>>, RolloutError> {
    let rows = reader.business_units().await?.into_iter();
    let units: Vec<_> = rows
        .map(|row| BusinessUnit {
            id: row.businessunitid,
            name: row.name.unwrap_or_default(),
            parent: row.parent,
        })
        .collect();
    let mut ids = Vec::new();
    for wanted in &groups.units {
        match find_units(wanted, !groups.only_these_units, &units) {
            Ok(found) => ids.extend(found),
            Err(mismatch) => mismatches.push(mismatch),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() == units.len() {
        return Ok(None);
    }
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    Ok(Some(column_is("_businessunitid_value", &ids)))
}

/// The users of at least one of the views; `None` where no view was given.
async fn in_views(
    reader: &Reader,
    wanted: &[String],
    mismatches: &mut Vec<GroupMismatch>,
) -> Result<Option<HashSet<UserId>>, RolloutError> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let rows = reader.views_of_users().await?.into_iter();
    let views: Vec<_> = rows
        .map(|row| UserView {
            id: row.id,
            name: row.name,
            own: row.own,
        })
        .collect();
    let mut users = HashSet::new();
    for name in wanted {
        let view = match find_view(name, &views) {
            Ok(view) => view,
            Err(mismatch) => {
                mismatches.push(mismatch);
                continue;
            }
        };
        let shown = reader.users_in_view(view.id, view.own, &mut users).await;
        if let Some(says) = refusal(shown)? {
            mismatches.push(GroupMismatch::View {
                name: name.clone(),
                says,
            });
        }
    }
    Ok(Some(users))
}

/// The server's message where it refuses the question, and not the caller.
fn refusal(tried: Result<(), Error>) -> Result<Option<String>, Error> {
    let about_the_question = [
        StatusCode::BAD_REQUEST,
        StatusCode::NOT_FOUND,
        StatusCode::NOT_IMPLEMENTED,
    ];
    match tried {
        Ok(()) => Ok(None),
        Err(Error::Refused { fault, .. }) if about_the_question.contains(&fault.status) => {
            Ok(Some(fault.to_string()))
        }
        Err(error) => Err(error),
    }
}
