//! The one writer: a thread that owns the database and commits in groups.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::JournalError;

/// Jobs that may wait; more make their senders wait, so that the file never lags behind the run.
const QUEUE: usize = 1024;
/// Jobs that share one commit, and so one wait for the disk.
const GROUP: usize = 512;

/// What a job leaves to be told once its group is committed, or is not.
type Ack = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Given no database where no transaction could be begun.
type Job = Box<dyn FnOnce(Option<&Connection>) -> (bool, Ack) + Send>;

/// A run file in use. Cheap to clone; the file is closed when the last clone is gone.
///
/// Whatever a call writes is on disk when the call returns: that is what lets an intent stand before
/// its request.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Journal {
    pub(super) fn start(path: &Path, connection: Connection) -> Result<Self, JournalError> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || serve(&connection, queue))
            .map_err(|error| JournalError {
                path: path.to_owned(),
                why: error.to_string(),
            })?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            jobs: Some(jobs),
            thread: Some(thread),
        })))
    }

    /// The run file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Runs a job on the database and returns when what it wrote is committed.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, JournalError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = match connection {
                Some(connection) => work(connection).map_err(|error| error.to_string()),
                None => Err("it cannot be written".to_owned()),
            };
            let ok = result.is_ok();
            let ack: Ack = Box::new(move |committed| {
                // Nobody waits any more where the run was aborted; the work is done all the same.
                let _ = sender.send(committed.and(result));
            });
            (ok, ack)
        });
        let stopped = || "its writer has stopped".to_owned();
        let sent = match &self.0.jobs {
            Some(jobs) => jobs.send(job).await.map_err(|_| stopped()),
            None => Err(stopped()),
        };
        let outcome = match sent {
            Ok(()) => receiver.await.unwrap_or_else(|_| Err(stopped())),
            Err(why) => Err(why),
        };
        outcome.map_err(|why| JournalError {
            path: self.0.path.clone(),
            why,
        })
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // The file is closed, and its write-ahead log folded in, before the process goes on.
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, mut queue: mpsc::Receiver<Job>) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP {
            match queue.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        commit(connection, group);
    }
}

/// All of a group is committed, or none of it: an error in one job means that the file cannot be
/// relied on, and the run stops.
fn commit(connection: &Connection, group: Vec<Job>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let usable = begun.is_ok().then_some(connection);
    let done: Vec<_> = group.into_iter().map(|job| job(usable)).collect();
    let outcome = match begun {
        Err(error) => Err(error.to_string()),
        Ok(()) if done.iter().all(|(ok, _)| *ok) => connection
            .execute_batch("COMMIT")
            .map_err(|error| error.to_string()),
        Ok(()) => Err("another write of the same group failed".to_owned()),
    };
    if outcome.is_err() {
        // Nothing to roll back where SQLite has done it already.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for (ok, ack) in done {
        // A job that failed tells its own error rather than the group's.
        ack(if ok || usable.is_none() {
            outcome.clone()
        } else {
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")
            .unwrap();
        Journal::start(Path::new("memory"), connection).unwrap()
    }

    fn insert(n: i64) -> impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static {
        move |connection| connection.execute("INSERT INTO t VALUES (?1)", [n])
    }

    #[tokio::test]
    async fn what_was_written_can_be_read_by_the_next_job() {
        let journal = journal();
        journal.run(insert(7)).await.unwrap();
        let sum = |connection: &Connection| {
            connection.query_row("SELECT sum(n) FROM t", [], |row| row.get::<_, i64>(0))
        };
        assert_eq!(journal.run(sum).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_failed_write_is_told_and_takes_its_group_with_it() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)")
            .unwrap();
        let outcomes = Arc::new(std::sync::Mutex::new(Vec::new()));
        let job = |n: i64| -> Job {
            let outcomes = outcomes.clone();
            Box::new(move |connection| {
                let ok = insert(n)(connection.unwrap()).is_ok();
                let ack: Ack = Box::new(move |o| outcomes.lock().unwrap().push(ok && o.is_ok()));
                (ok, ack)
            })
        };
        commit(&connection, vec![job(1), job(1), job(2)]);
        assert_eq!(*outcomes.lock().unwrap(), [false, false, false]);
        let count: i64 = connection
            .query_row("SELECT count(*) FROM t", [], |r| r.get(0))
            .unwrap();
        assert_eq!(count, 0);
        commit(&connection, vec![job(3)]);
        assert_eq!(outcomes.lock().unwrap().last(), Some(&true));
    }
}
