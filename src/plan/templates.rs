//! Which templates are meant, and what became of one.

use std::collections::BTreeSet;

use crate::model::{RowOutcome, State, Template, TemplateId, TemplateState, TemplateWrite};

use super::Criteria;

/// The templates that are meant.
#[derive(Clone, Debug)]
pub enum TemplateChoice {
    /// Those that fit, as sync filters are chosen.
    Fitting(Criteria),
    /// These and no others.
    Only(BTreeSet<TemplateId>),
}

impl TemplateChoice {
    /// Those of the templates that are meant; an error names the ids that are no template.
    pub fn of(&self, templates: Vec<Template>) -> Result<Vec<Template>, Vec<TemplateId>> {
        let only = match self {
            Self::Fitting(criteria) => {
                let fits = |t: &Template| criteria.fits(&t.filter_type, t.kind, &t.name);
                return Ok(templates.into_iter().filter(fits).collect());
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

/// What templates are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateWish {
    /// The state.
    pub state: State,
    /// Whether they are to be defaults; nothing leaves that as it is.
    pub default: Option<bool>,
}

impl TemplateWish {
    /// What this template is to be.
    pub fn of(self, template: &Template) -> TemplateState {
        let write = TemplateWrite {
            default: self.default,
            now: Some(self.state.with_default_status()),
        };
        write.on(template.state())
    }

    /// Whether it is that already, whatever its status.
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

/// The one write that makes of a template what is wanted.
pub fn template_write(before: TemplateState, wanted: TemplateState) -> TemplateWrite {
    TemplateWrite {
        default: (before.default != wanted.default).then_some(wanted.default),
        now: Some(wanted.now()),
    }
}

/// The same in two writes, for a server that refuses the one: in the order in which the template is never default and
/// inactive. Nothing where there is only one thing to set.
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

/// The write that takes back the first of two, where the second failed; nothing where the template is not as the first
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

/// Judges a template that was written by what it is, not by what was tried: default, state and status.
pub fn judge_template(seen: Option<&Template>, wanted: TemplateState) -> RowOutcome {
    match seen {
        None => RowOutcome::Gone,
        Some(template) if template.state() == wanted => RowOutcome::Changed,
        Some(_) => RowOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Kind, Status};
    use crate::plan::Types;
    use uuid::Uuid;

    fn template(n: u128, filter_type: &str, kind: Kind) -> Template {
        Template {
            id: TemplateId(Uuid::from_u128(n)),
            name: format!("Template {n}"),
            filter_type: FilterType::new(filter_type),
            kind,
            default: true,
            now: State::Active.with_default_status(),
            etag: None,
        }
    }

    fn templates() -> Vec<Template> {
        vec![
            template(1, "appointment", Kind::Outlook),
            template(2, "contact", Kind::Outlook),
            template(3, "appointment", Kind::Offline),
        ]
    }

    fn ids(templates: &[Template]) -> Vec<u128> {
        templates.iter().map(|t| t.id.0.as_u128()).collect()
    }

    #[test]
    fn templates_are_chosen_as_filters_are() {
        let of = |criteria| TemplateChoice::Fitting(criteria).of(templates()).unwrap();
        assert_eq!(ids(&of(Criteria::default())), [1]);
        let both = vec![Kind::Outlook, Kind::Offline];
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
            ..template(1, "appointment", Kind::Outlook)
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
        let mut null = off;
        null.now.status = Status(None);
        for other in [default, null] {
            assert_eq!(judge(Some(&other)), RowOutcome::Failed);
        }
    }

    #[test]
    fn a_default_template_is_not_deactivated_unless_it_is_to_be_no_default() {
        let default = template(1, "appointment", Kind::Outlook);
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
    fn default_is_written_only_where_it_changes_and_always_with_state_and_status() {
        let default = template(1, "appointment", Kind::Outlook).state();
        let off = inactive().state();
        let write = template_write(default, off);
        assert_eq!((write.default, write.now), (Some(false), Some(off.now())));
        assert_eq!(template_write(off, off).default, None);
        assert_eq!(write.on(default), off);
    }

    #[test]
    fn two_writes_never_leave_a_default_template_inactive_between_them() {
        let default = template(1, "appointment", Kind::Outlook).state();
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
