//! Compares the model with the data file, record by record, and learns the ids that the till gave.

use super::model::{Model, Name, Reply};
use super::till::KEEP_SECONDS;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use tagtill::store::Snapshot;
use tagtill::till::id::{PurchaseId, ReplyId};
use tagtill::till::record::{
    AccountStatus, AttemptState, LinkRecord, PurchaseRecord, PurchaseStatus, ReplyKind, ReplyStatus, WorkKind,
};
use tagtill::till::state::{Direction, Key as _, Read as _, Span, Table};
use tagtill::till::table::{
    Accounts, Captures, Credits, Deals, EarlyReposts, Enrolments, Idempotency, Identities, LinkCodes,
    LinkSessions, Offers, OnNetwork, Only, Orders, Pages, Posts, Purchases, Refunds, Replies, Settings,
    Stocks, Transactions, Waiting, Work,
};
use tagtill::till::time::Time;
use tagtill::till::verify;

fn every<T: Table>(snapshot: &Snapshot) -> Result<Vec<(T::Key, T::Record)>, String> {
    let mut all = Vec::new();
    snapshot
        .scan::<T>(&Span::all(), Direction::Up, |key, record| {
            all.push((key, record));
            ControlFlow::Continue(())
        })
        .map_err(|error| error.to_string())?;
    Ok(all)
}

fn expect<T: PartialEq + std::fmt::Debug>(
    what: impl FnOnce() -> String,
    model: T,
    till: T,
) -> Result<(), String> {
    if model == till {
        Ok(())
    } else {
        Err(format!("{}: the model says {model:?}, the till {till:?}", what()))
    }
}

/// Whoever has no id yet gets those that are new, in the order of making: ids grow as long as the till runs.
fn name<'i, Id: Ord + Copy + 'i>(mut own: Vec<&mut Option<Id>>, till: impl Iterator<Item = &'i Id>) {
    let known: BTreeSet<_> = own.iter().filter_map(|id| **id).collect();
    let new = till.filter(|id| !known.contains(id));
    for (own, new) in own.iter_mut().filter(|id| id.is_none()).zip(new) {
        **own = Some(*new);
    }
}

/// A session of linking, whose record says little of itself.
#[derive(PartialEq)]
struct Told<'r>(&'r LinkRecord);

impl std::fmt::Debug for Told<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is = self.0;
        write!(f, "{is:?} {} {:?} {:?} {:?} ", is.handle, is.account, is.opening, is.browser)?;
        write!(f, "{:?} {:?} {:?} {:?} {:?} ", is.address, is.mandate, is.setup, is.setups, is.card)?;
        write!(f, "{} {:?} {:?} {} {}", is.codes, is.code, is.proof, is.created_at.ms(), is.expires_at.ms())
    }
}

impl Model {
    /// Whether the data file is what it must be; `verify` included.
    pub fn agree(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        self.purchases(snapshot)?;
        self.accounts(snapshot)?;
        self.links(snapshot)?;
        self.offers(snapshot)?;
        self.seen_posts(snapshot)?;
        self.lines(snapshot)?;
        self.deals(snapshot)?;
        self.replies(snapshot)?;
        self.outbox(snapshot)?;
        self.kept(snapshot)?;
        self.limits_agree(snapshot)?;
        let paused: Vec<_> = every::<Captures>(snapshot)?;
        let paused = paused.into_iter().filter(|(_, one)| one.paused_at.is_some());
        let paused: Vec<_> = paused.map(|(network, _)| network.0).collect();
        expect(|| "paused captures".to_owned(), self.paused_networks(), paused)?;
        let settings = snapshot.must::<Settings>(&Only).map_err(|error| error.to_string())?;
        let told = (settings.epoch, settings.paused, settings.clock_offset_ms);
        expect(|| "settings".to_owned(), (self.epoch, self.paused, self.offset_ms), told)?;
        let report = verify::check(snapshot).map_err(|error| error.to_string())?;
        if report.holds() { Ok(()) } else { Err(format!("verify: {}", report.problems.join("; "))) }
    }

    /// What is kept for later: early reposts, and answers to requests with a key.
    fn kept(&self, snapshot: &Snapshot) -> Result<(), String> {
        let early: Vec<_> = every::<EarlyReposts>(snapshot)?
            .into_iter()
            .map(|((on, id), _)| (on.network, on.id, id))
            .collect();
        expect(|| "early reposts".to_owned(), self.early.keys().cloned().collect::<Vec<_>>(), early)?;
        for (hash, _) in every::<Idempotency>(snapshot)? {
            let key = hash.0.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
            if !self.keyed.contains_key(&key) {
                return Err(format!("an answer is kept under the key {key}, which the model does not know"));
            }
        }
        Ok(())
    }

