//! Faults by name and rate, drawn from a seed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

macro_rules! faults {
    ($($variant:ident $name:literal $about:literal),+ $(,)?) => {
        /// One way in which the sandbox goes wrong on purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $about] $variant,)+
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used on the command line.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One line for the help text.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)+ }
            }
        }
    };
}

faults! {
    LostRequest "lost-request" "The connection is cut before the request is carried out",
    LostAnswer "lost-answer" "The request is carried out, then the connection is cut",
    LostCommit502 "lost-commit-502" "The request is carried out, then a gateway answers 502",
    Gateway502Html "gateway-502-html" "A gateway answers 502 with an HTML page; nothing is carried out",
    Unavailable503 "503-retry-after" "503 with Retry-After; nothing is carried out",
    Internal500 "500" "500 with an error body; nothing is carried out",
    Truncated "truncated" "The request is carried out, the answer's body is cut in the middle",
    Html200 "html-200" "A sign-in page with status 200; nothing is carried out",
    Slow "slow" "The request takes twenty times the latency, 200 ms at least",
    ExpiredToken "expired-token" "401 although the token is good",
    Deadlock "deadlock" "A write fails as the victim of a SQL deadlock (500, 0x80044150)",
    DoneBut412 "done-but-412" "A write is carried out, then answered 412, as a repeated one is",
    DoneBut404 "done-but-404" "A write is carried out, then answered 404",
    DoneBut429 "done-but-429" "A write is carried out, then answered 429",
    DoneBut302 "done-but-302" "A write is carried out, then answered with a redirect",
    ThrottlePart "throttle-part" "An operation of a batch is answered 429",
    Meanwhile "meanwhile" "Somebody edits the row just before the write, but not its state",
    MeanwhileState "meanwhile-state" "Somebody flips the state of the row just before the write",
    Gone "gone" "Somebody deletes the row just before the write",
    ForeignRow "foreign-row" "A list of filters contains a row of another owner",
}

/// The rate of each fault.
///
/// A rate is a share of the requests (or, for faults of one row, of the operations), from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults(BTreeMap<Fault, f64>);

/// Why a text does not describe faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// No fault of this name.
    #[error("unknown fault {0:?}")]
    Unknown(String),
    /// The rate is not a number from 0 to 1.
    #[error("the rate of {fault} must be a number from 0 to 1, not {rate:?}")]
    Rate {
        /// The fault.
        fault: Fault,
        /// The rate as it was given.
        rate: String,
    },
}

impl Faults {
    /// No faults.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// A moderate mix of temporary faults, at a rate that a real network reaches on a bad day.
    pub fn standard() -> Self {
        Self::none()
            .with(Fault::LostAnswer, 0.01)
            .with(Fault::Gateway502Html, 0.01)
            .with(Fault::Unavailable503, 0.01)
            .with(Fault::Deadlock, 0.01)
            .with(Fault::Meanwhile, 0.005)
            .with(Fault::ThrottlePart, 0.02)
    }

    /// Adds this fault at this rate, which is limited to the range from 0 to 1.
    pub fn with(mut self, fault: Fault, rate: f64) -> Self {
        let rate = if rate.is_nan() {
            0.0
        } else {
            rate.clamp(0.0, 1.0)
        };
        self.0.insert(fault, rate);
        self
    }

    /// The rate of a fault.
    pub fn rate(&self, fault: Fault) -> f64 {
        self.0.get(&fault).copied().unwrap_or(0.0)
    }

    /// Reads `"lost-answer=0.02,deadlock=0.01"`; `"standard"` means [`Faults::standard`]; empty means none.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let mut all = Self::none();
        for item in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            if item == "standard" {
                all.0.extend(Self::standard().0);
                continue;
            }
            let (name, rate) = item.split_once('=').unwrap_or((item, "1"));
            let fault: Fault = name.trim().parse()?;
            let number = rate
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|it| (0.0..=1.0).contains(it))
                .ok_or_else(|| FaultsError::Rate {
                    fault,
                    rate: rate.to_owned(),
                })?;
            all.0.insert(fault, number);
        }
        Ok(all)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (fault, rate)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{fault}={rate}")?;
        }
        Ok(())
    }
}

impl FromStr for Fault {
    type Err = FaultsError;

    fn from_str(name: &str) -> Result<Self, FaultsError> {
        Self::ALL
            .iter()
            .copied()
            .find(|fault| fault.as_str() == name)
            .ok_or_else(|| FaultsError::Unknown(name.to_owned()))
    }
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        Self::parse(text)
    }
}

/// Decides which fault a request gets; the order follows the order of requests.
#[derive(Debug)]
pub(super) struct FaultInjector {
    faults: Faults,
    random: Xoshiro256PlusPlus,
}

impl FaultInjector {
    pub(super) fn new(faults: Faults, seed: u64) -> Self {
        Self {
            faults,
            // Not the random numbers of the data, so that faults do not change the organisation.
            random: Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5eed_fa17),
        }
    }

    pub(super) fn replace(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// The first of these faults that occurs now.
    pub(super) fn strike(&mut self, candidates: &[Fault]) -> Option<Fault> {
        candidates.iter().copied().find(|&fault| {
            let rate = self.faults.rate(fault);
            rate > 0.0 && self.random.random_bool(rate)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back_what_it_writes() {
        let faults = Faults::parse("lost-answer=0.02, 500=1").unwrap();
        assert!((faults.rate(Fault::LostAnswer) - 0.02).abs() < 1e-9);
        assert_eq!(Faults::parse(&faults.to_string()), Ok(faults));
        assert_eq!(Faults::parse("standard"), Ok(Faults::standard()));
        assert_eq!(Faults::parse(""), Ok(Faults::none()));
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(
            Faults::parse("explosion=0.1"),
            Err(FaultsError::Unknown("explosion".to_owned()))
        );
        assert!(matches!(
            Faults::parse("slow=2"),
            Err(FaultsError::Rate { .. })
        ));
        for &fault in Fault::ALL {
            assert_eq!(fault.as_str().parse(), Ok(fault));
        }
    }

    #[test]
    fn a_fault_strikes_about_as_often_as_its_rate_and_the_same_for_the_same_seed() {
        let draw = || {
            let mut injector = FaultInjector::new(Faults::none().with(Fault::Slow, 0.1), 7);
            (0..1000)
                .map(|_| injector.strike(&[Fault::Slow]).is_some())
                .collect::<Vec<_>>()
        };
        let first = draw();
        assert_eq!(first, draw());
        let hits = first.iter().filter(|&&hit| hit).count();
        assert!((60..140).contains(&hits), "{hits}");
    }

    #[test]
    fn a_fault_without_a_rate_never_strikes() {
        let mut injector = FaultInjector::new(Faults::none(), 7);
        assert_eq!(injector.strike(Fault::ALL), None);
    }
}
