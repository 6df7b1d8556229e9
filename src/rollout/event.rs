//! What the engine tells while it works.

use tokio::sync::mpsc;

/// A stretch of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Collecting the users.
    Gather,
    /// Proving that impersonation is honoured.
    Prove,
    /// Reading the users' filters.
    Survey,
    /// Reading again what a saved plan is about.
    Check,
    /// Setting states.
    Apply,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins; `users` of them are ahead, where that is known.
    Begin {
        /// The step.
        step: Step,
        /// How many users it is about.
        users: Option<u64>,
    },
    /// More users were found.
    Found {
        /// How many on this page.
        users: u64,
    },
    /// A step is done with one user.
    User {
        /// Whether something went wrong with this user.
        failed: bool,
    },
    /// A step has ended.
    End,
}

/// Where events go. Cheap to clone; a slow reader makes the engine wait.
#[derive(Clone, Debug)]
pub struct Events(Option<mpsc::Sender<Event>>);

/// Events that may wait for their reader.
const QUEUE: usize = 1024;

impl Events {
    /// A stream of events and its reader.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Some(sender)), receiver)
    }

    /// Events that nobody wants.
    pub fn ignored() -> Self {
        Self(None)
    }

    pub(super) async fn send(&self, event: Event) {
        if let Some(sender) = &self.0 {
            // A reader that went away is no reason to stop.
            let _ = sender.send(event).await;
        }
    }
}
