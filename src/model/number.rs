//! Numbers in text.

/// A number with commas between its thousands.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun, such as `1 user` or `5,000 users`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(n))
}

/// The length of a list with its noun, as [`count`] writes it.
pub fn count_of<T>(list: &[T], noun: &str) -> String {
    count(u64::try_from(list.len()).unwrap_or(u64::MAX), noun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_its_noun_in_one_form_or_the_other() {
        assert_eq!(count(0, "user"), "0 users");
        assert_eq!(count(1, "user"), "1 user");
        assert_eq!(count(1_234_567, "filter"), "1,234,567 filters");
        assert_eq!(count_of(&["a", "b"], "name"), "2 names");
    }
}
