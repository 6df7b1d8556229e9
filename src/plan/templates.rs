//! Which templates are meant, and what became of one.

use std::collections::BTreeSet;

use crate::model::{State, StateAndStatus, Template, TemplateId};

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

/// What became of a template whose state was set, when its row is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateVerdict {
    /// It has the state.
    AsWanted(StateAndStatus),
    /// It has another.
    Other(StateAndStatus),
    /// It is not there.
    Gone,
}

/// Judges a template by what it is, not by what was tried.
pub fn judge_template(seen: Option<&Template>, wanted: State) -> TemplateVerdict {
    match seen {
        None => TemplateVerdict::Gone,
        Some(template) if template.now.state == wanted => TemplateVerdict::AsWanted(template.now),
        Some(template) => TemplateVerdict::Other(template.now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FilterType, Kind};
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

    #[test]
    fn a_template_is_judged_by_what_it_is() {
        let active = template(1, "appointment", Kind::Outlook);
        let now = active.now;
        let judge = |wanted| judge_template(Some(&active), wanted);
        assert_eq!(judge(State::Active), TemplateVerdict::AsWanted(now));
        assert_eq!(judge(State::Inactive), TemplateVerdict::Other(now));
        assert_eq!(judge_template(None, State::Active), TemplateVerdict::Gone);
    }
}
