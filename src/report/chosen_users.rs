//! Users of a run, one row each: as a table and as Markdown.

use std::io::{self, Write};

use crate::journal::{EvidenceUser, RunHeader, RunReader, UserGroup, View};
use crate::model::{RowOutcome, UserOutcome};

use super::error::read_run;
use super::grid::{self, Column, Grid};
use super::impact::row_cells;
use super::markdown;
use super::paint::Tone;
use super::run_cells::{CHANGES, change_cells, title};
use super::text::{clean, count, number};
use super::user_choice::{ChosenUser, FoundChoice, ShownUsers, UserChoice};
use super::writer::{StyledWrite, paint_line};
use super::{ReportError, Style, phrases, problems};

const USERS: [Column; 4] = [
    Column::text("User", 16, 36),
    Column::text("Result", 9, 9),
    Column::text("Filters", 10, 18),
    Column::text("Note", 20, 80),
];

/// The heading over users that are in no other table.
const REST: &str = "Users without a change";

/// Why a user has neither a change nor a problem.
pub(super) fn why_unchanged(user: &EvidenceUser) -> &'static str {
    match user.outcome {
        UserOutcome::Planned => "not read yet",
        UserOutcome::LeftOut => "taken out of the plan",
        _ if user.groups.contains(&UserGroup::NoFilters) => "no matching filter",
        _ => "nothing to change",
    }
}

/// Writes the chosen users of a run for people; for named users with every change.
pub(super) fn write_table(
    out: &mut dyn StyledWrite,
    run: &RunReader,
    choice: &UserChoice,
    style: Style,
) -> Result<ShownUsers, ReportError> {
    read_run(run, |view| {
        let found = choice.find(view)?;
        let header = view.header()?;
        paint_line(out, Tone::Strong, &title(&header))?;
        writeln!(out)?;
        grid::facts(out, &facts(&header, choice), style)?;
        writeln!(out)?;
        let grid = Grid::streaming(&USERS, style);
        let users = write_rows(out, view, &found, &grid)?;
        if !choice.names.is_empty() {
            write_changes(out, view, &found, style)?;
        }
        writeln!(out, "{}", conclusion(users, choice.limit))?;
        Ok(users)
    })
}

fn write_rows(
    out: &mut dyn StyledWrite,
    view: &View<'_>,
    found: &FoundChoice<'_>,
    grid: &Grid,
) -> Result<ShownUsers, ReportError> {
    let mut begun = false;
    let users = found.each(view, |chosen| {
        if !std::mem::replace(&mut begun, true) {
            grid.header(out)?;
        }
        let tone = tone(&chosen);
        Ok::<_, ReportError>(grid.row(out, &cells(&chosen), tone)?)
    })?;
    if begun {
        writeln!(out)?;
    }
    Ok(users)
}

fn write_changes(
    out: &mut dyn StyledWrite,
    view: &View<'_>,
    found: &FoundChoice<'_>,
    style: Style,
) -> Result<(), ReportError> {
    let grid = Grid::streaming(&CHANGES, style);
    let mut begun = false;
    found.each(view, |chosen| {
        for change in &chosen.changes {
            if !std::mem::replace(&mut begun, true) {
                paint_line(out, Tone::Strong, "Every change")?;
                grid.header(out)?;
            }
            grid.row(out, &change_cells(change), Tone::of_outcome(change.outcome))?;
        }
        Ok::<_, ReportError>(())
    })?;
    if begun {
        writeln!(out)?;
    }
    Ok(())
}

