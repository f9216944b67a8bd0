//! What bridges, operators and time do to a till; what people post is in `people`.

use super::till::Plan;
use super::world::World;
use tagtill::till::command::{AccountChange, ChargeAnswer, Command, NewTransaction, OfferChange, Variant};
use tagtill::till::id::{AccountId, OfferId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{
    AccountStatus, AttemptState, Identity, OfferStatus, PurchaseStatus, RefundStatus, ReplyStatus,
    TransactionKind,
};
use tagtill::till::time::Time;

pub const NETWORKS: &[&str] = &["sandbox", "x"];
pub const USERS: u64 = 7;
pub const SIZES: &[&str] = &["s", "m", "l"];

impl World {
    /// A processor tells of something bought or given back, mostly by somebody who takes part; or the same once more.
    pub fn spend(&mut self) -> Option<Command> {
        let model = &self.till.model;
        let told: Vec<_> = model.spent.values().cloned().collect();
        let old = self.chance.pick(&told).cloned();
        if let (Some(old), true) = (&old, self.chance.percent(10)) {
            let mut again = old.told.clone();
            if self.chance.percent(20) {
                again.amount.amount += 1;
            }
            return Some(Command::TakeTransaction(Box::new(again)));
        }
        self.named += 1;
        let id = format!("t{}", self.named);
        let now = self.till.now().ok()?;
        if let (Some(old), true) = (old, self.chance.percent(45)) {
            let kind =
                if self.chance.percent(70) { TransactionKind::Refund } else { TransactionKind::Reversal };
            let left = (old.told.amount.amount - old.returned).max(1);
            let amount = if self.chance.percent(50) { left } else { self.chance.within(1, left + 1) };
            let amount = Money { amount, ..old.told.amount };
            let original = Some(old.told.id.clone());
            let new = NewTransaction { id, kind, original, amount, ..old.told };
            return Some(Command::TakeTransaction(Box::new(new)));
        }
        let members: Vec<_> =
            model.enrolments.iter().filter_map(|one| model.accounts[one.account].id).collect();
        let member = self.chance.pick(&members).copied().filter(|_| self.chance.percent(85));
        let account = member.or_else(|| self.some_account())?;
        let amount = Money { amount: self.chance.within(50, 12_000), currency: Currency::USD };
        let occurred_at = Time::from_ms(now - self.chance.within(0, 900_000));
        let (kind, original, merchant) = (TransactionKind::Purchase, None, self.merchant?);
        let new = NewTransaction { id, kind, original, account, merchant, amount, occurred_at };
        Some(Command::TakeTransaction(Box::new(new)))
    }

    /// Something happens.
    pub fn step(&mut self) -> Result<(), String> {
        match self.chance.below(100) {
            0..60 => {
                let plans = self.plans();
                if plans.is_empty() { Ok(()) } else { self.command(plans) }
            }
            60..72 => {
                self.note("payment round");
                if self.chance.percent(12) {
                    let calls = self.chance.below(8);
                    self.provider.arm(calls);
                }
                self.round().map(drop)
            }
            72..80 => {
                self.note("tick");
                self.till.tick().map(drop)
            }
            80..92 => {
                let ms = match self.chance.below(10) {
                    0..4 => self.chance.within(1, 20_000),
                    4..8 => self.chance.within(20_000, 900_000),
                    8 => self.chance.within(900_000, 7_200_000),
                    _ => self.chance.within(7_200_000, 100_000_000),
                };
                self.till.clocks.pass(ms);
                self.note("time passes");
                Ok(())
            }
            92..94 => {
                let ms = self.chance.within(-7_200_000, 7_200_000);
                self.till.clocks.jump(ms);
                self.note("clock jumps");
                Ok(())
            }
            94..96 => {
                self.note("operator resumes");
                self.till.accept_jump()?;
                self.command(vec![Plan::Many(vec![Command::Resume])])
            }
            96..98 => {
                self.note("clean restart");
                self.till.disk.disarm();
                self.till.restart()
            }
            98 => {
                self.note("backup");
                self.back_up()
            }
            _ if self.backups.is_empty() || self.chance.percent(50) => Ok(()),
            _ => {
                self.note("restore");
                self.till.disk.disarm();
                let n = usize::try_from(self.chance.below(self.backups.len() as u64)).unwrap();
                self.restore(n)
            }
        }
    }

    /// One job, or several in one batch.
    fn plans(&mut self) -> Vec<Plan> {
        let jobs = if self.chance.percent(70) { 1 } else { 2 + self.chance.below(4) };
        let mut plans = Vec::new();
        for _ in 0..jobs {
            if self.chance.percent(10) {
                plans.extend(self.keyed());
                continue;
            }
            if self.chance.percent(16) {
                plans.push(Plan::Many(self.browse()));
                continue;
            }
            let commands = if self.chance.percent(75) { 1 } else { 2 + self.chance.below(3) };
            let commands: Vec<_> = (0..commands).filter_map(|_| self.deed()).collect();
            if !commands.is_empty() {
                plans.push(Plan::Many(commands));
            }
        }
        plans
    }

    /// A refund under a key; or the same request once more.
    fn keyed(&mut self) -> Option<Plan> {
        let now = self.till.now().ok()?;
        let model = &self.till.model;
        if self.chance.percent(50) {
            let recent: Vec<_> = model
                .keyed
                .iter()
                .filter(|(_, (_, _, at))| now - at < 40 * 3_600_000)
                .map(|(key, kept)| (*key, kept.0))
                .collect();
            let (key, body) = *self.chance.pick(&recent)?;
            let body = if self.chance.percent(20) { body + 1 } else { body };
            // The same key and body is the same request; with another body it must not happen.
            let command = self.repeated(key)?;
            return Some(Plan::Keyed { key, body, command });
        }
        let command = self.refund()?;
        self.named += 1;
        let key = self.named;
        self.requests.insert(key, command.clone());
        Some(Plan::Keyed { key, body: 1, command })
    }

    fn repeated(&self, key: u64) -> Option<Command> {
        self.requests.get(&key).cloned()
    }

    fn refund(&mut self) -> Option<Command> {
        let sold: Vec<_> = self
            .till
            .model
            .purchases
            .iter()
            .filter(|one| {
                matches!(
                    one.status,
                    PurchaseStatus::Paid | PurchaseStatus::Refunded | PurchaseStatus::Capturing
                )
            })
            .map(|one| (one.id, one.price))
            .collect();
        let (id, price) = *self.chance.pick(&sold)?;
        let amount = self.chance.percent(50).then(|| self.chance.within(1, price + 1));
        let restock = self.chance.percent(40);
        Some(Command::RefundPurchase { id: id?, amount, restock })
    }

    /// What one person, bridge or operator does.
    fn deed(&mut self) -> Option<Command> {
        match self.chance.below(100) {
            0..24 => Some(self.buy()),
            24..42 => Some(self.confirm()),
            42..48 => self.repost(),
            48..55 => self.again(),
            55..59 => Some(self.delete()),
            59..63 => Some(self.pass()),
            63..72 => self.sent(),
            72..75 => self.reply_failed(),
            75..78 => self.cancel(),
            78..79 => self.strike(),
            79..82 => self.refund(),
            82..84 => self.ship(),
            84..88 => self.spend(),
            88..91 => self.change_account(),
            91 if self.chance.percent(30) => Some(self.limits()),
            91..92 => Some({
                let user = self.chance.below(USERS);
                self.new_account(user)
            }),
            92..94 => self.erase(),
            94..96 => self.change_offer(),
            96..98 => self.stray(),
            98 => self.succeed_late(),
            _ => {
                let seconds = u32::try_from(self.chance.within(1, 3_000)).unwrap();
                Some(Command::AdvanceClock { seconds })
            }
        }
    }

    fn some_reply(&mut self) -> Option<(tagtill::till::id::ReplyId, super::model::Reply)> {
        // Mostly one that waits; sometimes any; sometimes one that was given up, and went out after all.
        let which = self.chance.below(20);
        let model = &self.till.model;
        let held = |reply: &super::model::Reply| {
            let bought = reply.purchase.and_then(|id| model.purchase_of(id));
            bought.is_some_and(|n| model.purchases[n].status == PurchaseStatus::Pending)
        };
        let replies: Vec<_> = model
            .replies
            .iter()
            .filter(|(_, reply)| match which {
                0 => true,
                1..6 => reply.status == ReplyStatus::Failed && held(reply),
                _ => reply.status == ReplyStatus::Queued,
            })
            .map(|(id, reply)| (*id, reply.clone()))
            .collect();
        self.chance.pick(&replies).cloned()
    }

    fn sent(&mut self) -> Option<Command> {
        let (id, reply) = self.some_reply()?;
        let own = self.chance.percent(95);
        let post_id = if own { format!("r{id}") } else { format!("r{}", self.chance.below(3)) };
        let sent_at = self.made_at();
        Some(Command::ReplySent { id, network: Some(reply.network), post_id, sent_at })
    }

    fn reply_failed(&mut self) -> Option<Command> {
        let (id, reply) = self.some_reply()?;
        let retry = self.chance.percent(40);
        Some(Command::ReplyFailed { id, network: Some(reply.network), reason: "refused".to_owned(), retry })
    }

    fn cancel(&mut self) -> Option<Command> {
        let ids: Vec<_> = self.till.model.purchases.iter().filter_map(|one| one.id).collect();
        self.chance.pick(&ids[ids.len().saturating_sub(6)..]).map(|id| Command::CancelPurchase { id: *id })
    }

    /// An operator takes somebody out of a line, mostly who stands there.
    fn strike(&mut self) -> Option<Command> {
        let model = &self.till.model;
        let lines =
            model.waiting.iter().map(|one| (model.offers[one.offer].id, model.accounts[one.account].id));
        let lines: Vec<_> = lines.collect();
        let (offer, account) = *self.chance.pick(&lines)?;
        let account = if self.chance.percent(80) { account } else { self.some_account() };
        Some(Command::LeaveWaiting { offer, account: account? })
    }

    fn ship(&mut self) -> Option<Command> {
        let ids: Vec<_> = self.till.model.purchases.iter().filter_map(|one| one.order_id).collect();
        let id = *self.chance.pick(&ids)?;
        Some(if self.chance.percent(60) {
            Command::ShipOrder { id, merchant: None, units: None, carrier: None, tracking_number: None }
        } else {
            Command::DeliverOrder { id, merchant: None }
        })
    }

    /// Often one with money under way: it cannot be erased at once, nor changed while it waits for that.
    /// Mostly of anybody; where somebody is being erased already, their names go to a new account, and once more.
    fn erase(&mut self) -> Option<Command> {
        let model = &self.till.model;
        let erasing: Vec<_> = model
            .accounts
            .iter()
            .filter(|one| one.status == AccountStatus::Erasing)
            .filter_map(|one| Some((one.id?, one.identities.first()?.clone())))
            .collect();
        if let Some((id, (network, user))) = self.chance.pick(&erasing).cloned()
            && self.chance.percent(75)
        {
            if self.till.model.linked(&network, &user).is_some() {
                return Some(Command::EraseAccount { id });
            }
            let user = user.trim_start_matches('u').parse().ok()?;
            return Some(self.new_account(user));
        }
        self.some_account().map(|id| Command::EraseAccount { id })
    }

    pub fn some_account(&mut self) -> Option<AccountId> {
        let model = &self.till.model;
        let under_way = |one: &&super::model::Purchase| {
            one.status == PurchaseStatus::Capturing
                || one.refunds.iter().any(|refund| refund.status == RefundStatus::Pending)
        };
        let busy = model.purchases.iter().filter(under_way).filter_map(|one| model.accounts[one.account].id);
        let busy: Vec<_> = busy.collect();
        let waiting: Vec<_> = model.waiting.iter().filter_map(|one| model.accounts[one.account].id).collect();
        let all: Vec<_> = model.accounts.iter().filter_map(|one| one.id).collect();
        if self.chance.percent(25) && !waiting.is_empty() {
            return self.chance.pick(&waiting).copied();
        }
        let some = if self.chance.percent(40) && !busy.is_empty() { busy } else { all };
        self.chance.pick(&some).copied()
    }

    fn change_account(&mut self) -> Option<Command> {
        let id = self.some_account()?;
        let mut change = AccountChange::default();
        match self.chance.below(4) {
            0 => change.status = Some(AccountStatus::Suspended),
            1 => change.status = Some(AccountStatus::Active),
            2 => {
                change.billing_address = Some(self.address());
                change.payment_method = Some(self.method());
            }
            _ => {
                let user = self.chance.below(USERS);
                change.identities = Some(NETWORKS.iter().map(|network| identity(network, user)).collect());
            }
        }
        Some(Command::UpdateAccount { id, change: Box::new(change) })
    }

    fn change_offer(&mut self) -> Option<Command> {
        let ids: Vec<OfferId> = self.till.model.offers.iter().map(|one| one.id).collect();
        let id = *self.chance.pick(&ids)?;
        let sizes = self.till.model.offers.iter().find(|one| one.id == id).map(|one| one.variants.len());
        let sizes: Vec<_> = SIZES.iter().take(sizes.unwrap_or(0)).map(|name| self.size(name)).collect();
        let prices = self.till.model.offers.iter().find(|one| one.id == id).map(|one| one.variants.clone());
        let mut change = OfferChange::default();
        match self.chance.below(13) {
            0..5 if !sizes.is_empty() => {
                // The quantities only: what a size costs stays.
                let prices = prices.unwrap_or_default();
                let price = |amount| Money { amount, currency: Currency::USD };
                let sizes = sizes.into_iter().zip(prices);
                let sizes = sizes.map(|(new, old)| Variant { price: old.price.map(price), ..new });
                change.variants = Some(sizes.collect());
            }
            0..4 => change.quantity = Some(Some(1 + self.chance.below(6))),
            4 => change.quantity = Some(None),
            12 => change.waitlist = Some(self.chance.percent(70)),
            5 => change.status = Some(OfferStatus::Paused),
            6 | 7 => change.status = Some(OfferStatus::Live),
            8 => change.per_account_limit = Some(u32::try_from(1 + self.chance.below(3)).unwrap()),
            9 => change.confirm_window_seconds = Some(u32::try_from(self.chance.within(10, 900)).unwrap()),
            10 => {
                change.price = Some(Money { amount: self.chance.within(1, 9_000), currency: Currency::USD });
            }
            _ if self.chance.percent(20) => change.status = Some(OfferStatus::Ended),
            _ => return None,
        }
        Some(Command::UpdateOffer { id, merchant: None, change: Box::new(change) })
    }

    /// An answer of the provider comes twice, or late.
    fn stray(&mut self) -> Option<Command> {
        let attempts: Vec<_> = self
            .till
            .model
            .purchases
            .iter()
            .flat_map(|one| {
                let attempts = (1..).zip(one.attempts.iter().map(|attempt| attempt.state.clone()));
                attempts.map(|(number, state)| (one.id, number, state))
            })
            .collect();
        let (id, attempt, state) = self.chance.pick(&attempts).cloned()?;
        let waiting: Vec<_> = attempts.iter().filter(|(.., state)| *state == AttemptState::Waiting).collect();
        if self.chance.percent(30) {
            // Somebody comes back from the provider's page.
            let id = self.chance.pick(&waiting).map_or(id, |(id, ..)| *id);
            return Some(Command::LookAtCharge { purchase: id? });
        }
        let answer = match state {
            AttemptState::Paid => ChargeAnswer::Paid,
            AttemptState::Declined(code) => ChargeAnswer::Declined(code),
            _ => ChargeAnswer::Unknown,
        };
        Some(Command::Charged { purchase: id?, attempt, answer })
    }
}

pub fn identity(network: &str, user: u64) -> Identity {
    Identity { network: network.to_owned(), user_id: format!("u{user}"), handle: format!("u{user}") }
}
