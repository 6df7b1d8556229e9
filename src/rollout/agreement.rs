//! From a plan to an agreement, and from an agreement to writes.
//!
//! [`agree`] asks the guards about what is left at that moment. Its result is the only way to something that can
//! write, and is consumed by it.

use std::sync::Arc;

use serde_json::json;

use crate::dataverse::{TemplateWriter, Writer};
use crate::journal::{HistoryKind, Left};
use crate::model::Target;
use crate::plan::{
    AppliedBy, Confirmations, Decision, Granted, Need, Refusal, RunSettings, Stakes, WaveStakes,
    decide,
};

use super::apply::Failures;
use super::phases::{Planned, entry, states};
use super::run::{EndedRun, Halted, Run};
use super::session::Rollout;
use super::{RolloutError, StopReason};

/// What was agreed to: this run, this organisation, what was left, and one wave of it.
#[derive(Debug)]
struct Agreement {
    left: Left,
    detail: String,
    _granted: Granted,
}

/// A run that was agreed to. It can be applied once.
pub type Agreed = Run<AgreedState>;

/// The state of [`Agreed`]. No other module can make one.
#[derive(Debug)]
pub struct AgreedState(Agreement);

/// A plan that is refused, whatever the answers. The plan is kept.
#[derive(Debug)]
pub struct Refused {
    /// The plan, unchanged.
    pub planned: Planned,
    /// All reasons.
    pub why: Vec<Refusal>,
}

/// The decision about plans that are agreed to together.
#[derive(Debug)]
pub enum AgreeResult {
    /// Answers are missing. Nothing was agreed to.
    Missing {
        /// The plans, unchanged.
        plans: Vec<Planned>,
        /// The missing answers.
        missing: Vec<Need>,
    },
    /// Each plan is agreed to or refused, in the given order.
    Decided(Vec<Result<Agreed, Refused>>),
}

/// The result of a wave.
#[derive(Debug)]
pub enum Applied {
    /// Users are left for another wave.
    WaveOver(Planned),
    /// The run has ended.
    Finished(EndedRun),
}

/// Asks the guards about several plans together; one plan is a list of one. Answers for one agreement are consumed
/// by it.
///
/// # Errors
/// Where a run file cannot be read or the server cannot be asked. Nothing was agreed to.
pub async fn agree(
    plans: Vec<Planned>,
    said: &mut Confirmations,
) -> Result<AgreeResult, Vec<Halted>> {
    let mut stakes = Vec::new();
    for at in 0..plans.len() {
        match plans[at].read_stakes().await {
            Ok(found) => stakes.push(found),
            Err(why) => return Err(halt_all(plans, at, why).await),
        }
    }
    let all: Vec<_> = stakes.iter().map(|(stakes, _)| stakes).collect();
    let Decision { runs, missing } = decide(&all, said);
    if !missing.is_empty() {
        return Ok(AgreeResult::Missing { plans, missing });
    }
    let how = Caller::of_this_process();
    let decided = plans.into_iter().zip(runs).zip(stakes);
    let decided = decided.map(|((planned, granted), (stakes, left))| match granted {
        Ok(granted) => Ok(Run {
            state: AgreedState(Agreement {
                detail: how.detail(&planned, &stakes, &granted),
                left,
                _granted: granted,
            }),
            rollout: planned.rollout,
        }),
        Err(why) => Err(Refused { planned, why }),
    });
    let decided = decided.collect();
    said.spend();
    Ok(AgreeResult::Decided(decided))
}

async fn halt_all(plans: Vec<Planned>, failed: usize, why: RolloutError) -> Vec<Halted> {
    let mut halted = Vec::new();
    let mut why = Some(why);
    for (at, planned) in plans.into_iter().enumerate() {
        let why = why.take_if(|_| at == failed);
        halted.push(planned.halt(why.unwrap_or(RolloutError::Interrupted)).await);
    }
    halted
}

/// Who agrees: an account of the operating system on a host.
struct Caller {
    account: String,
    host: String,
}

impl Caller {
    fn of_this_process() -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            account: whoami::username().unwrap_or_else(|_| unknown()),
            host: whoami::hostname().unwrap_or_else(|_| unknown()),
        }
    }

    fn detail(&self, planned: &Planned, stakes: &Stakes, granted: &Granted) -> String {
        let answers = granted.answers().iter();
        let answers: Vec<_> = answers
            .map(|(topic, how)| json!({ "to": topic.as_str(), "how": how.as_str() }))
            .collect();
        let limits: Vec<_> = granted.limits().iter().map(ToString::to_string).collect();
        json!({
            "account": self.account,
            "host": self.host,
            "caller": planned.reader().identity().caller.user,
            "answers": answers,
            "limits": limits,
            "wave": stakes.wave.map(|wave| wave.number),
            "undone-by": stakes.undone_by,
            "put-back": stakes.put_back,
        })
        .to_string()
    }
}

impl Planned {
    /// What would be agreed to now.
    pub async fn stakes(&self) -> Result<Stakes, RolloutError> {
        Ok(self.read_stakes().await?.0)
    }

