//! The engine alone: commands go to the writer from one thread of this process, and each answer brings the next.
//!
//! The worker that asks the gateway runs beside it, as in a till. Only HTTP and JSON are missing.

use super::crowd::{Buyer, Crowd, NETWORK, handle, hashtag, user_id};
use super::fill::Filler;
use super::histogram::Histogram;
use super::load::Counted;
use super::measure::{FIRST_FLOW, Setup, count};
use super::report::Row;
use super::scenario::Wanted;
use super::usage;
use crate::cli::{Failure, failure};
use crate::engine::{Engine, EngineConfig, Handle, Job, Unavailable, Verdicted};
use crate::payments::{Gateways, Sandbox, Worker};
use crate::store::{CACHE_BYTES_DEFAULT, Store, beside};
use crate::till::command::{Command, Outcome, Post};
use crate::till::record::Recipient;
use crate::till::text::fold;
use crate::till::verdict::Verdict;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Commands under way.
const UNDER_WAY: [usize; 2] = [64, 1024];

/// Measures each number of commands under way on a fresh file.
pub fn run(setup: &Setup<'_>, wanted: &Wanted, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for under_way in UNDER_WAY {
        let name = format!("engine-{under_way}");
        let data = setup.site.file(&name);
        let crowd = Crowd::new(wanted.accounts(under_way, 1), 1);
        Filler::open(&data, &crowd)?.shop(1, setup.progress)?;
        let store = Store::open_existing(&data, CACHE_BYTES_DEFAULT).map_err(failure)?;
        let sandbox = Arc::new(Sandbox::open(&beside(&data, "sandbox-ledger")).map_err(failure)?);
        let engine = Engine::start(store, &EngineConfig::default()).map_err(failure)?;
        let gateways = Gateways::default().with(sandbox.clone());
        let worker = Worker::start(&engine.handle(), &gateways, 2);
        let mut measured = Ok(());
        for round in 1..=wanted.rounds {
            measured = setup.begin(&name, round).and_then(|mut row| {
                row.connections = under_way;
                measure(setup, &engine.handle(), &sandbox, &crowd, &mut row)?;
                rows.push(row);
                Ok(())
            });
            if measured.is_err() {
                break;
            }
        }
        worker.stop();
        engine.stop();
        measured?;
        setup.site.remove(&data);
    }
    Ok(())
}

fn measure(
    setup: &Setup<'_>,
    handle: &Handle,
    sandbox: &Sandbox,
    crowd: &Crowd,
    row: &mut Row,
) -> Result<(), Failure> {
    let mut driver = Driver::new(handle.clone(), crowd.clone(), row.connections);
    driver.drive(setup, setup.time.min(Duration::from_secs(1)))?;
    driver.counted = Counted::default();
    let (used, commits, charged) = (usage::own(), handle.stats().commits, sandbox.totals().charged);
    let begun = Instant::now();
    driver.drive(setup, setup.time)?;
    while driver.counted.flows == 0 && begun.elapsed() < FIRST_FLOW {
        driver.drive(setup, Duration::from_millis(10))?;
    }
    let time = begun.elapsed();
    let now = usage::own();
    row.count(&driver.counted, time);
    let commits = count(handle.stats().commits - commits);
    row.commits_per_second = Some(commits / time.as_secs_f64());
    row.posts_per_commit = (commits > 0.0).then(|| count(driver.counted.posts) / commits);
    row.take_usage(driver.counted.flows, (&used, &now), time);
    let charged = sandbox.totals().charged.saturating_sub(charged);
    row.captured_percent =
        (driver.counted.flows > 0).then(|| 100.0 * count(charged) / count(driver.counted.flows));
    driver.end()
}

type Answer = (usize, Result<Vec<Verdicted>, Unavailable>);

/// One buyer's place among those under way.
struct Seat {
    buyer: Option<Buyer>,
    asked_at: Instant,
    flow_began: Instant,
}

