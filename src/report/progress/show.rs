//! Shows the progress of a run on stderr.

use std::io::Write;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::pacing::Limiting;
use crate::rollout::{Progress, RunHandle};

use crate::report::{StyledWrite, clean, terminal};

use super::tracker::{Standing, Tracker};
use super::wording;

/// The time between two updates of a bar: it looks alive, and costs little on a slow connection.
const BAR_EVERY: Duration = Duration::from_millis(200);
/// The time between two lines: 360 an hour in the log of a pipeline.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The time between two checks for failures, which are reported before the next line is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The least time between a line and such a report.
const TROUBLE_AFTER: Duration = Duration::from_secs(3);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressStyle {
    /// A moving bar, for a terminal.
    Bar,
    /// A line every ten seconds and one at the end of each step, for a log.
    Lines,
    /// Not shown.
    Hidden,
}

/// Shows the progress of one run on stderr. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Watch {
    style: ProgressStyle,
    /// Its place among several runs; none for a single run.
    among: Option<Line>,
}

/// The place of a run among those that are shown together.
#[derive(Clone, Debug)]
struct Line {
    name: String,
    bar: ProgressBar,
    all: MultiProgress,
}

impl Watch {
    /// For a single run.
    pub const fn alone(style: ProgressStyle) -> Self {
        Self { style, among: None }
    }

    /// Shows the progress of a run while work is done. Nothing is drawn after this returns.
    pub async fn during<T>(&self, run: RunHandle, work: impl Future<Output = T>) -> T {
        let over = CancellationToken::new();
        let shown = tokio::spawn(self.clone().follow(run, over.clone()));
        let result = work.await;
        over.cancel();
        // The result of the display does not matter, because the work is done.
        let _ = shown.await;
        result
    }

    async fn follow(self, run: RunHandle, over: CancellationToken) {
        let RunHandle {
            progress, pacer, ..
        } = run;
        let limiting = || pacer.status().limiting;
        match self.style {
            ProgressStyle::Bar => {
                let mut bar = self.among.map_or_else(Bar::alone, Bar::among);
                follow(progress, over, limiting, &mut bar, BAR_EVERY).await;
            }
            ProgressStyle::Lines => {
                let name = self.among.map(|place| place.name);
                let mut lines = Lines::new(terminal::stderr(false), name);
                follow(progress, over, limiting, &mut lines, LOOK_EVERY).await;
            }
            ProgressStyle::Hidden => over.cancelled().await,
        }
    }

    /// Prints a sentence above the display, with the name of its run.
    pub fn print_line(&self, text: &str) {
        let name = self.among.as_ref().map(|place| place.name.as_str());
        let said = named(name, text);
        // A closed standard error cannot be reported anywhere.
        let _ = match &self.among {
            Some(place) if self.style == ProgressStyle::Bar => place.all.println(said),
            _ => writeln!(terminal::stderr(false), "{said}"),
        };
    }
}

/// The progress of several runs at once: a line for each, with its name.
#[derive(Debug)]
pub struct Board {
    style: ProgressStyle,
    all: MultiProgress,
    watches: Vec<Watch>,
}

impl Board {
    /// A place for each of these names.
    pub fn new(style: ProgressStyle, names: &[&str]) -> Self {
        let all = MultiProgress::with_draw_target(terminal::bars());
        let widest = names.iter().map(|name| name.chars().count()).max();
        let widest = widest.unwrap_or_default();
        let watch = |name: &&str| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
            if let Ok(style) = BarStyle::with_template("{prefix}  {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(format!("{:<widest$}", clean(name)));
            let bar = match style {
                ProgressStyle::Bar => all.add(bar),
                ProgressStyle::Lines | ProgressStyle::Hidden => bar,
            };
            Watch {
                style,
                among: Some(Line {
                    name: (*name).to_owned(),
                    bar,
                    all: all.clone(),
                }),
            }
        };
        Self {
            style,
            watches: names.iter().map(watch).collect(),
            all,
        }
    }

    /// The display of the run at this place.
    pub fn watch(&self, at: usize) -> Watch {
        let watch = self.watches.get(at).cloned();
        watch.unwrap_or(Watch::alone(self.style))
    }
}

