//! The playground: a little social network in memory, on which a newcomer tries the till out.
//!
//! Its people are invented, its posts live as long as the process. It does with them what a bridge does with a real
//! network's: it delivers posts to the till's API and posts the replies, those to its own posts and no others. What it
//! shows is read through the same API. It must never know a rule, the data file or HTTP; whoever looks is served by
//! [`crate::http`], which in turn knows only what a page shows.
//!
//! `people` is who is there, `stage` what is for sale, `feed` the posts, `shop` what the till says of stock, holds and
//! orders, `deeds` what can be done, `follow` the thread that keeps it up to date, `view` what a page gets.

mod deeds;
mod feed;
mod follow;
mod people;
mod shop;
mod stage;
mod view;

pub use deeds::NotDone;
pub use feed::{Said, Told};
pub use people::Person;
pub use stage::{Ready, Stocked};

use crate::client::Client;
use deeds::Pace;
use feed::Feed;
use shop::Shop;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// So long after the last look it is kept up to date.
const ATTENTION: Duration = Duration::from_secs(60);

/// The bank of a card that asks its owner: answers for the owner of the charge of this purchase (first its id, then the
/// gateway's name for the charge); whether one was waiting.
pub type Bank = Box<dyn Fn(&str, &str, bool) -> bool + Send + Sync>;

/// What a playground is made of.
pub struct Setup {
    /// The network that it plays.
    pub network: &'static str,
    /// With an admin's token: stage, clock, and whatever is shown.
    pub admin: Client,
    /// With that network's token: posts and replies.
    pub bot: Client,
    /// What the till's clock shows.
    pub now: Box<dyn Fn() -> String + Send + Sync>,
    /// The cards' bank.
    pub bank: Bank,
    /// What tells this process's posts and people from those of another.
    pub run: String,
}

/// What is known of the little world.
#[derive(Debug, Default)]
struct World {
    /// Counts what has changed.
    version: u64,
    ready: Option<Ready>,
    feed: Feed,
    shop: Shop,
    /// Whether what there is by now belongs to a story.
    is_story: bool,
    trouble: Option<String>,
    /// As JSON, and of which version that is.
    rendered: Option<(u64, Arc<str>)>,
}

struct Inner {
    setup: Setup,
    world: Mutex<World>,
    /// One deed at a time; held while the till is asked, which the world never is.
    deeds: Mutex<()>,
    pace: Mutex<Pace>,
    looked_at: Mutex<Option<Instant>>,
    noticed: Condvar,
    ending: AtomicBool,
    made: AtomicU64,
}

