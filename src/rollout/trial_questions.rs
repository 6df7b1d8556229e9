//! The questions of a trial, in order: first those that only read, then those that write to the one row.
//!
//! Every write leaves the row inactive, and the run file records the state after each: whenever the process ends, the
//! undo of the run restores the row.

use std::time::Duration;

use http::StatusCode;

use crate::dataverse::{
    self, Columns, Impersonated, ImpersonationHeader, Reader, ServerFault, TrialBody, Writer,
};
use crate::journal::{RunUser, SettledChange};
use crate::model::{
    Filter, FilterKind, RowOutcome, State, StateAndStatus, Status, is_same_version,
};
use crate::plan::{Change, RowResult};
use crate::trial::{
    Answer, BudgetSeen, Counted, Detail, Fact, Findings, StaleSeen, StatusSeen, WriteSeen,
    accepted_with_status, budget, representation, same_rows, servers, stale_version, version_moves,
    yes_or_no,
};

use super::RolloutError;
use super::session::Rollout;
use super::trial::TrialRow;

/// Requests to find out whose budget counts, some as the caller and some as the user: up to six web servers that take
/// turns answer both kinds within this number.
const BUDGET_REQUESTS: usize = 12;

/// A trial under way.
pub(super) struct TrialQuestions<'a> {
    rollout: &'a Rollout,
    writer: Writer,
    subject: RunUser,
    place: &'a TrialRow,
    /// The row as it was last read.
    row: Filter,
    /// The version before the trial.
    first_version: Option<String>,
    /// Whether the server checks the version of a write.
    demands: bool,
    /// Whether the version changed although nothing was written.
    moved_by_itself: bool,
    findings: Findings,
}

/// An answer, or the refusal of the server.
type Refusable<T> = Result<T, Detail>;

fn refusal(fault: &ServerFault) -> Detail {
    Detail::Refused {
        status: fault.status,
        code: fault.code,
    }
}

/// A refusal is an answer to a question; other errors end the trial.
fn refusable<T>(result: Result<T, dataverse::Error>) -> Result<Refusable<T>, RolloutError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(dataverse::Error::Refused { fault, .. }) => Ok(Err(refusal(&fault))),
        Err(error) => Err(error.into()),
    }
}

impl<'a> TrialQuestions<'a> {
    pub(super) async fn new(
        rollout: &'a Rollout,
        writer: Writer,
        subject: RunUser,
        place: &'a TrialRow,
    ) -> Result<Self, RolloutError> {
        let row = read_row(rollout, place).await?;
        if row.now != place.before {
            let why = "somebody changed the filter after the trial was planned";
            return Err(RolloutError::NoTrial(why));
        }
        Ok(Self {
            demands: writer.demands_versions() && row.etag.is_some(),
            first_version: row.etag.clone(),
            moved_by_itself: false,
            rollout,
            writer,
            subject,
            place,
            row,
            findings: Findings::default(),
        })
    }

    pub(super) async fn ask(mut self, wait: Duration) -> Result<Findings, RolloutError> {
        self.ask_by_headers().await?;
        self.ask_as_whom().await?;
        self.ask_as_administrator().await?;
        self.ask_in_batches().await?;
        self.ask_for_budget().await?;
        if self.set_state().await? {
            self.set_null_status().await?;
            self.set_state_alone().await?;
            self.write_with_stale_version().await?;
            self.write_as_administrator().await?;
        }
        self.look_again(wait).await?;
        Ok(self.findings)
    }

    const fn reader(&self) -> &Reader {
        &self.rollout.reader
    }

    const fn who(&self) -> &Impersonated {
        &self.place.user
    }

    fn found(&mut self, fact: Fact, answer: Answer, detail: Option<Detail>) {
        self.findings.found_with(fact, (answer, detail));
    }

    /// Which header is honoured. An id that the user does not have cannot be tried.
    async fn ask_by_headers(&mut self) -> Result<(), RolloutError> {
        for (header, fact) in [
            (ImpersonationHeader::ObjectId, Fact::ObjectIdHeader),
            (ImpersonationHeader::UserId, Fact::UserIdHeader),
        ] {
            if header == ImpersonationHeader::ObjectId && self.who().object_id.is_none() {
                continue;
            }
            let (reader, who) = (self.reader().by_header(header), *self.who());
            let asked = async {
                if reader.who_am_i_as(&who).await? == who.id {
                    return Ok(true);
                }
                Ok(reader.current_user_as(&who).await? == Some(who.id))
            };
            match refusable(asked.await)? {
                Ok(honoured) => self.found(fact, yes_or_no(honoured), None),
                Err(refused) => self.found(fact, Answer::No, Some(refused)),
            }
        }
        Ok(())
    }

    async fn ask_as_whom(&mut self) -> Result<(), RolloutError> {
        let who = *self.who();
        let named = refusable(self.reader().who_am_i_as(&who).await)?;
        self.found_who(Fact::WhoAmI, named.map(Some));
        let named = refusable(self.reader().current_user_as(&who).await)?;
        self.found_who(Fact::CurrentUser, named);
        Ok(())
    }

