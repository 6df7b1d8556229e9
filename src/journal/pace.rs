//! Requests over time, in a limited number of buckets of equal length.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Requests, run_header};

/// The most buckets; when there would be more, all become twice as long. Several for each bar of the charts, which
/// have about 80.
pub(super) const MOST: u64 = 600;

/// Adds requests to the totals of the run and to the bucket of their time.
pub(super) fn add(connection: &Connection, more: Requests, at: Timestamp) -> rusqlite::Result<()> {
    run_header::add_requests(connection, more)?;
    let width = width(connection)?;
    let at = at.as_millisecond();
    add_to(connection, at - at.rem_euclid(width), more)?;
    while buckets(connection)? > MOST {
        widen(connection)?;
    }
    Ok(())
}

/// The length of a bucket, in milliseconds.
pub(super) fn width(connection: &Connection) -> rusqlite::Result<i64> {
    let width: i64 = connection
        .prepare_cached("SELECT stretch FROM run")?
        .query_row([], |row| row.get(0))?;
    Ok(width.max(1))
}

fn buckets(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT count(*) FROM pace")?
        .query_row([], |row| row.get(0))
}

/// All buckets with requests, by the millisecond at which they start, in order.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<Vec<(i64, Requests)>> {
    let mut query = connection
        .prepare_cached("SELECT start, requests, throttled, retried FROM pace ORDER BY start")?;
    let rows = query.query_map([], |row| {
        let requests = Requests {
            total: row.get(1)?,
            throttled: row.get(2)?,
            retried: row.get(3)?,
        };
        Ok((row.get(0)?, requests))
    })?;
    rows.collect()
}

fn add_to(connection: &Connection, start: i64, more: Requests) -> rusqlite::Result<()> {
    let Requests {
        total,
        throttled,
        retried,
    } = more;
    connection
        .prepare_cached(
            "INSERT INTO pace VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (start) DO UPDATE SET requests = requests + excluded.requests,
                 throttled = throttled + excluded.throttled, retried = retried + excluded.retried",
        )?
        .execute(params![start, total, throttled, retried])?;
    Ok(())
}

fn widen(connection: &Connection) -> rusqlite::Result<()> {
    let wider = width(connection)?.saturating_mul(2);
    let rows = read(connection)?;
    connection.execute("DELETE FROM pace", [])?;
    for (start, requests) in rows {
        add_to(connection, start - start.rem_euclid(wider), requests)?;
    }
    connection.execute("UPDATE run SET stretch = ?1", [wider])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::schema;

    fn run_file() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        schema::create(&connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO run (one, id, operation, environment, organization, server_major, server_minor, caller,
                                  selection, criteria, tool, started, phase)
                 VALUES (1, '', '', '', '', 9, 2, '', '', '', '', 0, '')",
            )
            .unwrap();
        connection
    }

    fn ask(connection: &Connection, millisecond: i64) {
        let more = Requests {
            total: 2,
            throttled: 1,
            retried: 0,
        };
        let at = Timestamp::from_millisecond(millisecond).unwrap();
        add(connection, more, at).unwrap();
    }

    #[test]
    fn what_is_asked_in_one_second_is_one_row() {
        let connection = run_file();
        for millisecond in [5_000, 5_999, 6_000] {
            ask(&connection, millisecond);
        }
        let rows = read(&connection).unwrap();
        let rows: Vec<_> = rows.iter().map(|(at, of)| (*at, of.total)).collect();
        assert_eq!(rows, [(5_000, 4), (6_000, 2)]);
    }

    #[test]
    fn a_long_run_takes_no_more_rows_and_loses_no_request() {
        let connection = run_file();
        (0..2_000).for_each(|second| ask(&connection, second * 1000));
        // A pause of years is no reason for more.
        ask(&connection, 100_000_000_000);
        let rows = read(&connection).unwrap();
        assert!(rows.len() <= 600, "{}", rows.len());
        assert_eq!(width(&connection).unwrap(), 4_000);
        let total: u64 = rows.iter().map(|(_, of)| of.total).sum();
        let throttled: u64 = rows.iter().map(|(_, of)| of.throttled).sum();
        assert_eq!((total, throttled), (4_002, 2_001));
        let read_total = "SELECT requests FROM run";
        let all: u64 = connection
            .query_row(read_total, [], |row| row.get(0))
            .unwrap();
        assert_eq!(all, total);
    }
}