    fn purchases(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let all = every::<Purchases>(snapshot)?;
        expect(|| "purchases".to_owned(), self.purchases.len(), all.len())?;
        // One post can begin two purchases: what is left, and later the rest. Ids of one millisecond grow only as long as
        // the till runs, so those that are known tell the two apart.
        let known: Vec<_> = self.purchases.iter().filter_map(|one| one.id).collect();
        let mut by_post = BTreeMap::<_, VecDeque<_>>::new();
        for (id, record) in all {
            let post = (record.network.clone(), record.post.clone());
            by_post.entry(post).or_default().push_back((id, record));
        }
        for n in 0..self.purchases.len() {
            let post = self.purchases[n].post.clone();
            let own = self.purchases[n].id;
            let mine = |id: &PurchaseId| own.map_or(!known.contains(id), |own| own == *id);
            let found = by_post.get_mut(&post).and_then(|all| {
                let at = all.iter().position(|(id, _)| mine(id))?;
                all.remove(at)
            });
            let Some((id, record)) = found else {
                return Err(format!("the purchase by {post:?} is missing"));
            };
            self.purchase(n, id, &record, snapshot)
                .map_err(|problem| format!("{id} by {post:?}: {problem}"))?;
        }
        Ok(())
    }

    fn purchase(
        &mut self,
        n: usize,
        id: PurchaseId,
        record: &PurchaseRecord,
        snapshot: &Snapshot,
    ) -> Result<(), String> {
        let (account, offer) = (self.purchases[n].account, self.purchases[n].offer);
        let buyer = *self.accounts[account].id.get_or_insert(record.account);
        let offer = self.offers[offer].id;
        let purchase = &mut self.purchases[n];
        expect(|| "id".to_owned(), *purchase.id.get_or_insert(id), id)?;
        expect(|| "account".to_owned(), buyer, record.account)?;
        expect(|| "offer".to_owned(), offer, record.offer)?;
        expect(|| "status".to_owned(), purchase.status, record.status)?;
        expect(|| "price".to_owned(), purchase.price, record.price.amount)?;
        let what = (record.units, record.variant.clone());
        expect(|| "units".to_owned(), (purchase.units, purchase.variant.clone()), what)?;
        expect(|| "created_at".to_owned(), purchase.created_at, record.created_at.ms())?;
        expect(|| "expires_at".to_owned(), purchase.expires_at, record.expires_at.ms())?;
        let attempts = |states: Vec<_>| format!("{states:?}");
        expect(
            || "attempts".to_owned(),
            attempts(purchase.attempts.iter().map(|attempt| attempt.state.clone()).collect()),
            attempts(record.attempts.iter().map(|attempt| attempt.state.clone()).collect()),
        )?;
        let until = record.authenticate_by.map(Time::ms);
        expect(|| "authenticate_by".to_owned(), purchase.authenticate_by, until)?;
        expect(|| "refunds".to_owned(), purchase.refunds.len(), record.refunds.len())?;
        for (refund, id) in purchase.refunds.iter_mut().zip(&record.refunds) {
            let till = snapshot.must::<Refunds>(id).map_err(|error| error.to_string())?;
            expect(|| "refund".to_owned(), *refund.id.get_or_insert(*id), *id)?;
            let model = (refund.amount, refund.restock, refund.automatic, refund.status);
            expect(
                || format!("{id}"),
                model,
                (till.amount.amount, till.restock, till.automatic, till.status),
            )?;
        }
        if record.status == PurchaseStatus::Capturing {
            let work = snapshot.get::<Work>(&(WorkKind::Capture, id.0)).map_err(|error| error.to_string())?;
            let waits = work.map(|work| work.due_at == Time::MAX);
            expect(|| "waits for an operator".to_owned(), Some(purchase.waits), waits)?;
        }
        let order = record.order.map(|id| snapshot.must::<Orders>(&id).map_err(|error| error.to_string()));
        let order = order.transpose()?;
        expect(|| "order".to_owned(), purchase.order, order.as_ref().map(|order| order.status))?;
        purchase.order_id = record.order;
        let erased = self.accounts[account].status == AccountStatus::Erased;
        if let (Some(confirmation), false) = (&record.confirmation, erased) {
            let customer = purchase.customer.clone().unwrap_or_default();
            expect(|| "customer".to_owned(), &customer, &confirmation.customer)?;
        }
        Ok(())
    }

