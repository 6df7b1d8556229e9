//! Finds the owners of the activities in question, so that a query for one user does not read all activities.

use std::collections::BTreeSet;

use super::condition::{Condition, ConditionTest, Group};
use super::joins::Source;
use super::model::{Fetch, How};
use crate::activities::hosts;
use crate::odata::Value;
use crate::rows::PersonIndex;
use crate::tables::Kind;

impl Group {
    /// The conditions that all results satisfy.
    fn required<'g>(&'g self, into: &mut Vec<&'g Condition>) {
        match self {
            Self::All(parts) => {
                for part in parts {
                    part.required(into);
                }
            }
            Self::Any(_) => {}
            Self::One(condition) => into.push(condition),
        }
    }
}

impl Fetch {
    /// The owners of all results, or `None` where the conditions do not say.
    pub(super) fn owners(&self, source: &dyn Source<'_>) -> Option<BTreeSet<PersonIndex>> {
        if !self.scopes[0].table.kind.is_in_folders() {
            return None;
        }
        let linked = self.scopes.iter().filter(|scope| {
            let how = scope.join.as_ref().map(|it| it.how);
            how.is_some_and(|how| how != How::Outer)
        });
        let groups = linked.map(|scope| &scope.filter).chain([&self.filter]);
        groups.into_iter().find_map(|it| self.owners_of(it, source))
    }

    fn owners_of(&self, group: &Group, source: &dyn Source<'_>) -> Option<BTreeSet<PersonIndex>> {
        match group {
            Group::All(parts) => parts.iter().find_map(|it| self.owners_of(it, source)),
            Group::Any(parts) => {
                let all: Option<Vec<_>> =
                    parts.iter().map(|it| self.owners_of(it, source)).collect();
                all.map(|all| all.into_iter().flatten().collect())
            }
            Group::One(condition) => self.owners_by(condition, source),
        }
    }

    fn owners_by(
        &self,
        condition: &Condition,
        source: &dyn Source<'_>,
    ) -> Option<BTreeSet<PersonIndex>> {
        let direct = self.owners_named(condition, source);
        if direct.is_some() || condition.scope == 0 || condition.holds(&Value::Null) {
            return direct;
        }
        // The linked row must exist, so it satisfies the condition of its link.
        let linked = &self.scopes[condition.scope].filter;
        let mut named = Vec::new();
        linked.required(&mut named);
        named
            .into_iter()
            .find_map(|it| self.owners_named(it, source))
    }

    /// The owners in the values of a condition.
    fn owners_named(
        &self,
        condition: &Condition,
        source: &dyn Source<'_>,
    ) -> Option<BTreeSet<PersonIndex>> {
        let ConditionTest::In(values) = &condition.test else {
            return None;
        };
        if condition.negated {
            return None;
        }
        let people = values.iter().filter_map(|it| match it {
            Value::Guid(id) => source.person(*id),
            _ => None,
        });
        match condition.column {
            "_ownerid_value" | "_owninguser_value" if condition.scope == 0 => {
                Some(people.collect())
            }
            "_partyid_value" if self.is_party(condition.scope) => {
                Some(people.flat_map(hosts).collect())
            }
            _ => None,
        }
    }

    /// Whether a linked table contains the participants of the activity.
    fn is_party(&self, scope: usize) -> bool {
        let scope = &self.scopes[scope];
        let join = scope.join.as_ref();
        scope.table.kind == Kind::Parties
            && join.is_some_and(|it| {
                (it.parent, it.from, it.to) == (0, "_activityid_value", "activityid")
            })
    }
}
