//! SQLite in this process: a write-ahead log that is synced with every commit, one thread that writes.

use crate::result::{FIRST_POST, Figures, Round, STRIDE};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

/// How requests share commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// One each.
    Each,
    /// Whatever waits shares the next one.
    Group,
}

/// Requests in one commit, at most.
const GROUP_MAX: usize = 1024;

const SCHEMA: &str = "
CREATE TABLE accounts (id INTEGER PRIMARY KEY, active INTEGER NOT NULL);
CREATE TABLE offers (
  id INTEGER PRIMARY KEY, live INTEGER NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
  price INTEGER NOT NULL, per_account INTEGER NOT NULL, confirm_window INTEGER NOT NULL,
  available INTEGER NOT NULL CHECK (available >= 0));
-- Keyed by its post, so that a post that comes again changes nothing.
CREATE TABLE purchases (
  post INTEGER PRIMARY KEY, account INTEGER NOT NULL, offer INTEGER NOT NULL, status TEXT NOT NULL,
  price INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);
CREATE UNIQUE INDEX pending_by_buyer ON purchases (account, offer) WHERE status = 'pending';
CREATE INDEX pending_by_deadline ON purchases (expires_at) WHERE status = 'pending';
CREATE INDEX by_buyer ON purchases (account, offer, status);
CREATE TABLE captures (
  post INTEGER PRIMARY KEY, purchase INTEGER NOT NULL, amount INTEGER NOT NULL, created_at INTEGER NOT NULL);
";

/// A request.
#[derive(Clone, Copy)]
struct Ask {
    seat: usize,
    post: i64,
    account: i64,
    confirms: bool,
}

type Answer = (usize, Result<(), String>);

/// One round on a fresh file.
pub fn run(round: &Round, commits: Commits) -> Result<Figures, String> {
    let broken = |error: rusqlite::Error| format!("SQLite: {error}");
    let mut database = Connection::open(round.folder.join("till.sqlite")).map_err(broken)?;
    database
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -262144;")
        .and_then(|()| database.execute_batch(SCHEMA))
        .and_then(|()| fill(&mut database, round.accounts))
        .map_err(broken)?;
    database.set_prepared_statement_cache_capacity(64);
    let (ask, asked) = channel();
    let (answer, answers) = channel();
    let writer = std::thread::spawn(move || write(&mut database, &asked, &answer, commits));
    let measured = drive(round, &ask, &answers);
    drop(ask);
    let captures = writer.join().map_err(|_| "SQLite's writer panicked")?.map_err(broken)?;
    let (figures, flows) = measured?;
    if captures < flows {
        return Err(format!("SQLite holds {captures} captures after {flows} flows"));
    }
    Ok(figures)
}

/// SQLite's version.
pub fn version() -> &'static str {
    rusqlite::version()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

fn fill(database: &mut Connection, accounts: u64) -> rusqlite::Result<()> {
    let transaction = database.transaction()?;
    for account in 0..accounts {
        transaction.prepare_cached("INSERT INTO accounts VALUES (?, 1)")?.execute([account as i64])?;
    }
    let day = 86_400_000;
    let offer = params![now() - day, now() + day];
    transaction
        .execute("INSERT INTO offers VALUES (1, 1, ?, ?, 1500, 1000000, 900000, 1000000000)", offer)?;
    transaction.commit()
}

/// The one writer; returns how many captures there are in the end.
fn write(
    database: &mut Connection,
    asked: &Receiver<Ask>,
    answer: &Sender<Answer>,
    commits: Commits,
) -> rusqlite::Result<usize> {
    let most = if commits == Commits::Each { 1 } else { GROUP_MAX };
    while let Ok(first) = asked.recv() {
        let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut done = Vec::new();
        let mut next = Some(first);
        while let Some(ask) = next {
            done.push((ask.seat, carry_out(&transaction, ask)?));
            next = if done.len() < most { asked.try_recv().ok() } else { None };
        }
        transaction.commit()?;
        for told in done {
            let _ = answer.send(told);
        }
    }
    database
        .query_row("SELECT count(*) FROM captures", [], |row| row.get::<_, i64>(0))
        .map(|count| count as usize)
}

/// One post. What is refused has changed nothing; here nothing is, so that it is an error of the whole round.
fn carry_out(database: &Connection, ask: Ask) -> rusqlite::Result<Result<(), String>> {
    if ask.confirms { confirm(database, ask) } else { buy(database, ask) }
}

