//! One round of asking the gateways: takes everything in flight that is due one step on.
//!
//! It starts from committed rows only, so that it picks up what a crash left. What it just created it confirms. What
//! it finds created it asks about first: a confirmation may be under way. It knows no thread and no clock. A gateway
//! that panics has said nothing, and only what it was asked about waits.

use super::{Charge, Created, Found, Gateway, Gateways, Refunded, Standing};
use crate::engine::{Handle, Unavailable, Verdicted};
use crate::store::Snapshot;
use crate::till::charge::{attempt_key, open_attempt};
use crate::till::command::{ChargeAnswer, Command, RefundAnswer};
use crate::till::id::{CreditId, NoticeId, PurchaseId, RefundId};
use crate::till::money::Money;
use crate::till::notice::NoticeAnswer;
use crate::till::owner;
use crate::till::record::{Attempt, AttemptState, PurchaseRecord, RefundStatus, WorkKind};
use crate::till::state::{Direction, Read as _, Span, StateError};
use crate::till::table::{Credits, Notices, Only, Purchases, Refunds, Settings, Work};
use crate::till::time::Time;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A lost create is repeated with its key for this long: providers forget keys after a day.
const KEY_HOURS: i64 = 23;
/// Work in flight that is looked at in one go.
const LOOK_MAX: usize = 4096;

/// What a round needs of the till.
pub trait Desk {
    /// The time now.
    fn now(&self) -> Time;

    /// Whether deadlines count: not while the wall clock stands where nobody expects it.
    fn deadlines_count(&self) -> bool {
        true
    }

    /// The data file as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    fn snapshot(&self) -> Result<Snapshot, StateError>;

    /// Carries out commands and waits for their commit.
    ///
    /// # Errors
    /// When nobody knows whether they happened.
    fn call_many(&self, commands: Vec<Command>) -> Result<Vec<Verdicted>, Unavailable>;
}

impl Desk for Handle {
    fn now(&self) -> Time {
        Self::now(self)
    }

    fn deadlines_count(&self) -> bool {
        !self.clock().is_jumped()
    }

    fn snapshot(&self) -> Result<Snapshot, StateError> {
        if self.has_failed() { Err(StateError("it has failed".to_owned())) } else { Self::snapshot(self) }
    }

    fn call_many(&self, commands: Vec<Command>) -> Result<Vec<Verdicted>, Unavailable> {
        Self::call_many(self, commands)
    }
}

/// Asks the gateways about a share of what is in flight.
pub struct Round<'r, D> {
    /// The till.
    pub desk: &'r D,
    /// Whom to ask.
    pub gateways: &'r Gateways,
    /// Which share, from 0.
    pub share: u128,
    /// How many shares there are.
    pub shares: u128,
    /// Set where it is to end early.
    pub stop: &'r AtomicBool,
}

/// What a charge or a credit is for.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Purchase(PurchaseId),
    Credit(CreditId),
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Purchase(id) => id.fmt(f),
            Self::Credit(id) => id.fmt(f),
        }
    }
}

/// A capture or a credit that can go on.
struct Capture {
    id: Subject,
    charge: Charge,
    attempt: Attempt,
    /// Until when its card's owner has time, where it waits for that.
    authenticate_by: Option<Time>,
    gateway: Arc<dyn Gateway>,
}

