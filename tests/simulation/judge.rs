//! The model's word on each command: what it does, and what it must have answered.

use super::links::alike;
use super::model::{Account, Attempt, Early, Model, POST_AGE_MS, Seen};

use tagtill::engine::Verdicted;
use tagtill::till::command::{Command, Outcome, Post, PostAnswer};
use tagtill::till::id::AccountId;
use tagtill::till::record::{
    AccountStatus, OfferStatus, OrderStatus, PurchaseStatus, RefundStatus, ReplyKind,
};
use tagtill::till::verdict::Verdict;

/// What the model says of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Done,
    Refused,
    Post { verdict: Verdict, repeated: bool, purchase: Option<usize> },
}

impl Model {
    /// Does a command, and compares with what the till answered, where that is known.
    pub fn follow(&mut self, now: i64, command: &Command, answer: Option<&Verdicted>) -> Result<(), String> {
        self.now = now;
        let word = self.apply(now, command);
        let Some(answer) = answer else { return Ok(()) };
        let same = match (&word, answer) {
            (Word::Refused, Err(_)) => true,
            (Word::Post { verdict, repeated, purchase }, Ok(Outcome::Post(got))) => {
                self.bind(*purchase, got)?;
                *verdict == got.verdict && *repeated == got.repeated
            }
            (Word::Done, Ok(outcome)) => {
                if let (Command::CreateAccount(_), Outcome::Account(id)) = (command, outcome)
                    && let Some(account) = self.accounts.last_mut()
                {
                    account.id = Some(*id);
                }
                if let (Command::BeginLink(_), Outcome::Link(id)) = (command, outcome)
                    && let Some(session) = self.sessions.last_mut()
                {
                    session.id = Some(*id);
                }
                !matches!(outcome, Outcome::Post(_))
            }
            _ => false,
        };
        if same { Ok(()) } else { Err(format!("{command:?}\n  model: {word:?}\n  till:  {answer:?}")) }
    }

    /// Does a command of which only is known whether it was refused, if anything.
    pub fn follow_word(&mut self, now: i64, command: &Command, done: Option<bool>) -> Result<(), String> {
        self.now = now;
        let word = self.apply(now, command);
        match done {
            Some(done) if done != (word == Word::Done) => {
                Err(format!("{command:?}\n  model: {word:?}\n  done: {done}"))
            }
            _ => Ok(()),
        }
    }

    /// The till names a purchase: the one that the model means.
    fn bind(&mut self, purchase: Option<usize>, got: &PostAnswer) -> Result<(), String> {
        match (purchase, got.purchase) {
            (Some(n), Some(id)) => {
                let known = self.purchases[n].id.get_or_insert(id);
                if *known == id { Ok(()) } else { Err(format!("the till names {id}, the model {known}")) }
            }
            (None, None) => Ok(()),
            (model, till) => Err(format!("the till names the purchase {till:?}, the model {model:?}")),
        }
    }

