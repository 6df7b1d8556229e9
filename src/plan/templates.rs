//! Which templates are meant, and their outcomes.

use std::collections::BTreeSet;

use crate::model::{
    Modification, Problem, RowOutcome, State, Template, TemplateId, TemplateStamp, TemplateState,
    TemplateWrite, UserId, is_same_version,
};

use super::undo::last_change;
use super::{Criteria, UndoTerms};

/// The selected templates.
#[derive(Clone, Debug)]
pub enum TemplateChoice {
    /// Those that match criteria, as for sync filters.
    Fitting(Criteria),
    /// Only these.
    Only(BTreeSet<TemplateId>),
}

impl TemplateChoice {
    /// The selected ones of these templates. The error contains the ids that are not templates.
    pub fn of(&self, templates: Vec<Template>) -> Result<Vec<Template>, Vec<TemplateId>> {
        let only = match self {
            Self::Fitting(criteria) => {
                let selected = |t: &Template| criteria.selects(&t.filter_type, t.kind, &t.name);
                return Ok(templates.into_iter().filter(selected).collect());
            }
            Self::Only(only) => only,
        };
        let there: BTreeSet<_> = templates.iter().map(|template| template.id).collect();
        let missing: Vec<_> = only.difference(&there).copied().collect();
        if missing.is_empty() {
            let meant = templates.into_iter().filter(|t| only.contains(&t.id));
            Ok(meant.collect())
        } else {
            Err(missing)
        }
    }
}

/// The wanted state of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateWish {
    /// The state.
    pub state: State,
    /// Whether they are to be defaults; none leaves the flag as it is.
    pub default: Option<bool>,
}

impl TemplateWish {
    /// The wanted state of this template.
    pub fn of(self, template: &Template) -> TemplateState {
        let write = TemplateWrite {
            default: self.default,
            now: Some(self.state.with_default_status()),
        };
        write.on(template.state())
    }

    /// Whether it is in the wanted state already, with any status.
    pub fn is_met(self, template: &Template) -> bool {
        let default = self.default.unwrap_or(template.default);
        (template.now.state, template.default) == (self.state, default)
    }

    /// Whether it would have to be default and inactive, which the platform refuses
    /// (`CannotSetInactiveViewAsDefault`, 0x8004027b).
    pub fn is_impossible(self, template: &Template) -> bool {
        let wanted = self.of(template);
        wanted.default && wanted.state == State::Inactive && !self.is_met(template)
    }
}

/// The one write that brings a template into the wanted state. If only the default flag differs it sets nothing else,
/// because some servers refuse both in one request.
pub fn template_write(before: TemplateState, wanted: TemplateState) -> TemplateWrite {
    let sets_default = before.default != wanted.default;
    let sets_state = !before.now().means_the_same_as(wanted.now());
    TemplateWrite {
        default: sets_default.then_some(wanted.default),
        now: (sets_state || !sets_default).then_some(wanted.now()),
    }
}

/// The same as two writes, for a server that refuses the one: in an order in which the template is never default and
/// inactive. None where there is only one thing to set.
pub fn template_halves(
    before: TemplateState,
    wanted: TemplateState,
) -> Option<(TemplateWrite, TemplateWrite)> {
    if before.default == wanted.default || before.state == wanted.state {
        return None;
    }
    let default = TemplateWrite {
        default: Some(wanted.default),
        now: None,
    };
    let state = TemplateWrite {
        default: None,
        now: Some(wanted.now()),
    };
    Some(match wanted.state {
        State::Inactive => (default, state),
        State::Active => (state, default),
    })
}

/// The write that reverts the first of two when the second failed; none where the template is not as the first
/// left it, because then somebody else changed it.
pub fn template_half_back(
    before: TemplateState,
    first: TemplateWrite,
    seen: TemplateState,
) -> Option<TemplateWrite> {
    (seen == first.on(before)).then(|| TemplateWrite {
        default: first.default.map(|_| before.default),
        now: first.now.map(|_| before.state.with_default_status()),
    })
}