/// As [`write_table`], in Markdown.
pub(super) fn write_markdown(
    out: &mut dyn Write,
    run: &RunReader,
    choice: &UserChoice,
) -> Result<ShownUsers, ReportError> {
    read_run(run, |view| {
        let found = choice.find(view)?;
        let header = view.header()?;
        writeln!(out, "# {}\n", markdown::escaped(&title(&header)))?;
        markdown::facts(out, &facts(&header, choice))?;
        writeln!(out)?;
        markdown::header_row(out, &USERS)?;
        let users = found.each(view, |chosen| {
            Ok::<_, ReportError>(markdown::row(out, &cells(&chosen))?)
        })?;
        if !choice.names.is_empty() {
            writeln!(out, "\n## Every change\n")?;
            markdown::header_row(out, &CHANGES)?;
            found.each(view, |chosen| {
                let mut changes = chosen.changes.iter();
                changes.try_for_each(|change| markdown::row(out, &change_cells(change)))?;
                Ok::<_, ReportError>(())
            })?;
        }
        writeln!(out, "\n{}", conclusion(users, choice.limit))?;
        Ok(users)
    })
}

/// Writes the users that are in no other table of a whole run.
pub(super) fn write_rest(
    out: &mut dyn StyledWrite,
    view: &View<'_>,
    style: Style,
) -> Result<(), ReportError> {
    let grid = Grid::streaming(&USERS, style);
    each_other(view, |first, chosen| {
        if first {
            writeln!(out)?;
            paint_line(out, Tone::Strong, REST)?;
            grid.header(out)?;
        }
        grid.row(out, &cells(chosen), Tone::Dimmed)
    })
}

/// As [`write_rest`], in Markdown.
pub(super) fn write_rest_markdown(out: &mut dyn Write, view: &View<'_>) -> Result<(), ReportError> {
    each_other(view, |first, chosen| {
        if first {
            writeln!(out, "\n## {REST}\n")?;
            markdown::header_row(out, &USERS)?;
        }
        markdown::row(out, &cells(chosen))
    })
}

/// Passes on the users with neither a change nor a problem, with a flag for the first one.
fn each_other(
    view: &View<'_>,
    mut each: impl FnMut(bool, &ChosenUser) -> io::Result<()>,
) -> Result<(), ReportError> {
    let mut first = true;
    FoundChoice::default().each(view, |chosen| {
        if chosen.changes.is_empty() && chosen.problems.is_empty() {
            each(std::mem::take(&mut first), &chosen)?;
        }
        Ok::<_, ReportError>(())
    })?;
    Ok(())
}

fn facts(header: &RunHeader, choice: &UserChoice) -> Vec<(&'static str, String)> {
    let organisation = clean(&header.organization.name).into_owned();
    vec![
        ("Environment", header.environment.to_string()),
        ("Organisation", organisation),
        ("Shown", clean(&choice.describe()).into_owned()),
    ]
}

/// How many users are shown, and how many are not.
pub(super) fn conclusion(users: ShownUsers, limit: Option<u64>) -> String {
    let ShownUsers { shown, left_out } = users;
    match (shown, left_out, limit) {
        (0, ..) => "No user of this run is meant.".to_owned(),
        (shown, 0, _) | (shown, _, None) => format!("{}.", count(shown, "user")),
        (shown, left_out, Some(limit)) => format!(
            "{} of {}; --limit {limit} leaves out {}.",
            number(shown),
            count(shown + left_out, "user"),
            number(left_out)
        ),
    }
}

fn tone(chosen: &ChosenUser) -> Tone {
    match chosen.problems.first() {
        Some(problem) => problems::tone(problem.kind),
        None => Tone::Plain,
    }
}

fn cells(chosen: &ChosenUser) -> [String; 4] {
    let result = match chosen.user.outcome {
        UserOutcome::Planned => "to change",
        outcome => outcome.as_str(),
    };
    [
        clean(&chosen.user.user).into_owned(),
        result.to_owned(),
        filters(chosen),
        notes(chosen),
    ]
}

fn filters(chosen: &ChosenUser) -> String {
    let of = |outcomes: &[RowOutcome]| {
        let mut found = chosen.changes.iter().map(|change| change.outcome);
        let found = found.by_ref().filter(|outcome| outcomes.contains(outcome));
        u64::try_from(found.count()).unwrap_or(u64::MAX)
    };
    let parts = phrases::parts(&[
        (of(&[RowOutcome::Changed]), "changed"),
        (of(&[RowOutcome::Already]), "already so"),
        (of(&[RowOutcome::ChangedSince, RowOutcome::Gone]), "left"),
        (of(&[RowOutcome::Failed]), "failed"),
        (of(&[RowOutcome::Planned, RowOutcome::Sent]), "to change"),
        (of(&[RowOutcome::LeftOut]), "left out"),
    ]);
    parts.trim_start_matches(": ").to_owned()
}

