//! Names that were perhaps meant.

/// The end of a message that offers one.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// How alike a suggestion has to be, from 0 to 1 (Jaro-Winkler). One letter wrong in a name of ten makes 0.93.
pub(super) const ALIKE: f64 = 0.85;
