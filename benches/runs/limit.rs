//! Limit-bound: more work than the server's budgets grant in one window.

use super::Fallible;
use super::rival::{Rival, RivalRun};
use super::server::{Server, ServerCounts, arguments};
use super::table::{Table, one, print_line, real, two};
use super::tool::{ToolRun, deactivate};

const USERS: u64 = 3000;
/// Web servers; each has budgets of its own.
const SERVERS: u64 = 3;
/// A tenth of the documented 6000 requests in 300 s: the same rate, and stop-and-go a tenth as long.
const REQUESTS: u64 = 600;
const WINDOW_MS: u64 = 30_000;
/// Requests at once on each web server, as documented.
const AT_ONCE: u64 = 52;
const LATENCY_MS: u64 = 100;
const HINT: u64 = 20;
/// Runs of the tool; the median counts.
const RUNS: usize = 3;
/// What the median may take at most, as a multiple of the bound.
const MOST: f64 = 1.07;
/// What the sequential re-enactment is measured on; it never meets a limit, so the rest takes as long again.
const FRACTION: u64 = 20;

fn server() -> Fallible<Server> {
    let mut all = arguments(&[
        ("users", USERS),
        ("servers", SERVERS),
        ("limit-requests", REQUESTS),
        ("limit-window", WINDOW_MS),
        ("latency", LATENCY_MS),
        ("hint", HINT),
    ]);
    all.push("--limits".to_owned());
    Server::start(&all)
}

/// The least time in which so many requests can be answered, whoever sends them, in seconds.
///
/// N requests are granted in any window of W, so the request after k·N others waits for k windows to pass;
/// the r requests of the last window take r·L / (52 · servers) at least.
fn bound(requests: u64) -> f64 {
    let granted = SERVERS * REQUESTS;
    let windows = requests.saturating_sub(1) / granted;
    let rest = requests - windows * granted;
    let last = (real(rest) / real(AT_ONCE * SERVERS)).max(1.0) * real(LATENCY_MS);
    (real(windows * WINDOW_MS) + last) / 1000.0
}

/// A run of the tool, and what its server counted.
async fn tool() -> Fallible<(ToolRun, ServerCounts)> {
    let server = server()?;
    let window = arguments(&[("budget-window", WINDOW_MS)]);
    let tool = deactivate(&server, &window).await?;
    Ok((tool, server.counts().await?))
}

/// The tool beside the two re-enactments.
///
/// # Errors
/// Where the median of the tool's runs takes more than [`MOST`] times the bound, or where a server refused more than
/// was under way when it began to.
pub(crate) async fn measure() -> Fallible<()> {
    let mut table = Table::new(&[
        "who",
        "users",
        "requests",
        "429",
        "under way",
        "failed",
        "seconds",
        "bound",
        "ratio",
        "the tool is",
    ]);
    let mut runs = Vec::new();
    for number in 1..=RUNS {
        print_line(&format!("limit-bound: the tool, run {number} of {RUNS} …"))?;
        runs.push(tool().await?);
    }
    runs.sort_by(|(one, _), (other, _)| one.seconds.total_cmp(&other.seconds));
    let median = runs[RUNS / 2].0.seconds;
    let mut worst = Vec::new();
    let mut add =
        |who: &str, users: u64, counts: &ServerCounts, failed: u64, seconds: f64| -> f64 {
            let (requests, refused) = (counts.total, counts.throttled);
            // What was refused was not granted, and did not have to be asked.
            let bound = bound(requests - refused);
            table.row(&[
                who.to_owned(),
                users.to_string(),
                requests.to_string(),
                refused.to_string(),
                counts.under_way_at_429.to_string(),
                failed.to_string(),
                one(seconds),
                one(bound),
                two(seconds / bound),
                format!("{} times as fast", one(seconds / median)),
            ]);
            seconds / bound
        };
    let mut ratios = Vec::new();
    for (run, counts) in &runs {
        ratios.push(add(
            "syncfilters",
            run.users(),
            counts,
            run.failed,
            run.seconds,
        ));
        if counts.throttled > counts.under_way_at_429 {
            worst.push(format!(
                "{} requests were refused, and {} were under way",
                counts.throttled, counts.under_way_at_429
            ));
        }
    }
    if ratios[RUNS / 2] > MOST {
        worst.push(format!("the median is more than {MOST} times the bound"));
    }

    print_line("limit-bound: the re-enactments …")?;
    // The sequential one asks so little that it can go on beside the other, on a server of its own.
    let fraction = usize::try_from(USERS / FRACTION)?;
    let (parallel, sequential) =
        tokio::try_join!(rival(20, usize::try_from(USERS)?), rival(1, fraction))?;
    let (run, counts) = parallel;
    add(
        "D5b: 20 in parallel",
        run.users,
        &counts,
        run.failed,
        run.seconds,
    );
    let (run, mut counts) = sequential;
    counts.total *= FRACTION;
    counts.throttled *= FRACTION;
    let who = format!("D1: sequential (1/{FRACTION} of the users, scaled up)");
    let seconds = run.seconds * real(FRACTION);
    add(&who, run.users * FRACTION, &counts, run.failed, seconds);
    table.print(&format!(
        "## limit-bound: {REQUESTS} requests in {} s on each of {SERVERS} web servers, {LATENCY_MS} ms latency, hint {HINT}\n\n\
         bound = k · window + max(1, r / ({AT_ONCE} · servers)) · latency, with k = ⌊(requests - 1) / granted⌋ and r = requests - k · granted, \
         granted = {}; requests without the refused ones; under way = requests under way when refusals began",
        WINDOW_MS / 1000,
        SERVERS * REQUESTS,
    ))?;
    if worst.is_empty() {
        Ok(())
    } else {
        Err(worst.join("; ").into())
    }
}

/// So many at once for so many users, on a server of its own.
async fn rival(at_once: usize, users: usize) -> Fallible<(RivalRun, ServerCounts)> {
    let server = server()?;
    let run = Rival::new(&server)?.run(at_once, users).await?;
    let counts = server.counts().await?;
    Ok((run, counts))
}