    fn apply(&mut self, now: i64, command: &Command) -> Word {
        let fine = match command {
            Command::JudgePost(post) => return self.post(now, post),
            Command::DeletePost { network, id } => self.delete_post(network, id),
            Command::CreateAccount(new) => self.create_account(now, new),
            Command::UpdateAccount { id, change } => self.update_account(*id, change),
            Command::EraseAccount { id } => match self.account(*id) {
                Some(n) => {
                    self.erase(n);
                    true
                }
                None => false,
            },
            Command::BeginLink(new) => self.begin_link(now, new),
            Command::OpenLink { id, opening, browser } => self.open_link(now, *id, *opening, *browser),
            Command::StepLink { id, browser, step } => self.step_link(now, *id, browser, step),
            Command::NewPage { account, page } => {
                self.account(*account).is_some_and(|n| self.new_page(n, *page))
            }
            Command::UpdateOffer { id, change, .. } => self
                .offers
                .iter()
                .position(|offer| offer.id == *id)
                .is_some_and(|n| self.update_offer(n, change)),
            Command::CancelPurchase { id } => match self.purchase_of(*id) {
                Some(n) if self.purchases[n].status == PurchaseStatus::Pending => {
                    self.close(n, PurchaseStatus::Cancelled);
                    true
                }
                _ => false,
            },
            Command::LeaveWaiting { offer, account } => {
                let offer = self.offers.iter().position(|one| one.id == *offer);
                match (offer, self.account(*account)) {
                    (Some(offer), Some(account)) => self.leave(account, offer),
                    _ => false,
                }
            }
            Command::RefundPurchase { id, amount, restock } => {
                self.purchase_of(*id).is_some_and(|n| self.refund(n, *amount, *restock))
            }
            Command::ShipOrder { id, .. } => self.order(*id).is_some_and(|n| {
                let purchase = &mut self.purchases[n];
                let fine = purchase.order == Some(OrderStatus::Unfulfilled)
                    && purchase.back(|status| status != RefundStatus::Failed) < purchase.price;
                if fine {
                    purchase.order = Some(OrderStatus::Shipped);
                    self.follow_up(n, ReplyKind::Shipped);
                }
                fine
            }),
            Command::DeliverOrder { id, .. } => self.order(*id).is_some_and(|n| {
                let fine = self.purchases[n].order == Some(OrderStatus::Shipped);
                if fine {
                    self.purchases[n].order = Some(OrderStatus::Delivered);
                }
                fine
            }),
            Command::ReplySent { id, post_id, sent_at, .. } => {
                self.sent(now, *id, post_id, sent_at.map(tagtill::till::time::Time::ms))
            }
            Command::ReplyFailed { id, retry, .. } => self.failed(now, *id, *retry),
            Command::Charged { purchase, attempt, answer } => self.charged(*purchase, *attempt, answer),
            Command::LookAtCharge { purchase } => self.purchase_of(*purchase).is_some(),
            Command::RefundAnswered { refund, answer } => self.refund_answered(*refund, answer),
            Command::TakeTransaction(new) => self.spend(new),
            Command::CreditAnswered { credit, attempt, answer } => {
                self.credit_answered(*credit, *attempt, answer)
            }
            Command::ReversalAnswered { credit, number, answer } => {
                self.reversal_answered(*credit, *number, answer)
            }
            Command::AdvanceClock { seconds } => {
                self.offset_ms += i64::from(*seconds) * 1000;
                true
            }
            Command::PutLimits(change) => {
                self.put_limits(change);
                true
            }
            Command::Resume => {
                self.paused = false;
                self.resume_captures();
                true
            }
            // Not among the commands of a simulation.
            _ => true,
        };
        if fine { Word::Done } else { Word::Refused }
    }

    pub fn account(&self, id: AccountId) -> Option<usize> {
        self.accounts.iter().position(|account| account.id == Some(id))
    }

    fn order(&self, id: tagtill::till::id::OrderId) -> Option<usize> {
        self.purchases.iter().position(|purchase| purchase.order_id == Some(id))
    }

    fn post(&mut self, now: i64, post: &Post) -> Word {
        let bare = |verdict| Word::Post { verdict, repeated: false, purchase: None };
        let key = (post.network.clone(), post.id.clone());
        if let Some(seen) = self.posts.get(&key) {
            return match &seen.judged {
                None => bare(Verdict::Deleted),
                Some((author, _)) if *author != post.author.user_id => Word::Refused,
                Some((_, verdict)) => {
                    // A purchase that came of waiting came later.
                    let purchase = seen.purchase.filter(|_| *verdict != Verdict::Waitlisted);
                    Word::Post { verdict: *verdict, repeated: true, purchase }
                }
            };
        }
        let t = post.created_at.map_or(now, |at| at.ms().min(now));
        if now - t > POST_AGE_MS {
            return bare(Verdict::StalePost);
        }
        let may_answer = self.may_answer(post);
        if let Some(original) = &post.repost_of {
            return self.repost(now, t, post, original);
        }
        if let Some(session) = self.coded(post)
            && self.prove(now, t, post, session)
        {
            return bare(Verdict::NoOffer);
        }
        let buyer = self.linked(&post.network, &post.author.user_id);
        let (mut buys, mut confirms, mut passes) = (None, None, None);
        let mut enrols = None;
        for tag in &post.hashtags {
            if buys.or(confirms).or(passes).is_none() {
                enrols = enrols.or(self.deals.iter().position(|deal| deal.tag == *tag));
            }
            for n in 0..self.offers.len() {
                let pending = |model: &Self| {
                    buyer
                        .and_then(|buyer| model.newest(buyer, n))
                        .is_some_and(|newest| model.purchases[newest].status == PurchaseStatus::Pending)
                };
                // The first one decides; only a confirmation of something pending goes before a purchase.
                if passes.is_some() || confirms.is_some() {
                    continue;
                }
                let first = buys.is_none() && enrols.is_none();
                if self.offers[n].buy == *tag && enrols.is_none() {
                    buys = buys.or(Some(n));
                } else if self.offers[n].cancel == *tag && first {
                    passes = Some(n);
                } else if self.offers[n].confirm == *tag && confirms.is_none() && (first || pending(self)) {
                    confirms = Some(n);
                }
            }
        }
        if !may_answer && confirms.is_none() && (buys.or(passes).is_some() || enrols.is_some()) {
            return bare(Verdict::MentionNeeded);
        }
        let (verdict, purchase) = match (confirms, buys) {
            _ if passes.is_some() => self.pass(t, buyer, passes.unwrap_or_default()),
            (Some(offer), _) => {
                let aimed = buyer.and_then(|buyer| self.newest(buyer, offer));
                self.confirm(t, post, aimed)
            }
            (None, Some(offer)) => self.buy(now, t, post, offer),
            (None, None) if enrols.is_some() => (self.enrol(now, t, post, enrols.unwrap_or_default()), None),
            // What mentions the shop is remembered, and guessed at.
            (None, None) if post.network == "x" && post.text.contains("@shop") => {
                let sound =
                    |account: &Account| account.status == AccountStatus::Active && account.frozen.is_empty();
                let near = buyer
                    .filter(|&buyer| sound(&self.accounts[buyer]))
                    .is_some_and(|_| post.hashtags.iter().any(|tag| self.is_near(now, tag)));
                (if near { Verdict::NearMiss } else { Verdict::NoOffer }, None)
            }
            (None, None) => return bare(Verdict::NoOffer),
        };
        self.posts.insert(
            key,
            Seen { judged: Some((post.author.user_id.clone(), verdict)), purchase, deleted: false },
        );
        Word::Post { verdict, repeated: false, purchase }
    }

