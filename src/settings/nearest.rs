//! Suggestions for unknown names.

/// The least similarity of a suggestion, from 0 to 1. Keys are few and differ much, so the limit is lower than for
/// names.
const ALIKE: f64 = 0.7;

/// The most similar of the offered names, if one is similar enough.
pub(super) fn nearest<'a>(name: &str, offered: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = offered.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}
