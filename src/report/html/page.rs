//! The HTML page of one run.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use crate::journal::{RunReader, View};
use crate::report::chosen_users::conclusion;
use crate::report::error::read_run;
use crate::report::evidence::Evidence;
use crate::report::impact::ImpactReport;
use crate::report::problems::{TITLE, group_cells, kinds};
use crate::report::run_cells::{facts_of, title};
use crate::report::summary::{Totals, numbers};
use crate::report::user_choice::UserChoice;
use crate::report::{ReportError, ShownUsers};

use super::charts::{write_times, write_types, write_units};
use super::escape::Text;
use super::head::{Heading, headline, write_first};
use super::impact::{write_impact, write_warnings};
use super::users::write_people;

pub(in crate::report) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes a run with every change and every problem of the chosen users; the figures are those of the whole run. One
/// user at a time is in memory.
pub(in crate::report) fn write_html(
    out: &mut dyn Write,
    run: &RunReader,
    choice: &UserChoice,
    zone: &TimeZone,
) -> Result<ShownUsers, ReportError> {
    read_run(run, |view| write_page(out, view, choice, zone))
}

fn write_page(
    out: &mut dyn Write,
    view: &View<'_>,
    choice: &UserChoice,
    zone: &TimeZone,
) -> Result<ShownUsers, ReportError> {
    let found = choice.find(view)?;
    let totals = Totals::read(view)?;
    let evidence = Evidence::read(view)?;
    let impact_report = ImpactReport::read(view, &totals.header)?;
    let headline = headline(&totals, &evidence.types);
    write_begin(out, &headline, &totals)?;
    let heading = Heading {
        text: &headline,
        level: 1,
        standing: None,
        undone_by: view.undone_by()?,
    };
    write_figures(out, (&heading, &totals), &evidence, &impact_report, zone)?;
    write_run(out, &totals, zone)?;
    write_tools(out, choice)?;
    let users = write_people(out, (view, &found), zone)?;
    if !choice.is_everyone() {
        let conclusion = conclusion(users, choice.limit);
        writeln!(out, "<p>{}</p>", Text(&conclusion))?;
    }
    writeln!(
        out,
        "</section></main>\n<script>{SCRIPT}</script>\n</body></html>"
    )?;
    Ok(users)
}

