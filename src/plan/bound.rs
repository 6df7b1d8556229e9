//! Limits from users: a number, or a percentage.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A number of users, or a percentage of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub enum UserLimit {
    /// A number of users.
    Users(u64),
    /// A percentage, from 0 to 100.
    Percent(u8),
}

/// A text that is not a limit. It does not repeat the text, which may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value is neither a number of users nor a share from 0% to 100%")]
pub struct BoundError;

impl UserLimit {
    /// The limit as a number of users, out of `users`; a percentage is rounded down.
    pub fn of(self, users: u64) -> u64 {
        match self {
            Self::Users(most) => most,
            Self::Percent(share) => {
                let most = u128::from(users) * u128::from(share) / 100;
                u64::try_from(most).unwrap_or(u64::MAX)
            }
        }
    }
}

impl fmt::Display for UserLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users(most) => write!(f, "{most}"),
            Self::Percent(share) => write!(f, "{share}%"),
        }
    }
}

impl FromStr for UserLimit {
    type Err = BoundError;

    fn from_str(text: &str) -> Result<Self, BoundError> {
        match text.trim().strip_suffix('%') {
            Some(share) => {
                let share = share.trim().parse().map_err(|_| BoundError)?;
                if share > 100 {
                    return Err(BoundError);
                }
                Ok(Self::Percent(share))
            }
            None => Ok(Self::Users(text.trim().parse().map_err(|_| BoundError)?)),
        }
    }
}

/// Reads a number, or a text such as `25` or `10%`.
impl<'de> Deserialize<'de> for UserLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl Visitor<'_> for NumberOrText {
            type Value = UserLimit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of users, or a share such as \"10%\"")
            }

            fn visit_u64<E: de::Error>(self, users: u64) -> Result<UserLimit, E> {
                Ok(UserLimit::Users(users))
            }

            fn visit_i64<E: de::Error>(self, users: i64) -> Result<UserLimit, E> {
                let users = u64::try_from(users).map_err(|_| E::custom(BoundError))?;
                Ok(UserLimit::Users(users))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<UserLimit, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

impl From<UserLimit> for String {
    fn from(bound: UserLimit) -> Self {
        bound.to_string()
    }
}

/// The size of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Wave {
    /// A number of users, at least 1.
    Users(u64),
    /// All users that are left.
    Rest,
}

/// The sizes of all waves, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waves(pub Vec<Wave>);

/// A text that is not a list of waves. It does not repeat the text, which may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaveError {
    /// A part is not a size.
    #[error("a size of a wave is neither a number of users from 1 nor `rest`")]
    NoSize,
    /// A wave follows one with all users that are left.
    #[error("nobody is left after `rest`: it has to be the last")]
    AfterRest,
}

impl FromStr for Waves {
    type Err = WaveError;

    fn from_str(text: &str) -> Result<Self, WaveError> {
        let waves = text.split(',').map(str::parse);
        let waves: Vec<Wave> = waves.collect::<Result<_, _>>()?;
        match waves.split_last() {
            Some((_, before)) if before.contains(&Wave::Rest) => Err(WaveError::AfterRest),
            _ => Ok(Self(waves)),
        }
    }
}

impl Wave {
    /// The number of users in this wave, out of `left`.
    pub const fn users(self, left: u64) -> u64 {
        match self {
            Self::Users(users) if users < left => users,
            Self::Users(_) | Self::Rest => left,
        }
    }
}

impl fmt::Display for Wave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Users(users) => write!(f, "{users}"),
            Self::Rest => f.write_str("rest"),
        }
    }
}

impl From<Wave> for String {
    fn from(wave: Wave) -> Self {
        wave.to_string()
    }
}

impl TryFrom<String> for Wave {
    type Error = WaveError;

    fn try_from(text: String) -> Result<Self, WaveError> {
        text.parse()
    }
}

impl FromStr for Wave {
    type Err = WaveError;

    fn from_str(text: &str) -> Result<Self, WaveError> {
        if text.trim().eq_ignore_ascii_case("rest") {
            return Ok(Self::Rest);
        }
        match text.trim().parse() {
            Ok(users) if users > 0 => Ok(Self::Users(users)),
            _ => Err(WaveError::NoSize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken_of_those_there_are_and_rounded_down() {
        for (text, of, most) in [
            ("25", 1000, 25),
            ("30%", 10, 3),
            ("30 %", 9, 2),
            ("0%", 100, 0),
            ("100%", u64::MAX, u64::MAX),
        ] {
            assert_eq!(text.parse::<UserLimit>().unwrap().of(of), most, "{text}");
        }
    }

    #[test]
    fn a_limit_is_read_from_a_number_and_from_a_text() {
        for (json, limit) in [
            ("25", UserLimit::Users(25)),
            ("\"25\"", UserLimit::Users(25)),
            ("\"10%\"", UserLimit::Percent(10)),
        ] {
            assert_eq!(serde_json::from_str::<UserLimit>(json).unwrap(), limit);
        }
        for json in ["-1", "\"many\"", "1.5", "[]"] {
            assert!(serde_json::from_str::<UserLimit>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn what_is_neither_a_number_nor_a_share_is_refused() {
        for text in ["", "%", "101%", "-1", "ten", "1.5%"] {
            assert!(text.parse::<UserLimit>().is_err(), "{text}");
        }
        for text in ["", "0", "-1", "all"] {
            assert!(text.parse::<Wave>().is_err(), "{text}");
        }
        assert_eq!("Rest".parse(), Ok(Wave::Rest));
    }

    #[test]
    fn everybody_who_is_left_is_the_last_wave() {
        let parsed = |text: &str| text.parse::<Waves>();
        let waves = vec![Wave::Users(10), Wave::Users(100), Wave::Rest];
        assert_eq!(parsed("10, 100,rest"), Ok(Waves(waves)));
        for text in ["rest,10", "10,rest,rest"] {
            assert_eq!(parsed(text), Err(WaveError::AfterRest), "{text}");
        }
        for text in ["0", "10,0", "10,", ""] {
            assert_eq!(parsed(text), Err(WaveError::NoSize), "{text}");
        }
    }
}