impl<D: Desk> Round<'_, D> {
    /// Takes everything that is due one step on; returns how much there was.
    ///
    /// # Errors
    /// When the data file cannot be read.
    pub fn run(&self) -> Result<usize, StateError> {
        let now = self.desk.now();
        let snapshot = self.desk.snapshot()?;
        let settings = snapshot.must::<Settings>(&Only)?;
        if settings.paused {
            return Ok(0);
        }
        let due = self.due(&snapshot, now)?;
        let mut captures = Vec::new();
        let (mut refunds, mut reversals, mut notices) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, id) in &due {
            match kind {
                WorkKind::Capture => captures.extend(self.capture(&snapshot, PurchaseId(*id))?),
                WorkKind::Credit => captures.extend(self.credit(&snapshot, CreditId(*id))?),
                WorkKind::Refund => refunds.push(RefundId(*id)),
                WorkKind::Reversal => reversals.push(CreditId(*id)),
                WorkKind::Notice => notices.push(NoticeId(*id)),
            }
        }
        let mut done = 0;
        while !captures.is_empty() && !self.stop.load(Ordering::Relaxed) {
            let chunk = captures.first().map_or(1, |capture| capture.gateway.chunk()).max(1);
            let rest = captures.split_off(chunk.min(captures.len()));
            done += captures.len();
            self.charge(std::mem::replace(&mut captures, rest), now, settings.epoch > 1);
        }
        for id in refunds {
            if let Some(answer) = self.refund(&snapshot, id)? {
                done += 1;
                self.tell(vec![Command::RefundAnswered { refund: id, answer }]);
            }
        }
        for notice in notices {
            if let Some(answer) = self.notice(&snapshot, notice)? {
                done += 1;
                self.tell(vec![Command::NoticeAnswered { notice, answer }]);
            }
        }
        for id in reversals {
            let answers = self.reversals(&snapshot, id)?;
            done += answers.len();
            self.tell(answers);
        }
        Ok(done)
    }

    fn due(&self, snapshot: &Snapshot, now: Time) -> Result<Vec<(WorkKind, u128)>, StateError> {
        let mut due = Vec::new();
        snapshot.scan::<Work>(&Span::all(), Direction::Up, |(kind, id), work| {
            if id % self.shares == self.share && work.due_at <= now {
                due.push((kind, id));
            }
            if due.len() < LOOK_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(due)
    }

    fn capture(&self, snapshot: &Snapshot, id: PurchaseId) -> Result<Option<Capture>, StateError> {
        let purchase = snapshot.must::<Purchases>(&id)?;
        let Some((attempt, charge)) = charge_of(id, &purchase) else { return Ok(None) };
        let slug = purchase.confirmation.as_ref().map_or("", |confirmation| confirmation.gateway.as_str());
        let Some(gateway) = self.gateways.get(slug) else {
            log::warn!("{id} waits: this till has no gateway called {slug}");
            return Ok(None);
        };
        if gateway.rests() {
            return Ok(None);
        }
        let id = Subject::Purchase(id);
        let authenticate_by = purchase.authenticate_by;
        Ok(Some(Capture { id, charge, attempt, authenticate_by, gateway: Arc::clone(gateway) }))
    }

    fn credit(&self, snapshot: &Snapshot, id: CreditId) -> Result<Option<Capture>, StateError> {
        let credit = snapshot.must::<Credits>(&id)?;
        let Some(attempt) = open_attempt(&credit.attempts).cloned() else { return Ok(None) };
        let Some(gateway) = self.gateways.get(&credit.gateway) else {
            log::warn!("{id} waits: this till has no gateway called {}", credit.gateway);
            return Ok(None);
        };
        if gateway.rests() {
            return Ok(None);
        }
        let id = Subject::Credit(id);
        let charge = Charge {
            key: attempt_key(id, attempt.number),
            direction: super::Direction::Credit,
            amount: credit.amount,
            customer: credit.customer.clone(),
            method: credit.method.clone(),
            begun_at: attempt.created_at,
            transaction: Some(credit.transaction.clone()),
        };
        Ok(Some(Capture { id, charge, attempt, authenticate_by: None, gateway: Arc::clone(gateway) }))
    }

    /// Takes back what of a credit is no longer due.
    fn reversals(&self, snapshot: &Snapshot, id: CreditId) -> Result<Vec<Command>, StateError> {
        let credit = snapshot.must::<Credits>(&id)?;
        let Some(gateway) = self.gateways.get(&credit.gateway) else {
            log::warn!("{id} waits: this till has no gateway called {}", credit.gateway);
            return Ok(Vec::new());
        };
        if gateway.rests() {
            return Ok(Vec::new());
        }
        let mut answers = Vec::new();
        for reversal in credit.reversals.iter().filter(|one| one.status == RefundStatus::Pending) {
            let attempt = credit.attempts.iter().find(|attempt| attempt.number == reversal.attempt);
            let Some(reference) = attempt.and_then(|attempt| attempt.reference.as_ref()) else { continue };
            let key = format!("{id}-back-{}", reversal.number);
            let amount = Money { amount: reversal.amount, ..credit.amount };
            let refunded = asked(id, Refunded::Unknown, || gateway.refund(&key, reference, amount));
            let (number, answer) = (reversal.number, given_back(refunded));
            answers.push(Command::ReversalAnswered { credit: id, number, answer });
        }
        Ok(answers)
    }

    /// Creates what is new, commits the references, then confirms; what was found created is asked about first.
    fn charge(&self, captures: Vec<Capture>, now: Time, restored: bool) {
        let mut created = Vec::new();
        let mut fresh = Vec::new();
        let mut answers = Vec::new();
        for capture in captures {
            match capture.attempt.state {
                AttemptState::Created => {
                    answers.extend(ask_again(&capture));
                    continue;
                }
                AttemptState::Waiting => {
                    answers.extend(self.ask_about_owner(&capture, now));
                    continue;
                }
                _ => {}
            }
            let unknown = Begun::Answer(ChargeAnswer::Unknown);
            match asked(capture.id, unknown, || begin(&capture, now, restored)) {
                Begun::Fresh(reference) => {
                    created.push(told(&capture, ChargeAnswer::Created(reference.clone())));
                    fresh.push((reference, capture));
                }
                Begun::Answer(answer) => answers.push(told(&capture, answer)),
            }
        }
        if self.tell(created) {
            for (reference, capture) in fresh {
                let confirm = || standing(capture.gateway.confirm(&reference, &capture.charge));
                answers.push(told(&capture, asked(capture.id, ChargeAnswer::Unknown, confirm)));
            }
        }
        self.tell(answers);
    }

    /// Asks how a charge stands that waits for its card's owner. It is never confirmed here; once it is refused, or its
    /// time is over, it is cancelled first, so that no page of the gateway's can charge it after all.
    fn ask_about_owner(&self, capture: &Capture, now: Time) -> Option<Command> {
        let reference = capture.attempt.reference.as_ref()?;
        let (gateway, charge) = (&capture.gateway, &capture.charge);
        let over = capture.authenticate_by.is_none_or(|until| now >= until) && self.desk.deadlines_count();
        let answer = asked(capture.id, ChargeAnswer::Unknown, || {
            let standing = gateway.fetch(reference, charge);
            match standing {
                Standing::Declined(code) if code != owner::CANCELED => {
                    match gateway.cancel(reference, charge) {
                        Standing::Declined(_) => ChargeAnswer::Declined(code),
                        other => waiting(other),
                    }
                }
                Standing::Unconfirmed | Standing::NeedsOwner if over => {
                    waiting(gateway.cancel(reference, charge))
                }
                other => waiting(other),
            }
        });
        Some(told(capture, answer))
    }

    fn refund(&self, snapshot: &Snapshot, id: RefundId) -> Result<Option<RefundAnswer>, StateError> {
        let refund = snapshot.must::<Refunds>(&id)?;
        let purchase: PurchaseRecord = snapshot.must::<Purchases>(&refund.purchase)?;
        let attempt = purchase.attempts.iter().find(|attempt| attempt.number == refund.attempt);
        let reference = attempt.and_then(|attempt| attempt.reference.clone());
        let slug = purchase.confirmation.as_ref().map_or("", |confirmation| confirmation.gateway.as_str());
        let (Some(reference), Some(gateway)) = (reference, self.gateways.get(slug)) else {
            log::warn!("{id} waits: this till has no gateway called {slug:?}");
            return Ok(None);
        };
        if gateway.rests() {
            return Ok(None);
        }
        let refunded =
            asked(id, Refunded::Unknown, || gateway.refund(&id.to_string(), &reference, refund.amount));
        Ok(Some(given_back(refunded)))
    }

    /// Asks how the charge stands that a gateway said something about.
    fn notice(&self, snapshot: &Snapshot, id: NoticeId) -> Result<Option<NoticeAnswer>, StateError> {
        let notice = snapshot.must::<Notices>(&id)?;
        let Some(gateway) = self.gateways.get(&notice.gateway) else {
            log::warn!("{id} waits: this till has no gateway called {}", notice.gateway);
            return Ok(None);
        };
        if gateway.rests() {
            return Ok(None);
        }
        Ok(Some(asked(id, NoticeAnswer::Unknown, || gateway.look(&notice.about))))
    }

    /// Has the writer take answers in; false where it could not.
    fn tell(&self, commands: Vec<Command>) -> bool {
        if commands.is_empty() {
            return true;
        }
        match self.desk.call_many(commands) {
            Err(unavailable) => {
                log::error!(
                    "the gateway's answer could not be kept and will be asked for again: {}",
                    unavailable.0
                );
                false
            }
            Ok(results) => {
                for refusal in results.iter().filter_map(|result| result.as_ref().err()) {
                    log::error!("the gateway's answer was refused: {}", refusal.detail);
                }
                true
            }
        }
    }
}

/// The attempt of a purchase that is under way, and what is to be charged.
pub fn charge_of(id: PurchaseId, purchase: &PurchaseRecord) -> Option<(Attempt, Charge)> {
    let (attempt, confirmation) = (open_attempt(&purchase.attempts)?, purchase.confirmation.as_ref()?);
    let charge = Charge {
        key: attempt_key(id, attempt.number),
        direction: super::Direction::Charge,
        amount: purchase.price,
        customer: confirmation.customer.clone(),
        method: confirmation.method.clone(),
        begun_at: attempt.created_at,
        transaction: None,
    };
    Some((attempt.clone(), charge))
}

/// What a gateway says, or `unknown` where it panics.
fn asked<T>(id: impl std::fmt::Display, unknown: T, ask: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| {
        log::error!("{id} waits: the gateway panicked, so that nobody knows what it did; it is asked again");
        unknown
    })
}