    fn accounts(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let all: BTreeMap<_, _> = every::<Accounts>(snapshot)?.into_iter().collect();
        expect(|| "accounts".to_owned(), self.accounts.len(), all.len())?;
        let links =
            self.accounts.iter().filter(|account| account.linked()).map(|account| account.identities.len());
        expect(|| "linked identities".to_owned(), links.sum(), every::<Identities>(snapshot)?.len())?;
        name(self.accounts.iter_mut().map(|one| &mut one.id).collect(), all.keys());
        for account in &mut self.accounts {
            let Some(till) = account.id.and_then(|id| all.get(&id)) else {
                return Err(format!("the account of {:?} is missing", account.identities));
            };
            let who = || format!("{:?}", account.id);
            expect(who, account.status, till.status)?;
            expect(who, account.frozen.iter().cloned().collect(), {
                let mut frozen = till.frozen.clone();
                frozen.sort();
                frozen
            })?;
            if let Some(person) = &till.person {
                expect(who, &account.country, &person.billing_address.country)?;
                expect(who, &account.customer, &person.payment_method.customer)?;
                expect(who, account.mandate, till.mandate)?;
                let called = |name: &Name| account.called.get(name).unwrap_or(&name.1).clone();
                let mut names: Vec<_> =
                    account.identities.iter().map(|name| (name.clone(), called(name))).collect();
                let mut theirs: Vec<_> = person
                    .identities
                    .iter()
                    .map(|one| ((one.network.clone(), one.user_id.clone()), one.handle.clone()))
                    .collect();
                names.sort();
                theirs.sort();
                expect(who, names, theirs)?;
            }
            for (network, user) in account.identities.iter().filter(|_| account.linked()) {
                let link = snapshot.get::<Identities>(&OnNetwork::new(network, user));
                let link = link.map_err(|error| error.to_string())?.map(|link| link.account);
                expect(|| format!("who {user} on {network} is"), account.id, link)?;
            }
        }
        Ok(())
    }

    /// Sessions of linking, the codes that lead to them, and private pages.
    fn links(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let all: BTreeMap<_, _> = every::<LinkSessions>(snapshot)?.into_iter().collect();
        expect(|| "link sessions".to_owned(), self.sessions.len(), all.len())?;
        name(self.sessions.iter_mut().map(|one| &mut one.id).collect(), all.keys());
        for session in &self.sessions {
            let account = session.account.and_then(|n| self.accounts[n].id);
            let model = LinkRecord { account, ..session.is.clone() };
            let till = session.id.and_then(|id| all.get(&id));
            expect(|| format!("{:?}", session.id), Some(Told(&model)), till.map(Told))?;
        }
        let codes = self.sessions.iter().filter_map(|one| Some((one.is.code.as_ref()?.hash, one.id?)));
        let found = every::<LinkCodes>(snapshot)?.into_iter().map(|(hash, id)| (hash.0, id));
        expect(|| "codes".to_owned(), codes.collect::<BTreeMap<_, _>>(), found.collect())?;
        let pages = self.accounts.iter().filter_map(|one| Some((one.page?, one.id?)));
        let found = every::<Pages>(snapshot)?.into_iter().map(|(hash, id)| (hash.0, id));
        expect(|| "private pages".to_owned(), pages.collect::<BTreeMap<_, _>>(), found.collect())
    }