impl Drop for Board {
    /// Stops drawing.
    fn drop(&mut self) {
        for place in self.watches.iter().filter_map(|watch| watch.among.as_ref()) {
            place.bar.finish_and_clear();
        }
        // A line that stays on the screen does no harm.
        let _ = self.all.clear();
    }
}

/// A line, with the name of the run where there are several.
fn named(name: Option<&str>, line: &str) -> String {
    match name {
        Some(name) => format!("{}: {}", clean(name), clean(line)),
        None => clean(line).into_owned(),
    }
}

/// A display of progress.
trait Screen {
    /// A step continues.
    fn now(&mut self, standing: &Standing, limiting: Limiting);
    fn ended(&mut self, standing: &Standing);
    /// The display ends; a step may not be finished.
    fn close(&mut self, left: Option<&Standing>);
}

async fn follow(
    mut progress: watch::Receiver<Progress>,
    over: CancellationToken,
    limiting: impl Fn() -> Limiting,
    screen: &mut impl Screen,
    every: Duration,
) {
    let now = || Instant::now().into_std();
    let mut tracker = Tracker::new(&progress.borrow_and_update(), now());
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let more = tokio::select! {
            biased;
            () = over.cancelled() => false,
            changed = progress.changed() => changed.is_ok(),
            _ = ticks.tick() => {
                if let Some(standing) = tracker.standing(now()) {
                    screen.now(&standing, limiting());
                }
                continue;
            }
        };
        let ended = tracker.update(&progress.borrow_and_update(), now());
        for ended in &ended {
            screen.ended(ended);
        }
        if !more {
            break;
        }
    }
    screen.close(tracker.standing(now()).as_ref());
}

struct Lines {
    out: Box<dyn StyledWrite + Send>,
    /// The name of the run, where there are several.
    name: Option<String>,
    last: Instant,
    /// Whether a failure was reported and continues.
    trouble: bool,
}

impl Lines {
    fn new(out: Box<dyn StyledWrite + Send>, name: Option<String>) -> Self {
        Self {
            out,
            name,
            last: Instant::now(),
            trouble: false,
        }
    }

    fn write(&mut self, line: &str) {
        // A failed display must not stop the run.
        let line = named(self.name.as_deref(), line);
        let _ = writeln!(self.out, "{line}");
        let _ = self.out.flush();
    }
}

impl Screen for Lines {
    fn now(&mut self, standing: &Standing, limiting: Limiting) {
        let (passed, trouble) = (self.last.elapsed(), limiting.is_trouble());
        self.trouble &= trouble;
        let news = trouble && !self.trouble && passed >= TROUBLE_AFTER;
        if news || passed >= LINE_EVERY {
            self.trouble = trouble;
            self.last = Instant::now();
            self.write(&wording::line(standing, limiting));
        }
    }

    fn ended(&mut self, standing: &Standing) {
        self.write(&wording::ended(standing));
    }

    fn close(&mut self, left: Option<&Standing>) {
        if let Some(standing) = left {
            self.write(&wording::left(standing));
        }
    }
}

/// A moving bar, below a line for each finished step.
struct Bar {
    bar: ProgressBar,
    /// The name of the run, where there are several; then the bar stays after a step.
    name: Option<String>,
}

impl Bar {
    fn alone() -> Self {
        let bar = ProgressBar::with_draw_target(None, terminal::bars());
        // Cut at the terminal's edge, where the terminal is narrower than the words.
        if let Ok(style) = BarStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, name: None }
    }

    fn among(place: Line) -> Self {
        Self {
            bar: place.bar,
            name: Some(place.name),
        }
    }

    fn print(&self, line: &str) {
        self.bar.println(named(self.name.as_deref(), line));
    }
}

impl Screen for Bar {
    fn now(&mut self, standing: &Standing, limiting: Limiting) {
        self.bar.set_message(wording::bar(standing, limiting));
    }

    fn ended(&mut self, standing: &Standing) {
        self.bar.set_message("");
        self.print(&wording::ended(standing));
    }