    /// A repost confirms only our reply to that very account.
    fn repost(&mut self, now: i64, t: i64, post: &Post, original: &str) -> Word {
        let ignored = Word::Post { verdict: Verdict::RepostIgnored, repeated: false, purchase: None };
        let Some(buyer) = self.linked(&post.network, &post.author.user_id) else { return ignored };
        let id = self.accounts[buyer].id;
        let reply = self.replies.values().find(|reply| {
            reply.network == post.network
                && reply.post.as_deref() == Some(original)
                && matches!(reply.kind, ReplyKind::Pending | ReplyKind::AlreadyPending)
        });
        let aimed = reply.filter(|reply| reply.account == id).and_then(|reply| reply.purchase);
        let Some(n) = aimed.and_then(|id| self.purchase_of(id)) else {
            let waits = (0..self.offers.len()).any(|offer| {
                self.newest(buyer, offer).is_some_and(|n| {
                    self.purchases[n].status == PurchaseStatus::Pending && !self.purchases[n].window_set
                })
            });
            if let (Some(id), true) = (id, waits) {
                let early = Early {
                    post: post.id.clone(),
                    author: post.author.user_id.clone(),
                    handle: post.author.handle.clone(),
                    made_at: t,
                    arrived_at: now,
                };
                self.early.insert((post.network.clone(), original.to_owned(), id), early);
            }
            return ignored;
        };
        let (verdict, purchase) = self.confirm(t, post, Some(n));
        let judged = Some((post.author.user_id.clone(), verdict));
        self.posts.insert((post.network.clone(), post.id.clone()), Seen { judged, purchase, deleted: false });
        Word::Post { verdict, repeated: false, purchase }
    }

