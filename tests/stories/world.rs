//! What a story plays in: the real store in memory, the real rules, and a clock that the story moves.

use crate::words::Words;
use std::collections::HashMap;
use std::ops::ControlFlow;
use tagtill::store::{Batch, Store};
use tagtill::till::apply::apply;
use tagtill::till::command::{Command, Outcome};
use tagtill::till::context::Context;
use tagtill::till::id::{AccountId, CreditId, IdSource, LinkId, MerchantId, OfferId, PurchaseId, ReplyId};
use tagtill::till::record::{CreditRecord, PurchaseRecord, ReplyRecord, SettingsRecord};
use tagtill::till::refusal::Fault;
use tagtill::till::state::{Direction, Key as _, Read as _, Span, Write as _};
use tagtill::till::table::{AccountCredits, Counter, Counters, Credits, Purchases, Replies};
use tagtill::till::time::Time;
use tagtill::till::words::Words as Languages;
use tagtill::till::{purchase, verify};

/// One story's world.
pub struct World {
    store: Store,
    /// What is not committed yet: one line, or all lines of `together`.
    pub batch: Option<Batch>,
    pub now: Time,
    ids: IdSource,
    pub merchants: HashMap<String, MerchantId>,
    pub buyers: HashMap<String, AccountId>,
    pub offers: HashMap<String, OfferId>,
    /// The network of each post, by its name.
    pub posts: HashMap<String, String>,
    /// The network on which each buyer was linked first.
    pub homes: HashMap<String, String>,
    /// Sessions of linking.
    pub links: HashMap<String, LinkId>,
    together: bool,
}

impl World {
    pub fn new() -> Self {
        let fresh = SettingsRecord { epoch: 1, sandbox: true, clock_offset_ms: 0, paused: false };
        let store = Store::in_memory(&fresh).unwrap();
        let batch = Some(store.batch().unwrap());
        Self {
            store,
            batch,
            now: Time::parse("2013-02-12T14:00:00Z").unwrap(),
            ids: IdSource::new([1, 2]),
            merchants: HashMap::new(),
            buyers: HashMap::new(),
            offers: HashMap::new(),
            posts: HashMap::new(),
            homes: HashMap::new(),
            links: HashMap::new(),
            together: false,
        }
    }

    /// Plays one line; afterwards everything that must always hold is checked.
    pub fn line(&mut self, line: &str) -> Result<(), String> {
        let (action, expected) = match line.split_once('→') {
            Some((action, expected)) => (action.trim(), Some(expected.trim())),
            None => (line, None),
        };
        match action {
            "together" => self.together = true,
            "end" => self.together = false,
            _ => {
                let mut words = Words(action);
                let verb = words.must("a verb")?.to_owned();
                let got = match self.check(&verb, &mut words)? {
                    Some(got) => got,
                    None => self.act(&verb, &mut words)?,
                };
                words.end()?;
                agree(expected, &got)?;
            }
        }
        let report =
            verify::check(&self.batch.as_mut().unwrap().begin()).map_err(|error| error.to_string())?;
        if !report.holds() {
            return Err(format!("verify does not hold: {}", report.problems.join("; ")));
        }
        if !self.together {
            self.store.commit(self.batch.take().unwrap()).map_err(|error| error.to_string())?;
            self.batch = Some(self.store.batch().map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    /// Carries out a command; a refused one leaves nothing behind.
    pub fn apply(&mut self, command: &Command) -> Result<Outcome, Fault> {
        let mut tx = self.batch.as_mut().unwrap().begin();
        let outcome = apply(
            &mut tx,
            &mut Context { now: self.now, words: Languages::built_in(), ids: &mut self.ids },
            command,
        )?;
        tx.put::<Counters>(&Counter::LastTime, &self.now.key_ms())?;
        tx.keep();
        Ok(outcome)
    }

    /// The newest reply to a post.
    pub fn reply(&mut self, post: &str) -> Option<(ReplyId, ReplyRecord)> {
        let mut found = None;
        let tx = self.batch.as_mut().unwrap().begin();
        tx.scan::<Replies>(&Span::all(), Direction::Down, |id, reply| {
            if reply.in_reply_to == post {
                found = Some((id, reply));
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    /// The newest purchase of a buyer, read as `alice Shirt`; `alice first Shirt` is the one before all others.
    pub fn purchase(&mut self, words: &mut Words<'_>) -> Result<(PurchaseId, PurchaseRecord), String> {
        let buyer = self.buyer(words.must("a buyer")?)?;
        let first = words.take("first");
        let offer = self.offer(words.must("an offer")?)?;
        let tx = self.batch.as_mut().unwrap().begin();
        let mut found = purchase::newest(&tx, buyer, offer).unwrap().ok_or("there is no such purchase")?;
        while first && let Some(id) = found.1.previous {
            found = (id, tx.must::<Purchases>(&id).unwrap());
        }
        Ok(found)
    }

    /// The newest credit of a buyer in a deal, read as `alice Deal`.
    pub fn credit(&mut self, words: &mut Words<'_>) -> Result<(CreditId, CreditRecord), String> {
        let buyer = self.buyer(words.must("a buyer")?)?;
        let offer = self.offer(words.must("a deal")?)?;
        let tx = self.batch.as_mut().unwrap().begin();
        let all = tx.first::<AccountCredits>(&Span::prefix(buyer.encode()), 100).unwrap();
        let mut all = all.into_iter().map(|((_, id), ())| (id, tx.must::<Credits>(&id).unwrap()));
        all.rfind(|(_, credit)| credit.offer == offer).ok_or_else(|| "there is no credit".to_owned())
    }

    pub fn buyer(&self, name: &str) -> Result<AccountId, String> {
        self.buyers.get(name).copied().ok_or_else(|| format!("nobody is called {name:?}"))
    }

    pub fn offer(&self, name: &str) -> Result<OfferId, String> {
        self.offers.get(name).copied().ok_or_else(|| format!("there is no offer {name:?}"))
    }
}

/// Compares what a line expects with what it led to. Without an expectation a line must not be refused.
fn agree(expected: Option<&str>, got: &str) -> Result<(), String> {
    match expected {
        None if got.starts_with("refused") => Err(format!("expected: done\n      actual: {got}")),
        None => Ok(()),
        Some(expected) => {
            let refused = expected.strip_prefix("refused:").map(str::trim);
            let fine = match refused {
                Some(part) => got.starts_with("refused") && got.contains(part),
                None => got == expected,
            };
            if fine { Ok(()) } else { Err(format!("expected: {expected}\n      actual: {got}")) }
        }
    }
}
