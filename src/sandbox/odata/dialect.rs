//! Differences between servers.

/// Behaviour that differs between servers or is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The most conditions of a filter
    /// (Microsoft: "Filter rows using OData", Condition limits).
    pub max_conditions: usize,
}

impl Dialect {
    /// The documented limit on conditions.
    pub(crate) const MAX_CONDITIONS: usize = 500;
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            max_conditions: Self::MAX_CONDITIONS,
        }
    }
}
