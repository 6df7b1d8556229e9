//! The settings of a run: stored in its file, so that every later command continues in the same way.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Limit, UserLimit, Wave};

/// How filters are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SurveyMode {
    /// As each user, by impersonation.
    #[default]
    Impersonation,
    /// As the caller, many users at once.
    Administrator,
}

/// How a run is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunSettings {
    /// The sizes of the waves, in order; none for one wave with all users.
    pub waves: Vec<Wave>,
    /// The number of the wave with which this list begins: earlier ones had another list.
    pub first_wave: u64,
    /// The pause between two waves; none where the user is asked.
    pub wave_pause: Option<Duration>,
    /// The number or percentage of failed users of a wave after which the run stops.
    pub stop_after_failures: Option<UserLimit>,
    /// The limit that was given with the run.
    pub max_changes: Option<UserLimit>,
    /// Whether the built-in limit of `check --fix` holds if no other was set.
    pub fix: bool,
    /// Requests at once, where configured.
    pub concurrency: Option<NonZeroU32>,
    /// Requests in five minutes, where configured.
    pub max_requests_per_5m: Option<NonZeroU32>,
    /// How filters are read.
    pub survey: SurveyMode,
    /// Undo only: whether rows that somebody changed since are restored too.
    pub include_changed: bool,
}

impl RunSettings {
    /// These settings, overridden by the `flags` that are set.
    #[must_use]
    pub fn overridden_by(&self, flags: &Self) -> Self {
        let waves = if flags.waves.is_empty() {
            (self.waves.clone(), self.wave_pause)
        } else {
            (flags.waves.clone(), flags.wave_pause)
        };
        Self {
            first_wave: self.first_wave,
            waves: waves.0,
            wave_pause: flags.wave_pause.or(waves.1),
            stop_after_failures: flags.stop_after_failures.or(self.stop_after_failures),
            max_changes: flags.max_changes.or(self.max_changes),
            fix: self.fix || flags.fix,
            concurrency: flags.concurrency.or(self.concurrency),
            max_requests_per_5m: flags.max_requests_per_5m.or(self.max_requests_per_5m),
            survey: self.survey,
            include_changed: self.include_changed || flags.include_changed,
        }
    }

    /// The size of a wave, counted from 1; after the end of the list its last size repeats.
    pub fn wave(&self, number: u64) -> Wave {
        let at = usize::try_from(self.before(number)).unwrap_or(usize::MAX);
        let size = self.waves.get(at).or(self.waves.last());
        size.copied().unwrap_or(Wave::Rest)
    }

    /// Whether this wave is the last of the list. The next command repeats its size.
    pub fn is_last_wave(&self, number: u64) -> bool {
        let at = usize::try_from(self.before(number)).unwrap_or(usize::MAX);
        at.saturating_add(1) >= self.waves.len()
    }

    /// The number of waves of this list before the one with this number.
    fn before(&self, number: u64) -> u64 {
        number.saturating_sub(self.first_wave.max(1))
    }

    /// The limits that hold: one of this command replaces all others; else those of the run and of the
    /// configuration file hold together.
    pub fn limits(&self, flags: &Self, guards: &[Limit]) -> Vec<Limit> {
        if let Some(bound) = flags.max_changes {
            return vec![Limit::of_flag(bound)];
        }
        let kept = self.max_changes.map(Limit::of_run);
        // The built-in limit of `check --fix` holds if no other was set.
        let is_fix = self.fix && kept.is_none() && guards.is_empty();
        let fix = is_fix.then_some(Limit::FIX);
        kept.into_iter()
            .chain(fix)
            .chain(guards.iter().cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(waves: &[Wave]) -> RunSettings {
        RunSettings {
            waves: waves.to_vec(),
            ..RunSettings::default()
        }
    }

    #[test]
    fn a_list_of_waves_that_has_ended_repeats_its_last_size() {
        let kept = settings(&[Wave::Users(10), Wave::Users(100)]);
        let sizes = [1, 2, 3, 9].map(|number| kept.wave(number));
        assert_eq!(
            sizes,
            [
                Wave::Users(10),
                Wave::Users(100),
                Wave::Users(100),
                Wave::Users(100)
            ]
        );
        assert!(!kept.is_last_wave(1) && kept.is_last_wave(2) && kept.is_last_wave(3));
        assert_eq!(settings(&[]).wave(1), Wave::Rest);
        let later = RunSettings {
            first_wave: 4,
            ..kept
        };
        assert_eq!(later.wave(4), Wave::Users(10));
        assert!(!later.is_last_wave(4) && later.is_last_wave(5));
    }

    #[test]
    fn a_flag_replaces_what_was_kept_and_all_else_stays() {
        let kept = RunSettings {
            waves: vec![Wave::Users(2)],
            wave_pause: Some(Duration::from_mins(1)),
            max_changes: Some(UserLimit::Users(5)),
            survey: SurveyMode::Administrator,
            ..RunSettings::default()
        };
        let flags = RunSettings {
            max_changes: Some(UserLimit::Users(9)),
            ..RunSettings::default()
        };
        let now = kept.overridden_by(&flags);
        assert_eq!(now.max_changes, Some(UserLimit::Users(9)));
        assert_eq!(now.waves, kept.waves);
        assert_eq!(now.wave_pause, kept.wave_pause);
        assert_eq!(now.survey, SurveyMode::Administrator);
        // Other waves have their own pause, or a question.
        let other = kept.overridden_by(&settings(&[Wave::Rest]));
        assert_eq!((other.waves, other.wave_pause), (vec![Wave::Rest], None));
    }

    #[test]
    fn settings_come_back_from_the_run_file_as_they_were() {
        let kept = RunSettings {
            waves: vec![Wave::Users(10), Wave::Rest],
            first_wave: 3,
            wave_pause: Some(Duration::from_mins(30)),
            stop_after_failures: Some(UserLimit::Percent(20)),
            max_changes: Some(UserLimit::Users(25)),
            fix: true,
            concurrency: NonZeroU32::new(4),
            max_requests_per_5m: NonZeroU32::new(600),
            survey: SurveyMode::Administrator,
            include_changed: true,
        };
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<RunSettings>(&text).unwrap(), kept);
    }
}
