//! How fast to go, as flags and the configuration file say it.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How fast to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct PacingKeys {
    /// Requests at once; default: the server's recommendation.
    pub concurrency: Option<NonZeroU32>,
    /// Requests in five minutes, at most.
    pub max_requests_per_5m: Option<NonZeroU32>,
}
