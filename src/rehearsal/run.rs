//! Plays a drop: links the buyers, moves the till's clock from moment to moment, delivers what people post, and plays
//! the network's bot in between.
//!
//! The till's clock stands still but for these moves, and charges are waited for: the same seed comes to the same.

mod posts;

use super::Broken;
use super::books::{Found, Ledger, counted, stock};
use super::bot::{Bot, at_once};
use super::crowd::{Crowd, Person, user_id};
use super::plan::{Kind, Settings};
use super::result::{Check, Latency, Moment, Offered, Outcome, Rehearsal};
use super::sale::Sale;
use crate::client::Client;
use crate::till::time::Time;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// From one moment to the next, at least, in milliseconds of the till's clock.
const STEP_MS: i64 = 2000;
/// How soon the bot asks again where the network's budget may be spent.
const BUDGET_MS: i64 = 10_000;
/// How soon somebody looks again where only holds are left.
const IDLE_MS: i64 = 15_000;
/// Longer than this no drop is played.
const DROP_MS_MAX: i64 = 3 * 86_400_000;
/// How long a charge may take before the rehearsal gives up: real time.
const PATIENCE: Duration = Duration::from_secs(120);
/// After so many looks in vain, a second each, slow cards are left for the next moment.
const QUIET_LOOKS: u32 = 3;
/// Moments of the timeline that are kept.
const TIMELINE_MAX: usize = 180;

/// The till that is played on.
#[derive(Clone, Debug)]
pub struct Place {
    /// With an admin token.
    pub admin: Client,
    /// The sandbox gateway's ledger.
    pub ledger: PathBuf,
}

/// How far a rehearsal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done: `linking`, `selling`, `settling`.
    pub step: &'static str,
    /// So many of them.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// Whoever wants to know how far it is, and may want it to end.
pub trait Watch: Sync {
    /// It is so far.
    fn progress(&self, progress: Progress);

    /// Whether it is to end.
    fn stopped(&self) -> bool;
}

/// A confirmation whose charge is under way.
struct Charging {
    since: Instant,
    moment_ms: i64,
    slow: bool,
}

/// A drop while it is played. Times are milliseconds from its start.
struct Play<'p> {
    place: &'p Place,
    settings: &'p Settings,
    watch: &'p dyn Watch,
    delivers: Client,
    offer: String,
    handle: String,
    tags: Tags,
    variants: Vec<String>,
    start: Time,
    now_ms: i64,
    crowd: Crowd,
    bot: Bot,
    budgeted: bool,
    /// When each wish was made, and whether it was its author's first.
    wishes: BTreeMap<String, (i64, bool)>,
    charging: BTreeMap<String, Charging>,
    /// Purchases whose reply was reposted before the till heard that it is out, and when it hears of it.
    early: BTreeMap<String, i64>,
    wait_ms: i64,
    come: u64,
    posts: u64,
    told: Told,
    timeline: Vec<Moment>,
    notes: Vec<String>,
}

/// The offer's hashtags.
struct Tags {
    buy: String,
    confirm: String,
    pass: Option<String>,
}

/// What was seen on the way.
#[derive(Default)]
struct Told {
    verdicts: BTreeMap<String, u64>,
    answer_micros: Vec<u64>,
    charge_micros: Vec<u64>,
    purchase_ms: Vec<i64>,
    /// Posts delivered again that were not answered as before.
    answered_otherwise: u64,
}

