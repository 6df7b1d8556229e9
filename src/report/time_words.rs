//! Expected times, in words.

use std::time::Duration;

use crate::plan::TimeRange;

/// The expected time of work: "about 25 s", or "25 s to 10 min" where limits matter.
pub fn time_words(time: &TimeRange) -> String {
    let (least, most) = (words(time.least), words(time.most));
    if least == most {
        let is_short = least.starts_with("less");
        return if is_short {
            least
        } else {
            format!("about {least}")
        };
    }
    format!("{least} to {most}")
}

/// A time, rounded up to the precision of an estimate.
fn words(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..5 => "less than 5 s".to_owned(),
        5..20 => format!("{seconds} s"),
        20..60 => format!("{} s", seconds.next_multiple_of(5)),
        60..600 => {
            let seconds = seconds.next_multiple_of(10);
            match seconds % 60 {
                0 => format!("{} min", seconds / 60),
                rest => format!("{} min {rest} s", seconds / 60),
            }
        }
        600..3600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_exact_as_an_estimate_is() {
        let said = [
            0, 4_100, 11_200, 41_000, 61_000, 180_000, 1_000_000, 3_700_000,
        ]
        .map(|ms| words(Duration::from_millis(ms)));
        assert_eq!(
            said,
            [
                "less than 5 s",
                "5 s",
                "12 s",
                "45 s",
                "1 min 10 s",
                "3 min",
                "17 min",
                "1 h 1 min"
            ]
        );
    }

    #[test]
    fn a_range_is_said_where_limits_decide() {
        let range = |least, most| TimeRange {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
        };
        assert_eq!(time_words(&range(12, 12)), "about 12 s");
        assert_eq!(time_words(&range(1, 2)), "less than 5 s");
        assert_eq!(time_words(&range(25, 600)), "25 s to 10 min");
    }
}
