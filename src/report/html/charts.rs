//! Charts without scripts; the same data is beside each in words and numbers.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use crate::journal::{States, TimeBucket, Timeline};
use crate::report::evidence::{Evidence, TIMES, at, lasting, sentences, time_cells};
use crate::report::text::{count, number};

use super::escape::Text;

/// Writes the states before and after, by type.
pub(super) fn write_types(out: &mut dyn Write, evidence: &Evidence) -> io::Result<()> {
    if evidence.types.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>Filters before and after</h2>\n\
         <p class=\"keys\"><span class=\"key a\"></span>active <span class=\"key i\"></span>inactive \
         <span class=\"key g\"></span>gone <span class=\"key u\"></span>not known</p>"
    )?;
    table(out, "Type", &evidence.types)?;
    writeln!(out, "</section>")
}

/// Writes the states before and after, by business unit.
pub(super) fn write_units(out: &mut dyn Write, evidence: &Evidence) -> io::Result<()> {
    if evidence.types.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>Business units</h2>")?;
    match evidence.no_units() {
        Some(why) => writeln!(out, "<p>{why}</p>")?,
        None => table(out, "Business unit", &evidence.units)?,
    }
    writeln!(out, "</section>")
}

/// A table with a bar in each row.
fn table(out: &mut dyn Write, title: &str, states: &[States]) -> io::Result<()> {
    writeln!(
        out,
        "<div class=\"wide\"><table class=\"states\"><thead><tr><th>{title}</th><th>When</th><th class=\"bar\">Share</th>\
         <th class=\"n\">Active</th><th class=\"n\">Inactive</th><th class=\"n\">Gone</th><th class=\"n\">Not known</th></tr></thead>"
    )?;
    for of in states {
        writeln!(out, "<tbody><tr><th rowspan=\"2\">{}</th>", Text(&of.name))?;
        let before = [of.active_before, of.inactive_before, 0, 0];
        row(out, "before", before)?;
        write!(out, "<tr>")?;
        let after = [of.active_after, of.inactive_after, of.gone, of.unknown];
        row(out, "after", after)?;
        writeln!(out, "</tbody>")?;
    }
    writeln!(out, "</table></div>")
}

fn row(out: &mut dyn Write, when: &str, numbers: [u64; 4]) -> io::Result<()> {
    let total = numbers.iter().sum::<u64>().max(1);
    write!(
        out,
        "<td>{when}</td><td class=\"bar\"><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    )?;
    let mut before = 0;
    for (of, class) in numbers.into_iter().zip(["a", "i", "g", "u"]) {
        let (from, to) = (before * 1000 / total, (before + of) * 1000 / total);
        if of > 0 {
            // Every existing value is visible, however small its share.
            let width = (to - from).max(2);
            write!(
                out,
                "<rect class=\"{class}\" x=\"{from}\" width=\"{width}\" height=\"10\"/>"
            )?;
        }
        before += of;
    }
    write!(out, "</svg></td>")?;
    for of in numbers {
        write!(out, "<td class=\"n\">{}</td>", number(of))?;
    }
    writeln!(out, "</tr>")
}

/// Writes the run over time: changes, and requests with those that were throttled.
pub(super) fn write_times(
    out: &mut dyn Write,
    evidence: &Evidence,
    zone: &TimeZone,
) -> io::Result<()> {
    let Evidence { bars, rows, .. } = evidence;
    let said = sentences(bars);
    if said.is_empty() {
        return Ok(());
    }
    writeln!(out, "<section><h2>Over time</h2>")?;
    let changes = |of: &TimeBucket| [of.changes, 0];
    chart(
        out,
        "<h3>Filters changed</h3>",
        "filter",
        bars,
        zone,
        changes,
    )?;
    let requests = |of: &TimeBucket| {
        let TimeBucket { requests: of, .. } = of;
        [of.total.saturating_sub(of.throttled), of.throttled]
    };
    let title = "<h3>Requests <small><span class=\"key a\"></span>answered <span class=\"key u\"></span>throttled</small></h3>";
    chart(out, title, "request", bars, zone, requests)?;
    writeln!(out, "<p>{}</p>", Text(said.join(" ")))?;
    if !rows.buckets.is_empty() {
        times(out, rows, zone)?;
    }
    writeln!(out, "</section>")
}

/// A chart of stacked bars; nothing where there is no data.
fn chart(
    out: &mut dyn Write,
    title: &str,
    noun: &str,
    bars: &Timeline,
    zone: &TimeZone,
    numbers: impl Fn(&TimeBucket) -> [u64; 2],
) -> io::Result<()> {
    let buckets = &bars.buckets;
    let all = |of: &TimeBucket| numbers(of).into_iter().fold(0, u64::saturating_add);
    let most = buckets.iter().map(all).max().unwrap_or(0);
    let (Some(first), Some(last), true) = (buckets.first(), buckets.last(), most > 0) else {
        return Ok(());
    };
    let (first, last) = (at(first.from, zone), at(last.from + bars.width, zone));
    let most_said = format!("{} in {}", count(most, noun), lasting(bars.width));
    writeln!(
        out,
        "<figure>{title}\n<p class=\"axis\">{most_said}</p><svg class=\"time\" role=\"img\" \
         aria-label=\"{}s over time, at most {most_said}, from {first} to {last}\" \
         viewBox=\"0 0 {} 1000\" preserveAspectRatio=\"none\">",
        noun,
        buckets.len() * 10
    )?;
    for (n, of) in buckets.iter().enumerate() {
        let x = n * 10;
        if of.pause > 0 {
            write!(
                out,
                "<rect class=\"p\" x=\"{x}\" width=\"1\" height=\"1000\"/>"
            )?;
        }
        let mut top = 1000;
        for (number, class) in numbers(of).into_iter().zip(["a", "u"]) {
            if number > 0 {
                let high = (number.saturating_mul(1000) / most).clamp(10, top);
                top -= high;
                write!(
                    out,
                    "<rect class=\"{class}\" x=\"{}\" y=\"{top}\" width=\"8\" height=\"{high}\"/>",
                    x + 1
                )?;
            }
        }
    }
    writeln!(
        out,
        "</svg><p class=\"axis\"><span>{first}</span><span>{last}</span></p></figure>"
    )
}

fn times(out: &mut dyn Write, rows: &Timeline, zone: &TimeZone) -> io::Result<()> {
    write!(
        out,
        "<details class=\"numbers\"><summary>The same in numbers</summary><div class=\"wide\"><table><thead><tr>"
    )?;
    for column in TIMES {
        let class = if column.right { " class=\"n\"" } else { "" };
        write!(out, "<th{class}>{}</th>", column.title)?;
    }
    writeln!(out, "</tr></thead>")?;
    for of in &rows.buckets {
        let [from, changes, requests, throttled, retried] = time_cells(of, zone);
        writeln!(
            out,
            "<tr><td>{from}</td><td class=\"n\">{changes}</td><td class=\"n\">{requests}</td>\
             <td class=\"n\">{throttled}</td><td class=\"n\">{retried}</td></tr>"
        )?;
    }
    writeln!(out, "</table></div></details>")
}
