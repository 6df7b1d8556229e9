//! The question before a change: what, how many, and what to know first.

use std::fmt::Write as _;

use crate::model::text::{NAMES_IN_MESSAGE, capital};
use crate::model::{Operation, Target, count, number};
use crate::plan::{Confirmations, GivenBy, LossBound, Need, Stakes};

use super::time_words::time_words;

/// The question about several runs together, without the word to type.
/// `left_out` are the named environments that it does not include.
pub fn question(runs: &[(&str, &Stakes)], left_out: &[String]) -> String {
    let total = |of: fn(&Stakes) -> u64| runs.iter().map(|(_, stakes)| of(stakes)).sum();
    let items = total(|stakes| stakes.wave.map_or(stakes.items, |wave| wave.filters));
    let users = total(|stakes| stakes.wave.map_or(stakes.users, |wave| wave.users));
    let verb = runs
        .first()
        .map_or("Change", |(_, stakes)| verb(stakes.operation));
    let names: Vec<_> = runs.iter().map(|(name, _)| *name).collect();
    let place = format!(" in {}", in_words(&names));
    let mut text = notes(runs);
    let (wave, next) = wave_words(runs);
    let target = runs.first().map(|(_, stakes)| stakes.target);
    // Writing to a string cannot fail.
    let _ = if target == Some(Target::Templates) {
        let templates = count(items, "template");
        let defaults = new_users_words(runs);
        write!(text, "{verb} {templates}{defaults}{place}?")
    } else {
        let (filters, users) = (count(items, "filter"), count(users, "user"));
        write!(text, "{wave}{verb} {filters} of {users}{place}{next}?")
    };
    text += &price(runs);
    let left_out: Vec<_> = left_out.iter().map(String::as_str).collect();
    match &left_out[..] {
        [] => text,
        [one] => text + &format!("\n{one} is left out."),
        several => text + &format!("\n{} are left out.", in_words(several)),
    }
}

/// Names in a sentence.
fn in_words(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// The impact and the time, on a separate line; nothing where neither is known.
fn price(runs: &[(&str, &Stakes)]) -> String {
    let said = [lost_items(runs), time(runs)];
    let said: Vec<_> = said.into_iter().flatten().collect();
    match said.join(" ") {
        said if said.is_empty() => said,
        said => format!("\n{said}"),
    }
}

/// The items that can be lost; none where there are none.
fn lost_items(runs: &[(&str, &Stakes)]) -> Option<String> {
    let lossy: Vec<_> = runs
        .iter()
        .filter(|(_, stakes)| stakes.calendar_loss)
        .map(|(_, stakes)| stakes.coming_items)
        .collect();
    if lossy.is_empty() {
        return None;
    }
    let counted: Option<Vec<_>> = lossy.into_iter().collect();
    let said = counted.map_or_else(
        || "calendar items".to_owned(),
        |counted| {
            let bound: LossBound = counted.iter().map(|(_, bound)| *bound).collect();
            // Numbers in run files are claims, so their sum may overflow.
            let items = counted
                .iter()
                .fold(0, |all: u64, (items, _)| all.saturating_add(*items));
            format!("{}{}", bound.words(), count(items, "coming item"))
        },
    );
    Some(capital(&format!("{said} can be deleted from Exchange.")))
}

/// The time until the last of the runs, which proceed in parallel, is done.
fn time(runs: &[(&str, &Stakes)]) -> Option<String> {
    let times: Option<Vec<_>> = runs.iter().map(|(_, stakes)| stakes.time).collect();
    let longest = times?.into_iter().max_by_key(|time| time.most)?;
    Some(capital(&format!("{}.", time_words(&longest))))
}

/// The templates that new users get additionally or no longer.
fn new_users_words(runs: &[(&str, &Stakes)]) -> String {
    let total = |of: fn(&Stakes) -> u64| runs.iter().map(|(_, stakes)| of(stakes)).sum::<u64>();
    let more = total(|stakes| stakes.new_users.more);
    let fewer = total(|stakes| stakes.new_users.fewer);
    let [some, no_longer] = [more, fewer].map(number);
    match (more, fewer) {
        (0, 0) => String::new(),
        (0, _) => format!(" (new users no longer receive {no_longer})"),
        (_, 0) => format!(" (new users will receive {some})"),
        _ => format!(" (new users will receive {some} and no longer receive {no_longer})"),
    }
}

/// What an operation does to filters, as the beginning of a question or the name of a button.
pub const fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Deactivate => "Deactivate",
        Operation::Reactivate => "Reactivate",
        Operation::Undo => "Put back",
    }
}