/// One template of a run: its former state, its wanted state, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateChange {
    /// The template just before; a write requires its version.
    pub template: Template,
    /// The wanted state.
    pub wanted: TemplateState,
    /// The outcome.
    pub outcome: RowOutcome,
    /// Whether a write of the run may have been done although the outcome does not say so.
    pub maybe_written: bool,
    /// The last state that the server returned.
    pub after: Option<TemplateStamp>,
    /// Why it is not in the wanted state.
    pub problem: Option<Problem>,
    /// Undo only: the state that the undone run left.
    pub left: Option<TemplateLeft>,
}

/// The state in which a run left a template that it changed or may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateLeft {
    /// The template as the run's write returned it; where that is not proved, only its wanted state.
    pub stamp: TemplateStamp,
    /// Whether it is proved that the run wrote it.
    pub proved: bool,
}

/// What to do with a template that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateDecision {
    /// Write it in the version that was read.
    Write,
    /// Nothing is to be written, with the outcome.
    Done(RowOutcome),
}

impl TemplateChange {
    /// A change that is not made yet, or that is not needed.
    pub fn planned(template: Template, wish: TemplateWish) -> Self {
        let is_met = wish.is_met(&template);
        Self {
            wanted: wish.of(&template),
            outcome: if is_met {
                RowOutcome::Already
            } else {
                RowOutcome::Planned
            },
            maybe_written: false,
            after: is_met.then(|| template.stamp()),
            problem: None,
            left: None,
            template,
        }
    }

    /// The change that undoes this one; none where this one left nothing.
    pub fn undone(&self) -> Option<Self> {
        let proved = self.outcome == RowOutcome::Changed || self.is_halfway();
        if !proved && !self.maybe_written {
            return None;
        }
        let unproved = TemplateStamp {
            state: self.wanted,
            etag: None,
            modified: Modification::default(),
        };
        let seen = self.after.clone().filter(|_| proved);
        let left = TemplateLeft {
            proved: seen.is_some(),
            stamp: seen.unwrap_or(unproved),
        };
        Some(Self {
            template: Template {
                default: left.stamp.state.default,
                now: left.stamp.state.now(),
                etag: left.stamp.etag.clone(),
                modified: left.stamp.modified,
                ..self.template.clone()
            },
            wanted: self.template.state(),
            outcome: RowOutcome::Planned,
            maybe_written: false,
            after: None,
            problem: None,
            left: Some(left),
        })
    }

    /// Whether it failed after one of two writes that could not be reverted.
    pub fn is_halfway(&self) -> bool {
        self.outcome == RowOutcome::Failed && self.maybe_written && self.after.is_some()
    }

    /// Whether it is not made yet.
    pub const fn is_open(&self) -> bool {
        matches!(self.outcome, RowOutcome::Planned | RowOutcome::Sent)
    }

    /// The same change of the template as it is now, with nothing written yet.
    #[must_use]
    pub fn on(self, seen: Template) -> Self {
        if self.left.is_some() {
            return Self {
                template: seen,
                ..self
            };
        }
        let sets_default = self.template.default != self.wanted.default;
        let wish = TemplateWish {
            state: self.wanted.state,
            default: sets_default.then_some(self.wanted.default),
        };
        Self::planned(seen, wish)
    }
}

/// Whether the caller changed the template last: templates are changed without impersonation.
fn is_by_caller(seen: &Template, callers: &[UserId]) -> bool {
    let Modification { by, on_behalf, .. } = seen.modified;
    by.is_some_and(|by| callers.contains(&by)) && on_behalf.is_none()
}

/// Whether the template is known to have been changed last by another user than these callers.
pub fn is_template_by_other(seen: &Template, callers: &[UserId]) -> bool {
    seen.modified.by.is_some() && !is_by_caller(seen, callers)
}

