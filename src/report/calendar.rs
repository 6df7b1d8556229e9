//! What switching filters off can do to calendars.

use crate::journal::Head;
use crate::model::Operation;
use crate::plan::UNDO_CANNOT;

use super::grid::paragraph;
use super::paint::Tone;
use super::writer::StyledWrite;
use super::{Look, ReportError};

/// Whether carrying out this run can delete entries from calendars, as far as its head tells: where filters
/// are switched off, and the organisation is not known to keep apart what was deleted from what is no longer
/// selected. An undo that switches filters off is not seen.
pub fn warns_of_calendar_loss(head: &Head) -> bool {
    head.operation == Operation::Deactivate && head.organization.distinct_deletes != Some(true)
}

/// Says what can be lost from calendars and how to avoid it, in at most 6 lines at 80 columns; nothing
/// where nothing can be lost.
///
/// An undo may switch filters off or on, and its head does not say which: whoever calls has to know.
///
/// (Microsoft: "Synchronization logic", and KB 4345686 on meetings that are cancelled unexpectedly.)
pub fn write_calendar_warning(
    out: &mut dyn StyledWrite,
    head: &Head,
    look: Look,
) -> Result<(), ReportError> {
    let switches_on = head.operation == Operation::Reactivate;
    if switches_on || head.organization.distinct_deletes == Some(true) {
        return Ok(());
    }
    let setting = match head.organization.distinct_deletes {
        Some(_) => "is off in this organisation",
        None => "could not be read here and is off by default",
    };
    let warning = format!(
        "Warning: what a filter no longer selects can be deleted from Exchange at the next \
         synchronisation, and future meetings can be cancelled where the user is the organiser. \
         The organisation setting DistinctPhysicalAndLogicalDeletesForExchangeSync {setting}; \
         set to true beforehand, it makes Exchange keep them."
    );
    paragraph(out, &warning, Tone::Odd, look)?;
    Ok(())
}

/// Says what undo cannot do.
pub fn write_undo_limits(out: &mut dyn StyledWrite, look: Look) -> Result<(), ReportError> {
    Ok(paragraph(out, UNDO_CANNOT, Tone::Quiet, look)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::support::{PLAIN, head};

    fn warning(operation: Operation, distinct_deletes: Option<bool>) -> String {
        let mut head = head(operation);
        head.organization.distinct_deletes = distinct_deletes;
        let mut out = Vec::new();
        write_calendar_warning(&mut out, &head, PLAIN).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() <= 6 && text.lines().all(|line| line.chars().count() <= 80));
        text
    }

    #[test]
    fn it_warns_only_where_something_can_be_lost() {
        assert_eq!(warning(Operation::Deactivate, Some(true)), "");
        assert_eq!(warning(Operation::Reactivate, None), "");
        assert_eq!(warning(Operation::Undo, Some(true)), "");
        assert!(!warns_of_calendar_loss(&head(Operation::Reactivate)));
        assert!(warns_of_calendar_loss(&head(Operation::Deactivate)));
    }

    #[test]
    fn an_undo_that_switches_filters_off_is_warned_of_when_asked_for() {
        assert_ne!(warning(Operation::Undo, None), "");
        // By its head alone nobody can tell, and most of them switch filters on.
        assert!(!warns_of_calendar_loss(&head(Operation::Undo)));
    }

    #[test]
    fn it_says_whether_the_setting_is_off_or_unknown() {
        assert!(warning(Operation::Deactivate, Some(false)).contains("is off in this"));
        insta::assert_snapshot!(warning(Operation::Deactivate, None), @r"
        Warning: what a filter no longer selects can be deleted from Exchange at the
        next synchronisation, and future meetings can be cancelled where the user is the
        organiser. The organisation setting
        DistinctPhysicalAndLogicalDeletesForExchangeSync could not be read here and is
        off by default; set to true beforehand, it makes Exchange keep them.
        ");
    }
}