/// Notes about a user: problems, losses, and groups.
pub(super) fn notes(chosen: &ChosenUser) -> String {
    let mut notes = Vec::new();
    for problem in &chosen.problems {
        notes.push(format!("{}: {}", problem.kind, problem.message));
    }
    for loss in chosen.losses.iter().filter(|loss| loss.synchronises) {
        let [_, note] = row_cells(loss);
        let of = phrases::short_type(loss.filter_type.as_str());
        match loss.items {
            Some(0) => {}
            Some(n) if note == "exactly" => notes.push(format!("loses {} of {of}", number(n))),
            Some(n) => notes.push(format!("loses {note} {} of {of}", number(n))),
            None => notes.push(format!("loss of {of} not known ({note})")),
        }
    }
    let said = |group: &&UserGroup| {
        !matches!(
            group,
            UserGroup::Left | UserGroup::Losing | UserGroup::LossUnknown | UserGroup::NoFilters
        )
    };
    let groups = chosen.user.groups.iter().filter(said);
    notes.extend(groups.map(|group| group.as_str().replace('-', " ")));
    if chosen.changes.is_empty() && chosen.problems.is_empty() {
        notes.insert(0, why_unchanged(&chosen.user).to_owned());
    }
    clean(&notes.join("; ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, TestStage, run};
    use crate::report::user_choice::UserClass;

    fn only(words: &[&str]) -> UserChoice {
        UserChoice {
            only: words.iter().map(|word| word.parse().unwrap()).collect(),
            ..UserChoice::default()
        }
    }

    #[tokio::test]
    async fn users_are_shown_by_result_with_why() {
        let run = run(TestStage::Stopped).await;
        let choice = only(&["failed", "left", "skipped"]);
        let shown = run.shown(|out, run| write_table(out, run, &choice, PLAIN).map(drop));
        insta::assert_snapshot!(shown, @r"
        Run 3f2a9c: deactivate

        Environment   https://contoso.crm4.dynamics.com
        Organisation  Contoso
        Shown         failed, left, skipped

        User                      Result     Filters             Note
        =hana@contoso.example     failed     1 failed            no-write-privilege:
                                                                 Principal user is
                                                                 missing
                                                                 prvWriteUserQuery
                                                                 privilege
        cara@contoso.example      skipped                        disabled: skipped: no
                                                                 request was made
        dan·[2J@contoso.example   failed                         no-roles: The user has
                                                                 no roles·[31m assigned
        eve@contoso.example       left       1 left              changed-since: left
                                                                 alone: somebody made it
                                                                 active
        finn@contoso.example      left       1 left              gone: the filter was
                                                                 deleted meanwhile

        5 users.
        ");
    }

    #[tokio::test]
    async fn a_user_who_is_named_is_shown_with_every_change() {
        let run = run(TestStage::Stopped).await;
        let choice = UserChoice {
            names: vec!["ADA@contoso.example".into()],
            ..UserChoice::default()
        };
        let shown = run.shown(|out, run| write_table(out, run, &choice, PLAIN).map(drop));
        insta::assert_snapshot!(shown, @r"
        Run 3f2a9c: deactivate

        Environment   https://contoso.crm4.dynamics.com
        Organisation  Contoso
        Shown         ADA@contoso.example

        User                      Result     Filters             Note
        ada@contoso.example       changed    1 changed           status-not-restored:
                                                                 its status is 2 now; it
                                                                 was to be 3

        Every change
        User              Type              Name             Change             Outcome
        ada@contoso.      appointment       My Outlook       active (status     changed
        example                             appointments     null) → inactive

        1 user.
        ");
    }

    #[tokio::test]
    async fn a_limit_says_how_many_it_leaves_out() {
        let run = run(TestStage::Stopped).await;
        let choice = UserChoice {
            limit: Some(1),
            ..only(&["failed"])
        };
        let mut users = ShownUsers::default();
        let shown = run.shown(|out, run| {
            users = write_markdown(out, run, &choice)?;
            Ok::<_, ReportError>(())
        });
        assert_eq!((users.shown, users.left_out), (1, 1));
        let last = shown.lines().last().unwrap();
        assert_eq!(last, "1 of 2 users; --limit 1 leaves out 1.");
    }

    #[tokio::test]
    async fn every_number_of_a_run_has_as_many_names() {
        for stage in [
            TestStage::Planned,
            TestStage::ImpactCounted,
            TestStage::Stopped,
        ] {
            let run = run(stage).await;
            let named = |class: UserClass| {
                let choice = UserChoice {
                    only: vec![class],
                    ..UserChoice::default()
                };
                let mut out = Vec::new();
                write_markdown(&mut out, &run.reader, &choice)
                    .unwrap()
                    .shown
            };
            let word = |word: &str| named(word.parse().unwrap());
            let totals = run.reader.view(|view| view.users()).unwrap();
            assert_eq!(word("planned"), totals.planned);
            assert_eq!(word("changed"), totals.changed);
            assert_eq!(word("unchanged"), totals.unchanged);
            assert_eq!(word("left"), totals.left);
            assert_eq!(word("skipped"), totals.skipped);
            assert_eq!(word("failed"), totals.failed);
            for group in run.reader.view(|view| view.problem_groups()).unwrap() {
                assert_eq!(named(UserClass::Problem(group.kind)), group.users);
            }
            if let Some(impact) = run.reader.view(|view| view.impact(9)).unwrap() {
                assert_eq!(word("losing"), impact.users);
                assert_eq!(word("loss-unknown"), impact.unknown_users);
            }
        }
    }

    #[tokio::test]
    async fn who_has_no_mailbox_is_said_only_where_every_mailbox_was_read() {
        let run = run(TestStage::ImpactCounted).await;
        let choice = only(&["no-mailbox"]);
        let mut out = Vec::new();
        let refused = write_markdown(&mut out, &run.reader, &choice).unwrap_err();
        assert!(
            refused.to_string().contains("could not be read"),
            "{refused}"
        );
        assert!(out.is_empty());
        let run = run.with("UPDATE foresight SET found = json_remove(found, '$.mailboxes')");
        let shown = run.shown(|out, run| write_markdown(out, run, &choice).map(drop));
        assert!(shown.contains("| finn@contoso.example |"), "{shown}");
        assert!(shown.contains("no mailbox"), "{shown}");
    }

    #[tokio::test]
    async fn a_name_that_is_not_in_the_run_is_refused_with_the_nearest() {
        let run = run(TestStage::Planned).await;
        let choice = UserChoice {
            names: vec!["evee@contoso.example".into(), "nobody".into()],
            ..UserChoice::default()
        };
        let mut out = Vec::new();
        let refused = write_markdown(&mut out, &run.reader, &choice).unwrap_err();
        let ReportError::NotInRun(names) = refused else {
            panic!("{refused}");
        };
        let nearest = "`evee@contoso.example` (did you mean `eve@contoso.example`?)";
        assert_eq!(names, [nearest, "`nobody`"]);
    }

    #[tokio::test]
    async fn a_user_without_filters_is_a_row_of_the_whole_run_too() {
        let run = run(TestStage::Stopped)
            .await
            .with("DELETE FROM filter WHERE user = 2");
        let shown = run.shown(|out, run| run.stream(|view| write_rest(out, view, PLAIN)));
        insta::assert_snapshot!(shown, @r"

        Users without a change
        User                      Result     Filters             Note
        ben@contoso.example       unchanged                      no matching filter
        ");
    }

    #[test]
    fn nobody_is_said_to_be_nobody() {
        let none = ShownUsers::default();
        assert_eq!(conclusion(none, None), "No user of this run is meant.");
    }
}