/// How beginning a charge went.
enum Begun {
    /// It is there under this reference, and nobody has confirmed it.
    Fresh(String),
    /// All that can be said for now.
    Answer(ChargeAnswer),
}

/// Creates a charge under its key, or looks for it once the gateway may have forgotten the key. In a file that was
/// restored an attempt that looks new may have been made before, however long ago, or given up for another that this
/// file does not know: both are looked for first.
fn begin(capture: &Capture, now: Time, restored: bool) -> Begun {
    let old = now.ms_since(capture.charge.begun_at) >= KEY_HOURS * 3_600_000;
    if restored {
        let key = attempt_key(capture.id, capture.attempt.number.saturating_add(1));
        match capture.gateway.find(&Charge { key, ..capture.charge.clone() }) {
            Found::Reference(_) => return Begun::Answer(ChargeAnswer::Lost),
            Found::Unknown => return Begun::Answer(ChargeAnswer::Unknown),
            Found::Nothing => {}
        }
    }
    if old || restored {
        match capture.gateway.find(&capture.charge) {
            // It may have been confirmed, too: it is asked about before that is done.
            Found::Reference(reference) => return Begun::Answer(ChargeAnswer::Created(reference)),
            Found::Unknown => return Begun::Answer(ChargeAnswer::Unknown),
            Found::Nothing if old => return Begun::Answer(ChargeAnswer::Lost),
            Found::Nothing => {}
        }
    }
    match capture.gateway.create(&capture.charge) {
        Created::Reference(reference) => Begun::Fresh(reference),
        Created::Declined(code) => Begun::Answer(ChargeAnswer::Declined(code)),
        Created::Lost => Begun::Answer(ChargeAnswer::Lost),
        Created::Unknown => Begun::Answer(ChargeAnswer::Unknown),
    }
}

