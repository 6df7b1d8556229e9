//! From answers about what filters select to what a user loses.

use std::collections::HashSet;

use uuid::Uuid;

use super::fetch::MOST_IDS;
use super::impact::{Answer, Loss, Question, Unknown, Way};

/// What the answers come to; `sees_all` says whether caller and user may read every row of the table, so that the
/// answers are about all of them.
pub fn reckon(question: &Question, answers: &[Answer], sees_all: bool) -> Loss {
    let loss = reckon_seen(question, answers);
    if sees_all { loss } else { loss.seen_in_part() }
}

fn reckon_seen(question: &Question, answers: &[Answer]) -> Loss {
    let loss = match &question.way {
        Way::No(why) => Loss::Unknown(why.clone()),
        Way::Count => match number(answers, 0) {
            Ok(n) => Loss::Exactly(n),
            Err(why) => at_most(answers, 1, why),
        },
        Way::Difference => match (number(answers, 0), number(answers, 1)) {
            (Ok(all), Ok(kept)) => Loss::Exactly(all.saturating_sub(kept)),
            (Ok(all), Err(_)) => Loss::AtMost(all),
            (Err(why), _) => at_most(answers, 2, why),
        },
        Way::Apart { off } => apart(answers, *off),
    };
    match loss {
        Loss::Exactly(n) if question.bound && n > 0 => Loss::AtMost(n),
        loss => loss,
    }
}

fn number(answers: &[Answer], at: usize) -> Result<u64, Unknown> {
    match answers.get(at) {
        Some(Answer::Number(n)) => Ok(*n),
        Some(Answer::No(why)) => Err(why.clone()),
        Some(Answer::Ids(_)) | None => Err(unanswered()),
    }
}

fn unanswered() -> Unknown {
    Unknown::new(
        "refused",
        "the server gave no answer to this part of the request",
    )
}

fn at_most(answers: &[Answer], at: usize, why: Unknown) -> Loss {
    number(answers, at).map_or(Loss::Unknown(why), Loss::AtMost)
}

/// What goes off and does not stay, key by key.
fn apart(answers: &[Answer], off: usize) -> Loss {
    let (mut lost, mut bound) = (HashSet::<Uuid>::new(), false);
    for at in 0..off {
        match answers.get(at) {
            Some(Answer::Ids(ids)) if ids.len() < MOST_IDS => lost.extend(ids),
            Some(Answer::Ids(_)) => {
                let why = format!("{MOST_IDS} items or more, so that they cannot be told apart");
                return Loss::Unknown(Unknown::new("too-many", why));
            }
            Some(Answer::No(why)) => return Loss::Unknown(why.clone()),
            Some(Answer::Number(_)) | None => return Loss::Unknown(unanswered()),
        }
    }
    for answer in answers.iter().skip(off) {
        match answer {
            Answer::Ids(ids) => {
                bound |= ids.len() >= MOST_IDS;
                for id in ids {
                    lost.remove(id);
                }
            }
            Answer::Number(_) | Answer::No(_) => bound = true,
        }
    }
    let lost = u64::try_from(lost.len()).unwrap_or(u64::MAX);
    if bound && lost > 0 {
        Loss::AtMost(lost)
    } else {
        Loss::Exactly(lost)
    }
}
