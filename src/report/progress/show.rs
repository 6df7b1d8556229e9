//! Following a run on stderr.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle as BarStyle};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::pacing::{Limiting, Pacer};
use crate::rollout::Event;

use super::tracker::{Standing, Tracker};
use super::wording;

/// How often a bar moves.
const BAR_EVERY: Duration = Duration::from_millis(200);
/// How often a line is written.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressStyle {
    /// A bar that moves: for a terminal.
    Bar,
    /// A line every ten seconds and one at the end of each step: for a log.
    Lines,
    /// Not at all.
    Hidden,
}

/// Shows on stderr how far a run is; ends when nobody sends events any more.
pub async fn show_progress(mut events: Receiver<Event>, pacer: Pacer, style: ProgressStyle) {
    let limiting = || pacer.status().limiting;
    match style {
        ProgressStyle::Bar => follow(events, limiting, &mut Bar::new(), BAR_EVERY).await,
        ProgressStyle::Lines => {
            let mut lines = Lines(Box::new(std::io::stderr()));
            follow(events, limiting, &mut lines, LINE_EVERY).await;
        }
        ProgressStyle::Hidden => while events.recv().await.is_some() {},
    }
}

/// Where progress is shown.
trait Screen {
    /// A step is under way.
    fn now(&mut self, standing: &Standing, limiting: Limiting);
    /// A step has ended.
    fn ended(&mut self, standing: &Standing);
    /// Nothing more comes; a step may have been left before its end.
    fn close(&mut self, left: Option<&Standing>);
}

async fn follow(
    mut events: Receiver<Event>,
    limiting: impl Fn() -> Limiting,
    screen: &mut impl Screen,
    every: Duration,
) {
    let mut tracker = Tracker::default();
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.recv() => {
                let Some(event) = event else { break };
                if let Some(ended) = tracker.take(&event, Instant::now().into_std()) {
                    screen.ended(&ended);
                }
            }
            _ = ticks.tick() => {
                if let Some(standing) = tracker.standing(Instant::now().into_std()) {
                    screen.now(&standing, limiting());
                }
            }
        }
    }
    screen.close(tracker.standing(Instant::now().into_std()).as_ref());
}

/// A line at a time.
struct Lines(Box<dyn Write + Send>);

impl Lines {
    fn write(&mut self, line: &str) {
        // That progress cannot be shown is no reason to stop the run.
        let _ = writeln!(self.0, "{line}");
        let _ = self.0.flush();
    }
}

impl Screen for Lines {
    fn now(&mut self, standing: &Standing, limiting: Limiting) {
        self.write(&wording::line(standing, limiting));
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

/// A bar that moves, below a line for each step that has ended.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // Cut at the terminal's edge, where the terminal is narrower than the words.
        if let Ok(style) = BarStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Screen for Bar {
    fn now(&mut self, standing: &Standing, limiting: Limiting) {
        self.0.set_message(wording::bar(standing, limiting));
    }

    fn ended(&mut self, standing: &Standing) {
        self.0.set_message("");
        self.0.println(wording::ended(standing));
    }

    fn close(&mut self, left: Option<&Standing>) {
        self.0.set_message("");
        if let Some(standing) = left {
            self.0.println(wording::left(standing));
        }
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::Step;
    use std::sync::{Arc, Mutex};
    use tokio::sync::mpsc::channel;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lines_come_every_ten_seconds_at_each_end_and_where_it_was_left() {
        let (sender, events) = channel(16);
        let paper = Paper::default();
        let mut lines = Lines(Box::new(paper.clone()));
        let run = async move {
            let send = async |event| sender.send(event).await.unwrap();
            send(Event::Begin {
                step: Step::Gather,
                users: None,
            })
            .await;
            send(Event::Found { users: 40 }).await;
            send(Event::End).await;
            send(Event::Begin {
                step: Step::Survey,
                users: Some(40),
            })
            .await;
            for second in 1..=25_u64 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                send(Event::User {
                    failed: second == 1,
                })
                .await;
            }
        };
        let shown = follow(events, || Limiting::Answers, &mut lines, LINE_EVERY);
        tokio::join!(run, shown);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        insta::assert_snapshot!(text, @r"
        Collecting users: done, 40 users in under 1 s
        Reading filters: 9 of 40 users, 0.9 a second, about 34 s left, 1 failed; limited by the server's answers
        Reading filters: 19 of 40 users, 0.9 a second, about 23 s left, 1 failed; limited by the server's answers
        Reading filters: left at 25 of 40 users, 1 failed
        ");
    }

    #[tokio::test]
    async fn every_style_ends_when_the_run_is_over() {
        for style in [
            ProgressStyle::Bar,
            ProgressStyle::Lines,
            ProgressStyle::Hidden,
        ] {
            let (sender, events) = channel(1);
            drop(sender);
            show_progress(
                events,
                Pacer::new(crate::pacing::Settings::default()),
                style,
            )
            .await;
        }
    }
}
