//! What is left of a run, and how fast its requests were answered up to now.

use std::time::Duration;

use jiff::Timestamp;

use crate::journal::codes::{AS_WANTED, FAILED, LEFT};
use crate::journal::impact;
use crate::journal::{Phase, history};
use crate::plan::{AppliedBy, Estimate, LIMIT_WINDOW, RequestPace, WorkAhead, pauses};

use super::{ReadError, View};

/// The number of written users from which the pace of writes is known: fewer could be the slow ones.
const TELLING: u64 = 20;

impl View<'_> {
    /// The time and requests for changing this number of the users that are left.
    pub fn estimate(&self, users: u64, by: AppliedBy<'_>) -> Result<Estimate, ReadError> {
        let work = self.work_ahead(users, by)?;
        Ok(work.estimate(self.request_pace()?))
    }

    fn work_ahead(&self, users: u64, by: AppliedBy<'_>) -> Result<WorkAhead, ReadError> {
        let header = self.header()?;
        let kinds = u64::try_from(header.criteria.kinds().len()).unwrap_or(u64::MAX);
        let connects = by == AppliedBy::LaterCommand;
        // A begun run is not compared, because each row is judged when it is written.
        let compares = connects && header.phase <= Phase::Planned;
        // A row without a version is read just before it is written.
        let is_read_first = impact::surroundings(self.0)?.any_version;
        let readings = u64::from(compares) + u64::from(is_read_first);
        let settings = match by {
            AppliedBy::ThisCommand(settings) => settings.clone(),
            AppliedBy::LaterCommand => history::settings(self.0)?.unwrap_or_default(),
        };
        let most_requests = settings
            .max_requests_per_5m
            .map(|most| u64::from(most.get()));
        Ok(WorkAhead {
            users,
            reads_per_user: kinds.saturating_mul(readings),
            connects,
            pauses: pauses(&settings, self.next_wave()?, users),
            most_requests,
            before: self.requests_since(Timestamp::now() - LIMIT_WINDOW)?,
        })
    }

    /// The pace of writes where enough were made, else that of reads.
    fn request_pace(&self) -> Result<Option<RequestPace>, ReadError> {
        let reading = impact::surroundings(self.0)?.reading;
        let sql = format!(
            "SELECT count(DISTINCT user) FROM change
             WHERE intended IS NOT NULL AND ({AS_WANTED} OR {FAILED} OR {LEFT})"
        );
        let written: u64 = self.0.query_row(&sql, [], |row| row.get(0))?;
        if written < TELLING {
            return Ok(reading);
        }
        let worked: Duration = self.working_time()?;
        Ok(Some(RequestPace {
            requests: written,
            milliseconds: u64::try_from(worked.as_millis()).unwrap_or(u64::MAX),
            at_once: reading.map_or(1, |pace| pace.at_once),
            ..RequestPace::default()
        }))
    }

    /// The requests of this run since a time.
    fn requests_since(&self, time: Timestamp) -> Result<u64, ReadError> {
        let sql = "SELECT coalesce(sum(requests), 0) FROM pace WHERE start >= ?1";
        Ok(self
            .0
            .query_row(sql, [time.as_millisecond()], |row| row.get(0))?)
    }

    /// The number of the next wave.
    fn next_wave(&self) -> Result<u64, ReadError> {
        let last: Option<u64> = self
            .0
            .query_row("SELECT max(wave) FROM change", [], |row| row.get(0))?;
        Ok(last.unwrap_or(0).saturating_add(1))
    }
}
