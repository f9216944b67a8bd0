//! Long polls: whoever waits for news is asked again after a commit that may have brought some, or at the deadline.

use crate::store::{Snapshot, Store};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Which news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// An event was logged.
    Events,
    /// A reply was queued.
    Replies,
}

/// Asked with the file as it is now, and whether the deadline has come: answers its client and returns true, or false
/// to go on waiting. At the deadline it must answer. No snapshot: the store failed, answer with that.
pub type Ask = Box<dyn FnMut(Option<&Snapshot>, bool) -> bool + Send>;

struct Waiter {
    news: News,
    deadline: Instant,
    ask: Ask,
}

#[derive(Default)]
struct Board {
    waiting: Vec<Waiter>,
    events: bool,
    replies: bool,
    closed: bool,
}

/// Everybody who waits.
#[derive(Default)]
pub struct Waiters {
    board: Mutex<Board>,
    bell: Condvar,
}

impl Waiters {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for news until `deadline`. It is asked at once, too: news may have come meanwhile.
    pub fn wait(&self, news: News, deadline: Instant, ask: Ask) {
        let mut board = self.board();
        board.waiting.push(Waiter { news, deadline, ask });
        match news {
            News::Events => board.events = true,
            News::Replies => board.replies = true,
        }
        drop(board);
        self.bell.notify_one();
    }

    /// A commit has brought news.
    pub fn tell(&self, events: bool, replies: bool) {
        if !events && !replies {
            return;
        }
        let mut board = self.board();
        if board.waiting.is_empty() {
            return;
        }
        board.events |= events;
        board.replies |= replies;
        drop(board);
        self.bell.notify_one();
    }

    /// Answers everybody with what there is and ends [`Waiters::run`].
    pub fn close(&self) {
        self.board().closed = true;
        self.bell.notify_one();
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.board().waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The thread that asks.
    pub fn run(&self, store: &Store) {
        loop {
            let (due, rest_closed) = self.next_due();
            if !due.is_empty() {
                let snapshot = store.snapshot().ok();
                let mut still = Vec::new();
                for mut waiter in due {
                    let late = rest_closed || Instant::now() >= waiter.deadline || snapshot.is_none();
                    // Where asking panics, dropping the waiter answers its client.
                    let ask = AssertUnwindSafe(|| (waiter.ask)(snapshot.as_ref(), late));
                    if !catch_unwind(ask).unwrap_or(true) && !late {
                        still.push(waiter);
                    }
                }
                self.board().waiting.append(&mut still);
            }
            if rest_closed {
                return;
            }
        }
    }

    /// Sleeps until there is news or a deadline, and takes those out whom it concerns.
    fn next_due(&self) -> (Vec<Waiter>, bool) {
        let mut board = self.board();
        loop {
            let now = Instant::now();
            let (events, replies, closed) = (board.events, board.replies, board.closed);
            board.events = false;
            board.replies = false;
            let concerns = |waiter: &Waiter| {
                closed
                    || waiter.deadline <= now
                    || match waiter.news {
                        News::Events => events,
                        News::Replies => replies,
                    }
            };
            let (due, waiting) = std::mem::take(&mut board.waiting).into_iter().partition(concerns);
            board.waiting = waiting;
            let due: Vec<Waiter> = due;
            if closed || !due.is_empty() {
                return (due, closed);
            }
            let pause = board
                .waiting
                .iter()
                .map(|waiter| waiter.deadline.saturating_duration_since(now))
                .min()
                .unwrap_or(Duration::from_secs(60));
            board = match self.bell.wait_timeout(board, pause) {
                Ok((board, _)) => board,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}
