//! Charts that need no script; beside each stands the same in words and numbers.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::journal::{StatesOfType, Throughput};
use crate::report::text::{count, number};

use super::escape::Text;
use super::page::second;

/// Stretches of time in the chart of changes, at most.
pub(super) const STRETCHES: u32 = 80;

/// Writes the states before and after by type: a table whose rows carry a bar.
pub(super) fn write_states(out: &mut dyn Write, types: &[StatesOfType]) -> io::Result<()> {
    if types.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section><h2>States before and after</h2>\n<div class=\"wide\"><table class=\"states\"><thead><tr>\
         <th>Type</th><th>When</th><th class=\"bar\"><span class=\"key a\"></span>active \
         <span class=\"key i\"></span>inactive <span class=\"key g\"></span>gone <span class=\"key u\"></span>not known</th>\
         <th class=\"n\">Active</th><th class=\"n\">Inactive</th><th class=\"n\">Gone</th><th class=\"n\">Not known</th></tr></thead>"
    )?;
    for of in types {
        let name = match of.filter_type.as_str() {
            "" => "type not known",
            name => name,
        };
        writeln!(out, "<tbody><tr><th rowspan=\"2\">{}</th>", Text(name))?;
        bar(out, "before", [of.active_before, of.inactive_before, 0, 0])?;
        write!(out, "<tr>")?;
        let after = [of.active_after, of.inactive_after, of.gone, of.unknown];
        bar(out, "after", after)?;
        writeln!(out, "</tbody>")?;
    }
    writeln!(out, "</table></div></section>")
}

fn bar(out: &mut dyn Write, when: &str, numbers: [u64; 4]) -> io::Result<()> {
    let total = numbers.iter().sum::<u64>().max(1);
    write!(
        out,
        "<td>{when}</td><td class=\"bar\"><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
    )?;
    let mut before = 0;
    for (of, class) in numbers.into_iter().zip(["a", "i", "g", "u"]) {
        let (from, to) = (before * 1000 / total, (before + of) * 1000 / total);
        if of > 0 {
            // What there is shows, however small its share.
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

/// Writes the changes made over time.
pub(super) fn write_throughput(
    out: &mut dyn Write,
    made: &Throughput,
    zone: &TimeZone,
) -> io::Result<()> {
    let most = made.counts.iter().copied().max().unwrap_or(0).max(1);
    let total = made.counts.iter().sum();
    let seconds = u64::try_from(made.stretch / 1000).unwrap_or(1);
    let at =
        |ms| Timestamp::from_millisecond(ms).map_or_else(|_| String::new(), |at| second(at, zone));
    let (first, last) = (at(made.first), at(made.last));
    let said = format!(
        "{} made from {first} to {last}; at most {} in {}.",
        count(total, "change"),
        number(most),
        count(seconds, "second")
    );
    writeln!(
        out,
        "<section><h2>Changes over time</h2>\n<figure><svg class=\"time\" role=\"img\" aria-label=\"{}\" \
         viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\">",
        Text(&said),
        made.counts.len() * 10
    )?;
    for (n, of) in made.counts.iter().enumerate().filter(|(_, of)| **of > 0) {
        let high = (of * 100 / most).max(1);
        write!(
            out,
            "<rect class=\"a\" x=\"{}\" y=\"{}\" width=\"9\" height=\"{high}\"/>",
            n * 10,
            100 - high
        )?;
    }
    writeln!(
        out,
        "</svg><div class=\"axis\"><span>{first}</span><span>{last}</span></div>\
         <figcaption>{}</figcaption></figure></section>",
        Text(&said)
    )
}
