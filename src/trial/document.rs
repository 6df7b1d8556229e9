//! `facts.json`: the findings without names, addresses or ids, so that they can be shared.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::ServerVersion;

use super::facts::{Answer, Fact, Findings};

/// Raised when the document changes in a way that earlier programs cannot read.
const FORMAT: u32 = 1;
/// Days for which facts are used: the platform changes in waves of half a year, and servers on-premises by updates
/// every few months.
const DAYS: i64 = 30;

/// The findings at one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsDocument {
    /// The version of the document.
    pub format: u32,
    /// The day of the trial, in UTC.
    pub date: Date,
    /// Major and minor version of the server, such as `9.2`.
    pub version: String,
    /// Every fact, in the order of [`Fact::ALL`].
    pub facts: Vec<FactRow>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactRow {
    /// Its stable name.
    pub fact: String,
    /// The question, in words.
    pub question: String,
    /// The expected answer; empty where no answer is preferred.
    pub expected: String,
    /// The answer.
    pub seen: String,
    /// Further observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl FactsDocument {
    /// The findings at a server of this version at this time.
    pub fn new(findings: &Findings, version: ServerVersion, at: Timestamp) -> Self {
        let row = |fact: &Fact| FactRow {
            fact: fact.name().to_owned(),
            question: fact.question().to_owned(),
            expected: fact
                .expected()
                .map_or_else(String::new, |it| it.to_string()),
            seen: findings.answer(*fact).to_string(),
            detail: findings.detail(*fact).map(|it| it.to_string()),
        };
        Self {
            format: FORMAT,
            date: day(at),
            version: version.to_string(),
            facts: Fact::ALL.iter().map(row).collect(),
        }
    }

    /// The findings, if they still hold: for 30 days, and for the same version of the server.
    pub fn findings(&self, version: ServerVersion, now: Timestamp) -> Option<Findings> {
        let age = day(now).since(self.date).ok()?.get_days();
        let is_current = (0..=DAYS).contains(&i64::from(age));
        if self.format != FORMAT || self.version != version.to_string() || !is_current {
            return None;
        }
        let mut findings = Findings::default();
        for row in &self.facts {
            let fact = Fact::ALL.iter().find(|fact| fact.name() == row.fact);
            if let (Some(fact), Some(answer)) = (fact, Answer::of_word(&row.seen)) {
                findings.found(*fact, answer);
            }
        }
        Some(findings)
    }
}

fn day(at: Timestamp) -> Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: ServerVersion = ServerVersion { major: 9, minor: 2 };

    fn found() -> Findings {
        let mut findings = Findings::default();
        for fact in Fact::ALL {
            findings.found(*fact, fact.expected().unwrap_or(Answer::Number(3)));
        }
        findings
    }

    #[test]
    fn facts_hold_for_thirty_days_and_the_same_version() {
        let at: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let document = FactsDocument::new(&found(), NINE, at);
        let later = |days: i64| at + jiff::SignedDuration::from_hours(24 * days);
        let holds = |version, days| document.findings(version, later(days));
        assert_eq!(holds(NINE, 0), Some(found()));
        assert_eq!(holds(NINE, 30), Some(found()));
        assert_eq!(holds(NINE, 31), None);
        assert_eq!(holds(NINE, -1), None, "the clock went back");
        let other = ServerVersion { major: 9, minor: 1 };
        assert_eq!(holds(other, 0), None);
    }

    #[test]
    fn a_document_reads_back_and_what_is_unknown_in_it_is_passed_over() {
        let document = FactsDocument::new(&found(), NINE, Timestamp::now());
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(
            serde_json::from_str::<FactsDocument>(&text).unwrap(),
            document
        );
        let mut odd = document.clone();
        odd.facts[0].fact = "of-a-later-version".into();
        odd.facts[1].seen = "perhaps".into();
        let findings = odd.findings(NINE, Timestamp::now()).unwrap();
        assert_eq!(findings.answer(Fact::SetState), Answer::Unknown);
        assert_eq!(findings.answer(Fact::NullStatus), Answer::Unknown);
        odd.format = 2;
        assert_eq!(odd.findings(NINE, Timestamp::now()), None);
    }
}