fn refused(why: &str) -> rusqlite::Result<Result<(), String>> {
    Ok(Err(format!("SQLite: {why}")))
}

fn exists(database: &Connection, query: &str, key: i64) -> rusqlite::Result<bool> {
    database.prepare_cached(query)?.exists([key])
}

fn buy(database: &Connection, ask: Ask) -> rusqlite::Result<Result<(), String>> {
    if exists(database, "SELECT 1 FROM purchases WHERE post = ?", ask.post)? {
        return Ok(Ok(()));
    }
    if !exists(database, "SELECT 1 FROM accounts WHERE id = ? AND active", ask.account)? {
        return refused("not linked");
    }
    let now = now();
    let offer: Option<(i64, i64, i64)> = database
        .prepare_cached(
            "SELECT price, per_account, confirm_window FROM offers WHERE id = 1 AND live AND ?1 BETWEEN starts_at AND ends_at",
        )?
        .query_row([now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((price, per_account, window)) = offer else { return refused("not on sale") };
    let (counted, pending): (i64, i64) = database
        .prepare_cached(
            "SELECT count(*), coalesce(sum(status = 'pending'), 0) FROM purchases
             WHERE account = ? AND offer = 1 AND status <> 'expired'",
        )?
        .query_row([ask.account], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if pending > 0 || counted >= per_account {
        return refused("pending already, or the limit is reached");
    }
    let taken = database
        .prepare_cached("UPDATE offers SET available = available - 1 WHERE id = 1 AND available > 0")?
        .execute([])?;
    if taken == 0 {
        return refused("sold out");
    }
    database
        .prepare_cached("INSERT INTO purchases VALUES (?, ?, 1, 'pending', ?, ?, ?)")?
        .execute(params![ask.post, ask.account, price, now, now + window])?;
    Ok(Ok(()))
}

fn confirm(database: &Connection, ask: Ask) -> rusqlite::Result<Result<(), String>> {
    if exists(database, "SELECT 1 FROM captures WHERE post = ?", ask.post)? {
        return Ok(Ok(()));
    }
    let now = now();
    let held: Option<(i64, i64)> = database
        .prepare_cached(
            "UPDATE purchases SET status = 'capturing'
             WHERE account = ? AND offer = 1 AND status = 'pending' AND expires_at >= ? RETURNING post, price",
        )?
        .query_row([ask.account, now], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((purchase, price)) = held else { return refused("nothing to confirm") };
    database
        .prepare_cached("INSERT INTO captures VALUES (?, ?, ?, ?)")?
        .execute(params![ask.post, purchase, price, now])?;
    Ok(Ok(()))
}

/// One buyer's place among those under way.
#[derive(Clone, Copy)]
struct Seat {
    account: i64,
    confirming: bool,
    began: Instant,
}

/// Keeps every seat busy; a second does not count. Returns the figures, and how many flows they are of.
fn drive(round: &Round, ask: &Sender<Ask>, answers: &Receiver<Answer>) -> Result<(Figures, usize), String> {
    let ended = "SQLite's writer has ended";
    let (mut flows, mut posts) = (0_u64, 0_u64);
    let mut seats = vec![Seat { account: 0, confirming: false, began: Instant::now() }; round.connections];
    let mut next = |seat: &mut Seat, number: usize| {
        if !seat.confirming {
            seat.account = (flows.wrapping_mul(STRIDE) % round.accounts) as i64;
            seat.began = Instant::now();
            flows += 1;
        }
        let post = (FIRST_POST + posts) as i64;
        posts += 1;
        let wanted = Ask { seat: number, post, account: seat.account, confirms: seat.confirming };
        ask.send(wanted).map_err(|_| ended)
    };
    for (number, seat) in seats.iter_mut().enumerate() {
        next(seat, number)?;
    }
    let begun = Instant::now();
    let (warm, end) = (begun + Duration::from_secs(1), begun + Duration::from_secs(1 + round.seconds));
    let mut micros = Vec::new();
    loop {
        let (number, answer) = answers.recv().map_err(|_| ended)?;
        answer?;
        let Some(seat) = seats.get_mut(number) else { continue };
        let at = Instant::now();
        if at >= end {
            let flows = micros.len();
            return Ok((Figures::of(micros, round.seconds as f64)?, flows));
        }
        if seat.confirming && at >= warm {
            micros.push(seat.began.elapsed().as_micros() as u64);
        }
        seat.confirming = !seat.confirming;
        next(seat, number)?;
    }
}
