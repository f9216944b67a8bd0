//! What bridges, operators and time do to a till; what people post is in `people`.

use super::model::{Offer, Size};
use super::till::Plan;
use super::world::World;
use tagtill::till::command::{
    AccountChange, ChargeAnswer, Command, NewAccount, NewOffer, OfferChange, Outcome, Variant,
};
use tagtill::till::id::{AccountId, MerchantId, OfferId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{
    AccountStatus, Address, AttemptState, Identity, OfferStatus, PaymentMethod, PurchaseStatus, RefundStatus,
    ReplyStatus, Shortage,
};
use tagtill::till::time::Time;

pub const NETWORKS: &[&str] = &["sandbox", "x"];
pub const USERS: u64 = 7;
pub const SIZES: &[&str] = &["s", "m", "l"];

impl World {
    /// A merchant, some offers and some accounts.
    pub fn open_shop(&mut self) -> Result<(), String> {
        let Outcome::Merchant(merchant) = self.setup(Command::CreateMerchant { name: "Shop".to_owned() })?
        else {
            return Err("no merchant".to_owned());
        };
        for n in 0..=self.chance.below(3) {
            self.put_up(merchant, n)?;
        }
        for n in 0..USERS - 2 {
            let new = self.new_account(n);
            self.command(vec![Plan::Many(vec![new])])?;
        }
        self.till.settle()
    }

    fn setup(&mut self, command: Command) -> Result<Outcome, String> {
        self.till.outside(command)
    }

    fn put_up(&mut self, merchant: MerchantId, n: u64) -> Result<(), String> {
        let now = self.till.now()?;
        let quantity = self.chance.percent(85).then(|| 1 + self.chance.below(4));
        let ends_at = self.chance.percent(30).then(|| now + self.chance.within(600_000, 20_000_000));
        let waitlist = self.chance.percent(60);
        let sizes = if self.chance.percent(35) { 2 + self.chance.below(2) } else { 0 };
        let variants: Vec<_> = SIZES.iter().take(sizes as usize).map(|name| self.size(name)).collect();
        let quantity = quantity.filter(|_| variants.is_empty());
        let new = NewOffer {
            max_per_purchase: u32::try_from(1 + self.chance.below(3)).unwrap(),
            shortage: if waitlist && self.chance.percent(60) {
                Shortage::Waitlist
            } else {
                Shortage::Partial
            },
            waitlist,
            variants,
            quantity,
            per_account_limit: u32::try_from(1 + self.chance.below(3)).unwrap(),
            confirm_window_seconds: u32::try_from(self.chance.within(30, 900)).unwrap(),
            ends_at: ends_at.map(Time::from_ms),
            ships_to: self.chance.percent(30).then(|| vec!["US".to_owned()]),
            ..NewOffer::new(
                merchant,
                &format!("#BuyThing{n}"),
                &format!("Thing {n}"),
                Money { amount: self.chance.within(1, 9_000), currency: Currency::USD },
            )
        };
        let Outcome::Offer(id) = self.setup(Command::CreateOffer(Box::new(new.clone())))? else {
            return Err("no offer".to_owned());
        };
        self.till.model.offers.push(Offer {
            id,
            buy: format!("buything{n}"),
            confirm: format!("confirmthing{n}"),
            price: new.price.amount,
            quantity,
            limit: new.per_account_limit as usize,
            window_ms: i64::from(new.confirm_window_seconds) * 1000,
            ends_at,
            ships_to: new.ships_to.and_then(|countries| countries.into_iter().next()),
            status: OfferStatus::Live,
            cancel: format!("passthing{n}"),
            variants: new
                .variants
                .iter()
                .map(|one| Size {
                    name: one.name.clone(),
                    quantity: one.quantity,
                    price: one.price.map(|price| price.amount),
                })
                .collect(),
            most: new.max_per_purchase,
            rest_waits: new.shortage == Shortage::Waitlist,
            waitlist: new.waitlist,
        });
        Ok(())
    }

    fn size(&mut self, name: &str) -> Variant {
        let own = self.chance.percent(30);
        Variant {
            name: name.to_owned(),
            synonyms: Vec::new(),
            quantity: self.chance.percent(85).then(|| 1 + self.chance.below(3)),
            price: own.then(|| Money { amount: self.chance.within(1, 9_000), currency: Currency::USD }),
        }
    }

    fn new_account(&mut self, user: u64) -> Command {
        let both = self.chance.percent(50);
        let identities =
            NETWORKS.iter().take(if both { 2 } else { 1 }).map(|network| identity(network, user)).collect();
        Command::CreateAccount(Box::new(NewAccount {
            identities,
            email: None,
            billing_address: self.address(),
            payment_method: self.method(),
        }))
    }

    fn address(&mut self) -> Address {
        let country = if self.chance.percent(80) { "US" } else { "CA" };
        Address {
            name: "Jo Doe".to_owned(),
            line1: "1 Main St".to_owned(),
            line2: None,
            city: "Springfield".to_owned(),
            region: None,
            postal_code: "62701".to_owned(),
            country: country.to_owned(),
        }
    }

    fn method(&mut self) -> PaymentMethod {
        PaymentMethod {
            gateway: "sim".to_owned(),
            customer: format!("cus_{}", self.chance.below(1_000_000)),
            token: "pm_1".to_owned(),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
            fingerprint: String::new(),
        }
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
            79..83 => self.refund(),
            83..87 => self.ship(),
            87..91 => self.change_account(),
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
            Command::ShipOrder { id, merchant: None, carrier: None, tracking_number: None }
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

    fn some_account(&mut self) -> Option<AccountId> {
        let model = &self.till.model;
        let under_way = |one: &&super::model::Purchase| {
            one.status == PurchaseStatus::Capturing
                || one.refunds.iter().any(|refund| refund.status == RefundStatus::Pending)
        };
        let busy = model.purchases.iter().filter(under_way).filter_map(|one| model.accounts[one.account].id);
        let busy: Vec<_> = busy.collect();
        let all: Vec<_> = model.accounts.iter().filter_map(|one| one.id).collect();
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
        let answer = match state {
            AttemptState::Paid => ChargeAnswer::Paid,
            AttemptState::Declined(code) => ChargeAnswer::Declined(code),
            _ => ChargeAnswer::Unknown,
        };
        Some(Command::Charged { purchase: id?, attempt, answer })
    }
}

fn identity(network: &str, user: u64) -> Identity {
    Identity { network: network.to_owned(), user_id: format!("u{user}"), handle: format!("u{user}") }
}
