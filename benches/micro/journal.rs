//! The journal as a run uses it: many users at once, each with intents before and outcomes after, every call
//! on disk when it returns. One item is one user with three changes: two commits, shared with whoever waits too.

use std::error::Error;

use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use syncfilters::journal::{
    FirstContents, Journal, JournalError, Phase, Requests, RunFile, RunHeader, SelectedUser,
    SettledChange, Surveyed,
};
use syncfilters::model::{
    Caller, FilterId, Modification, Operation, Organization, RowOutcome, RowStamp, RunId,
    ServerVersion, State, UserId,
};
use syncfilters::plan::{Change, Criteria, RowResult, Selection};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Users in one round, for each that is worked on at once.
const EACH: u32 = 40;
const FILTERS: u32 = 3;

/// A run with a plan for every user, in a folder of its own.
struct Planned {
    journal: RunFile,
    _folder: TempDir,
}

/// As many at once as the tool ever has, and one alone: what the disk takes.
#[divan::bench(args = [1, 52], sample_count = 5, sample_size = 1)]
fn intend_and_settle(bencher: Bencher<'_, '_>, at_once: u32) {
    let Ok(runtime) = Runtime::new() else {
        return;
    };
    bencher
        .counter(ItemsCount::new(at_once * EACH))
        .with_inputs(|| runtime.block_on(planned(at_once)).ok())
        .bench_local_refs(|planned| {
            let journal = planned.as_ref().map(|planned| &planned.journal.journal);
            runtime.block_on(async {
                match journal {
                    Some(journal) => apply(journal, at_once).await.is_ok(),
                    None => false,
                }
            })
        });
}

async fn apply(journal: &Journal, at_once: u32) -> Result<(), JournalError> {
    let one = |user: u32| async move {
        let seq = i64::from(user);
        journal.intend(seq, changes(user)).await?;
        let settled = changes(user).into_iter().map(settled).collect();
        journal.settle(seq, settled, false).await
    };
    let users = stream::iter(1..=at_once * EACH).map(one);
    let at_once = usize::try_from(at_once).unwrap_or(1);
    users.buffer_unordered(at_once).try_collect().await
}

async fn planned(at_once: u32) -> Result<Planned, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = RunFile::create(
        &folder.path().join("bench.run"),
        header()?,
        &FirstContents::default(),
    )?;
    let journal = &file.journal;
    let users = 1..=at_once * EACH;
    journal
        .add_users(users.clone().map(found).collect())
        .await?;
    let survey = |user: u32| {
        journal.surveyed(Surveyed {
            seq: user.into(),
            filters: Vec::new(),
            changes: changes(user),
        })
    };
    let surveys = stream::iter(users).map(survey).buffer_unordered(256);
    surveys.try_collect::<()>().await?;
    Ok(Planned {
        journal: file,
        _folder: folder,
    })
}

fn found(user: u32) -> SelectedUser {
    SelectedUser {
        id: UserId(Uuid::from_u128(user.into())),
        object_id: None,
        label: format!("user{user}@contoso.example"),
        login: None,
        email: None,
        filters_populated: true,
        unit: None,
        skipped: None,
    }
}

fn changes(user: u32) -> Vec<Change> {
    let change = |filter: u32| Change {
        filter: FilterId(Uuid::from_u128(u128::from(user * FILTERS + filter))),
        from: State::Active.with_default_status(),
        to: State::Inactive.with_default_status(),
        etag: Some("W/\"2000123\"".to_owned()),
    };
    (0..FILTERS).map(change).collect()
}

fn settled(change: Change) -> SettledChange {
    let stamp = RowStamp {
        now: change.to,
        etag: Some("W/\"2000124\"".to_owned()),
        modified: Modification::default(),
    };
    SettledChange {
        result: RowResult::new(RowOutcome::Changed, Some(stamp)),
        change,
    }
}

fn header() -> Result<RunHeader, Box<dyn Error>> {
    Ok(RunHeader {
        id: RunId::random(),
        operation: Operation::Deactivate,
        undoes: None,
        environment: "https://contoso.crm4.dynamics.com".parse()?,
        organization: Organization {
            id: Uuid::from_u128(7),
            name: "Contoso".to_owned(),
            distinct_deletes: None,
        },
        version: ServerVersion { major: 9, minor: 2 },
        caller: Caller {
            id: UserId(Uuid::from_u128(99)),
            user: "admin@contoso.example".to_owned(),
        },
        selection: Selection::default(),
        criteria: Criteria::default(),
        target: syncfilters::model::Target::Filters,
        started: Timestamp::now(),
        phase: Phase::Applying,
        finished: None,
        outcome: None,
        records_on_behalf: false,
        requests: Requests::default(),
    })
}