    fn offers(&self, snapshot: &Snapshot) -> Result<(), String> {
        for (n, offer) in self.offers.iter().enumerate() {
            let till = snapshot.must::<Offers>(&offer.id).map_err(|error| error.to_string())?;
            let stock = snapshot.must::<Stocks>(&offer.id).map_err(|error| error.to_string())?;
            let names = offer.variants.iter().map(|size| Some(size.name.as_str()));
            for variant in std::iter::once(None).chain(names) {
                let quantity = match variant {
                    Some(name) => {
                        offer.variants.iter().find(|size| size.name == name).and_then(|size| size.quantity)
                    }
                    None if offer.variants.is_empty() => offer.quantity,
                    None => offer.variants.iter().map(|size| size.quantity).sum(),
                };
                let (held, sold) = self.taken(n, variant);
                let line = self.waiting.iter().filter(|one| one.offer == n);
                let line =
                    line.filter(|one| variant.is_none() || one.variant.as_deref() == variant).count() as u64;
                let units = stock.of(variant).unwrap_or_default();
                let till = (units.quantity, units.held, units.sold, units.waiting);
                expect(|| format!("stock of {} {variant:?}", offer.buy), (quantity, held, sold, line), till)?;
            }
            expect(|| format!("waiting for {}", offer.buy), offer.waitlist, till.waitlist)?;
            expect(|| format!("status of {}", offer.buy), offer.status, till.status)?;
            expect(|| format!("price of {}", offer.buy), offer.price, till.price.amount)?;
            // Where two futures fit after a crash, it is what an offer asks of buyers that tells them apart.
            let window_ms = i64::from(till.confirm_window_seconds) * 1000;
            expect(|| format!("window of {}", offer.buy), offer.window_ms, window_ms)?;
            let limit = till.per_account_limit as usize;
            expect(|| format!("limit of {}", offer.buy), offer.limit, limit)?;
            let ends_at = till.ends_at.map(Time::ms);
            expect(|| format!("end of {}", offer.buy), offer.ends_at, ends_at)?;
        }
        Ok(())
    }

    /// What deals have given, and where each credit stands.
    fn deals(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        for (n, deal) in self.deals.iter().enumerate() {
            let till = snapshot.must::<Deals>(&deal.id).map_err(|error| error.to_string())?;
            let offer = snapshot.must::<Offers>(&deal.id).map_err(|error| error.to_string())?;
            expect(|| format!("credits of {}", deal.tag), self.credited(n), (till.credits, till.amount))?;
            expect(|| format!("status of {}", deal.tag), deal.status, offer.status)?;
        }
        expect(|| "enrolments".to_owned(), self.enrolments.len(), every::<Enrolments>(snapshot)?.len())?;
        expect(|| "transactions".to_owned(), self.spent.len(), every::<Transactions>(snapshot)?.len())?;
        let mut all = every::<Credits>(snapshot)?;
        expect(|| "credits".to_owned(), self.credits.len(), all.len())?;
        for credit in &mut self.credits {
            let deal = self.deals[self.enrolments[credit.enrolment].deal].id;
            let at =
                all.iter().position(|(_, one)| one.offer == deal && one.transaction == credit.transaction);
            let Some(at) = at else {
                return Err(format!("the credit for {} is missing", credit.transaction));
            };
            let (id, till) = all.remove(at);
            let who = || format!("{id}");
            expect(who, *credit.id.get_or_insert(id), id)?;
            let model = (credit.amount, credit.due, credit.status);
            expect(who, model, (till.amount.amount, till.due, till.status))?;
            let attempts = credit.attempts.iter().map(|one| format!("{:?}", one.state)).collect::<Vec<_>>();
            expect(who, attempts, till.attempts.iter().map(|one| format!("{:?}", one.state)).collect())?;
            let reversals: Vec<_> =
                till.reversals.iter().map(|one| (one.attempt as usize - 1, one.amount, one.status)).collect();
            expect(who, credit.reversals.clone(), reversals)?;
        }
        Ok(())
    }

    /// Who waits, in which order, for how much.
    fn lines(&self, snapshot: &Snapshot) -> Result<(), String> {
        for (n, offer) in self.offers.iter().enumerate() {
            let span = Span::prefix(offer.id.encode());
            let till = snapshot.first::<Waiting>(&span, 1000).map_err(|error| error.to_string())?;
            let till: Vec<_> = till
                .into_iter()
                .map(|(key, one)| (key.variant, Some(one.account), one.units, (one.network, one.post)))
                .collect();
            let mut model: Vec<_> = self
                .waiting
                .iter()
                .filter(|one| one.offer == n)
                .map(|one| {
                    let variant = one.variant.clone().unwrap_or_default();
                    (variant, self.accounts[one.account].id, one.units, one.post.clone())
                })
                .collect();
            model.sort_by(|one, other| one.0.cmp(&other.0));
            expect(|| format!("the line for {}", offer.buy), model, till)?;
        }
        Ok(())
    }

