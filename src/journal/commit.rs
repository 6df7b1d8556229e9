//! The only writer: a thread that owns the database and commits in groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::JournalError;
use super::end_log::end_log;
use super::lock::RunLock;
use super::place::FoundFile;

/// Waiting jobs; when it is full, senders wait, so that the file keeps up with the run. Twice a group, so that
/// the next group is complete when one is committed.
const QUEUE: usize = 1024;
/// Jobs in one commit, which waits for the disk once. More than ever arrive at a time: the platform takes 52
/// requests at once, and each has an intent, a result and a count. It bounds the duration of a commit.
const GROUP: usize = 512;

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    /// The file no longer has its name.
    FileGone,
    /// The error of SQLite or the file system.
    Io(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// The answer of a job, sent after its group is committed or has failed.
type Ack = Box<dyn FnOnce(Result<(), Failure>) + Send>;
/// A job. It gets the reason instead of the database where nothing may be or can be written.
type Work = Box<dyn FnOnce(Result<&Connection, Failure>) -> (bool, Ack) + Send>;

struct Job {
    work: Work,
    /// Whether a request follows: then the file must still be at its path.
    is_intent: bool,
}

/// A run file in use. Cheap to clone; the file is closed when the last clone is dropped.
///
/// What a call writes is on disk when the call returns, so an intent is stored before
/// its request is sent.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Held until the file is closed.
    _lock: Option<RunLock>,
}

impl Journal {
    pub(super) fn start(
        file: FoundFile,
        connection: Connection,
        lock: RunLock,
    ) -> Result<Self, JournalError> {
        let path = file.path().to_owned();
        Self::spawn(&path, connection, Some(file), Some(lock))
    }

    /// A journal in a file without a name.
    pub(super) fn nameless(path: &Path, connection: Connection) -> Result<Self, JournalError> {
        Self::spawn(path, connection, None, None)
    }

    fn spawn(
        path: &Path,
        connection: Connection,
        file: Option<FoundFile>,
        lock: Option<RunLock>,
    ) -> Result<Self, JournalError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let is_there = || file.as_ref().is_none_or(FoundFile::is_still_there);
                serve(&connection, queue, &is_there);
                if file.is_some() {
                    // If this fails, the log stays beside the file, and both together are complete.
                    let _ = end_log(&connection);
                }
            })
            .map_err(|error| JournalError::Unusable {
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            jobs: Some(jobs),
            thread: Some(thread),
            _lock: lock,
        })))
    }

    /// The path of the run file, with all links resolved.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs a job on the database. Returns when its writes are committed.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.send(false, work).await
    }

    /// As [`Self::run`], for an intent, after which a request is sent.
    ///
    /// # Errors
    /// [`JournalError::RunFileGone`] where the file was moved, linked, replaced, truncated or deleted.
    pub(super) async fn run_intent<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.send(true, work).await
    }

    async fn send<T, F>(&self, is_intent: bool, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = connection.and_then(|connection| Ok(work(connection)?));
            let ok = result.is_ok();
            let ack: Ack = Box::new(move |committed| {
                // If the run was aborted nobody receives this; the work is done nevertheless.
                let _ = sender.send(committed.and(result));
            });
            (ok, ack)
        });
        let stopped = || Failure::Io("its writer has stopped".to_owned());
        let sent = match &self.0.jobs {
            Some(jobs) => {
                let sent = jobs.send(Job { work, is_intent }).await;
                sent.map_err(|_| stopped())
            }
            None => Err(stopped()),
        };
        let outcome = match sent {
            Ok(()) => receiver.await.unwrap_or_else(|_| Err(stopped())),
            Err(why) => Err(why),
        };
        let path = || self.0.path.clone();
        outcome.map_err(|failure| match failure {
            Failure::FileGone => JournalError::RunFileGone { path: path() },
            Failure::Io(why) => JournalError::Unusable { path: path(), why },
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // The file is closed, and its write-ahead log merged, before the process continues.
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, mut queue: mpsc::Receiver<Job>, is_there: &dyn Fn() -> bool) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match queue.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        commit(connection, group, is_there);
    }
}