struct Driver {
    handle: Handle,
    crowd: Crowd,
    seats: Vec<Seat>,
    answer: Sender<Answer>,
    answers: Receiver<Answer>,
    counted: Counted,
    started: bool,
}

impl Driver {
    fn new(handle: Handle, crowd: Crowd, seats: usize) -> Self {
        let (answer, answers) = channel();
        let now = Instant::now();
        let seat = || Seat { buyer: None, asked_at: now, flow_began: now };
        Self {
            handle,
            crowd,
            seats: std::iter::repeat_with(seat).take(seats).collect(),
            answer,
            answers,
            counted: Counted { answers: Histogram::default(), ..Counted::default() },
            started: false,
        }
    }

    /// Keeps every seat busy for some time.
    fn drive(&mut self, setup: &Setup<'_>, time: Duration) -> Result<(), Failure> {
        if !self.started {
            self.started = true;
            (0..self.seats.len()).try_for_each(|seat| self.ask(seat))?;
        }
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok((seat, result)) => {
                    self.take(seat, result)?;
                    self.ask(seat)?;
                }
                Err(RecvTimeoutError::Timeout) => setup.progress.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::from("the writer has ended")),
            }
        }
        setup.progress.check()
    }

    /// Lets every flow end, so that nothing of it reaches into the next round.
    fn end(mut self) -> Result<(), Failure> {
        let mut under_way = self.seats.len();
        while under_way > 0 {
            let (seat, result) = self.answers.recv().map_err(failure)?;
            self.take(seat, result)?;
            if self.seats.get(seat).is_some_and(|seat| seat.buyer.is_some()) {
                self.ask(seat)?;
            } else {
                under_way -= 1;
            }
        }
        Ok(())
    }

    fn ask(&mut self, number: usize) -> Result<(), Failure> {
        let Some(seat) = self.seats.get_mut(number) else { return Ok(()) };
        seat.asked_at = Instant::now();
        let (buyer, tag) = match seat.buyer {
            Some(buyer) => (buyer, hashtag(buyer.offer).replacen("Buy", "Confirm", 1)),
            None => {
                let buyer = self.crowd.next();
                seat.flow_began = seat.asked_at;
                (buyer, hashtag(buyer.offer))
            }
        };
        let author = Recipient { user_id: user_id(buyer.account).to_string(), handle: handle(buyer.account) };
        let command = Command::JudgePost(Post {
            network: NETWORK.to_owned(),
            id: self.crowd.post_id().to_string(),
            author,
            hashtags: vec![fold(&tag)],
            text: String::new(),
            created_at: None,
            repost_of: None,
            quote_of: None,
            to_us: None,
            language: None,
        });
        seat.buyer = match seat.buyer {
            Some(_) => None,
            None => Some(buyer),
        };
        let answer = self.answer.clone();
        let done = Box::new(move |result| drop(answer.send((number, result))));
        let submitted = self.handle.submit(Job::Many { commands: vec![command], done });
        submitted.map_err(|_| Failure::from("the writer's queue is full"))
    }

    fn take(&mut self, number: usize, result: Result<Vec<Verdicted>, Unavailable>) -> Result<(), Failure> {
        let outcome = result.map_err(|error| Failure::from(error.0))?.pop();
        let Some(seat) = self.seats.get(number) else { return Ok(()) };
        // A seat whose buyer is still there has asked for a hold; one that is free again has confirmed.
        let wanted = if seat.buyer.is_some() { Verdict::Pending } else { Verdict::Confirmed };
        match outcome {
            Some(Ok(Outcome::Post(answer))) if answer.verdict == wanted => {}
            other => return Err(Failure::from(format!("the till should have said {wanted:?}: {other:?}"))),
        }
        self.counted.posts += 1;
        self.counted.answers.note(seat.asked_at.elapsed());
        if wanted == Verdict::Confirmed {
            self.counted.flows += 1;
            self.counted.whole_flows.note(seat.flow_began.elapsed());
        }
        Ok(())
    }
}