/// Asks how a charge stands that was created before, and confirms it only where nobody has.
fn ask_again(capture: &Capture) -> Option<Command> {
    let reference = capture.attempt.reference.as_ref()?;
    let answer = asked(capture.id, ChargeAnswer::Unknown, || {
        match capture.gateway.fetch(reference, &capture.charge) {
            Standing::Unconfirmed => standing(capture.gateway.confirm(reference, &capture.charge)),
            other => standing(other),
        }
    });
    Some(told(capture, answer))
}

/// A charge that its card's owner has to allow is not confirmed by anybody else.
fn waiting(standing: Standing) -> ChargeAnswer {
    match standing {
        Standing::Unconfirmed => ChargeAnswer::NeedsOwner,
        other => self::standing(other),
    }
}

fn told(capture: &Capture, answer: ChargeAnswer) -> Command {
    answered(capture.id, capture.attempt.number, answer)
}

fn answered(id: Subject, attempt: u32, answer: ChargeAnswer) -> Command {
    match id {
        Subject::Purchase(purchase) => Command::Charged { purchase, attempt, answer },
        Subject::Credit(credit) => Command::CreditAnswered { credit, attempt, answer },
    }
}

fn given_back(refunded: Refunded) -> RefundAnswer {
    match refunded {
        Refunded::Succeeded(reference) => RefundAnswer::Succeeded(reference),
        Refunded::Failed(code) => RefundAnswer::Failed(code),
        Refunded::Unknown => RefundAnswer::Unknown,
    }
}

fn standing(standing: Standing) -> ChargeAnswer {
    match standing {
        Standing::Paid => ChargeAnswer::Paid,
        Standing::Declined(code) => ChargeAnswer::Declined(code),
        Standing::NeedsOwner => ChargeAnswer::NeedsOwner,
        Standing::Unconfirmed | Standing::Unknown => ChargeAnswer::Unknown,
    }
}
