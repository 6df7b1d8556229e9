//! `check`: what is not in the wanted state.

use crate::journal::ListedUser;
use crate::model::{Operation, State};
use crate::report::ListWriter;

use super::App;
use super::args::{CheckArgs, WantedState};
use super::error::CliError;
use super::exit::Exit;
use super::list::{Shown, show, survey};
use super::printer::Printer;

/// Lists what is not in the wanted state, and who changed it.
pub(super) async fn check(app: &App, args: &CheckArgs) -> Result<Exit, CliError> {
    let (operation, wanted) = match args.state {
        WantedState::Active => (Operation::Reactivate, State::Active),
        WantedState::Inactive => (Operation::Deactivate, State::Inactive),
    };
    let (rollout, reader) = survey(app, operation, &args.connection, &args.scope).await?;
    let mut out = Printer::result();
    let mut writer = ListWriter::drift(&mut out, app.printer.format, app.printer.look())?;
    let keep = |user| out_of_line(user, wanted);
    let shown = show(&rollout, &mut writer, Some(&reader), keep).await?;
    writer.finish()?;
    app.printer.say(&sentence(shown, wanted));
    Ok(match (shown.filters, shown.failed) {
        (0, 0) => Exit::Done,
        (0, _) => Exit::Partial,
        _ => Exit::Pending,
    })
}

/// What is left of a user when only what is out of line is of interest.
fn out_of_line(mut user: ListedUser, wanted: State) -> Option<ListedUser> {
    user.filters.retain(|filter| filter.now.state != wanted);
    user.problem = user.problem.filter(|problem| !problem.is_skip());
    (!user.filters.is_empty() || user.problem.is_some()).then_some(user)
}

/// The finding in one sentence.
fn sentence(shown: Shown, wanted: State) -> String {
    let Shown {
        users,
        filters,
        failed,
    } = shown;
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let mut said = match filters {
        0 => "Every filter that could be read is in the wanted state.".to_owned(),
        filters => format!(
            "{filters} filter{} of {users} user{} should be {}.",
            plural(filters),
            plural(users),
            wanted.as_str(),
        ),
    };
    if failed > 0 {
        said = format!("{said} {failed} user{} could not be read.", plural(failed));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::ListedFilter;
    use crate::model::{FilterId, Kind, Modification, UserId};
    use uuid::Uuid;

    fn user(states: &[State]) -> ListedUser {
        let filter = |state: &State| ListedFilter {
            id: FilterId(Uuid::from_u128(1)),
            name: "My Appointments".into(),
            filter_type: "appointment".into(),
            kind: Kind::Outlook,
            now: state.with_default_status(),
            modified: Modification::default(),
        };
        ListedUser {
            seq: 1,
            user: "anna@contoso.example".into(),
            id: UserId(Uuid::from_u128(1)),
            filters: states.iter().map(filter).collect(),
            problem: None,
        }
    }

    #[test]
    fn only_what_is_out_of_line_is_left_of_a_user() {
        let mixed = user(&[State::Active, State::Inactive]);
        let left = out_of_line(mixed, State::Inactive).unwrap();
        assert_eq!(left.filters.len(), 1);
        assert_eq!(left.filters[0].now.state, State::Active);
        assert_eq!(out_of_line(user(&[State::Inactive]), State::Inactive), None);
        assert_eq!(out_of_line(user(&[]), State::Inactive), None);
    }

    #[test]
    fn the_finding_is_one_sentence_with_the_numbers() {
        let shown = |users, filters, failed| Shown {
            users,
            filters,
            failed,
        };
        let said = |shown| sentence(shown, State::Inactive);
        assert_eq!(
            said(shown(0, 0, 0)),
            "Every filter that could be read is in the wanted state."
        );
        assert_eq!(
            said(shown(1, 2, 0)),
            "2 filters of 1 user should be inactive."
        );
        assert_eq!(
            said(shown(2, 2, 1)),
            "2 filters of 2 users should be inactive. 1 user could not be read."
        );
    }
}
