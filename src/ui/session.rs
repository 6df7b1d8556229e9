//! Who may see the page: whoever was given its address, once, and the browser that came with it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

/// How long an address that was printed leads in.
pub(super) const TICKET_LIFE: Duration = Duration::from_mins(1);
/// Addresses that lead in at the same time, and browsers: somebody who uses more has left the first ones behind.
const MOST: usize = 8;

/// A number that nobody guesses, with 128 bits.
pub(super) fn random() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// The addresses that lead in, and the browsers that are in.
#[derive(Debug)]
pub(super) struct Sessions {
    /// A name of its own for each start: browsers keep cookies by host, not by port.
    cookie: String,
    /// What every form of the page carries.
    form_token: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    tickets: VecDeque<(String, Instant)>,
    browsers: VecDeque<String>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        Self {
            cookie: format!("syncfilters-{:08x}", rand::random::<u32>()),
            form_token: random(),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What every form of the page carries.
    pub(super) fn form_token(&self) -> &str {
        &self.form_token
    }

    /// Whether a form came from the page.
    pub(super) fn is_own_form(&self, token: &str) -> bool {
        is_same(token, &self.form_token)
    }

    /// What leads in once, within [`TICKET_LIFE`].
    pub(super) fn ticket(&self, now: Instant) -> String {
        let ticket = random();
        let mut known = self.known();
        known.tickets.push_back((ticket.clone(), now));
        if known.tickets.len() > MOST {
            known.tickets.pop_front();
        }
        ticket
    }

    /// Takes a ticket for a browser: the cookie, as it is to be set.
    pub(super) fn redeem(&self, ticket: &str, now: Instant) -> Option<String> {
        let mut known = self.known();
        let at = known
            .tickets
            .iter()
            .position(|(own, _)| is_same(ticket, own))?;
        let (_, made) = known.tickets.remove(at)?;
        if now.duration_since(made) > TICKET_LIFE {
            return None;
        }
        let browser = random();
        let cookie = format!(
            "{}={browser}; HttpOnly; SameSite=Strict; Path=/",
            self.cookie
        );
        known.browsers.push_back(browser);
        if known.browsers.len() > MOST {
            known.browsers.pop_front();
        }
        Some(cookie)
    }

    /// Whether a browser that sends these cookies is in.
    pub(super) fn is_in(&self, cookies: &str) -> bool {
        let own = cookies.split(';').filter_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == self.cookie).then_some(value)
        });
        let known = self.known();
        own.into_iter()
            .any(|value| known.browsers.iter().any(|browser| is_same(value, browser)))
    }
}

/// In the same time, wherever two texts differ.
fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie_of(set: &str) -> &str {
        set.split(';').next().unwrap()
    }

    #[test]
    fn an_address_leads_in_once_and_for_a_minute() {
        let sessions = Sessions::new();
        let now = Instant::now();
        let ticket = sessions.ticket(now);
        assert_eq!(ticket.len(), 32);
        assert_eq!(sessions.redeem("", now), None);
        let cookie = sessions.redeem(&ticket, now + TICKET_LIFE).unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/"));
        assert!(sessions.is_in(cookie_of(&cookie)));
        assert_eq!(sessions.redeem(&ticket, now), None);
        let late = sessions.ticket(now);
        let after = now + TICKET_LIFE + Duration::from_millis(1);
        assert_eq!(sessions.redeem(&late, after), None);
    }

    #[test]
    fn a_cookie_of_another_start_another_name_or_another_value_is_none() {
        let (sessions, other) = (Sessions::new(), Sessions::new());
        let now = Instant::now();
        let of = |sessions: &Sessions| sessions.redeem(&sessions.ticket(now), now).unwrap();
        let (own, foreign) = (of(&sessions), of(&other));
        assert!(!sessions.is_in(cookie_of(&foreign)));
        assert!(!sessions.is_in(""));
        let (name, value) = cookie_of(&own).split_once('=').unwrap();
        assert!(!sessions.is_in(&format!("other={value}")));
        assert!(!sessions.is_in(&format!("{name}={}", &value[1..])));
        assert!(!sessions.is_in(&format!("{name}=")));
        assert!(sessions.is_in(&format!("theme=dark; {name}={value}")));
    }

    #[test]
    fn addresses_and_browsers_are_bounded() {
        let sessions = Sessions::new();
        let now = Instant::now();
        let tickets: Vec<_> = (0..=MOST).map(|_| sessions.ticket(now)).collect();
        assert_eq!(sessions.redeem(&tickets[0], now), None);
        let cookies: Vec<_> = tickets[1..]
            .iter()
            .map(|ticket| sessions.redeem(ticket, now).unwrap())
            .collect();
        let one_more = sessions.redeem(&sessions.ticket(now), now).unwrap();
        assert!(!sessions.is_in(cookie_of(&cookies[0])));
        assert!(sessions.is_in(cookie_of(&cookies[1])));
        assert!(sessions.is_in(cookie_of(&one_more)));
    }
}