    fn found_who(&mut self, fact: Fact, named: Refusable<Option<crate::model::UserId>>) {
        match named {
            Ok(user) => self.found(fact, yes_or_no(user == Some(self.who().id)), None),
            Err(refused) => self.found(fact, Answer::No, Some(refused)),
        }
    }

    async fn ask_as_administrator(&mut self) -> Result<(), RolloutError> {
        let (who, kind) = (*self.who(), FilterKind::Outlook);
        let own = self.reader().filters(&who, kind, Columns::Needed).await?;
        for (columns, fact) in [
            (Columns::Needed, Fact::AdminQuery),
            (Columns::All, Fact::AdminQueryAll),
        ] {
            let seen = self.reader().filters_as_caller(who.id, kind, columns);
            match refusable(seen.await)? {
                Ok(seen) => self.findings.found_with(fact, same_rows(&own, &seen)),
                Err(refused) => self.found(fact, Answer::No, Some(refused)),
            }
        }
        Ok(())
    }

    /// Nothing is written in these batches.
    async fn ask_in_batches(&mut self) -> Result<(), RolloutError> {
        let who = *self.who();
        let by_query = self.findings.answer(Fact::WhoAmI) != Answer::Yes;
        let outer = refusable(self.reader().batch_acts_as(&who, by_query).await)?;
        let part = refusable(self.reader().part_acts_as(&who, by_query).await)?;
        let goes_on = refusable(self.reader().batch_goes_on().await)?;
        for (fact, seen) in [
            (
                Fact::BatchHeader,
                outer.map(|it| it.map(|user| user == who.id)),
            ),
            (
                Fact::PartHeader,
                part.map(|it| it.map(|user| user != who.id)),
            ),
            (Fact::ContinueOnError, goes_on),
        ] {
            match seen {
                Ok(yes) => self.found(fact, yes.map_or(Answer::Unknown, yes_or_no), None),
                Err(refused) => self.found(fact, Answer::Unknown, Some(refused)),
            }
        }
        Ok(())
    }

    async fn ask_for_budget(&mut self) -> Result<(), RolloutError> {
        let who = *self.who();
        let mut seen = Vec::with_capacity(BUDGET_REQUESTS);
        for at in 0..BUDGET_REQUESTS {
            // In an order without a period, so that servers that take turns answer both kinds.
            let (by, whose) = if at.count_ones() % 2 == 0 {
                (Counted::Caller, None)
            } else {
                (Counted::User, Some(&who))
            };
            let server = self.reader().server_seen(whose).await?;
            seen.push(BudgetSeen {
                by,
                server: server.server,
                remaining: server.remaining,
                hint: server.recommended,
            });
        }
        let hint = seen.iter().find_map(|one| one.hint);
        self.found(
            Fact::Hint,
            hint.map_or(Answer::Unknown, Answer::Number),
            None,
        );
        self.found(Fact::Servers, servers(&seen), None);
        self.found(Fact::Budget, budget(&seen), None);
        Ok(())
    }

    /// The version to require.
    fn version(&self) -> Option<String> {
        self.row.etag.clone().filter(|_| self.demands)
    }

    /// Makes the change of the trial; false where the server did not make it.
    async fn set_state(&mut self) -> Result<bool, RolloutError> {
        // Read just before, because the version can have changed meanwhile.
        self.read_unwritten().await?;
        self.first_version.clone_from(&self.row.etag);
        let (who, before) = (*self.who(), self.row.etag.clone());
        let body = TrialBody::StateAndStatus(State::Inactive.with_default_status());
        let mut version = self.version();
        let mut seen = self.write(Some(&who), body, version.clone()).await?;
        if is_without_versions(seen) && version.take().is_some() {
            self.demands = false;
            seen = self.write(Some(&who), body, None).await?;
        }
        let (answer, detail) = seen.accepted();
        let is_set = self.row.now.state == State::Inactive;
        let answer = if is_set { answer } else { Answer::No };
        self.found(Fact::SetState, answer, detail);
        self.findings
            .found_with(Fact::Representation, representation(seen));
        if !is_set {
            return Ok(false);
        }
        let moved = version_moves(before.as_deref(), self.row.etag.as_deref());
        self.found(Fact::VersionMoves, moved, None);
        let caller = self.reader().identity().caller.id;
        let on_behalf = self.row.modified.on_behalf == Some(caller);
        self.found(Fact::OnBehalf, yes_or_no(on_behalf), None);
        Ok(true)
    }

    async fn set_null_status(&mut self) -> Result<(), RolloutError> {
        let null = StateAndStatus {
            state: State::Inactive,
            status: Status(None),
        };
        let body = TrialBody::StateAndStatus(null);
        self.set_status(Fact::NullStatus, body).await
    }

    async fn set_state_alone(&mut self) -> Result<(), RolloutError> {
        let body = TrialBody::StateOnly(State::Inactive);
        self.set_status(Fact::OmittedStatus, body).await
    }