    fn seen_posts(&self, snapshot: &Snapshot) -> Result<(), String> {
        let all: BTreeMap<_, _> =
            every::<Posts>(snapshot)?.into_iter().map(|(key, post)| ((key.network, key.id), post)).collect();
        if let Some(extra) = all.keys().find(|key| !self.posts.contains_key(*key)) {
            return Err(format!("the till remembers the post {extra:?}, the model does not"));
        }
        for (key, seen) in &self.posts {
            let Some(till) = all.get(key) else { return Err(format!("the post {key:?} is forgotten")) };
            let verdict = seen.judged.as_ref().map(|(_, verdict)| *verdict);
            expect(|| format!("verdict on {key:?}"), verdict, till.verdict)?;
            let purchase = seen.purchase.and_then(|n| self.purchases[n].id);
            expect(|| format!("purchase of {key:?}"), purchase, till.purchase)?;
            expect(|| format!("deletion of {key:?}"), seen.deleted, till.deleted_at.is_some())?;
        }
        Ok(())
    }

    /// New replies are taken over; known ones must stand where they were, or be dropped for a reason.
    fn replies(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let all: BTreeMap<_, _> = every::<Replies>(snapshot)?.into_iter().collect();
        // Old ones are forgotten, a few at a time.
        let until = self.now - i64::from(KEEP_SECONDS) * 1000;
        let old = ReplyId::first_at(Time::from_ms(until));
        self.replies.retain(|id, _| *id >= old || all.contains_key(id));
        for (id, known) in &mut self.replies {
            let Some(till) = all.get(id) else { return Err(format!("{id} is missing")) };
            if (known.status, till.status) == (ReplyStatus::Queued, ReplyStatus::Dropped) {
                known.status = ReplyStatus::Dropped;
                let at = till.ended_at.map_or(0, Time::ms);
                if at <= known.not_after {
                    return Err(format!("{id} is dropped before it is stale"));
                }
            }
            expect(|| format!("{id}"), known.status, till.status)?;
            expect(|| format!("post of {id}"), known.post.as_ref(), till.post_id.as_ref())?;
        }
        for (id, till) in all {
            if self.replies.contains_key(&id) {
                continue;
            }
            if let Some(n) =
                till.purchase.filter(|_| till.kind == ReplyKind::Pending).and_then(|id| self.purchase_of(id))
            {
                let offer = &self.offers[self.purchases[n].offer];
                if !till.text.to_lowercase().contains(&format!("#{}", offer.confirm)) {
                    return Err(format!("{id} does not say how to confirm: {}", till.text));
                }
            }
            if self.unmentioned.contains(&(till.network.clone(), till.in_reply_to.clone())) {
                return Err(format!("{id} answers somebody who did not mention the shop: {}", till.text));
            }
            if till.kind == ReplyKind::OneStepLeft {
                let waits = till.purchase.and_then(|id| self.purchase_of(id)).is_some_and(|n| {
                    self.purchases[n].attempts.iter().any(|one| one.state == AttemptState::Waiting)
                });
                if !waits {
                    return Err(format!("{id} says that a step is left, and none is"));
                }
            }
            self.told.extend(till.purchase.filter(|_| till.kind == ReplyKind::Pending));
            if matches!(till.kind, ReplyKind::Shipped | ReplyKind::Cancelled) {
                let bought = till.purchase.and_then(|id| self.purchase_of(id));
                let by = bought.and_then(|n| self.purchases[n].confirmed.as_ref()).map(|(_, user)| user);
                let to = till.to.as_ref().map(|to| &to.user_id);
                expect(|| format!("whom {id} is for"), to.or(by), by)?;
                let own = till.purchase.map(|purchase| (purchase, till.kind));
                let news = self.news.iter().position(|one| Some(*one) == own);
                let Some(at) = news else {
                    return Err(format!("{id} tells what the model does not: {}", till.text));
                };
                self.news.remove(at);
            }
            let reply = Reply {
                network: till.network,
                kind: till.kind,
                account: till.account,
                purchase: till.purchase,
                queued_at: till.queued_at.ms(),
                not_after: till.not_after.ms(),
                status: till.status,
                post: till.post_id,
            };
            self.replies.insert(id, reply);
        }
        expect(|| "buyers to be told".to_owned(), Vec::new(), self.news.clone())
    }

    /// Every purchase that waits for its buyer has told them how to confirm.
    pub fn everybody_was_told(&self) -> Result<(), String> {
        for purchase in &self.purchases {
            let told = purchase.id.is_some_and(|id| self.told.contains(&id));
            if !told {
                return Err(format!("nobody told the buyer of {:?} how to confirm", purchase.id));
            }
        }
        Ok(())
    }
}
