//! A short name for exactly one plan, so that the plan that is applied is the one that was reviewed.

use std::fmt;
use std::str::FromStr;

use ring::digest::{Context, SHA256};

use crate::model::{StateAndStatus, UserId};

use super::{Change, TemplateChange};

/// Bytes of the hash that are kept: two different plans have the same ones with a probability of 1 in 2^64.
const BYTES: usize = 8;

/// The digest of a plan: 16 hexadecimal digits, computed from all filters, their users, and their former and wanted
/// state and status.
///
/// The version of a row is not included: a renamed filter does not make another plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanDigest(String);

/// A text that is not the digest of a plan. It does not repeat the text, which may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is not the digest of a plan: it has 16 hexadecimal digits")]
pub struct PlanDigestError;

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for PlanDigest {
    type Err = PlanDigestError;

    fn from_str(text: &str) -> Result<Self, PlanDigestError> {
        let digits = text.trim().to_ascii_lowercase();
        if digits.len() == 2 * BYTES && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(digits))
        } else {
            Err(PlanDigestError)
        }
    }
}

/// Computes the digest of a plan, change by change, in the order of user ids and then of filter ids.
#[derive(Clone)]
pub struct Digester(Context);

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").finish_non_exhaustive()
    }
}

impl Default for Digester {
    fn default() -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"syncfilters plan 1\n");
        Self(context)
    }
}

impl Digester {
    /// Adds one change.
    pub fn add(&mut self, user: UserId, change: &Change) {
        let Change {
            filter,
            from,
            to,
            etag: _,
        } = change;
        self.0.update(user.0.as_bytes());
        self.0.update(filter.0.as_bytes());
        self.add_state(*from);
        self.add_state(*to);
    }

    /// Adds the change of a template. Templates come after all filters, in the order of their ids.
    pub fn add_template(&mut self, change: &TemplateChange) {
        self.0.update(change.template.id.0.as_bytes());
        for state in [change.template.state(), change.wanted] {
            self.0.update(&[u8::from(state.default)]);
            self.add_state(state.now());
        }
    }

    fn add_state(&mut self, now: StateAndStatus) {
        self.0.update(&now.state.code().to_be_bytes());
        // No number represents null.
        self.0.update(&[u8::from(now.status.0.is_some())]);
        self.0
            .update(&now.status.0.unwrap_or_default().to_be_bytes());
    }

    /// The digest of everything that was added.
    pub fn finish(self) -> PlanDigest {
        let hash = self.0.finish();
        let digits = hash.as_ref().iter().take(BYTES);
        let digits: Vec<_> = digits.map(|byte| format!("{byte:02x}")).collect();
        PlanDigest(digits.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Status;
    use crate::plan::change::tests::{change, user_id};

    fn digest(user: u128, change: &Change) -> PlanDigest {
        let mut digester = Digester::default();
        digester.add(user_id(user), change);
        digester.finish()
    }

    #[test]
    fn a_plan_that_differs_in_anything_that_is_written_has_another_digest() {
        let one = digest(1, &change());
        let edited = Change {
            etag: Some("W/\"99\"".into()),
            ..change()
        };
        assert_eq!(one, digest(1, &edited), "the version is no part of it");
        let mut other = change();
        other.filter.0 = uuid::Uuid::from_u128(2);
        let mut status = change();
        status.from.status = Status(None);
        let mut zero = change();
        zero.from.status = Status(Some(0));
        let mut wanted = change();
        wanted.to.status = Status(Some(3));
        let all = [
            one,
            digest(2, &change()),
            digest(1, &other),
            digest(1, &status),
            digest(1, &zero),
            digest(1, &wanted),
            Digester::default().finish(),
        ];
        for (at, digest) in all.iter().enumerate() {
            assert!(!all[..at].contains(digest), "{at}");
        }
    }

    #[test]
    fn a_digest_reads_back_and_nothing_else_is_one() {
        let digest = digest(1, &change());
        let text = digest.to_string();
        assert_eq!(text.len(), 16);
        assert_eq!(text.to_uppercase().parse(), Ok(digest));
        for bad in ["", "3f2a9c", "3f2a9c0d1b7e00zz", "3f2a9c0d1b7e00111"] {
            assert!(bad.parse::<PlanDigest>().is_err(), "{bad}");
        }
    }
}
