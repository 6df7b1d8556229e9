//! Whether a saved plan of templates still matches the environment.

use super::RolloutError;
use super::drifted::DriftedTemplate;
use super::progress::RunStep;
use super::session::Rollout;

impl Rollout {
    /// Reads all templates of the plan again. One that is in the wanted state already is not drift.
    ///
    /// # Errors
    /// [`RolloutError::StaleTemplates`] where a template differs from the plan.
    pub(super) async fn check_template_drift(&self) -> Result<(), RolloutError> {
        self.progress.begin(RunStep::Check, None);
        let mut drifted = Vec::new();
        for change in self.journal().open_templates().await? {
            // The restores of an undo are compared with what was left just before they are written.
            if change.left.is_some() || change.maybe_written {
                continue;
            }
            let planned = change.template.state();
            let now = self.reader.template(change.template.id).await?;
            let now = now.map(|seen| seen.state());
            let current = now.is_some_and(|now| {
                now.means_the_same_as(planned) || now.means_the_same_as(change.wanted)
            });
            if !current {
                let template = change.template;
                let kind = template.kind.as_str();
                drifted.push(DriftedTemplate {
                    template: format!("{} ({}, {kind})", template.name, template.filter_type),
                    planned,
                    now,
                });
            }
        }
        self.record_requests().await?;
        self.progress.end();
        if drifted.is_empty() {
            Ok(())
        } else {
            Err(RolloutError::StaleTemplates(drifted))
        }
    }
}