/// A playground. It costs nothing until somebody looks.
pub struct Playground {
    inner: Arc<Inner>,
    following: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Playground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playground").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Playground {
    /// One that nobody has looked at yet.
    pub fn new(setup: Setup) -> Self {
        let inner = Inner {
            setup,
            world: Mutex::default(),
            deeds: Mutex::default(),
            pace: Mutex::default(),
            looked_at: Mutex::default(),
            noticed: Condvar::new(),
            ending: AtomicBool::new(false),
            made: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner), following: Mutex::default() }
    }

    /// Begins with a stage that is set already, and with what was posted there.
    pub fn begin_with(&self, ready: Ready, told: Vec<Told>) {
        let mut world = lock(&self.inner.world);
        world.feed = Feed::of_story(told, &ready);
        world.ready = Some(ready);
        world.is_story = true;
        world.version += 1;
    }

    /// What there is to see: the name of its state and, unless that is the one `known`, all of it as JSON.
    pub fn look(&self, known: &str) -> (String, Option<Arc<str>>) {
        *lock(&self.inner.looked_at) = Some(Instant::now());
        self.inner.noticed.notify_all();
        self.follow();
        let mut world = lock(&self.inner.world);
        let name = format!("{}-{}", self.inner.setup.run, world.version);
        let shown = (name != known).then(|| view::render(&mut world, self.inner.setup.network));
        (name, shown)
    }

    /// Does what somebody wants done; `field` gives what they filled in.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn act(&self, deed: &str, field: &dyn Fn(&str) -> String) -> Result<(), NotDone> {
        self.inner.act(deed, field)
    }

    /// Tells the thread that follows the till to end. It may be waiting for the till: that has to answer.
    pub fn tell_to_end(&self) {
        self.inner.ending.store(true, Ordering::Release);
        // Under the lock, so that nobody is between looking and waiting.
        drop(lock(&self.inner.looked_at));
        self.inner.noticed.notify_all();
    }

    /// Waits until it has ended.
    pub fn stop(&self) {
        self.tell_to_end();
        // Not under the lock: whoever looks meanwhile must not wait, or nobody is left to answer that thread.
        let following = lock(&self.following).take();
        if following.is_some_and(|thread| thread.join().is_err()) {
            log::error!("the playground ended in a panic");
        }
    }

    /// Begins to follow the till, once.
    fn follow(&self) {
        let mut following = lock(&self.following);
        if following.is_some() || self.inner.is_ending() {
            return;
        }
        let inner = Arc::clone(&self.inner);
        match std::thread::Builder::new().name("playground".to_owned()).spawn(move || follow::run(&inner)) {
            Ok(thread) => *following = Some(thread),
            Err(error) => log::error!("no thread for the playground: {error}"),
        }
    }
}

impl World {
    /// What there is now stays when somebody starts over, and so much of it.
    fn begin_after_story(&mut self) {
        self.shop.remember_story();
        for stocked in self.ready.iter_mut().flat_map(|ready| &mut ready.offers) {
            let offer = self.shop.offer(&stocked.offer);
            stocked.units = offer.and_then(|offer| offer.get("available")?.as_u64());
        }
    }
}

impl Inner {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// An id that no other post has.
    fn new_id(&self) -> String {
        format!("pg-{}-{}", self.setup.run, self.made.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Changes what is shown.
    fn change<T>(&self, with: impl FnOnce(&mut World) -> T) -> T {
        let mut world = lock(&self.world);
        world.version += 1;
        with(&mut world)
    }

    /// The stage; it is set first where it is not yet. Only for who holds `deeds`.
    fn ready(&self) -> Result<Ready, String> {
        if let Some(ready) = &lock(&self.world).ready {
            return Ok(ready.clone());
        }
        let ready = stage::set(&self.setup)?;
        self.change(|world| world.ready = Some(ready.clone()));
        Ok(ready)
    }

    /// Takes in that somebody without a card has linked one. Only for who holds `deeds`.
    fn welcome(&self, account: &str) -> Result<(), String> {
        let found = self.setup.admin.get(&format!("/v1/accounts/{account}"));
        let found = found.map_err(|error| error.to_string())?;
        let mut world = lock(&self.world);
        if world.ready.as_mut().is_some_and(|ready| ready.welcome(self.setup.network, &found)) {
            world.version += 1;
        }
        Ok(())
    }

    /// Reads how the shop stands, and posts what replies there are. Only for who holds `deeds`.
    fn refresh(&self) -> Result<(), String> {
        let ready = self.ready()?;
        let shop = Shop::read(&self.setup.admin, &ready).map_err(|error| error.to_string())?;
        let replies = self.post_replies()?;
        // A page is told only of what is new.
        let is_news = |world: &World| {
            world.is_story || world.trouble.is_some() || !replies.is_empty() || !world.shop.shows_as(&shop)
        };
        if !is_news(&lock(&self.world)) {
            return Ok(());
        }
        self.change(|world| {
            world.shop.take(shop);
            if std::mem::take(&mut world.is_story) {
                world.begin_after_story();
            }
            for reply in replies {
                world.feed.reply(reply);
            }
            world.trouble = None;
        });
        Ok(())
    }
}