/// Plays it from the first account to the last hold.
///
/// # Errors
/// Where somebody wants it to end, or the till does not do what it is asked.
pub fn rehearse(
    place: &Place,
    sale: &Sale,
    settings: &Settings,
    watch: &dyn Watch,
) -> Result<Rehearsal, Broken> {
    let began = Instant::now();
    let mut play = Play::set(place, sale, settings, watch)?;
    play.link(sale)?;
    play.move_by(sale.start.ms_since(sale.clock_start))?;
    play.now_ms = 0;
    play.play()?;
    let found = Found::read(&place.admin, &play.offer)?;
    let ledger = Ledger::read(&place.ledger)?;
    let outcomes = found.outcomes(&play.crowd);
    let mut checks = found.checks(&ledger, &outcomes, &play.crowd);
    let told = std::mem::take(&mut play.told);
    checks.push(Check::none(
        "counted_twice",
        "posts that the network delivered twice and the till judged twice",
        told.answered_otherwise,
    ));
    let mut replies = play.bot.replies;
    let unheard =
        |(person, outcome): &(&Person, &Outcome)| person.was_unheard && **outcome == Outcome::TooLate;
    replies.heard_too_late = play.crowd.people.iter().zip(&outcomes).filter(unheard).count() as u64;
    replies.buyers_unanswered = play.crowd.people.iter().filter(|person| !person.answered).count() as u64;
    let offered = offered(sale, &play);
    let mut rehearsal = Rehearsal {
        offer: offered,
        settings: settings.clone(),
        outcomes: counted(&outcomes),
        stock: found.stock(),
        money: ledger.money(),
        checks,
        verdicts: told.verdicts.clone(),
        replies,
        latencies: latencies(told, std::mem::take(&mut play.bot.waits_ms)),
        timeline: thinned(&play.timeline),
        notes: sale.notes.iter().cloned().chain(std::mem::take(&mut play.notes)).collect(),
        began_at: sale.start,
        lasted_seconds: u64::try_from(play.now_ms / 1000).unwrap_or(0),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    rehearsal.learn();
    Ok(rehearsal)
}

fn offered(sale: &Sale, play: &Play<'_>) -> Offered {
    let field = |name: &str| sale.offer.get(name);
    Offered {
        title: field("title").and_then(Value::as_str).unwrap_or_default().to_owned(),
        hashtag: play.tags.buy.clone(),
        window_seconds: window_seconds(&sale.offer),
        waitlist: field("waitlist").and_then(Value::as_bool).unwrap_or(false),
        copied_from: sale.copied_from.clone(),
    }
}

fn window_seconds(offer: &Value) -> u64 {
    offer.get("confirm_window_seconds").and_then(Value::as_u64).unwrap_or(900)
}

/// How long a hold is kept where nobody says that its reply is out.
fn held_untold_ms(network: &Value, offer: &Value) -> i64 {
    let wait_seconds = network.get("reply_wait_seconds").and_then(Value::as_u64).unwrap_or(600);
    i64::try_from((wait_seconds + window_seconds(offer)) * 1000).unwrap_or(i64::MAX)
}

fn latencies(told: Told, waits_ms: Vec<i64>) -> Vec<Latency> {
    let micros = |all: Vec<i64>| all.into_iter().map(|ms| u64::try_from(ms).unwrap_or(0) * 1000).collect();
    let answer = "from a post to the till's answer, with its reply queued";
    let charge = "from a confirmation to its charge";
    let reply = "from a wish to the reply on the network";
    let purchase = "from a wish to its confirmation";
    [
        Latency::of("answer", answer, true, told.answer_micros),
        Latency::of("charge", charge, true, told.charge_micros),
        Latency::of("reply", reply, false, micros(waits_ms)),
        Latency::of("purchase", purchase, false, micros(told.purchase_ms)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Few enough moments for a chart: neighbours become one.
fn thinned(all: &[Moment]) -> Vec<Moment> {
    let share = all.len().div_ceil(TIMELINE_MAX).max(1);
    let joined = all.chunks(share).filter_map(|part| {
        let last = part.last().copied()?;
        Some(Moment { posts: part.iter().map(|moment| moment.posts).sum(), ..last })
    });
    joined.collect()
}

fn text(value: &Value, name: &str) -> Result<String, Broken> {
    let found = value.get(name).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Broken::Failed(format!("the till's answer has no {name}: {value}")))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl<'p> Play<'p> {
    /// Puts the network, the limits and the offer up.
    fn set(
        place: &'p Place,
        sale: &Sale,
        settings: &'p Settings,
        watch: &'p dyn Watch,
    ) -> Result<Self, Broken> {
        let admin = &place.admin;
        let network = admin.put(&format!("/v1/networks/{}", settings.network), &sale.network)?;
        admin.put("/v1/limits", &sale.limits)?;
        let merchant = text(&admin.post("/v1/merchants", &json!({"name": "Rehearsal"}))?, "id")?;
        let mut body = sale.offer.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.insert("merchant".to_owned(), json!(merchant));
        }
        let offer = admin.post("/v1/offers", &body)?;
        let role = format!("network:{}", settings.network);
        let delivers = admin.with_token(&text(&admin.post("/v1/tokens", &json!({"role": role}))?, "token")?);
        let tags = Tags {
            buy: text(&offer, "hashtag")?,
            confirm: text(&offer, "confirm_hashtag")?,
            pass: offer.get("cancel_hashtag").and_then(Value::as_str).map(str::to_owned),
        };
        let limited = |name: &str| network.get(name).is_some_and(Value::is_u64);
        Ok(Self {
            place,
            settings,
            watch,
            offer: text(&offer, "id")?,
            handle: network.pointer("/own/handle").and_then(Value::as_str).unwrap_or("shop").to_owned(),
            variants: sale.variants(),
            start: sale.start,
            now_ms: 0,
            crowd: Crowd::new(settings, window_seconds(&offer), tags.pass.is_some()),
            bot: Bot::new(delivers.clone(), &settings.network, sale.start),
            delivers,
            tags,
            budgeted: limited("replies_per_15_minutes") || limited("replies_per_day"),
            wishes: BTreeMap::new(),
            charging: BTreeMap::new(),
            early: BTreeMap::new(),
            wait_ms: held_untold_ms(&network, &offer),
            come: 0,
            posts: 0,
            told: Told::default(),
            timeline: Vec::new(),
            notes: Vec::new(),
        })
    }

    fn go_on(&self, step: &'static str, done: u64, of: u64) -> Result<(), Broken> {
        if self.watch.stopped() {
            return Err(Broken::Stopped);
        }
        self.watch.progress(Progress { step, done, of });
        Ok(())
    }

    /// Everybody but the unlinked links an account, each with a card of their own.
    fn link(&mut self, sale: &Sale) -> Result<(), Broken> {
        let linking: Vec<(usize, Kind)> =
            self.crowd.people.iter().map(|person| person.is.kind).enumerate().collect();
        let linking: Vec<_> = linking.into_iter().filter(|(_, kind)| *kind != Kind::Unlinked).collect();
        let (of, country) = (linking.len() as u64, sale.country());
        let done = AtomicU64::new(0);
        let made = Mutex::new(Vec::new());
        at_once(&linking, |(buyer, kind)| {
            self.go_on("linking", done.fetch_add(1, Ordering::Relaxed), of)?;
            let account = self.place.admin.post("/v1/accounts", &self.account(*buyer, *kind, country))?;
            let id = account.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            made.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*buyer, id));
            Ok(())
        })?;
        for (buyer, id) in made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            if let Some(person) = self.crowd.people.get_mut(buyer) {
                person.account = Some(id);
            }
        }
        Ok(())
    }

    fn account(&self, buyer: usize, kind: Kind, country: &str) -> Value {
        let card = match kind {
            Kind::Declined => "tok_declined",
            Kind::SlowCard => "tok_timeout",
            _ => "tok_visa",
        };
        let name = format!("buyer{buyer}");
        json!({
            "identities": [{"network": self.settings.network, "user_id": user_id(buyer), "handle": name}],
            "billing_address": {"name": name, "line1": "1 Main Street", "city": "Town", "region": "IL",
                                "postal_code": "62701", "country": country},
            // A name makes it one and the same card wherever it is seen: the ledger says whose it is.
            "payment_method": {"gateway": "sandbox", "token": format!("{card}.{name}")},
        })
    }

    /// Moves the till's clock; what is due then has happened.
    fn move_by(&mut self, ms: i64) -> Result<(), Broken> {
        if ms > 0 {
            self.place.admin.post("/v1/sandbox/clock", &json!({"advance_seconds": ms / 1000}))?;
            self.now_ms += ms;
        }
        Ok(())
    }

    fn play(&mut self) -> Result<(), Broken> {
        let mut held = false;
        while let Some(next_ms) = self.next_ms(held).filter(|next| *next < DROP_MS_MAX) {
            let buyers = self.crowd.people.len() as u64;
            let step = if self.come < buyers { "selling" } else { "settling" };
            self.go_on(step, self.come, buyers)?;
            let slow = self.charging.values().any(|one| one.slow);
            let log = if slow { Some(self.log()?) } else { None };
            self.move_by(next_ms - self.now_ms)?;
            if let Some(log) = log {
                self.wait_for_charges(log)?;
            }
            self.deliver()?;
            self.bot_works()?;
            held = self.sample()?;
        }
        Ok(())
    }

    /// When there is something to do next; `None`: never.
    fn next_ms(&self, held: bool) -> Option<i64> {
        let deed = self.crowd.next_ms().into_iter().chain(self.bot.next_ms()).min();
        let step_ms = |at_ms: i64| (at_ms + STEP_MS - 1).div_euclid(STEP_MS) * STEP_MS;
        let deed = deed.map(|at_ms| step_ms(at_ms).max(self.now_ms + STEP_MS));
        let fetch = (!self.bot.idle).then_some(self.now_ms + STEP_MS);
        let budget = (held && self.budgeted).then_some(self.now_ms + BUDGET_MS);
        let idle = held.then_some(self.now_ms + IDLE_MS / STEP_MS * STEP_MS);
        [deed, fetch, budget, idle].into_iter().flatten().min()
    }

    /// Where the till's log of events ends.
    fn log(&self) -> Result<String, Broken> {
        text(&self.place.admin.get("/v1/events?after=latest")?, "next_cursor")
    }

    /// The bot's turn; what it tells may confirm what was reposted before.
    fn bot_works(&mut self) -> Result<(), Broken> {
        let told: Vec<String> =
            self.early.iter().filter(|(_, at)| **at <= self.now_ms).map(|(id, _)| id.clone()).collect();
        let log = if told.is_empty() { None } else { Some(self.log()?) };
        self.bot.work(self.settings, &mut self.crowd, self.now_ms, &self.wishes)?;
        let Some(log) = log else { return Ok(()) };
        for id in told {
            self.early.remove(&id);
            let purchase = self.place.admin.get(&format!("/v1/purchases/{id}"))?;
            if text(&purchase, "status")? == "capturing" {
                let charging = Charging { since: Instant::now(), moment_ms: self.now_ms, slow: false };
                self.charging.insert(id, charging);
            }
        }
        self.wait_for_charges(log)
    }

    /// Waits until what was confirmed is paid or declined; a card whose first charge nobody answered is waited for from
    /// the next moment on.
    fn wait_for_charges(&mut self, mut log: String) -> Result<(), Broken> {
        let deadline = Instant::now() + PATIENCE;
        let now_ms = self.now_ms;
        let mut quiet = 0;
        while self.charging.values().any(|one| !one.slow || one.moment_ms < now_ms) {
            if Instant::now() > deadline {
                return Err(Broken::Failed(format!("{} charges came to no end", self.charging.len())));
            }
            self.go_on("selling", self.come, self.crowd.people.len() as u64)?;
            let page = self
                .place
                .admin
                .get(&format!("/v1/events?after={}&wait_seconds=1&limit=200", encoded(&log)))?;
            let events = page.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
            if events.is_empty() {
                self.resume()?;
                quiet += 1;
                // On a busy machine the gateway is asked only after the clock went on, and once more at a later moment.
                if quiet >= QUIET_LOOKS && self.charging.values().all(|one| one.slow) {
                    return Ok(());
                }
            }
            for event in &events {
                log = text(event, "id")?;
                let settles = ["purchase.paid", "purchase.declined"].contains(&text(event, "type")?.as_str());
                let purchase = event.pointer("/data/purchase").and_then(Value::as_str);
                if let Some(charging) = purchase.filter(|_| settles).and_then(|id| self.charging.remove(id))
                    && !charging.slow
                {
                    let micros = charging.since.elapsed().as_micros();
                    self.told.charge_micros.push(u64::try_from(micros).unwrap_or(u64::MAX));
                }
            }
        }
        Ok(())
    }

    /// Where there were more captures than the limits allow, an operator has to look: here that is noted.
    fn resume(&mut self) -> Result<(), Broken> {
        let limits = self.place.admin.get("/v1/limits")?;
        let paused =
            limits.get("captures_paused").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        if paused {
            self.place.admin.post("/v1/resume", &json!({}))?;
            let most = limits.get("captures_per_hour").and_then(Value::as_u64).unwrap_or(0);
            self.notes.push(format!(
                "After {most} captures in an hour the rest waited for `tagtill resume`, as captures_per_hour of \
                 /v1/limits says. Raise it before the drop, or be there."
            ));
        }
        Ok(())
    }

    /// Notes how the stock stands; whether anything is held.
    fn sample(&mut self) -> Result<bool, Broken> {
        let now = stock(&self.place.admin.get(&format!("/v1/offers/{}", self.offer))?);
        let second = u64::try_from(self.now_ms / 1000).unwrap_or(0);
        let posts = std::mem::take(&mut self.posts);
        let (sold, held, waiting) = (now.sold, now.held, now.waiting);
        self.timeline.push(Moment { second, posts, sold, held, waiting });
        Ok(held > 0)
    }
}
