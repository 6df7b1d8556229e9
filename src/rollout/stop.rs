//! Why a run is left before its end.

use std::fmt;

use crate::model::number;
use crate::pacing::Tripped;
use crate::plan::UserLimit;

/// Why a run is left before its end, although its file is right. It can be resumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The run was stopped from outside.
    Requested,
    /// The time of day until which the run was to continue.
    TimeReached,
    /// The user declined the next wave.
    WaveDeclined,
    /// The list of waves has ended, and users are left.
    LastWave,
    /// Too many users of a wave failed.
    TooManyFailures {
        /// Users that failed.
        failed: u64,
        /// Users in the wave.
        users: u64,
        /// The limit.
        bound: UserLimit,
    },
    /// The server fails repeatedly.
    ServerFailing(Tripped),
    /// A worker ended because of a defect of this program.
    Defect(String),
}

impl StopReason {
    /// The stable word, for the run file.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::TimeReached => "time-reached",
            Self::WaveDeclined => "wave-declined",
            Self::LastWave => "last-wave",
            Self::TooManyFailures { .. } => "too-many-failures",
            Self::ServerFailing(_) => "server-failing",
            Self::Defect(_) => "defect",
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("stopped on request"),
            Self::TimeReached => f.write_str("stopped: the time given with --until has come"),
            Self::WaveDeclined => f.write_str("stopped: you declined the next wave"),
            Self::LastWave => f.write_str("the last wave is done, and users are left"),
            Self::TooManyFailures {
                failed,
                users,
                bound,
            } => write!(
                f,
                "stopped: {} of the {} users of this wave failed, and the limit is {bound}",
                number(*failed),
                number(*users)
            ),
            Self::ServerFailing(why) => write!(f, "stopped: {why}"),
            Self::Defect(why) => write!(f, "stopped by a defect of this program: {why}"),
        }
    }
}
