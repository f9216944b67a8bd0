//! The console's first page in one answer, made at most once a second however many look at it.
//!
//! Who asks gets the bytes of the last answer, or is answered by a thread that makes the next one: no worker of the
//! server reads for it. The thread follows the log, a slice at a time, and ends when nobody waits: while nobody asks,
//! nothing is counted. What is kept in memory has a bound that the log does not move.

mod build;
mod holds;
mod log;
mod needs;
mod shelf;
mod tally;
mod view;

pub use view::OverviewView;

use super::answer::{Answer, Out, json_bytes};
use super::api::Shared;
use super::call::Call;
use super::message::Response;
use super::problem::Problem;
use crate::till::id::MerchantId;
use crate::till::time::Time;
use build::State;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// For so long an answer is given again.
const FRESH: Duration = Duration::from_secs(1);
/// For so long after the last question the counting of what was goes on.
const INTEREST: Duration = Duration::from_secs(30);
/// Answers that are kept: the operator's and those of merchants.
const ANSWERS_MAX: usize = 64;

/// Whose view: everything, or what is one merchant's.
pub type Scope = Option<MerchantId>;

/// When the thing of an id was made.
fn time_of(id: u128) -> Time {
    Time::from_ms(i64::try_from(id >> 80).unwrap_or(0))
}

/// An answer, as bytes.
#[derive(Clone, Debug)]
pub struct Made {
    /// What it is called: the same as long as nothing but the time has changed.
    pub tag: String,
    /// The answer.
    pub bytes: Arc<[u8]>,
}

impl Made {
    /// For who knows the answers of these tags.
    fn response(&self, known: Option<&str>) -> Response {
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == self.tag || tag.trim() == "*")
        });
        let response = if is_known { Response::empty(304) } else { json_bytes(200, self.bytes.to_vec()) };
        let response = response.with_header("ETag", &self.tag);
        if is_known { response.with_header("Cache-Control", "no-store") } else { response }
    }
}

/// Who waits for an answer.
struct Waiting {
    scope: Scope,
    known: Option<String>,
    out: Out,
}

#[derive(Default)]
struct Board {
    kept: HashMap<Scope, (Instant, Made)>,
    waiting: Vec<Waiting>,
    asked: Option<Instant>,
    running: bool,
}

/// What is kept from one answer to the next.
#[derive(Default)]
pub struct Overview {
    board: Mutex<Board>,
    state: Mutex<State>,
}

impl Overview {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call with what there is, or leaves that to the thread.
    pub fn answer(&self, call: &Call) -> Result<Answer, Problem> {
        let (scope, known) = (call.merchant(), call.request.header("If-None-Match"));
        let board = self.board();
        if let Some((at, made)) = board.kept.get(&scope)
            && at.elapsed() < FRESH
        {
            return Ok(Answer::Now(made.response(known)));
        }
        drop(board);
        let known = known.map(str::to_owned);
        Answer::later(move |shared, out| shared.overview.ask(shared, Waiting { scope, known, out }))
    }

    /// Has the thread answer.
    fn ask(&self, shared: &Arc<Shared>, waiting: Waiting) {
        let mut board = self.board();
        board.waiting.push(waiting);
        board.asked = Some(Instant::now());
        if board.running {
            return;
        }
        let till = Arc::downgrade(shared);
        let begun = thread::Builder::new().name("overview".to_owned()).spawn(move || run(&till));
        board.running = begun.is_ok();
        if begun.is_err() {
            for waiting in board.waiting.drain(..) {
                waiting.out.fail(&Problem::overloaded("The till has no thread left for this. Ask again."));
            }
        }
    }

    /// One round: reads on and answers whoever waits; whether more is to be done.
    fn round(&self, shared: &Arc<Shared>) -> bool {
        let waiting = std::mem::take(&mut self.board().waiting);
        let mut scopes: Vec<Scope> = waiting.iter().map(|waiting| waiting.scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let worked = catch_unwind(AssertUnwindSafe(|| state.round(shared, &scopes)));
        let (all, mut made) = match worked {
            Ok(Ok((all, made))) => (all, Ok(made)),
            Ok(Err(error)) => (true, Err(error)),
            // Half of something may be counted.
            Err(_) => {
                *state = State::default();
                (true, Err(Problem::internal("the overview panicked")))
            }
        };
        drop(state);
        if let Ok(made) = &mut made {
            self.keep(made);
        }
        for Waiting { scope, known, out } in waiting {
            let found = made.as_ref().map(|made| made.get(&scope));
            out.finish(match found {
                Ok(Some(made)) => Ok(made.response(known.as_deref())),
                Ok(None) => Err(Problem::internal("an overview was not made")),
                Err(problem) => Err(problem.clone()),
            });
        }
        let mut board = self.board();
        let interest = board.asked.is_some_and(|asked| asked.elapsed() < INTEREST);
        board.running = !board.waiting.is_empty() || (!all && interest);
        board.running
    }

    /// Keeps what was made. Of too many, those are dropped that are oldest.
    fn keep(&self, made: &HashMap<Scope, Made>) {
        let (mut board, now) = (self.board(), Instant::now());
        board.kept.extend(made.iter().map(|(scope, made)| (*scope, (now, made.clone()))));
        while board.kept.len() > ANSWERS_MAX {
            let oldest = board.kept.iter().min_by_key(|(_, (at, _))| *at).map(|(scope, _)| *scope);
            let Some(oldest) = oldest else { return };
            board.kept.remove(&oldest);
        }
    }
}

/// The thread: goes on as long as there is something to do and the till is there.
fn run(till: &Weak<Shared>) {
    while let Some(shared) = till.upgrade() {
        if !shared.overview.round(&shared) {
            return;
        }
    }
}
