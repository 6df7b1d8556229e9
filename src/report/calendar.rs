//! The effect of deactivated filters on calendars.

use crate::journal::RunHeader;
use crate::model::Operation;
use crate::plan::UNDO_CANNOT;

use super::grid::paragraph;
use super::paint::Tone;
use super::writer::StyledWrite;
use super::{ReportError, Style};

/// Which synchronisation stops and which continues.
const DIRECTION: &str = "Deactivating stops what goes from Dynamics to Exchange. What users track or categorise in \
                         Outlook, or track by App for Outlook, still comes to Dynamics.";
/// How to avoid the loss. The column with the setting must not be written directly (Microsoft: the
/// `organization` table).
const KEEP_THEM: &str =
    "To keep these items, set it to true in the organization settings editor first.";

/// Whether this run can delete items from calendars, as far as its header shows: it deactivates filters,
/// and the organisation's setting is not known to be true. An undo that deactivates filters is not
/// recognised.
pub fn warns_of_calendar_loss(header: &RunHeader) -> bool {
    header.operation == Operation::Deactivate && header.organization.distinct_deletes != Some(true)
}

/// Writes in three sentences what stops, what continues, and what happens to items in Exchange, in at most 7 lines
/// of 80 columns; nothing where filters are activated.
///
/// An undo may deactivate or activate filters, and its header does not say which: the caller has to know.
///
/// (Microsoft: "Synchronization logic" on directions, and KB 4345686 on meetings that are cancelled unexpectedly.)
pub fn write_calendar_warning(
    out: &mut dyn StyledWrite,
    header: &RunHeader,
    style: Style,
) -> Result<(), ReportError> {
    if header.operation == Operation::Reactivate {
        return Ok(());
    }
    let setting = match header.organization.distinct_deletes {
        Some(true) => {
            let kept = format!(
                "{DIRECTION} What a filter no longer selects stays in Exchange as an unlinked copy, and an engine \
                 that synchronises what it finds there can duplicate it."
            );
            paragraph(out, &kept, Tone::Plain, style)?;
            return Ok(());
        }
        Some(false) => "is off in this organisation",
        None => "could not be read here and is off by default",
    };
    let warning = format!(
        "Warning: {DIRECTION} What a filter no longer selects can be deleted from Exchange at the next \
         synchronisation, and future meetings that the user organises can be cancelled, because \
         DistinctPhysicalAndLogicalDeletesForExchangeSync {setting}."
    );
    paragraph(out, &warning, Tone::Warning, style)?;
    paragraph(out, KEEP_THEM, Tone::Plain, style)?;
    Ok(())
}

/// Writes what undo cannot do.
pub fn write_undo_limits(out: &mut dyn StyledWrite, style: Style) -> Result<(), ReportError> {
    Ok(paragraph(out, UNDO_CANNOT, Tone::Dimmed, style)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::test_runs::{PLAIN, header};

    fn warning(operation: Operation, distinct_deletes: Option<bool>) -> String {
        let mut header = header(operation);
        header.organization.distinct_deletes = distinct_deletes;
        let mut out = Vec::new();
        write_calendar_warning(&mut out, &header, PLAIN).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() <= 7 && text.lines().all(|line| line.chars().count() <= 80));
        text
    }

    #[test]
    fn it_warns_only_where_something_can_be_lost() {
        assert!(!warning(Operation::Deactivate, Some(true)).contains("Warning"));
        assert_eq!(warning(Operation::Reactivate, None), "");
        assert!(!warning(Operation::Undo, Some(true)).contains("Warning"));
        assert!(!warns_of_calendar_loss(&header(Operation::Reactivate)));
        assert!(warns_of_calendar_loss(&header(Operation::Deactivate)));
    }

    #[test]
    fn an_undo_that_switches_filters_off_is_warned_of_when_asked_for() {
        assert_ne!(warning(Operation::Undo, None), "");
        // By its header alone nobody can tell, and most of them switch filters on.
        assert!(!warns_of_calendar_loss(&header(Operation::Undo)));
    }

    #[test]
    fn it_says_whether_the_setting_is_off_or_unknown() {
        let off = warning(Operation::Deactivate, Some(false)).replace('\n', " ");
        assert!(off.contains("is off in this"), "{off}");
        insta::assert_snapshot!(warning(Operation::Deactivate, None), @r"
        Warning: Deactivating stops what goes from Dynamics to Exchange. What users
        track or categorise in Outlook, or track by App for Outlook, still comes to
        Dynamics. What a filter no longer selects can be deleted from Exchange at the
        next synchronisation, and future meetings that the user organises can be
        cancelled, because DistinctPhysicalAndLogicalDeletesForExchangeSync could not be
        read here and is off by default.
        To keep these items, set it to true in the organization settings editor first.
        ");
    }

    #[test]
    fn it_says_which_direction_stops_and_which_goes_on_whatever_the_setting() {
        for setting in [None, Some(false), Some(true)] {
            let said = warning(Operation::Deactivate, setting).replace('\n', " ");
            assert!(
                said.contains("stops what goes from Dynamics to Exchange."),
                "{said}"
            );
            assert!(said.contains("still comes to Dynamics."), "{said}");
        }
        insta::assert_snapshot!(warning(Operation::Deactivate, Some(true)), @r"
        Deactivating stops what goes from Dynamics to Exchange. What users track or
        categorise in Outlook, or track by App for Outlook, still comes to Dynamics.
        What a filter no longer selects stays in Exchange as an unlinked copy, and an
        engine that synchronises what it finds there can duplicate it.
        ");
    }
}
