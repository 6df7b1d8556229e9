//! The facts of a plan on few lines.

use console::measure_text_width;

use super::text::clean;
use super::text_lines::folded;

/// The name of the fact with the users who lose most.
pub(super) const MOST: &str = "Most";
/// The names of the facts about the environment and the caller.
pub(super) const WHERE: &str = "Where";
pub(super) const CALLER: &str = "Caller";
/// The width of the names of facts, in columns.
pub(super) const NAMES: usize = 10;

/// The lines of all facts in at most `most` lines less those of the notes. Where that is not enough room, first the
/// users who lose most get one line, then none, then each fact gets one line. Notes that need a line take it from all of
/// these, and where even that is not enough, warnings do.
pub(super) fn fact_rows(
    facts: &[(&'static str, String)],
    most: usize,
    (needed, warnings): (usize, usize),
    width: usize,
) -> Vec<String> {
    let facts = with_caller_beside_place(facts, width);
    let rows = |most_lines: usize, lines: usize| {
        let rows = facts.iter().flat_map(|(name, value)| {
            let lines = if *name == MOST { most_lines } else { lines };
            fact_lines(name, &clean(value), width, lines)
        });
        rows.collect::<Vec<_>>()
    };
    let attempts = [(2, 2), (1, 2), (0, 2), (1, 1), (0, 1)];
    let fits = |notes: usize| {
        let mut rows = attempts.iter().map(|(most, lines)| rows(*most, *lines));
        rows.find(|rows| rows.len() + notes <= most)
    };
    let found = fits(needed).or_else(|| fits(warnings));
    found.unwrap_or_else(|| rows(0, 1))
}

/// The caller in the line of the environment, where both fit.
fn with_caller_beside_place(
    facts: &[(&'static str, String)],
    width: usize,
) -> Vec<(&'static str, String)> {
    let mut facts = facts.to_vec();
    if let [(WHERE, place), (CALLER, caller), ..] = &facts[..] {
        let both = format!("{place}, as {caller}");
        if NAMES + measure_text_width(&clean(&both)) <= width {
            facts[0].1 = both;
            facts.remove(1);
        }
    }
    facts
}

/// A name with its value on at most `most` lines. What is too long for them is omitted. A command is
/// neither broken nor cut, because it could not be typed.
fn fact_lines(name: &str, value: &str, width: usize, most: usize) -> Vec<String> {
    if most == 0 {
        return Vec::new();
    }
    let room = width.saturating_sub(NAMES).max(1);
    let gap = " ".repeat(NAMES.saturating_sub(measure_text_width(name)));
    if value.starts_with('`') {
        return vec![format!("{name}{gap}{value}")];
    }
    let indent = " ".repeat(NAMES);
    let lines = folded(value, ", ", room, most).into_iter().enumerate();
    let lines = lines.map(|(at, line)| match at {
        0 => format!("{name}{gap}{line}"),
        _ => format!("{indent}{line}"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_over_two_lines_and_is_cut_after_them() {
        let lines = |value: &str| fact_lines("Failed", value, 30, 2);
        assert_eq!(lines("3 no-roles"), ["Failed    3 no-roles"]);
        assert_eq!(
            lines("3 no-roles, 12 no-licence"),
            ["Failed    3 no-roles,", "          12 no-licence"]
        );
        assert_eq!(
            lines("3 no-roles, 12 no-licence, 4 disabled"),
            ["Failed    3 no-roles,", "          12 no-licence, …"]
        );
        assert_eq!(
            lines("`syncfilters report 3f2a9c`"),
            ["Failed    `syncfilters report 3f2a9c`"]
        );
        assert_eq!(
            lines("someone-with-a-long-name"),
            ["Failed    someone-with-a-long…"]
        );
    }

    #[test]
    fn notes_take_the_place_of_who_loses_most_and_then_of_the_second_line_of_a_fact() {
        let long = "3 no-roles, 12 no-licence, 4 disabled".to_owned();
        let facts = [
            ("Failed", long.clone()),
            (MOST, long.clone()),
            ("Skipped", long),
        ];
        let rows = |needed, warnings| fact_rows(&facts, 6, (needed, warnings), 30);
        assert_eq!(rows(0, 0).len(), 6);
        assert_eq!(rows(1, 0)[2], "Most      3 no-roles, …");
        assert_eq!(rows(1, 0)[4], "          12 no-licence, …");
        assert_eq!(rows(2, 0).len(), 4);
        assert!(!rows(2, 0)[2].starts_with("Most"));
        let one_each = ["Failed    3 no-roles, …", "Skipped   3 no-roles, …"];
        assert_eq!(rows(4, 0), one_each);
        // Not every note fits: the warnings do.
        assert_eq!(rows(9, 4), one_each);
    }

    #[test]
    fn the_caller_is_in_the_line_of_the_environment_where_both_fit() {
        let facts = [(WHERE, "Contoso".to_owned()), (CALLER, "ada".to_owned())];
        assert_eq!(
            fact_rows(&facts, 9, (0, 0), 40),
            ["Where     Contoso, as ada"]
        );
        let narrow = fact_rows(&facts, 9, (0, 0), 20);
        assert_eq!(narrow, ["Where     Contoso", "Caller    ada"]);
    }
}
