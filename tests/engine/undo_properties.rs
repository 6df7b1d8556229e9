//! Whatever somebody else does in between, and however the server behaves: nothing of his is overwritten, and it is said.

use std::collections::BTreeMap;

use syncfilters::model::{Operation, Outcome};
use syncfilters::plan::RunSettings;
use syncfilters::sandbox::{Options, Switch, Switches};
use uuid::Uuid;

use crate::world::{World, started};

/// Numbers that are the same in every run of the test.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's linear congruential generator (MMIX); its high bits are good enough to choose with.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What another writer left of the rows that he touched since the run wrote them.
type Touched = BTreeMap<Uuid, (i32, Option<i32>, String)>;

/// Lets somebody else touch some calendar filters.
fn touch(world: &World, numbers: &mut Numbers, touched: &mut Touched) {
    let caller = world.sandbox.users()[1].id;
    for filter in world.sandbox.filters() {
        if !crate::world::is_calendar(&filter) || numbers.below(8) != 0 {
            continue;
        }
        let off = |row: &mut syncfilters::sandbox::FilterEdit| {
            (row.statecode, row.statuscode) = (1, Some(2));
        };
        let on = |row: &mut syncfilters::sandbox::FilterEdit| {
            (row.statecode, row.statuscode) = (0, Some(1));
        };
        match numbers.below(5) {
            0 => {
                world
                    .sandbox
                    .edit(filter.id, |row| row.name = "Mine".into());
            }
            1 => {
                world.sandbox.edit(filter.id, on);
                world.sandbox.edit(filter.id, off);
            }
            2 => {
                world.sandbox.edit(filter.id, on);
            }
            3 => {
                world.sandbox.edit(filter.id, off);
            }
            _ => {
                world.sandbox.edit_on_behalf(filter.id, caller, off);
            }
        }
        let filters = world.sandbox.filters();
        let now = filters.iter().find(|f| f.id == filter.id).unwrap();
        touched.insert(now.id, (now.statecode, now.statuscode, now.name.clone()));
    }
}

fn untouched(world: &World, touched: &Touched) {
    for filter in world.sandbox.filters() {
        if let Some(left) = touched.get(&filter.id) {
            let now = (filter.statecode, filter.statuscode, filter.name);
            assert_eq!(now, *left, "{}", filter.id);
        }
    }
}

#[tokio::test]
async fn any_interleaving_of_another_writer_with_apply_and_undo_overwrites_nothing_of_his() {
    for seed in 0..6 {
        let world = World::with_users(30).await;
        let mut numbers = Numbers(seed);
        let run = world.begin(started(Operation::Deactivate)).await;
        run.plan().await.unwrap();
        // What is touched before the write is deactivated all the same where it is active: that was asked for.
        touch(&world, &mut numbers, &mut Touched::new());
        let own: Vec<_> = world.sandbox.filters();
        run.apply().await.unwrap();
        let done = run.finish().await;
        let wrote: Vec<_> = own
            .iter()
            .zip(world.sandbox.filters())
            .filter(|(before, after)| before.version != after.version)
            .map(|(before, _)| before.clone())
            .collect();
        assert_eq!(wrote.len() as u64, done.totals().changed, "seed {seed}");
        if numbers.below(2) == 0 {
            world.sandbox.upgrade();
        }
        let mut touched = Touched::new();
        touch(&world, &mut numbers, &mut touched);
        let undo = world.plan_undo(&done, RunSettings::default()).await;
        touch(&world, &mut numbers, &mut touched);
        undo.apply().await.unwrap();
        let undone = undo.finish().await;
        untouched(&world, &touched);
        let now = world.states();
        let mut left = 0;
        for row in &wrote {
            let back = now[&row.id] == (row.statecode, row.statuscode);
            let means_the_same = now[&row.id].0 == row.statecode
                && now[&row.id].1.unwrap_or(1) == row.statuscode.unwrap_or(1);
            match touched.get(&row.id) {
                None => assert!(back, "seed {seed}: {row:?}"),
                Some(_) => left += u64::from(!means_the_same),
            }
        }
        assert_eq!(undone.left_alone(), left, "seed {seed}: each is reported");
        let expected = if left > 0 {
            Outcome::Partial
        } else {
            Outcome::Complete
        };
        assert_eq!(undone.outcome, expected, "seed {seed}");
    }
}