    pub fn confirm(&mut self, t: i64, post: &Post, aimed: Option<usize>) -> (Verdict, Option<usize>) {
        let Some(buyer) = self.linked(&post.network, &post.author.user_id) else {
            return (Verdict::NotLinked, None);
        };
        let account = self.accounts[buyer].clone();
        if account.status == AccountStatus::Suspended {
            return (Verdict::AccountSuspended, aimed);
        }
        if self.is_frozen(buyer, post) {
            return (Verdict::IdentityFrozen, aimed);
        }
        let Some(n) = aimed else { return (Verdict::NothingToConfirm, None) };
        let (status, offer) = (self.purchases[n].status, self.purchases[n].offer);
        let verdict = match status {
            PurchaseStatus::Capturing | PurchaseStatus::Paid => Verdict::AlreadyConfirmed,
            PurchaseStatus::Cancelled | PurchaseStatus::Declined | PurchaseStatus::Refunded => {
                Verdict::NothingToConfirm
            }
            _ if t < self.purchases[n].created_at => Verdict::NothingToConfirm,
            _ if t > self.purchases[n].expires_at => {
                if status == PurchaseStatus::Pending {
                    self.close(n, PurchaseStatus::Expired);
                }
                Verdict::TooLate
            }
            _ if !self.ships(offer, &account) => Verdict::CannotShip,
            PurchaseStatus::Expired
                if self.left(offer, self.purchases[n].variant.as_deref())
                    < u64::from(self.purchases[n].units) =>
            {
                Verdict::SoldOut
            }
            PurchaseStatus::Pending | PurchaseStatus::Expired => {
                let waits = self.begin_capture(&post.network);
                let purchase = &mut self.purchases[n];
                (purchase.waits, purchase.settled_at) = (waits, None);
                purchase.status = PurchaseStatus::Capturing;
                purchase.customer = Some(account.customer);
                let by = (post.network.clone(), post.id.clone());
                purchase.confirmed = Some((by, post.author.user_id.clone()));
                purchase.attempts.push(Attempt::new());
                Verdict::Confirmed
            }
        };
        (verdict, Some(n))
    }

    /// An identity whose handle has changed since it was linked is frozen.
    pub fn is_frozen(&mut self, account: usize, post: &Post) -> bool {
        let name = (post.network.clone(), post.author.user_id.clone());
        let account = &mut self.accounts[account];
        let linked = account.called.get(&name).unwrap_or(&post.author.user_id);
        if !alike(linked, &post.author.handle) {
            account.frozen.insert(name.clone());
        }
        account.frozen.contains(&name)
    }

    fn ships(&self, offer: usize, account: &Account) -> bool {
        self.offers[offer].ships_to.as_ref().is_none_or(|country| *country == account.country)
    }

    fn buy(&mut self, now: i64, t: i64, post: &Post, offer: usize) -> (Verdict, Option<usize>) {
        let Some(buyer) = self.linked(&post.network, &post.author.user_id) else {
            return (Verdict::NotLinked, None);
        };
        let account = self.accounts[buyer].clone();
        if account.status == AccountStatus::Suspended {
            return (Verdict::AccountSuspended, None);
        }
        if self.is_frozen(buyer, post) {
            return (Verdict::IdentityFrozen, None);
        }
        // What ran out may go to this same buyer, who waits for more: then that is pending.
        while let Some(n) =
            self.newest(buyer, offer).filter(|&n| self.purchases[n].status == PurchaseStatus::Pending)
        {
            if t <= self.purchases[n].expires_at {
                return (Verdict::AlreadyPending, Some(n));
            }
            self.close(n, PurchaseStatus::Expired);
        }
        let is = self.offers[offer].clone();
        let obstacle = if is.status == OfferStatus::Ended || is.ends_at.is_some_and(|end| now >= end) {
            Some(Verdict::Ended)
        } else if is.status == OfferStatus::Paused {
            Some(Verdict::Paused)
        } else if !self.ships(offer, &account) {
            Some(Verdict::CannotShip)
        } else if self.counted(buyer, offer) >= is.limit {
            Some(Verdict::LimitReached)
        } else {
            None
        };
        if let Some(verdict) = obstacle {
            return (verdict, None);
        }
        let said: Vec<&str> = post.text.split(' ').filter(|word| !word.starts_with('#')).collect();
        let named: Vec<_> = is.variants.iter().filter(|one| said.contains(&one.name.as_str())).collect();
        let clear = match (named.as_slice(), is.variants.as_slice()) {
            (_, []) => Some(None),
            (_, [only]) => Some(Some(only)),
            ([one], _) => Some(Some(*one)),
            _ => None,
        };
        let plain = is.variants.is_empty() && is.most == 1;
        let amounts = said.iter().filter_map(|word| word.strip_prefix('x')?.parse::<u32>().ok());
        let asked = if plain { 1 } else { amounts.min().unwrap_or(1) };
        let most = u64::from(asked.min(is.most)).min((is.limit - self.counted(buyer, offer)) as u64);
        let each = clear.flatten().and_then(|one| one.price).unwrap_or(is.price);
        let wanted = if clear.is_some() { most.cast_signed() } else { 1 };
        if self.is_limited(buyer, each * wanted) {
            return (Verdict::LimitReached, None);
        }
        if self.waits(buyer, offer).is_some() {
            return (Verdict::Waitlisted, None);
        }
        let variant = match clear {
            Some(one) => one.map(|one| one.name.as_str()),
            None => {
                let any = is.waitlist
                    || is.variants.iter().any(|one| {
                        self.line(offer, Some(&one.name)).is_empty() && self.left(offer, Some(&one.name)) > 0
                    });
                return (if any { Verdict::UnknownVariant } else { Verdict::SoldOut }, None);
            }
        };
        let left = if self.line(offer, variant).is_empty() { self.left(offer, variant) } else { 0 };
        let (most, units) = (most as u32, most.min(left) as u32);
        let who = (&*post.network, &*post.id, &*post.author.user_id);
        if units == 0 {
            if !is.waitlist {
                return (Verdict::SoldOut, None);
            }
            self.join(offer, buyer, who, variant, most);
            return (Verdict::Waitlisted, None);
        }
        let n = self.hold(&is, offer, (buyer, (post.network.clone(), post.id.clone())), variant, units, t);
        if units < most && is.rest_waits && is.waitlist && post.network != "x" {
            self.join(offer, buyer, who, variant, most - units);
        }
        (Verdict::Pending, Some(n))
    }