    async fn read_stakes(&self) -> Result<(Stakes, Left), RolloutError> {
        let rollout = &self.rollout;
        let left = rollout.journal().left(rollout.settings.clone()).await?;
        // Read again, because the setting may have changed since the plan was made.
        let spared = !left.deactivates || rollout.reader.distinct_deletes().await? == Some(true);
        let guards = rollout.guards.guards().map_err(RolloutError::Guards)?;
        let surroundings = rollout.journal().surroundings().await?;
        let unmatched = surroundings.unmatched_exclusions();
        let unknown_exclusions = unmatched.iter().map(|one| one.name.clone()).collect();
        let undone_by = left.undone_by.clone().or(rollout.undone_beside.clone());
        let put_back = match undone_by {
            Some(_) => rollout.put_back().await?,
            None => 0,
        };
        let wave = wave(&rollout.settings, &left);
        let users = wave.map_or(left.users, |wave| wave.users);
        let of_wave = wave.map(|wave| (wave.number, wave.users));
        let settings = rollout.settings.clone();
        let (coming_items, time) = rollout
            .journal()
            .view(move |view| {
                let time = view
                    .estimate(users, AppliedBy::ThisCommand(&settings))?
                    .time;
                Ok((view.coming_items(of_wave)?, time))
            })
            .await?;
        let stakes = Stakes {
            operation: rollout.header().operation,
            target: rollout.header().target,
            new_users: rollout.journal().view(|view| view.new_users()).await?,
            digest: Some(left.digest.clone()),
            items: left.filters,
            users: left.users,
            touched: left.touched,
            selected: left.selected,
            wave,
            calendar_loss: left.deactivates && !spared && !rollout.is_harmless(),
            coming_items,
            time,
            limits: rollout.settings.limits(&rollout.flags, &guards.limits),
            guards,
            undone_by,
            put_back,
            unknown_exclusions,
            settings_unknown: rollout.settings_unknown,
        };
        Ok((stakes, left))
    }
}

/// The numbers of a wave, where there are several waves.
fn wave(settings: &RunSettings, left: &Left) -> Option<WaveStakes> {
    (!settings.waves.is_empty()).then_some(WaveStakes {
        number: left.wave.number,
        filters: left.wave.filters,
        users: left.wave.users,
        next_users: left.wave.next_users,
        is_last_given: settings.is_last_wave(left.wave.number),
    })
}

impl Rollout {
    /// The only place that makes a writer of filters. It requires an agreement.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    fn writer(&self, _agreed: &Agreement) -> Writer {
        Writer::new(self.reader.clone())
    }

    /// The only place that makes a writer of templates.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    fn template_writer(&self, _agreed: &Agreement) -> TemplateWriter {
        TemplateWriter::new(self.reader.clone())
    }
}

impl Agreed {
    /// Makes the changes of one wave. Where nothing is left to change, the run ends.
    pub async fn apply(self) -> Result<Applied, Halted> {
        let AgreedState(agreement) = &self.state;
        if agreement.left.filters == 0 {
            return Ok(Applied::Finished(self.finish().await?));
        }
        if let Err(why) = self.write().await {
            return Err(self.halt(why).await);
        }
        let number = self.state.0.left.wave.number;
        let left = match self.journal().items_to_change().await {
            Ok(left) => left,
            Err(error) => return Err(self.halt(error.into()).await),
        };
        if left == 0 {
            return Ok(Applied::Finished(self.finish().await?));
        }
        if self.rollout.settings.is_last_wave(number) {
            return Err(self.halt(RolloutError::Stopped(StopReason::LastWave)).await);
        }
        let planned = self.into_phase(states::Planned(super::SurveyedAs::Asked));
        match planned.record_wave().await {
            Ok(()) => Ok(Applied::WaveOver(planned)),
            Err(why) => Err(planned.halt(why).await),
        }
    }

    /// Begins the wave and returns its writer. For a trial, which writes in an order of its own.
    pub(super) async fn begin_trial(&self) -> Result<Writer, RolloutError> {
        self.begin().await?;
        Ok(self.rollout.writer(&self.state.0))
    }

    /// Records that the wave has begun. After that, something may be written.
    async fn begin(&self) -> Result<(), RolloutError> {
        let (rollout, AgreedState(agreement)) = (&self.rollout, &self.state);
        rollout.record_undo()?;
        let target = rollout.header().target;
        if target == Target::Filters {
            // Changes since the plan was made invalidate the agreement.
            rollout.check_users().await?;
            rollout.require_proof().await?;
            rollout.ask_for_versions().await?;
        }
        let entry = entry(
            HistoryKind::Agreed,
            &agreement.left,
            Some(agreement.detail.clone()),
        );
        let settings = rollout.settings.clone();
        let journal = rollout.journal();
        let begun = journal.begin_wave(agreement.left.clone(), settings, entry);
        if begun.await? {
            Ok(())
        } else {
            Err(RolloutError::StaleAgreement)
        }
    }

    async fn write(&self) -> Result<(), RolloutError> {
        self.begin().await?;
        let (rollout, AgreedState(agreement)) = (&self.rollout, &self.state);
        if rollout.header().target == Target::Templates {
            let writer = rollout.template_writer(agreement);
            return Box::pin(rollout.apply_templates(&writer)).await;
        }
        let failures = Arc::new(Failures::new(
            rollout.settings.stop_after_failures,
            agreement.left.wave.users,
        ));
        rollout.find_rewritten().await?;
        let writer = rollout.writer(agreement);
        let applied = rollout
            .apply_wave(writer.clone(), agreement.left.wave, failures)
            .await;
        // A refusal may have shown what the table's metadata did not.
        if !writer.demands_versions() {
            rollout.record_any_version().await?;
        }
        applied
    }
}

impl Planned {
    async fn record_wave(&self) -> Result<(), RolloutError> {
        let rollout = &self.rollout;
        let left = rollout.journal().left(rollout.settings.clone()).await?;
        let entry = entry(HistoryKind::WaveOver, &left, None);
        Ok(rollout.journal().add_history(entry).await?)
    }
}
