//! Mailboxes: the server synchronises the appointments of most people, but not of all.

use super::rng::Rng;
use crate::rows::{Mailbox, UserKind, UserRecord};

/// A mailbox that is set up completely.
const SYNCHRONISES: Mailbox = Mailbox {
    delivery: 1,
    status: 1,
    enabled: true,
};

/// A mailbox that Dynamics 365 for Outlook synchronises: the server was never tested and enabled.
const BY_THE_CLIENT: Mailbox = Mailbox {
    delivery: 0,
    status: 0,
    enabled: false,
};

/// Gives a mailbox to everybody except the special accounts; where people are plain, all of them synchronise. With
/// `client`, the add-in synchronises mailboxes that the server would.
///
/// Uses its own random numbers, so that mailboxes change no other data.
pub(super) fn give_mailboxes(everybody: &mut [UserRecord], seed: u64, plain: bool, client: bool) {
    let mut rng = Rng::new(seed ^ 0x6d61_696c);
    for person in everybody {
        let thrown = rng.below(1000);
        if person.kind == UserKind::BuiltIn || person.is_special() {
            continue;
        }
        let mailbox = if plain { SYNCHRONISES } else { mailbox(thrown) };
        let by_client = client && mailbox.delivery == 1 && mailbox.enabled;
        person.mailbox = Some(if by_client { BY_THE_CLIENT } else { mailbox });
    }
}

/// The mailbox for a random number from 0 to 999.
fn mailbox(thrown: usize) -> Mailbox {
    let unused = |delivery| Mailbox {
        delivery,
        status: 0,
        enabled: false,
    };
    match thrown {
        // No synchronisation.
        0..30 => unused(2),
        // Dynamics 365 for Outlook.
        30..40 => BY_THE_CLIENT,
        // Never tested and enabled.
        40..60 => unused(1),
        // The test failed.
        60..70 => Mailbox {
            status: 2,
            ..unused(1)
        },
        _ => SYNCHRONISES,
    }
}

#[cfg(test)]
mod tests {
    use super::super::builtin::accounts;
    use super::super::people::people;
    use super::super::structure::structure;
    use super::*;

    fn everybody(count: usize, seed: u64, plain: bool) -> Vec<UserRecord> {
        let mut rng = Rng::new(5);
        let structure = structure(&mut rng);
        let mut all = accounts(&mut rng, &structure);
        all.extend(people(&mut rng, count, plain, &structure));
        give_mailboxes(&mut all, seed, plain, false);
        all
    }

    #[test]
    fn most_mailboxes_synchronise_and_a_few_percent_do_not() {
        let all = everybody(2000, 1, false);
        let boxes: Vec<_> = all.iter().filter_map(|it| it.mailbox).collect();
        let idle = boxes.iter().filter(|it| !it.synchronises()).count();
        assert!(boxes.len() > 1900, "{}", boxes.len());
        assert!((60..240).contains(&idle), "{idle}");
        assert!(boxes.iter().any(|it| it.delivery == 0));
        for delivery in 1..3 {
            let unused = boxes.iter().filter(|it| !it.enabled);
            assert!(unused.clone().any(|it| it.delivery == delivery));
        }
    }

    #[test]
    fn special_accounts_have_no_mailbox() {
        let all = everybody(60, 1, false);
        let special = |it: &&UserRecord| it.kind == UserKind::BuiltIn || it.is_special();
        assert!(all.iter().filter(special).count() > 5);
        assert!(all.iter().all(|it| special(&it) == it.mailbox.is_none()));
    }

    #[test]
    fn of_plain_people_all_synchronise() {
        let all = everybody(300, 1, true);
        let mut boxes = all.iter().filter_map(|it| it.mailbox);
        assert!(boxes.clone().count() >= 300 && boxes.all(Mailbox::synchronises));
    }

    #[test]
    fn the_same_seed_gives_the_same_mailboxes() {
        let of = |seed| -> Vec<_> {
            let all = everybody(200, seed, false);
            all.iter().map(|it| it.mailbox).collect()
        };
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
