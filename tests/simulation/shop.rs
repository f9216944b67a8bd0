//! What there is before anything happens: a merchant, offers, deals and accounts.

use super::deals::Deal;
use super::deeds::{NETWORKS, SIZES, USERS, identity};
use super::model::{Offer, Size};
use super::outbox::Budget;
use super::till::Plan;
use super::world::World;
use tagtill::till::command::{
    BuyerLimitsChange, Command, LimitsChange, NetworkChange, NewAccount, NewOffer, Outcome, Variant,
};
use tagtill::till::id::MerchantId;
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{Address, DealTerms, OfferStatus, OwnIdentity, PaymentMethod, Reward, Shortage};
use tagtill::till::time::Time;

impl World {
    /// A merchant, some offers and some accounts.
    pub fn open_shop(&mut self) -> Result<(), String> {
        let Outcome::Merchant(merchant) = self.setup(Command::CreateMerchant { name: "Shop".to_owned() })?
        else {
            return Err("no merchant".to_owned());
        };
        let own = Some(OwnIdentity { user_id: "shop".to_owned(), handle: "shop".to_owned() });
        self.network("x", own, Budget { quarter: Some(100), day: Some(2400), ..Budget::default() })?;
        self.network("sandbox", None, Budget::default())?;
        // The defaults would keep these few buyers waiting most of the time.
        let limits = if self.chance.percent(40) { self.limits() } else { no_limits() };
        self.command(vec![Plan::Many(vec![limits])])?;
        for n in 0..=self.chance.below(3) {
            self.put_up(merchant, n)?;
        }
        for n in 0..=self.chance.below(2) {
            self.put_up_deal(merchant, n)?;
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

    /// Settings of a network; often it takes few replies only.
    fn network(&mut self, slug: &str, own: Option<OwnIdentity>, usual: Budget) -> Result<(), String> {
        let mut few = |most: u64| 1 + u32::try_from(self.chance.below(most)).unwrap();
        let tight = Budget { quarter: Some(few(6)), day: Some(few(40)), ..Budget::default() };
        let budget = if self.chance.percent(50) { tight } else { usual };
        // In a few lives X lets only those be answered who mention the shop.
        let mention_needed = slug == "x" && budget.quarter == Some(6);
        self.till.model.mention_needed |= mention_needed;
        let change = NetworkChange {
            own: Some(own),
            mention_needed: Some(mention_needed),
            replies_per_15_minutes: Some(budget.quarter),
            replies_per_day: Some(budget.day),
            ..NetworkChange::default()
        };
        self.setup(Command::PutNetwork { slug: slug.to_owned(), change })?;
        if budget.quarter.is_some() {
            self.till.model.budgets.insert(slug.to_owned(), budget);
        }
        Ok(())
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

    fn put_up_deal(&mut self, merchant: MerchantId, n: u64) -> Result<(), String> {
        let now = self.till.now()?;
        let usd = |amount| Money { amount, currency: Currency::USD };
        let least = self.chance.within(100, 4_000);
        let percent = u32::try_from(5 + self.chance.below(40)).unwrap();
        let reward = if self.chance.percent(50) {
            Reward::Fixed(usd(self.chance.within(1, least)))
        } else {
            Reward::Percent { percent, cap: usd(self.chance.within(1, 3_000)) }
        };
        // Enough for one credit, and soon spent.
        let one = match reward {
            Reward::Fixed(money) => money.amount,
            Reward::Percent { percent, cap } => (least * i64::from(percent) / 100).clamp(1, cap.amount),
        };
        let budget = self.chance.percent(70).then(|| usd(self.chance.within(one, 3 * one)));
        let terms = DealTerms { min_spend: usd(least), reward, budget };
        let new = NewOffer {
            quantity: self.chance.percent(60).then(|| 1 + self.chance.below(4)),
            per_account_limit: u32::try_from(1 + self.chance.below(3)).unwrap(),
            ends_at: self
                .chance
                .percent(40)
                .then(|| Time::from_ms(now + self.chance.within(600_000, 40_000_000))),
            deal: Some(terms),
            ..NewOffer::new(merchant, &format!("#AmexThing{n}"), &format!("Deal {n}"), usd(least))
        };
        let Outcome::Offer(id) = self.setup(Command::CreateOffer(Box::new(new.clone())))? else {
            return Err("no deal".to_owned());
        };
        self.till.model.deals.push(Deal {
            id,
            tag: format!("amexthing{n}"),
            least,
            credit: match reward {
                Reward::Fixed(money) => Ok(money.amount),
                Reward::Percent { percent, cap } => Err((i64::from(percent), cap.amount)),
            },
            places: new.quantity.map(|places| places as usize),
            budget: budget.map(|money| money.amount),
            limit: new.per_account_limit,
            ends_at: new.ends_at.map(Time::ms),
            status: OfferStatus::Live,
            ended_at: None,
        });
        self.merchant = Some(merchant);
        Ok(())
    }

    pub fn size(&mut self, name: &str) -> Variant {
        let own = self.chance.percent(30);
        Variant {
            name: name.to_owned(),
            synonyms: Vec::new(),
            quantity: self.chance.percent(85).then(|| 1 + self.chance.below(3)),
            price: own.then(|| Money { amount: self.chance.within(1, 9_000), currency: Currency::USD }),
        }
    }

    pub fn new_account(&mut self, user: u64) -> Command {
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

    pub fn address(&mut self) -> Address {
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

    pub fn method(&mut self) -> PaymentMethod {
        PaymentMethod {
            gateway: "sim".to_owned(),
            customer: format!("cus_{}", self.chance.below(1_000_000)),
            token: "pm_1".to_owned(),
            brand: "visa".to_owned(),
            last4: "4242".to_owned(),
            fingerprint: if self.chance.percent(60) {
                format!("card{}", self.chance.below(2))
            } else {
                String::new()
            },
        }
    }
}

fn no_limits() -> Command {
    let none = BuyerLimitsChange {
        open_holds: Some(None),
        purchases_per_day: Some(None),
        spending_per_day: Some(Vec::new()),
    };
    Command::PutLimits(Box::new(LimitsChange {
        per_account: none.clone(),
        per_card: none,
        pause_after_expired_holds: Some(None),
        captures_per_hour: Some(None),
        ..LimitsChange::default()
    }))
}
