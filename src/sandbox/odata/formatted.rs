//! Formatted values, for a user whose language is English (United States) and whose time zone is
//! UTC.

use super::Value;

/// The formatted value that follows from the value alone. Text and ids have none; the label of an option and
/// the name of a lookup come from the row.
pub(crate) fn formatted(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Text(_) | Value::Guid(_) => None,
        Value::Bool(true) => Some("Yes".to_owned()),
        Value::Bool(false) => Some("No".to_owned()),
        Value::Int(number) => Some(grouped(*number)),
        Value::Time(time) => Some(time.strftime("%-m/%-d/%Y %-I:%M %p").to_string()),
    }
}

/// A number with commas, such as `1,090`.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (256, "256"),
            (1090, "1,090"),
            (-75_206_344, "-75,206,344"),
            (i64::MIN, "-9,223,372,036,854,775,808"),
        ] {
            assert_eq!(formatted(&Value::Int(number)).as_deref(), Some(text));
        }
    }

    #[test]
    fn moments_and_switches_are_words_and_ids_are_not() {
        let time = Value::Time("2024-05-01T15:04:05Z".parse().unwrap());
        assert_eq!(formatted(&time).as_deref(), Some("5/1/2024 3:04 PM"));
        assert_eq!(formatted(&Value::Bool(true)).as_deref(), Some("Yes"));
        assert_eq!(formatted(&Value::Text("a".into())), None);
    }
}
