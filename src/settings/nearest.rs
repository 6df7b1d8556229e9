//! Suggestions for names that are not known.

/// How alike a suggestion has to be, from 0 to 1. Keys are few and differ much, so that more may be wrong than in names.
const ALIKE: f64 = 0.7;

/// Which of the names on offer comes nearest to this one.
pub(super) fn nearest<'a>(name: &str, offered: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = offered.map(|other| (strsim::jaro_winkler(name, other), other));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}