/// Commits all of a group, or nothing: an error in one job means that the file cannot be
/// relied on, and the run stops. An intent whose file is gone is excluded from its group, and the results of requests
/// that were already sent are still recorded.
fn commit(connection: &Connection, mut group: Vec<Job>, is_there: &dyn Fn() -> bool) {
    if group.iter().any(|job| job.is_intent) && !is_there() {
        let (intents, others) = group.into_iter().partition(|job| job.is_intent);
        group = others;
        let intents: Vec<Job> = intents;
        for intent in intents {
            let (_, ack) = (intent.work)(Err(Failure::FileGone));
            ack(Ok(()));
        }
        if group.is_empty() {
            return;
        }
    }
    let begun = connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(Failure::from);
    let usable = || begun.clone().map(|()| connection);
    let done: Vec<_> = group.into_iter().map(|job| (job.work)(usable())).collect();
    let outcome = match &begun {
        Err(failure) => Err(failure.clone()),
        Ok(()) if done.iter().all(|(ok, _)| *ok) => {
            connection.execute_batch("COMMIT").map_err(Failure::from)
        }
        Ok(()) => Err(Failure::Io(
            "another write of the same group failed".to_owned(),
        )),
    };
    if outcome.is_err() {
        // SQLite may have rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (ok, ack) in done {
        // A failed job returns its own error rather than the group's.
        ack(if ok { outcome.clone() } else { Ok(()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")
            .unwrap();
        connection
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static {
        move |connection| connection.execute("INSERT INTO t VALUES (?1)", [n])
    }

    fn count(connection: &Connection) -> i64 {
        let sql = "SELECT count(*) FROM t";
        connection.query_row(sql, [], |r| r.get(0)).unwrap()
    }

    type Outcomes = Arc<std::sync::Mutex<Vec<Result<(), Failure>>>>;

    fn job(outcomes: &Outcomes, n: i64, is_intent: bool) -> Job {
        let outcomes = outcomes.clone();
        Job {
            work: Box::new(move |connection| {
                let result = connection.and_then(|connection| Ok(insert(n)(connection)?));
                let ok = result.is_ok();
                let ack: Ack =
                    Box::new(move |o| outcomes.lock().unwrap().push(o.and(result.map(|_| ()))));
                (ok, ack)
            }),
            is_intent,
        }
    }

    #[tokio::test]
    async fn what_was_written_can_be_read_by_the_next_job() {
        let journal = Journal::nameless(Path::new("memory"), memory()).unwrap();
        journal.run(insert(7)).await.unwrap();
        let sum = |connection: &Connection| {
            connection.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(journal.run(sum).await.unwrap(), 7);
    }

    #[test]
    fn a_failed_write_is_told_and_takes_its_group_with_it() {
        let (connection, outcomes) = (memory(), Outcomes::default());
        let group = [1, 1, 2].map(|n| job(&outcomes, n, false));
        commit(&connection, group.into(), &|| true);
        assert!(outcomes.lock().unwrap().iter().all(Result::is_err));
        assert_eq!(count(&connection), 0);
        commit(&connection, vec![job(&outcomes, 3, false)], &|| true);
        assert_eq!(outcomes.lock().unwrap().last(), Some(&Ok(())));
    }

    #[test]
    fn where_the_file_is_gone_no_intent_is_recorded_but_every_outcome_is() {
        let (connection, outcomes) = (memory(), Outcomes::default());
        let group = vec![job(&outcomes, 1, true), job(&outcomes, 2, false)];
        commit(&connection, group, &|| false);
        let reported = outcomes.lock().unwrap().clone();
        assert_eq!(reported, [Err(Failure::FileGone), Ok(())]);
        assert_eq!(count(&connection), 1);
    }
}