/// Decides about a template that the run may have written; `seen` is `None` where it does not exist.
///
/// Changes by others are left alone; after the first of two writes of this run, the second follows.
pub fn judge_template_again(
    change: &TemplateChange,
    seen: Option<&Template>,
    callers: &[UserId],
) -> TemplateDecision {
    let Some(seen) = seen else {
        return TemplateDecision::Done(RowOutcome::Gone);
    };
    let now = seen.state();
    let before = change.template.state();
    let version = is_same_version(change.template.etag.as_deref(), seen.etag.as_deref());
    let ours = is_by_caller(seen, callers) && version != Some(true);
    if now.means_the_same_as(change.wanted) {
        return TemplateDecision::Done(if ours {
            RowOutcome::Changed
        } else {
            RowOutcome::Already
        });
    }
    let is_between = template_halves(before, change.wanted)
        .is_some_and(|(first, _)| now.means_the_same_as(first.on(before)));
    let is_as_left = change
        .left
        .as_ref()
        .is_some_and(|left| left.stamp.modified.is_known() && left.stamp.modified == seen.modified);
    // Nothing was done; or the first of two writes, or that one and its reversal.
    if version == Some(true)
        || is_as_left
        || (ours && (is_between || now.means_the_same_as(before)))
    {
        return TemplateDecision::Write;
    }
    match change.left {
        Some(_) => TemplateDecision::Done(RowOutcome::ChangedSince),
        None if now.means_the_same_as(before) => TemplateDecision::Write,
        None => TemplateDecision::Done(RowOutcome::Failed),
    }
}

/// Decides about a template that an undo restores if it is still as the undone run left it.
pub fn judge_template_undo(
    left: &TemplateLeft,
    wanted: TemplateState,
    seen: Option<&Template>,
    terms: &UndoTerms,
    include_changed: bool,
) -> TemplateDecision {
    let Some(seen) = seen else {
        return TemplateDecision::Done(RowOutcome::Gone);
    };
    let now = seen.state();
    if now.means_the_same_as(wanted) {
        return TemplateDecision::Done(RowOutcome::Already);
    }
    let is_as_left = now.means_the_same_as(left.stamp.state);
    let is_untouched = if left.proved {
        let stamp = &left.stamp;
        is_same_version(stamp.etag.as_deref(), seen.etag.as_deref()) == Some(true)
            || is_as_left && stamp.modified.is_known() && stamp.modified == seen.modified
    } else {
        let is_between = template_halves(wanted, left.stamp.state)
            .is_some_and(|(first, _)| now.means_the_same_as(first.on(wanted)));
        (is_as_left || is_between)
            && is_by_caller(seen, &[terms.caller])
            && seen.modified.on.is_some_and(|on| terms.covers(on))
    };
    if is_untouched || (include_changed && is_as_left) {
        TemplateDecision::Write
    } else {
        TemplateDecision::Done(RowOutcome::ChangedSince)
    }
}

/// Why an undo left a template alone; `who` is the name of the user who changed it last, where known.
pub fn template_changed_since(left: &TemplateLeft, seen: &Template, who: Option<&str>) -> String {
    let last = last_change(who, seen.modified.on);
    let now = seen.state();
    let what = if !left.proved {
        format!(
            "the run's write was not answered, and the template does not show that it was the run's; it is {now}"
        )
    } else if now.means_the_same_as(left.stamp.state) {
        format!("it is still {now}, but the template was changed since")
    } else {
        format!("the run left it {}, and it is {now}", left.stamp.state)
    };
    format!("left alone: {last}; {what}")
}