/// Notes before the question.
fn notes(runs: &[(&str, &Stakes)]) -> String {
    let mut text = String::new();
    if runs.iter().any(|(_, stakes)| stakes.settings_unknown) {
        text += "This run was begun by an older version: its waves and its limit are not known. ";
    }
    for (_, stakes) in runs {
        text += &after_undo(stakes).map_or_else(String::new, |said| said + " ");
        let names = &stakes.unknown_exclusions;
        if !names.is_empty() {
            let shown: Vec<_> = names
                .iter()
                .take(NAMES_IN_MESSAGE)
                .map(String::as_str)
                .collect();
            let more = if names.len() > NAMES_IN_MESSAGE {
                ", …"
            } else {
                ""
            };
            let total = u64::try_from(names.len()).unwrap_or(u64::MAX);
            let (total, shown) = (count(total, "name"), shown.join(", "));
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "{total} of the exclusion list match nobody: {shown}{more}. "
            );
        }
    }
    text
}

/// What resuming an undone run does; none where it was not undone.
pub fn after_undo(stakes: &Stakes) -> Option<String> {
    let by = stakes.undone_by.as_ref()?.short();
    let noun = stakes.target.noun();
    let stay = match stakes.put_back {
        1 => "stays as it is",
        _ => "stay as they are",
    };
    Some(format!(
        "{} that undo {by} put back {stay}; {} still to change.",
        count(stakes.put_back, noun),
        number(stakes.items),
    ))
}

fn wave_words(runs: &[(&str, &Stakes)]) -> (String, String) {
    let waves: Vec<_> = runs.iter().filter_map(|(_, stakes)| stakes.wave).collect();
    let Some(number) = waves.iter().map(|wave| wave.number).max() else {
        return (String::new(), String::new());
    };
    let next: u64 = waves.iter().map(|wave| wave.next_users).sum();
    let ends = waves.iter().all(|wave| wave.is_last_given);
    let next = match next {
        0 => " (the last wave)".to_owned(),
        _ if ends => " (the last wave given; `resume` continues)".to_owned(),
        next => format!(" (next wave: {})", count(next, "user")),
    };
    (format!("Wave {number}: "), next)
}

/// One question, and the needs that its answer meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The text, with the word to type.
    pub text: String,
    /// The needs that the answer meets.
    pub needs: Vec<Need>,
}

impl Prompt {
    /// Takes the answer. Returns false if it is not the expected one.
    pub fn take(&self, said: &mut Confirmations, answer: &str, how: GivenBy) -> bool {
        if !matches!(self.needs.first(), Some(Need::Production { .. })) {
            return said.answer(&self.needs, answer, how);
        }
        let names: Vec<_> = answer.split(',').map(str::trim).collect();
        let is_met = |need: &Need| names.iter().any(|name| need.is_met_by(name));
        let is_asked_for = |name: &&str| self.needs.iter().any(|need| need.is_met_by(name));
        if !self.needs.iter().all(is_met) || !names.iter().all(is_asked_for) {
            return false;
        }
        for name in names {
            said.name(name, how);
        }
        true
    }
}

/// The questions to ask, one after the other.
pub fn prompts(missing: &[Need], question: &str) -> Vec<Prompt> {
    let of = |wanted: fn(&Need) -> bool| -> Vec<Need> {
        missing
            .iter()
            .filter(|need| wanted(need))
            .cloned()
            .collect()
    };
    let mut prompts = Vec::new();
    for need in of(|need| matches!(need, Need::AfterUndo { .. })) {
        if let Need::AfterUndo { by } = &need {
            let text = format!(
                "This run was undone by run {}. To continue anyway, type `{}`: ",
                by.short(),
                need.word()
            );
            prompts.push(Prompt {
                text,
                needs: vec![need],
            });
        }
    }
    let change = of(|need| matches!(need, Need::Change | Need::CalendarLoss(_)));
    if let Some(gravest) = change.last() {
        prompts.push(Prompt {
            text: format!("{question}\nType `{}` to continue: ", gravest.word()),
            needs: change,
        });
    }
    let production = of(|need| matches!(need, Need::Production { .. }));
    let text = match production.len() {
        0 => return prompts,
        1 => "Type the name of the production environment to continue: ",
        _ => "Type the names of the production environments, separated by commas, to continue: ",
    };
    prompts.push(Prompt {
        text: text.to_owned(),
        needs: production,
    });
    prompts
}