    fn close(&mut self, left: Option<&Standing>) {
        self.bar.set_message("");
        if let Some(standing) = left {
            self.print(&wording::left(standing));
        }
        if self.name.is_none() {
            self.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::{RunStep, StepProgress};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl StyledWrite for Paper {}

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        fn lines(&self, name: Option<&str>) -> Lines {
            Lines::new(Box::new(self.clone()), name.map(str::to_owned))
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn step(number: u64, step: RunStep, done: u64) -> StepProgress {
        let now = Instant::now().into_std();
        StepProgress {
            number,
            step,
            total: (step == RunStep::Survey).then_some(40),
            done,
            failed: u64::from(step == RunStep::Survey && done > 0),
            began: now,
            ended: (step == RunStep::Gather).then_some(now),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lines_come_every_ten_seconds_at_each_end_and_where_it_was_left() {
        let (sender, progress) = watch::channel(Progress::default());
        let (paper, over) = (Paper::default(), CancellationToken::new());
        let mut lines = paper.lines(None);
        let ending = over.clone();
        let run = async move {
            // The follower looks first.
            tokio::task::yield_now().await;
            let mut now = Progress {
                ended: vec![step(1, RunStep::Gather, 40)],
                step: Some(step(2, RunStep::Survey, 0)),
                ..Progress::default()
            };
            sender.send_replace(now.clone());
            // Never at the instant of a line.
            tokio::time::sleep(Duration::from_millis(500)).await;
            for second in 1..=25_u64 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if let Some(step) = &mut now.step {
                    (step.done, step.failed) = (second, 1);
                }
                sender.send_replace(now.clone());
            }
            ending.cancel();
        };
        let shown = follow(progress, over, || Limiting::Answers, &mut lines, LOOK_EVERY);
        tokio::join!(shown, run);
        insta::assert_snapshot!(paper.text(), @r"
        Collecting users: done, 40 users in under 1 s
        Reading filters: 9 of 40 users, 0.9 a second, about 34 s left, 1 failed; waiting for the server's answers
        Reading filters: 19 of 40 users, 1.0 a second, about 22 s left, 1 failed; waiting for the server's answers
        Reading filters: stopped at 25 of 40 users, 1 failed
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_wrong_is_told_within_seconds_and_once() {
        let (sender, progress) = watch::channel(Progress::default());
        let (paper, over) = (Paper::default(), CancellationToken::new());
        let mut lines = paper.lines(None);
        let ending = over.clone();
        let begin = Instant::now();
        let run = async move {
            tokio::task::yield_now().await;
            sender.send_replace(Progress {
                step: Some(step(1, RunStep::Prove, 0)),
                ..Progress::default()
            });
            tokio::time::sleep(Duration::from_millis(8_500)).await;
            ending.cancel();
        };
        let limiting = || {
            let length = begin.elapsed();
            if length < Duration::from_secs(5) {
                Limiting::Answers
            } else {
                Limiting::Silence { length }
            }
        };
        let shown = follow(progress, over, limiting, &mut lines, LOOK_EVERY);
        tokio::join!(shown, run);
        insta::assert_snapshot!(paper.text(), @r"
        Testing impersonation: 0 users; no answer from the server for 5 s
        Testing impersonation: stopped at 0 users
        ");
    }

    #[tokio::test]
    async fn every_style_ends_when_the_work_is_over() {
        for style in [
            ProgressStyle::Bar,
            ProgressStyle::Lines,
            ProgressStyle::Hidden,
        ] {
            let (sender, progress) = watch::channel(Progress::default());
            let over = CancellationToken::new();
            over.cancel();
            let mut lines = Paper::default().lines(None);
            follow(progress, over, || Limiting::Answers, &mut lines, BAR_EVERY).await;
            drop((sender, Board::new(style, &["a", "b"])));
        }
    }

    #[tokio::test]
    async fn of_several_runs_each_line_says_whose_it_is() {
        let (sender, progress) = watch::channel(Progress::default());
        let (paper, over) = (Paper::default(), CancellationToken::new());
        let mut lines = paper.lines(Some("production"));
        let ending = over.clone();
        let run = async move {
            tokio::task::yield_now().await;
            sender.send_replace(Progress {
                ended: vec![step(1, RunStep::Gather, 40)],
                ..Progress::default()
            });
            tokio::task::yield_now().await;
            ending.cancel();
        };
        let shown = follow(progress, over, || Limiting::Answers, &mut lines, LOOK_EVERY);
        tokio::join!(shown, run);
        assert_eq!(
            paper.text(),
            "production: Collecting users: done, 40 users in under 1 s\n"
        );
    }
}
