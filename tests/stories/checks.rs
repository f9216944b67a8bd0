//! Lines that look at the till and change nothing.

use crate::words::Words;
use crate::world::World;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tagtill::till::pace;
use tagtill::till::record::{AttemptState, WorkKind};
use tagtill::till::state::Key as _;
use tagtill::till::state::{Direction, Read as _, Span};
use tagtill::till::table::{
    AccountCredits, Accounts, Credits, Deals, Events, OnNetwork, Orders, Outbox, Posts, Refunds, Stocks, Work,
};
use tagtill::till::text::length;
use tagtill::till::{explain, network, reply};

impl World {
    /// What a line that begins with `verb` sees; `None` for a line that acts.
    pub fn check(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Option<String>, String> {
        let found = match verb {
            "stock" => self.stock(words)?,
            "purchase" | "order" | "attempts" | "charge" | "code" | "given" => {
                self.of_purchase(verb, words)?
            }
            "reply" | "no" | "outbox" => self.replies(verb, words)?,
            "replies" => self.vary(words)?,
            "records" => {
                let tx = self.batch.as_mut().unwrap().begin();
                let posts = tx.first::<Posts>(&Span::all(), 1000).unwrap().len();
                same(&format!("{posts} posts"), rest(words))?
            }
            "bridge" => {
                words.take("on");
                let network = words.must("a network")?.to_owned();
                let tx = self.batch.as_mut().unwrap().begin();
                let seen = reply::queued(&tx, self.now, &network, 100).unwrap();
                let seen: Vec<_> = seen.into_iter().map(|(_, reply)| reply.in_reply_to).collect();
                let wanted = rest(words).trim_start_matches("sees").trim();
                same(if seen.is_empty() { "nothing".to_owned() } else { seen.join(" ") }.as_str(), wanted)?
            }
            "books" => {
                let got = self.books(words)?;
                same(&got, rest(words))?
            }
            "linking" => {
                let got = self.link_stands(words)?;
                same(&got, rest(words))?
            }
            "card" if words.take("of") => {
                let got = self.card_of(words)?;
                same(&got, rest(words))?
            }
            "why" => self.why(words)?,
            "capture" => {
                let (id, _) = self.purchase(words)?;
                let tx = self.batch.as_mut().unwrap().begin();
                let work = tx.get::<Work>(&(WorkKind::Capture, id.0)).unwrap();
                if words.take("is due in") {
                    let (about, wanted) = (words.take("about"), words.span_ms()?);
                    let wait = work.map_or(-1, |work| work.due_at.ms_since(self.now));
                    // A pause after an unknown answer is a fifth less or more.
                    let fits = wait == wanted || about && (wait - wanted).abs() * 5 <= wanted;
                    let differs = || Err(format!("expected: {wanted} ms\n      actual: {wait} ms"));
                    return if fits { Ok(Some("done".to_owned())) } else { differs() };
                }
                let got = work
                    .map_or("is over", |work| if work.due_at == pace::NEVER { "waits" } else { "goes on" });
                same(got, rest(words))?
            }
            "deal" => {
                let id = self.offer(words.must("a deal")?)?;
                let tx = self.batch.as_mut().unwrap().begin();
                let (deal, stock) = (tx.must::<Deals>(&id).unwrap(), tx.must::<Stocks>(&id).unwrap());
                let got = format!("{} enrolled, {} credits of {}", stock.all.sold, deal.credits, deal.amount);
                same(&got, rest(words))?
            }
            "credits" => {
                let id = self.buyer(words.must("a buyer")?)?;
                let tx = self.batch.as_mut().unwrap().begin();
                let all = tx.first::<AccountCredits>(&Span::prefix(id.encode()), 100).unwrap();
                let all = all.into_iter().map(|((_, id), ())| tx.must::<Credits>(&id).unwrap());
                let all: Vec<_> = all
                    .map(|one| {
                        let word = format!("{:?}", one.status).to_lowercase();
                        let due = if one.due == one.amount.amount {
                            String::new()
                        } else {
                            format!(", {} due", one.due)
                        };
                        format!("{} {word}{due}", one.amount)
                    })
                    .collect();
                let all = if all.is_empty() { "none".to_owned() } else { all.join("; ") };
                same(&all, rest(words))?
            }
            "events" => {
                let mut seen = Vec::new();
                let tx = self.batch.as_mut().unwrap().begin();
                tx.scan::<Events>(&Span::all(), Direction::Up, |_, event| {
                    seen.push(event.kind.code());
                    ControlFlow::Continue(())
                })
                .unwrap();
                let wanted = rest(words);
                let count = wanted.split(", ").count();
                same(&seen[seen.len().saturating_sub(count)..].join(", "), wanted)?
            }
            "account" => {
                let id = self.buyer(words.must("a buyer")?)?;
                let account = self.batch.as_mut().unwrap().begin().must::<Accounts>(&id).unwrap();
                let known = if account.person.is_some() { "known" } else { "forgotten" };
                same(&format!("is {:?} and {known}", account.status).to_lowercase(), rest(words))?
            }
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// `stock Shirt: 2 available, 0 held, 1 sold`
    fn stock(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let id = self.offer(words.must("an offer")?)?;
        let stock = self.batch.as_mut().unwrap().begin().must::<Stocks>(&id).unwrap();
        let variant = if words.take("in") { Some(words.must("a variant")?) } else { None };
        let units = stock.of(variant).ok_or("there is no such variant")?;
        let free = if variant.is_some() { units.available() } else { stock.available() };
        let free = free.map_or("any".to_owned(), |free| free.to_string());
        let waiting = if units.waiting > 0 { format!(", {} waiting", units.waiting) } else { String::new() };
        same(&format!("{free} available, {} held, {} sold{waiting}", units.held, units.sold), rest(words))
    }

    /// `purchase alice Shirt is paid`, `order alice Shirt is shipped to US`, `attempts alice Shirt: lost, paid`,
    /// `charge alice Shirt is 15.00 USD on tok_visa`, `given back alice Shirt: 15.00 pending`.
    fn of_purchase(&mut self, verb: &str, words: &mut Words<'_>) -> Result<String, String> {
        words.take("back");
        let (_, purchase) = self.purchase(words)?;
        let tx = self.batch.as_mut().unwrap().begin();
        let got = match verb {
            "purchase" => {
                let units =
                    if purchase.units > 1 { format!(", {} units", purchase.units) } else { String::new() };
                let variant = purchase.variant.map(|name| format!(", in {name}")).unwrap_or_default();
                format!("is {}{units}{variant}", format!("{:?}", purchase.status).to_lowercase())
            }
            "attempts" => {
                let states = purchase.attempts.iter().map(|attempt| match &attempt.state {
                    AttemptState::Declined(_) => "declined".to_owned(),
                    other => format!("{other:?}").to_lowercase(),
                });
                states.collect::<Vec<_>>().join(", ")
            }
            "code" => match purchase.attempts.last().map(|attempt| &attempt.state) {
                Some(AttemptState::Declined(code)) => format!("is {code}"),
                other => format!("is none, but {other:?}"),
            },
            "charge" => {
                let how = purchase.confirmation.ok_or("it is not confirmed")?;
                format!("is {} on {}", purchase.price, how.method)
            }
            "given" => {
                let refunds = purchase.refunds.iter().map(|id| {
                    let refund = tx.must::<Refunds>(id).unwrap();
                    let own = if refund.automatic { " by itself" } else { "" };
                    format!("{} {}{own}", refund.amount, format!("{:?}", refund.status).to_lowercase())
                });
                refunds.collect::<Vec<_>>().join(", ")
            }
            _ => match purchase.order {
                None => "is none".to_owned(),
                Some(id) => {
                    let order = tx.must::<Orders>(&id).unwrap();
                    let place = order.ship_to.map_or("nowhere".to_owned(), |to| to.country);
                    if words.take("shows") {
                        format!("version {}, {}, {}", order.offer_version, order.title, order.price)
                    } else {
                        format!("is {} to {place}", order.status.word())
                    }
                }
            },
        };
        same(&got, rest(words))
    }

    /// `why p1 "by 12 seconds"`: the explanation holds these words; `why p1 goes on with "…"`: its history does.
    fn why(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let id = words.must("a post")?.to_owned();
        let network = self.posts.get(&id).cloned().unwrap_or_else(|| "x".to_owned());
        let key = OnNetwork::new(&network, &id);
        let tx = self.batch.as_mut().unwrap().begin();
        let post = tx.get::<Posts>(&key).unwrap().ok_or("that post is not remembered")?;
        let history = explain::history(&tx, &key, &post).map_err(|error| error.to_string())?;
        if !history.is_sorted_by_key(|moment| moment.at) {
            return Err("the history is not in the order of time".to_owned());
        }
        let said = if words.take("goes on with") {
            history.into_iter().map(|moment| moment.what).collect::<Vec<_>>().join(" ")
        } else {
            explain::why(&post)
        };
        let part = words.must("words")?;
        if said.contains(part) {
            Ok("done".to_owned())
        } else {
            Err(format!("expected: {part}\n      actual: {said}"))
        }
    }

    /// `reply to p1 says "…"`, `reply to p1 never says "…"`, `reply to p1 is sent`, `no reply to p1`, `outbox: 2`.
    /// Every reply that a story looks at has to fit its network.
    /// `replies to p1 p2 differ`: not all say the same.
    fn vary(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        words.take("to");
        let mut texts = BTreeSet::new();
        while !words.take("differ") {
            let post = words.must("a post")?.to_owned();
            let (_, reply) = self.reply(&post).ok_or("expected: a reply\n      actual: none")?;
            texts.insert(reply.text);
        }
        if texts.len() > 1 { Ok("done".to_owned()) } else { Err(format!("all say {texts:?}")) }
    }

    fn replies(&mut self, verb: &str, words: &mut Words<'_>) -> Result<String, String> {
        if verb == "outbox" {
            let queued =
                self.batch.as_mut().unwrap().begin().first::<Outbox>(&Span::all(), 1000).unwrap().len();
            return same(&queued.to_string(), rest(words));
        }
        if verb == "no" {
            words.take("reply to");
            let post = words.must("a post")?.to_owned();
            return match self.reply(&post) {
                None => Ok("done".to_owned()),
                Some((_, reply)) => Err(format!("expected: no reply\n      actual: {:?}", reply.text)),
            };
        }
        words.take("to");
        let post = words.must("a post")?.to_owned();
        let (_, reply) = self.reply(&post).ok_or("expected: a reply\n      actual: none")?;
        let tx = self.batch.as_mut().unwrap().begin();
        let settings = network::must_find(&tx, &reply.network).map_err(|_| "no network")?;
        let long = length(&reply.text, settings.counting);
        if long > usize::try_from(settings.text_limit).unwrap() {
            return Err(format!("the reply is too long, {long}: {:?}", reply.text));
        }
        if words.take("is") {
            let status = format!("{:?}", reply.status).to_lowercase();
            return same(&status, rest(words));
        }
        let never = words.take("never");
        words.take("says");
        let part = words.must("a text")?;
        if reply.text.contains(part) == never {
            return Err(format!("expected: {part:?}\n      actual: {:?}", reply.text));
        }
        Ok("done".to_owned())
    }
}

fn rest<'a>(words: &mut Words<'a>) -> &'a str {
    let rest = words.0.trim_start_matches(':').trim();
    words.0 = "";
    rest
}

fn same(got: &str, wanted: &str) -> Result<String, String> {
    if got == wanted {
        Ok("done".to_owned())
    } else {
        Err(format!("expected: {wanted}\n      actual: {got}"))
    }
}