/// Judges a written template by its state, not by what was attempted: default flag, state and status.
pub fn judge_template(seen: Option<&Template>, wanted: TemplateState) -> RowOutcome {
    match seen {
        None => RowOutcome::Gone,
        Some(template) if template.state().means_the_same_as(wanted) => RowOutcome::Changed,
        Some(_) => RowOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterKind, FilterType, Status};
    use crate::plan::Types;
    use uuid::Uuid;

    fn template(n: u128, filter_type: &str, kind: FilterKind) -> Template {
        Template {
            id: TemplateId(Uuid::from_u128(n)),
            name: format!("Template {n}"),
            filter_type: FilterType::new(filter_type),
            kind,
            default: true,
            now: State::Active.with_default_status(),
            etag: None,
            modified: Modification::default(),
        }
    }

    fn templates() -> Vec<Template> {
        vec![
            template(1, "appointment", FilterKind::Outlook),
            template(2, "contact", FilterKind::Outlook),
            template(3, "appointment", FilterKind::Offline),
        ]
    }

    fn ids(templates: &[Template]) -> Vec<u128> {
        templates.iter().map(|t| t.id.0.as_u128()).collect()
    }

    #[test]
    fn templates_are_chosen_as_filters_are() {
        let of = |criteria| TemplateChoice::Fitting(criteria).of(templates()).unwrap();
        assert_eq!(ids(&of(Criteria::default())), [1]);
        let both = vec![FilterKind::Outlook, FilterKind::Offline];
        let all = Criteria::new(Types::All, both, Some("*te 3")).unwrap();
        assert_eq!(ids(&of(all)), [3]);
    }

    #[test]
    fn an_id_that_is_no_template_is_named_and_nothing_is_chosen() {
        let only = |ids: &[u128]| {
            let ids = ids.iter().map(|n| TemplateId(Uuid::from_u128(*n)));
            TemplateChoice::Only(ids.collect()).of(templates())
        };
        assert_eq!(ids(&only(&[3, 1]).unwrap()), [1, 3]);
        assert_eq!(only(&[1, 9]), Err(vec![TemplateId(Uuid::from_u128(9))]));
    }

    const OFF: TemplateWish = TemplateWish {
        state: State::Inactive,
        default: Some(false),
    };
    const ON: TemplateWish = TemplateWish {
        state: State::Active,
        default: Some(true),
    };

    fn inactive() -> Template {
        Template {
            default: false,
            now: State::Inactive.with_default_status(),
            ..template(1, "appointment", FilterKind::Outlook)
        }
    }

    #[test]
    fn a_template_is_judged_by_default_state_and_status() {
        let off = inactive();
        let wanted = off.state();
        let judge = |template: Option<&Template>| judge_template(template, wanted);
        assert_eq!(judge(Some(&off)), RowOutcome::Changed);
        assert_eq!(judge(None), RowOutcome::Gone);
        let default = Template {
            default: true,
            ..off.clone()
        };
        assert_eq!(judge(Some(&default)), RowOutcome::Failed);
        // A null status means the state's own.
        let mut null = off;
        null.now.status = Status(None);
        assert_eq!(judge(Some(&null)), RowOutcome::Changed);
        null.now.status = Status(Some(3));
        assert_eq!(judge(Some(&null)), RowOutcome::Failed);
    }

    #[test]
    fn a_default_template_is_not_deactivated_unless_it_is_to_be_no_default() {
        let default = template(1, "appointment", FilterKind::Outlook);
        let plain = TemplateWish {
            default: None,
            ..OFF
        };
        assert!(plain.is_impossible(&default));
        assert!(!OFF.is_impossible(&default));
        assert!(!plain.is_impossible(&inactive()) && plain.is_met(&inactive()));
        assert!(!ON.is_met(&inactive()) && ON.is_met(&default));
    }

    #[test]
    fn default_is_written_only_where_it_changes_and_with_state_and_status_where_those_do() {
        let default = template(1, "appointment", FilterKind::Outlook).state();
        let off = inactive().state();
        let write = template_write(default, off);
        assert_eq!((write.default, write.now), (Some(false), Some(off.now())));
        assert_eq!(template_write(off, off).default, None);
        assert_eq!(write.on(default), off);
        let between = TemplateState {
            default: false,
            ..default
        };
        let write = template_write(between, default);
        assert_eq!((write.default, write.now), (Some(true), None));
    }

    #[test]
    fn two_writes_never_leave_a_default_template_inactive_between_them() {
        let default = template(1, "appointment", FilterKind::Outlook).state();
        let off = inactive().state();
        for (before, after) in [(default, off), (off, default)] {
            let (first, second) = template_halves(before, after).unwrap();
            let between = first.on(before);
            assert!(!between.default && between.state == State::Active);
            assert_eq!(second.on(between), after);
            let back = template_half_back(before, first, between).unwrap();
            assert_eq!(back.on(between), before);
            assert_eq!(template_half_back(before, first, after), None);
        }
        assert_eq!(template_halves(off, off), None);
    }
}