/// The result of a run, as a part of another page.
pub(in crate::report) fn write_figures_of(
    out: &mut dyn Write,
    (view, standing): (&View<'_>, Option<&str>),
    zone: &TimeZone,
) -> Result<(), ReportError> {
    let totals = Totals::read(view)?;
    let evidence = Evidence::read(view)?;
    let impact_report = ImpactReport::read(view, &totals.header)?;
    let headline = headline(&totals, &evidence.types);
    let heading = Heading {
        text: &headline,
        level: 2,
        standing,
        undone_by: view.undone_by()?,
    };
    Ok(write_figures(
        out,
        (&heading, &totals),
        &evidence,
        &impact_report,
        zone,
    )?)
}

/// Requests over time, as a part of another page; nothing before any were counted.
pub(in crate::report) fn write_times_of(
    out: &mut dyn Write,
    view: &View<'_>,
    zone: &TimeZone,
) -> Result<(), ReportError> {
    Ok(write_times(out, &Evidence::read(view)?, zone)?)
}

/// Everything above the list of users.
fn write_figures(
    out: &mut dyn Write,
    (heading, totals): (&Heading<'_>, &Totals),
    evidence: &Evidence,
    impact_report: &ImpactReport,
    zone: &TimeZone,
) -> io::Result<()> {
    write_first(out, heading, totals, impact_report, zone)?;
    write_types(out, evidence)?;
    writeln!(out, "<div class=\"beside\">")?;
    write_groups(out, totals)?;
    write_warnings(out, impact_report)?;
    writeln!(out, "</div>")?;
    write_impact(out, impact_report)?;
    write_units(out, evidence)?;
    write_times(out, evidence, zone)
}

fn write_begin(out: &mut dyn Write, headline: &str, totals: &Totals) -> io::Result<()> {
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>{}, {}</title>\n<style>{STYLE}</style></head>\n<body><main>",
        Text(headline),
        Text(&totals.header.organization.name),
    )
}

/// What was requested, the result, and what it took, in full.
fn write_run(out: &mut dyn Write, totals: &Totals, zone: &TimeZone) -> io::Result<()> {
    let header = &totals.header;
    let offset = zone.to_offset(header.started);
    let mut asked = facts_of(header, zone);
    asked.push(("Times", format!("as in UTC{offset} when the run began")));
    asked.push(("Run", header.id.to_string()));
    asked.push(("Server", format!("version {}", header.version)));
    writeln!(out, "<section><h2>{}</h2>", Text(&title(header)))?;
    facts(out, &asked)?;
    writeln!(out, "<h3>Result</h3>")?;
    facts(out, &numbers(totals))?;
    writeln!(out, "</section>")
}

fn facts(out: &mut dyn Write, facts: &[(&'static str, String)]) -> io::Result<()> {
    writeln!(out, "<dl>")?;
    for (name, value) in facts {
        writeln!(out, "<dt>{name}</dt><dd>{}</dd>", Text(value))?;
    }
    writeln!(out, "</dl>")
}

/// The kinds of failures and of filters that were left alone with what to do, and in one line who was skipped.
fn write_groups(out: &mut dyn Write, totals: &Totals) -> io::Result<()> {
    if totals.groups.is_empty() {
        return Ok(());
    }
    let (skipped, others): (Vec<_>, Vec<_>) =
        totals.groups.iter().partition(|group| group.kind.is_skip());
    writeln!(out, "<section><h2>{TITLE}</h2>")?;
    if !others.is_empty() {
        writeln!(
            out,
            "<div class=\"wide\"><table class=\"groups\"><thead><tr><th>Kind</th><th class=\"n\">Users</th>\
             <th>Example</th><th>Hint</th></tr></thead>"
        )?;
        for group in others {
            let [kind, users, example, hint] = group_cells(group).map(Text);
            writeln!(
                out,
                "<tr><td>{kind}</td><td class=\"n\">{users}</td><td>{example}</td><td>{hint}</td></tr>"
            )?;
        }
        writeln!(out, "</table></div>")?;
    }
    if !skipped.is_empty() {
        writeln!(out, "<p>Skipped: {}.</p>", Text(&kinds(skipped)))?;
    }
    writeln!(out, "</section>")
}

fn write_tools(out: &mut dyn Write, choice: &UserChoice) -> io::Result<()> {
    let (heading, contents) = if choice.is_everyone() {
        (
            "Every user".to_owned(),
            "Every user, every change and every problem is",
        )
    } else {
        let shown = format!("Users: {}", choice.describe());
        (
            shown,
            "These users, with every change and every problem, are",
        )
    };
    write!(
        out,
        "<section id=\"users\"><h2>{}</h2>\n<p class=\"tools\" hidden>\
         <input type=\"search\" placeholder=\"Search users, filters, problems\" aria-label=\"Search\"> \
         <select aria-label=\"Which users\"><option value=\"\">all users</option>",
        Text(&heading)
    )?;
    for result in [
        "failed",
        "skipped",
        "left",
        "left-out",
        "planned",
        "changed",
        "unchanged",
    ] {
        write!(out, "<option>{result}</option>")?;
    }
    writeln!(
        out,
        "</select> <button type=\"button\">Sort by name</button> \
         <label><input type=\"checkbox\"> print all users</label> <output></output></p>\n\
         <p class=\"paper\">{contents} in the file that this was printed from.</p>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{TestStage, run};

    async fn shown() -> String {
        let run = run(TestStage::Stopped).await;
        run.shown(|out, run| write_html(out, run, &UserChoice::default(), &TimeZone::UTC).map(drop))
    }

    #[tokio::test]
    async fn every_user_every_change_and_every_problem_is_there() {
        let page = shown().await;
        assert_eq!(page.matches("<details class=\"user ").count(), 8);
        assert_eq!(page.matches("<p class=\"problem\">").count(), 6);
        assert_eq!(page.matches(" → ").count(), 5);
        for result in [
            "changed",
            "unchanged",
            "left",
            "skipped",
            "failed",
            "planned",
        ] {
            assert!(
                page.contains(&format!("class=\"user {result}\"")),
                "{result}"
            );
        }
        assert!(page.contains("Give the user a security role"));
        assert!(page.contains("active (status null) → inactive<td>changed<td>"));
        assert!(page.contains(">2026-11-24 14:04:10</time>"));
    }

    #[tokio::test]
    async fn chosen_users_are_listed_alone_beside_the_figures_of_the_whole_run() {
        let run = run(TestStage::Stopped).await;
        let choice = UserChoice {
            only: vec!["failed".parse().unwrap()],
            limit: Some(1),
            ..UserChoice::default()
        };
        let page = run.shown(|out, run| write_html(out, run, &choice, &TimeZone::UTC).map(drop));
        assert_eq!(page.matches("<details class=\"user failed\"").count(), 1);
        assert_eq!(page.matches("<details class=\"user ").count(), 1);
        for said in [
            "<h2>Users: failed</h2>",
            "<p>1 of 2 users; --limit 1 leaves out 1.</p>",
            "switched off for 1 of 8 users so far</h1>",
        ] {
            assert!(page.contains(said), "{said}");
        }
        assert!(!page.contains("Every user"));
    }

    #[tokio::test]
    async fn the_first_screen_says_for_how_many_and_what_became_of_them() {
        for (stage, headline) in [
            (
                TestStage::Planned,
                "to be switched off for 5 of 8 users: nothing was changed yet",
            ),
            (TestStage::Stopped, "switched off for 1 of 8 users so far"),
        ] {
            let run = run(stage).await;
            let page = run.shown(|out, run| {
                write_html(out, run, &UserChoice::default(), &TimeZone::UTC).map(drop)
            });
            let h1 = format!("<h1>Appointment synchronisation {headline}</h1>");
            assert!(page.contains(&h1), "{h1}: {}", &page[..9_000]);
            assert_eq!(page.matches("<div class=\"tile ").count(), 4);
        }
    }

    #[tokio::test]
    async fn nothing_is_fetched_and_no_control_passes() {
        let page = shown().await;
        let address = "https://contoso.crm4.dynamics.com";
        assert!(page.contains(&format!("<dd>{address}</dd>")));
        assert!(!page.replace(address, "").contains("://"));
        for reference in ["src=", "href=", "url(", "@import"] {
            assert!(!page.contains(reference), "{reference}");
        }
        assert!(page.contains("dan·[2J@contoso.example"));
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'));
    }

    #[tokio::test]
    async fn states_are_shown_by_type_and_unit_and_requests_over_time() {
        let page = shown().await;
        for said in [
            "<th rowspan=\"2\">appointment</th>",
            "<th rowspan=\"2\">Sales | &lt;b&gt;North&lt;/b&gt;</th>",
            "<th rowspan=\"2\">unit not known</th>",
            "At most 1,000 requests in 1s, 4 throttled in all.",
            "<p class=\"id\">00000000-0000-0000-0000-000000000001, Service</p>",
        ] {
            assert!(page.contains(said), "{said}");
        }
        let charts: Vec<_> = page.split("class=\"time\"").skip(1).collect();
        assert_eq!(charts.len(), 2);
        let bars = charts
            .iter()
            .map(|chart| chart.matches("<rect class=\"a\"").count());
        assert!(bars.eq([1, 2]));
    }

    #[tokio::test]
    async fn a_run_of_an_older_version_says_what_is_not_known() {
        let older = "UPDATE user SET unit = NULL; DELETE FROM unit; DELETE FROM pace;";
        let run = run(TestStage::Stopped).await.with(older);
        let page = run.shown(|out, run| {
            write_html(out, run, &UserChoice::default(), &TimeZone::UTC).map(drop)
        });
        assert!(page.contains("Not known: the run was recorded by an older version"));
        assert!(page.contains("It is not known when 1,234 requests were made"));
        assert_eq!(page.matches("class=\"time\"").count(), 1);
    }

    #[tokio::test]
    async fn what_was_tried_again_and_done_is_said_to_be_over() {
        let run = run(TestStage::Stopped).await.tried_again();
        let page = run.shown(|out, run| {
            write_html(out, run, &UserChoice::default(), &TimeZone::UTC).map(drop)
        });
        assert_eq!(page.matches("<p class=\"problem over\">").count(), 1);
        assert!(!page.contains("Leave it: the filter works by its state"));
    }

    #[tokio::test]
    async fn what_is_opened_is_closed() {
        let page = shown().await;
        let tags =
            "html head body main section div dl table thead tbody details summary svg figure p";
        for tag in tags.split(' ') {
            let opened = page.matches(&format!("<{tag}>")).count()
                + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
    }
}
