//! From the answers to queries to what a user loses.

use std::collections::HashSet;

use uuid::Uuid;

use super::fetch::MOST_IDS;
use super::impact::{Combination, ImpactQuestion, Loss, QueryAnswer, Unknown};

/// The loss that follows from the answers. `sees_all` says whether caller and user may read all rows of the table, so
/// that the answers are complete.
pub fn compute_loss(question: &ImpactQuestion, answers: &[QueryAnswer], sees_all: bool) -> Loss {
    let loss = compute_seen_loss(question, answers);
    if sees_all { loss } else { loss.seen_in_part() }
}

fn compute_seen_loss(question: &ImpactQuestion, answers: &[QueryAnswer]) -> Loss {
    let loss = match &question.way {
        Combination::No(why) => Loss::Unknown(why.clone()),
        Combination::Count => match number(answers, 0) {
            Ok(n) => Loss::Exactly(n),
            Err(why) => at_most(answers, 1, why),
        },
        Combination::Difference => match (number(answers, 0), number(answers, 1)) {
            (Ok(all), Ok(kept)) => Loss::Exactly(all.saturating_sub(kept)),
            (Ok(all), Err(_)) => Loss::AtMost(all),
            (Err(why), _) => at_most(answers, 2, why),
        },
        Combination::Apart { off } => apart(answers, *off),
    };
    match loss {
        Loss::Exactly(n) if question.bound && n > 0 => Loss::AtMost(n),
        loss => loss,
    }
}

fn number(answers: &[QueryAnswer], at: usize) -> Result<u64, Unknown> {
    match answers.get(at) {
        Some(QueryAnswer::Number(n)) => Ok(*n),
        Some(QueryAnswer::No(why)) => Err(why.clone()),
        Some(QueryAnswer::Ids(_)) | None => Err(unanswered()),
    }
}

fn unanswered() -> Unknown {
    Unknown::new(
        "refused",
        "the server gave no answer to this part of the request",
    )
}

fn at_most(answers: &[QueryAnswer], at: usize, why: Unknown) -> Loss {
    number(answers, at).map_or(Loss::Unknown(why), Loss::AtMost)
}

/// Items of deactivated filters that no remaining one selects, key by key.
fn apart(answers: &[QueryAnswer], off: usize) -> Loss {
    let (mut lost, mut bound) = (HashSet::<Uuid>::new(), false);
    for at in 0..off {
        match answers.get(at) {
            Some(QueryAnswer::Ids(ids)) if ids.len() < MOST_IDS => lost.extend(ids),
            Some(QueryAnswer::Ids(_)) => {
                let why = format!("{MOST_IDS} items or more, so that they cannot be told apart");
                return Loss::Unknown(Unknown::new("too-many", why));
            }
            Some(QueryAnswer::No(why)) => return Loss::Unknown(why.clone()),
            Some(QueryAnswer::Number(_)) | None => return Loss::Unknown(unanswered()),
        }
    }
    for answer in answers.iter().skip(off) {
        match answer {
            QueryAnswer::Ids(ids) => {
                bound |= ids.len() >= MOST_IDS;
                for id in ids {
                    lost.remove(id);
                }
            }
            QueryAnswer::Number(_) | QueryAnswer::No(_) => bound = true,
        }
    }
    let lost = u64::try_from(lost.len()).unwrap_or(u64::MAX);
    if bound && lost > 0 {
        Loss::AtMost(lost)
    } else {
        Loss::Exactly(lost)
    }
}