    /// A change of mind: what is pending ends, and so does waiting.
    fn pass(&mut self, t: i64, buyer: Option<usize>, offer: usize) -> (Verdict, Option<usize>) {
        let Some(buyer) = buyer else { return (Verdict::NotLinked, None) };
        let left = self.waits(buyer, offer).is_some_and(|n| t >= self.waiting[n].joined_at)
            && self.leave(buyer, offer);
        let newest = self.newest(buyer, offer);
        match newest.map(|n| (n, self.purchases[n].status)) {
            Some((n, PurchaseStatus::Pending)) if t >= self.purchases[n].created_at => {
                self.close(n, PurchaseStatus::Cancelled);
                (Verdict::Passed, Some(n))
            }
            _ if left => (Verdict::Passed, None),
            Some((n, PurchaseStatus::Capturing | PurchaseStatus::Paid)) => {
                (Verdict::AlreadyConfirmed, Some(n))
            }
            _ => (Verdict::NothingToConfirm, None),
        }
    }

    fn delete_post(&mut self, network: &str, id: &str) -> bool {
        let key = (network.to_owned(), id.to_owned());
        let Some(seen) = self.posts.get_mut(&key) else {
            self.posts.insert(key, Seen { judged: None, purchase: None, deleted: true });
            return true;
        };
        let first = !std::mem::replace(&mut seen.deleted, true);
        let (began, purchase) =
            (matches!(seen.judged, Some((_, Verdict::Pending | Verdict::Waitlisted))), seen.purchase);
        if !first || !began {
            return true;
        }
        self.waiting.retain(|one| one.post != key);
        if let Some(n) = purchase
            && self.purchases[n].status == PurchaseStatus::Pending
        {
            self.close(n, PurchaseStatus::Cancelled);
        }
        true
    }

    fn update_offer(&mut self, n: usize, change: &tagtill::till::command::OfferChange) -> bool {
        let too_few = |quantity: Option<u64>, variant: Option<&str>| {
            let (held, sold) = self.taken(n, variant);
            quantity.is_some_and(|quantity| quantity < held + sold)
        };
        let sizes = change.variants.clone().unwrap_or_default();
        if self.offers[n].status == OfferStatus::Ended
            || change.quantity.is_some_and(|quantity| too_few(quantity, None))
            || sizes.iter().any(|one| too_few(one.quantity, Some(&one.name)))
        {
            return false;
        }
        let offer = &mut self.offers[n];
        offer.quantity = change.quantity.unwrap_or(offer.quantity);
        for (size, new) in offer.variants.iter_mut().zip(&sizes) {
            size.quantity = new.quantity;
        }
        offer.waitlist = change.waitlist.unwrap_or(offer.waitlist);
        offer.status = change.status.unwrap_or(offer.status);
        offer.price = change.price.map_or(offer.price, |price| price.amount);
        offer.limit = change.per_account_limit.map_or(offer.limit, |limit| limit as usize);
        offer.window_ms =
            change.confirm_window_seconds.map_or(offer.window_ms, |window| i64::from(window) * 1000);
        if self.waiting.iter().any(|one| one.offer == n) {
            let (id, ends_at) = (self.offers[n].id, self.offers[n].ends_at);
            let ended = (self.offers[n].status == OfferStatus::Ended).then_some(self.now);
            self.due.extend(ended.into_iter().chain(ends_at).map(|at| (at, id)));
            self.serve_all(n);
        }
        true
    }
}