/// What a run comes to where the server behaves so.
#[derive(Debug, PartialEq, Eq)]
enum Expectation {
    /// Deactivate and undo are the identity.
    Exact,
    /// The same, but for null statuses, which become what they mean.
    NullBecomesOwn,
    /// The run cannot be begun or proved: nothing is written.
    NothingWritten,
}

fn expected(switch: Switch) -> Expectation {
    match switch {
        Switch::RefuseNullStatus => Expectation::NullBecomesOwn,
        Switch::DropImpersonation
        | Switch::CallerCannotActOnBehalf
        | Switch::RefuseStateInPatch
        // Every user here has several filters, which are written in a batch, and as the caller each is refused.
        | Switch::BatchIgnoresImpersonation
        | Switch::Redirect
        | Switch::HtmlInsteadOfJson => Expectation::NothingWritten,
        Switch::WhoAmIIgnoresImpersonation
        | Switch::DropImpersonationForSome
        | Switch::SpecialUsersRefused
        | Switch::UnknownUserIsError
        | Switch::DisabledUserIsDropped
        // It says how the lack of a privilege is told that is not lacking here.
        | Switch::ActOnBehalfAsMissingPrivilege
        // So few users are on one page.
        | Switch::NextLinkToOtherHost
        | Switch::CallerLacksAdminFilter
        | Switch::AdminQueryConditionsOnly
        | Switch::AdminWritesOthers
        | Switch::HiddenRowsForbidden
        | Switch::NoOptimisticConcurrency
        | Switch::InactiveRowsReadOnly
        | Switch::TemplateHalvesApart
        | Switch::TemplateStaysActive
        | Switch::NoContinueOnError
        | Switch::BatchStopOmitsEarlier
        | Switch::LimitsPerImpersonatedUser
        | Switch::RetryAfterDate
        | Switch::ChallengeBare
        | Switch::ChallengeResource
        | Switch::ChallengeQuoted
        | Switch::EmptyErrorCodes
        | Switch::DistinctDeletes
        | Switch::DistinctDeletesAbsent
        | Switch::LowAggregateLimit
        | Switch::IgnoreCallerObjectId
        | Switch::IgnoreMscrmCallerId
        | Switch::OutlookClient
        | Switch::RefuseSecondRootFilter
        | Switch::FirstRootFilterOnly
        | Switch::RefuseOmittedStatus
        | Switch::IgnoreIfMatchVersion
        | Switch::VersionStays
        | Switch::VersionMovesByItself
        | Switch::NoRepresentation
        | Switch::NoOnBehalf
        | Switch::CurrentUserIgnoresImpersonation
        | Switch::PartImpersonates
        | Switch::CalendarSystemFilter => Expectation::Exact,
    }
}

#[tokio::test]
async fn every_behaviour_of_the_server_leads_to_an_exact_undo_row_by_row_or_to_no_write() {
    let mut wrong = Vec::new();
    for &switch in Switch::ALL {
        let found = deactivate_and_undo(switch).await;
        if found != expected(switch) {
            wrong.push(format!("{switch}: {found:?}"));
        }
    }
    assert_eq!(wrong, <[String; 0]>::default());
}

async fn deactivate_and_undo(switch: Switch) -> Expectation {
    let world = World::new(Options {
        users: 30,
        switches: Switches::none().with(switch),
        ..Options::default()
    })
    .await;
    let before = world.sandbox.filters();
    let Some(done) = world.try_to_carry_out(Operation::Deactivate).await else {
        assert_eq!(world.sandbox.filters(), before, "{switch}");
        return Expectation::NothingWritten;
    };
    let changed = done.totals().changed;
    if changed == 0 {
        assert_eq!(world.sandbox.filters(), before, "{switch}");
        return Expectation::NothingWritten;
    }
    let undone = world.undo(&done).await;
    assert_eq!(
        (undone.outcome, undone.totals().changed),
        (Outcome::Complete, changed),
        "{switch}: {:?}",
        undone.problems()
    );
    let after = world.sandbox.filters();
    assert_eq!(before.len(), after.len(), "{switch}");
    let mut nulls = 0;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.statecode, after.statecode, "{switch}: {before:?}");
        match (before.statuscode, after.statuscode) {
            (None, Some(1)) => nulls += 1,
            (before, after) => assert_eq!(before, after, "{switch}"),
        }
    }
    if nulls > 0 {
        Expectation::NullBecomesOwn
    } else {
        Expectation::Exact
    }
}