    async fn set_status(&mut self, fact: Fact, body: TrialBody) -> Result<(), RolloutError> {
        let who = *self.who();
        let write = self.write(Some(&who), body, self.version()).await?;
        let after = self.row.now;
        let seen = accepted_with_status(StatusSeen { write, after });
        self.findings.found_with(fact, seen);
        Ok(())
    }

    /// Requires the version from before the trial. If the row still has it, no version is stale.
    async fn write_with_stale_version(&mut self) -> Result<(), RolloutError> {
        let stale = self.first_version.clone();
        let is_stale = is_same_version(stale.as_deref(), self.row.etag.as_deref()) == Some(false);
        if !is_stale {
            return Ok(());
        }
        let (who, before) = (*self.who(), self.row.clone());
        // A status other than the present one, where possible, so that a write shows in the row.
        let status = if self.findings.answer(Fact::NullStatus) == Answer::Yes {
            Status(None)
        } else {
            State::Inactive.default_status()
        };
        let body = TrialBody::StateAndStatus(StateAndStatus {
            state: State::Inactive,
            status,
        });
        let write = self.write(Some(&who), body, stale).await?;
        let seen = stale_version(StaleSeen {
            write,
            before: &before,
            after: &self.row,
        });
        self.findings.found_with(Fact::StaleVersion, seen);
        Ok(())
    }

    /// If it is accepted, the row is written again as its user, so that it has the stamp of that write.
    async fn write_as_administrator(&mut self) -> Result<(), RolloutError> {
        let body = TrialBody::StateAndStatus(State::Inactive.with_default_status());
        let seen = self.write(None, body, self.version()).await?;
        self.findings.found_with(Fact::AdminWrite, seen.accepted());
        if seen.status.is_success() {
            let who = *self.who();
            self.write(Some(&who), body, self.version()).await?;
        }
        Ok(())
    }

    /// Whether the version changes although nobody writes: at once, and after the given time.
    async fn look_again(&mut self, wait: Duration) -> Result<(), RolloutError> {
        for pause in [Duration::ZERO, wait] {
            tokio::select! {
                biased;
                () = self.reader().channel().interrupted().cancelled() => {
                    return Err(RolloutError::Interrupted);
                }
                () = tokio::time::sleep(pause) => {}
            }
            self.read_unwritten().await?;
        }
        let answer = if self.row.etag.is_some() {
            yes_or_no(!self.moved_by_itself)
        } else {
            Answer::Unknown
        };
        self.found(Fact::OnlyByWrites, answer, None);
        Ok(())
    }

    /// Reads the row where nothing was written since it was last read.
    async fn read_unwritten(&mut self) -> Result<(), RolloutError> {
        let row = read_row(self.rollout, self.place).await?;
        let before = std::mem::replace(&mut self.row, row);
        let same = is_same_version(before.etag.as_deref(), self.row.etag.as_deref());
        self.moved_by_itself |= same == Some(false);
        Ok(())
    }

    /// Records the intent, sends the request, and returns the row after it.
    async fn write(
        &mut self,
        who: Option<&Impersonated>,
        body: TrialBody,
        etag: Option<String>,
    ) -> Result<WriteSeen, RolloutError> {
        let change = Change {
            filter: self.place.filter,
            from: self.place.before,
            to: State::Inactive.with_default_status(),
            etag: etag.clone(),
        };
        let (journal, seq) = (self.rollout.journal(), self.subject.seq);
        journal.intend(seq, vec![change.clone()]).await?;
        let answer = self
            .writer
            .try_write(who, change.filter, body, etag.as_deref())
            .await?;
        if answer.status.is_success() {
            self.row = read_row(self.rollout, self.place).await?;
        } else {
            self.read_unwritten().await?;
        }
        let result = if self.row.now.state == State::Inactive {
            RowResult::new(RowOutcome::Changed, Some(self.row.stamp()))
        } else {
            // Nothing is to be restored or tried again: the answer is all that is needed.
            RowResult::new(RowOutcome::LeftOut, None)
        };
        let caller = self.reader().identity().caller.id;
        let named = self.row.modified.on_behalf == Some(caller);
        let settled = SettledChange { change, result };
        self.rollout
            .journal()
            .settle(seq, vec![settled], named)
            .await?;
        Ok(WriteSeen {
            status: answer.status,
            code: answer.fault.and_then(|fault| fault.code),
            shown: answer.shown.is_some(),
        })
    }
}

/// Whether a write was refused because it required a version (`OptimisticConcurrencyNotEnabled`).
fn is_without_versions(seen: WriteSeen) -> bool {
    seen.status == StatusCode::BAD_REQUEST && seen.code == Some(0x8006_088D)
}

async fn read_row(rollout: &Rollout, place: &TrialRow) -> Result<Filter, RolloutError> {
    let row = place.read(&rollout.reader).await?;
    row.ok_or(RolloutError::NoTrial("the filter is gone"))
}
