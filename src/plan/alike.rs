//! Suggestions for misspelt names.

/// The end of a message that suggests a name.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The least similarity of a suggested name, from 0 to 1 (Jaro-Winkler). One wrong letter in a name of ten gives 0.93;
/// names of one organisation end in the same way, so that less would suggest anybody.
pub const ALIKE: f64 = 0.85;
