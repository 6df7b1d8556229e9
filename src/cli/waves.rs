//! Making the changes of one run, wave by wave.

use crate::model::Outcome;
use crate::plan::Wave;
use crate::rollout::RolloutError;

use super::args::ConsentArgs;
use super::consent::{self, Consent};
use super::driver::Driver;
use super::error::CliError;
use super::exit::Exit;

/// The waves that were asked for; without any, one for everybody.
pub(super) fn waves(flags: &ConsentArgs) -> &[Wave] {
    match &flags.wave[..] {
        [] => &[Wave::Rest],
        waves => waves,
    }
}

/// Why a run is left after the last wave.
pub(super) fn last_wave() -> RolloutError {
    RolloutError::Stopped("the last wave is done, and not everybody was in it".into())
}

impl Driver<'_> {
    /// Makes the changes that are planned and not made yet, wave by wave.
    pub(super) async fn apply(&self, consent: &Consent<'_>) -> Result<Exit, CliError> {
        let waves = waves(consent.args);
        for (number, wave) in waves.iter().enumerate() {
            let (applied, left) = self.wave(consent, *wave).await?;
            if consent.args.dry_run && applied.is_ok() {
                self.rollout.leave(Outcome::Planned).await?;
                return self.show_dry_run();
            }
            if applied.is_err() || left == 0 {
                return self.end(applied).await;
            }
            self.sum_up_wave(number + 1, left, None).await?;
            let go_on = if number + 1 == waves.len() {
                Err(last_wave())
            } else {
                consent::between_waves(consent, self.printer, &self.interrupted).await?
            };
            if let Err(stopped) = go_on {
                return self.end(Err(stopped)).await;
            }
        }
        self.end(Ok(())).await
    }

    /// Says how far the run is after a wave, and whose it is where there are several.
    pub(super) async fn sum_up_wave(
        &self,
        number: usize,
        left: u64,
        name: Option<&str>,
    ) -> Result<(), CliError> {
        let users = self.rollout.journal().user_totals().await?;
        let whose = name.map_or_else(String::new, |name| format!("{name}: "));
        self.printer.say(&format!(
            "{whose}Wave {number} is done. Until now {} users were changed and {} failed; {left} are left.",
            users.changed, users.failed
        ));
        Ok(())
    }
}
