//! A running bridge: one thread that keeps it signed in and announced, one for each source, one for the replies.

use super::desk::{Desk, SharedDesk};
use super::outbox::Outbox;
use super::{Backoff, Kind, Network, Trouble};
use crate::client::Client;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// From one announcement to the next: new hashtags are looked for within that time.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// A source that has worked for so long has recovered from its last trouble.
const RECOVERED: Duration = Duration::from_secs(30);
/// Counts are logged as often.
const LOG_EVERY: Duration = Duration::from_secs(300);
/// How long threads may take to end. What they leave undone, the next start does.
const END_MAX: Duration = Duration::from_secs(8);

/// How a bridge is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The till, with a token of the network's.
    pub till: Client,
    /// Change nothing anywhere; say what would be done.
    pub dry_run: bool,
}

/// Why a bridge ended by itself.
pub type Ended = Trouble;

/// A bridge that runs.
pub struct Bridge {
    desk: SharedDesk,
    keeper: JoinHandle<()>,
    ended: Arc<Mutex<Option<Ended>>>,
}

impl Bridge {
    /// Starts a bridge; it signs in by itself, and waits for a till or network that is away.
    pub fn start(network: Arc<dyn Network>, settings: &Settings) -> Self {
        let desk = Arc::new(Desk::new(
            settings.till.clone(),
            (network.slug(), network.knows_to_whom()),
            settings.dry_run,
        ));
        let ended = Arc::new(Mutex::new(None));
        let keeper = Keeper { network, desk: Arc::clone(&desk), ended: Arc::clone(&ended) };
        let keeper = std::thread::spawn(move || keeper.run());
        Self { desk, keeper, ended }
    }

    /// Why it has ended by itself, if it has.
    pub fn ended(&self) -> Option<Ended> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells it to end, without waiting for that.
    pub fn tell_to_end(&self) {
        self.desk.stop();
    }

    /// Ends it.
    pub fn stop(self) {
        self.tell_to_end();
        if !ends(&self.keeper) {
            log::warn!(
                "a bridge is still waiting for its network; what it leaves undone is done at the next start"
            );
        }
    }
}

fn ends(thread: &JoinHandle<()>) -> bool {
    let begun = Instant::now();
    while !thread.is_finished() && begun.elapsed() < END_MAX {
        sleep(Duration::from_millis(10));
    }
    thread.is_finished()
}

/// Keeps a bridge going.
#[derive(Clone)]
struct Keeper {
    network: Arc<dyn Network>,
    desk: SharedDesk,
    ended: Arc<Mutex<Option<Ended>>>,
}

impl Keeper {
    fn run(self) {
        if let Err(trouble) = self.begin() {
            return self.end(trouble);
        }
        let sources = self.network.sources().into_iter().map(|source| {
            let keeper = self.clone();
            keeper.desk.counts.begin(source);
            std::thread::spawn(move || keeper.read(source))
        });
        let mut threads: Vec<JoinHandle<()>> = sources.collect();
        let outbox = Outbox::new(Arc::clone(&self.desk), Arc::clone(&self.network));
        threads.push(std::thread::spawn(move || outbox.run()));
        let mut logged = Instant::now();
        while self.desk.nap(HEARTBEAT).is_ok() {
            match self.desk.announce() {
                Ok(()) => {
                    if let Err(trouble) = self.desk.is_ours() {
                        self.end(trouble);
                    }
                }
                Err(error) => {
                    self.desk.counts.error(Kind::Till);
                    log::warn!("{}: the till does not hear us: {error}", self.network.slug());
                }
            }
            if logged.elapsed() >= LOG_EVERY {
                logged = Instant::now();
                self.log();
            }
        }
        for thread in &threads {
            ends(thread);
        }
        self.log();
    }

    fn log(&self) {
        let figures = self.desk.counts.figures();
        let lag = figures.lag_seconds(super::now());
        let (slug, posts, replies) = (self.network.slug(), figures.posts, figures.replies);
        log::info!("{slug}: {posts} posts, {replies} replies, {lag} s behind, errors: {:?}", figures.errors);
    }

    /// Signs in and announces; only what no waiting helps against is an error.
    fn begin(&self) -> Result<(), Trouble> {
        let own = self.until_it_works("sign in", || self.network.sign_in())?;
        log::info!("{}: signed in as {}", self.network.slug(), own.person.handle);
        self.desk.sign_in(own);
        self.until_it_works("speak to the till", || {
            self.desk.announce().map_err(|error| match error.status {
                Some(401 | 403 | 404 | 422) => Trouble::refused(format!("the till: {error}")),
                _ => Trouble::new(Kind::Till, error.to_string()),
            })
        })?;
        self.desk.take_over()?;
        if let Some(watch) = self.network.watch() {
            watch.take_over(&self.desk)?;
        }
        if !self.desk.dry_run() {
            self.until_it_works("mark the account as a bot", || match self.network.mark_as_bot() {
                Err(trouble) if trouble.kind == Kind::Refused => {
                    log::warn!(
                        "{}: the account could not be marked as a bot: {trouble}",
                        self.network.slug()
                    );
                    Ok(())
                }
                other => other,
            })?;
        }
        Ok(())
    }

    fn until_it_works<T>(&self, what: &str, act: impl Fn() -> Result<T, Trouble>) -> Result<T, Trouble> {
        let mut backoff = Backoff::default();
        loop {
            let trouble = match act() {
                Ok(done) => return Ok(done),
                Err(trouble) => trouble,
            };
            if matches!(trouble.kind, Kind::Credentials | Kind::Refused | Kind::Another | Kind::Stopped) {
                return Err(trouble);
            }
            self.desk.counts.error(trouble.kind);
            let wait = backoff.next(trouble.wait);
            log::warn!(
                "{}: cannot {what}: {trouble}; again in {:.1} s",
                self.network.slug(),
                wait.as_secs_f32()
            );
            self.desk.nap(wait)?;
        }
    }

    fn end(&self, trouble: Trouble) {
        // What ends because the bridge ends is no reason.
        if trouble.kind != Kind::Stopped {
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
        }
        self.desk.stop();
    }

    /// Reads from one source until the bridge is to end.
    fn read(&self, source: &'static str) {
        let mut backoff = Backoff::default();
        while !self.desk.stopping() {
            let begun = Instant::now();
            let read = catch_unwind(AssertUnwindSafe(|| self.network.read(source, &self.desk)))
                .unwrap_or_else(|_| {
                    Err(Trouble::protocol("reading it ended in a panic: please report this"))
                });
            let Err(trouble) = read else { continue };
            match trouble.kind {
                Kind::Stopped => return,
                Kind::Another => return self.end(trouble),
                _ => {}
            }
            if begun.elapsed() >= RECOVERED {
                backoff.reset();
            }
            self.desk.counts.error(trouble.kind);
            let wait = backoff.next(trouble.wait);
            log::warn!("{}, {source}: {trouble}; again in {:.1} s", self.network.slug(), wait.as_secs_f32());
            if self.desk.nap(wait).is_err() {
                return;
            }
            if trouble.kind == Kind::Credentials {
                match self.network.sign_in() {
                    Ok(own) => self.desk.sign_in(own),
                    Err(trouble) => log::error!("{}: cannot sign in: {trouble}", self.network.slug()),
                }
            }
        }
    }
}
