//! One step of the pacing: let a request in, and take note of its answer.

use divan::Bencher;
use divan::counter::ItemsCount;
use syncfilters::pacing::{Observation, Pacer, Settings, Signal};
use tokio::runtime::Builder;

/// Steps in one round.
const STEPS: usize = 1000;

#[divan::bench]
fn admit_and_finish(bencher: Bencher<'_, '_>) {
    let Ok(runtime) = Builder::new_current_thread().enable_time().build() else {
        return;
    };
    let pacer = Pacer::new(Settings::default());
    let seen = Observation {
        signal: Signal::Success,
        retry_after: None,
        not_done: false,
        trouble: None,
    };
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        runtime.block_on(async {
            for _ in 0..STEPS {
                pacer.admit().await.finish(&seen);
            }
        });
    });
}
