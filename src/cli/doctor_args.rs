//! What `doctor` is to check the privileges for.

use clap::Args;

use crate::connect::NeededBy;

use super::scope_args::SurveyChoice;

/// The options of the command that is going to be used, as they are given to it: the privileges that they need are
/// checked.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Privileges for")]
pub(super) struct PurposeArgs {
    /// Check what `--impact` needs
    #[arg(long)]
    impact: bool,
    /// Check what filters of this type need; with `--impact`
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Check what `--role` needs
    #[arg(long, value_name = "NAME")]
    role: Vec<String>,
    /// Check what `--team` needs
    #[arg(long, value_name = "NAME")]
    team: Vec<String>,
    /// Check what `--business-unit` needs
    #[arg(long, value_name = "NAME")]
    business_unit: Vec<String>,
    /// Check what `--view` needs
    #[arg(long, value_name = "NAME")]
    view: Vec<String>,
    /// Check what `--survey administrator` needs
    #[arg(long, value_enum)]
    survey: Option<SurveyChoice>,
    /// Check what `templates activate` and `templates deactivate` need
    #[arg(long)]
    templates: bool,
}

impl PurposeArgs {
    pub(super) fn needs(&self) -> Vec<NeededBy> {
        let mut contacts = self.types.iter();
        let contacts = contacts.any(|it| it == "contact" || it == "all");
        let administrator = self.survey == Some(SurveyChoice::Administrator);
        [
            (self.impact, NeededBy::Impact),
            (self.impact && contacts, NeededBy::ImpactOnContacts),
            (!self.role.is_empty(), NeededBy::Role),
            (!self.team.is_empty(), NeededBy::Team),
            (!self.business_unit.is_empty(), NeededBy::BusinessUnit),
            (!self.view.is_empty(), NeededBy::View),
            (administrator, NeededBy::AdministratorSurvey),
            (self.templates, NeededBy::Templates),
        ]
        .into_iter()
        .filter_map(|(asked, need)| asked.then_some(need))
        .collect()
    }
}
