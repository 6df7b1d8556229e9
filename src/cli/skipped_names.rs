//! Names that match no user and are skipped.

use crate::model::count_of;
use crate::plan::{SkippedName, UserRef};
use crate::report::{Watch, clean};
use crate::rollout::Run;

use super::error::CliError;

/// Prints which names of a run's selection match no user.
pub(super) async fn print_skipped<S>(run: &Run<S>, watch: &Watch) -> Result<(), CliError> {
    let found = run.journal().surroundings().await?;
    if let Some(text) = skipped_names(&found.skipped) {
        watch.print_line(&text);
    }
    Ok(())
}

/// All of them, each with its source; nothing where there are none.
pub(super) fn skipped_names(skipped: &[SkippedName]) -> Option<String> {
    let mut text = match skipped.len() {
        0 => return None,
        1 => "warning: 1 name matches no user and is skipped:".to_owned(),
        _ => format!(
            "warning: {} match no user and are skipped:",
            count_of(skipped, "name")
        ),
    };
    for SkippedName { named, excludes } in skipped {
        let place = named.place.to_string();
        let role = if *excludes { " (to be excluded)" } else { "" };
        let line = format!("\n  {}: `{}`{role}", clean(&place), clean(&named.name));
        text.push_str(&line);
    }
    Some(text)
}

/// Names of users for whom a plan has nothing to do, each with its source; nothing where there are none.
pub(super) fn names_not_in_plan(names: &[UserRef]) -> Option<String> {
    let mut text = match names.len() {
        0 => return None,
        1 => "1 name is of a user with nothing to change in this plan:".to_owned(),
        _ => format!(
            "{} are of users with nothing to change in this plan:",
            count_of(names, "name")
        ),
    };
    for UserRef { name, place } in names {
        let line = format!("\n  {}: `{}`", clean(&place.to_string()), clean(name));
        text.push_str(&line);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NameSource;

    #[test]
    fn each_skipped_name_is_listed_with_its_place_and_without_escape_sequences() {
        let skipped = |name: &str, excludes| SkippedName {
            named: UserRef {
                name: name.into(),
                place: NameSource::Line("left.csv".into(), 3),
            },
            excludes,
        };
        assert_eq!(skipped_names(&[]), None);
        let text = skipped_names(&[skipped("anna", false), skipped("b\u{1b}[2J", true)]).unwrap();
        assert_eq!(
            text,
            "warning: 2 names match no user and are skipped:\n  left.csv:3: `anna`\n  left.csv:3: `b·[2J` (to be excluded)"
        );
    }
}
