//! Lines that do something: one command each.

use crate::things::{address, card, deal, limits, network, own_words, variant};
use crate::words::Words;
use crate::world::World;
use tagtill::till::command::{
    AccountChange, ChargeAnswer, Command, NewAccount, NewOffer, NewTransaction, OfferChange, Outcome, Post,
    RefundAnswer,
};
use tagtill::till::id::{OrderId, RefundId};
use tagtill::till::money::{Currency, Money};
use tagtill::till::record::{
    AccountStatus, Identity, OfferStatus, Recipient, RefundStatus, Shortage, TransactionKind,
};
use tagtill::till::refusal::Fault;
use tagtill::till::state::Read as _;
use tagtill::till::table::Refunds;
use tagtill::till::text::{fold, hashtags};
use tagtill::till::time::Time;

impl World {
    /// Plays a line that begins with `verb`; returns what came of it.
    pub fn act(&mut self, verb: &str, words: &mut Words<'_>) -> Result<String, String> {
        let command = match verb {
            "after" => {
                self.now = self.now.plus_ms(words.span_ms()?);
                return Ok("done".to_owned());
            }
            "network" => network(words)?,
            "limits" => limits(words)?,
            "operator" if words.take("resumes") => Command::Resume,
            "offer" => return self.new_offer(words),
            "change" | "pause" | "resume" | "finish" => self.edit_offer(verb, words)?,
            "buyer" => return self.new_buyer(words),
            "crowd" => return self.crowd(words),
            "suspend" | "activate" | "move" | "card" | "link" => self.edit_buyer(verb, words)?,
            "erase" => Command::EraseAccount { id: self.buyer(words.must("a buyer")?)? },
            "post" | "repost" => self.post(verb, words)?,
            "opts" => {
                let out = words.take("out");
                words.take("in");
                let user_id = words.must("somebody")?.to_owned();
                words.take("on");
                let network = words.must("a network")?.to_owned();
                if out { Command::OptOut { network, user_id } } else { Command::OptIn { network, user_id } }
            }
            "delete" => {
                let id = words.must("a post")?.to_owned();
                let network = if words.take("on") {
                    words.must("a network")?.to_owned()
                } else {
                    self.posts.get(&id).cloned().unwrap_or_else(|| "x".to_owned())
                };
                Command::DeletePost { network, id }
            }
            "sent" | "failed" => self.reported(verb, words)?,
            "tick" => Command::Tick { expire_until: Some(self.now), slice: 1000, keep_seconds: 90 * 86_400 },
            "gateway" => self.gateway(words)?,
            "spends" | "returns" | "reverses" => self.spend(verb, words)?,
            "credit" if words.take("says") => self.credited(words)?,
            "back" => Command::LookAtCharge { purchase: self.purchase(words)?.0 },
            "bank" => self.bank(words)?,
            "refund" => {
                let (id, _) = self.purchase(words)?;
                let restock = words.take("and restock");
                let amount = if words.0.trim().is_empty() { None } else { Some(words.amount()?) };
                let restock = restock || words.take("and restock");
                Command::RefundPurchase { id, amount, restock }
            }
            "session" => return self.session(words),
            "step" => return self.step(words),
            "strike" => {
                let account = self.buyer(words.must("a buyer")?)?;
                Command::LeaveWaiting { offer: self.offer(words.must("an offer")?)?, account }
            }
            "provider" => self.provider(words)?,
            "cancel" if words.take("order") => {
                let id = self.order(words)?;
                Command::CancelOrder { id, merchant: None, restock: words.take("and restock") }
            }
            "cancel" => Command::CancelPurchase { id: self.purchase(words)?.0 },
            "ship" => {
                let id = self.order(words)?;
                let units = if words.0.trim().is_empty() { None } else { Some(words.number()?) };
                Command::ShipOrder { id, merchant: None, units, carrier: None, tracking_number: None }
            }
            "deliver" => Command::DeliverOrder { id: self.order(words)?, merchant: None },
            other => return Err(format!("nobody knows how to {other:?}")),
        };
        self.outcome(&command)
    }

    fn outcome(&mut self, command: &Command) -> Result<String, String> {
        match self.apply(command) {
            Ok(Outcome::Post(answer)) => {
                let place = answer.waits.map(|(_, place)| format!(", number {place}")).unwrap_or_default();
                let repeated = if answer.repeated { ", repeated" } else { "" };
                Ok(format!("{}{place}{repeated}", answer.verdict.code()))
            }
            Ok(Outcome::Transaction { repeated: true, .. }) => Ok("repeated".to_owned()),
            Ok(Outcome::PostDeleted { passed: true, .. }) => Ok("passed".to_owned()),
            Ok(Outcome::Noticed { repeated }) => Ok(if repeated { "repeated" } else { "taken" }.to_owned()),
            Ok(Outcome::Ticked { freed, .. }) => Ok(format!("{freed} freed")),
            Ok(_) => Ok("done".to_owned()),
            Err(Fault::Refused(refusal)) => Ok(format!("refused: {}", refusal.detail)),
            Err(Fault::State(error)) => Err(format!("the store failed: {error}")),
        }
    }

    /// `offer Shirt: #BuyShirt, 15.00 USD, 3 in stock, limit 2, window 5 minutes, ships to US CA, …`
    fn new_offer(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let name = words.must("a name")?;
        let mut new = NewOffer::new(
            tagtill::till::id::MerchantId(0),
            words.must("a hashtag")?,
            name,
            Money { amount: 1500, currency: Currency::USD },
        );
        let mut merchant = "shop";
        while !words.0.trim().is_empty() {
            if words.take("confirm") {
                new.confirm_hashtag = Some(words.must("a hashtag")?.to_owned());
            } else if words.take("limit") {
                new.per_account_limit = words.number()?;
            } else if words.take("window") {
                new.confirm_window_seconds = u32::try_from(words.span_ms()? / 1000).unwrap();
            } else if words.take("starts in") {
                new.starts_at = Some(self.now.plus_ms(words.span_ms()?));
            } else if words.take("ends in") {
                new.ends_at = Some(self.now.plus_ms(words.span_ms()?));
            } else if words.take("terms") {
                new.terms_url = Some(words.must("a link")?.to_owned());
            } else if words.take("titled") {
                words.must("a title")?.clone_into(&mut new.title);
            } else if words.take("pass with") {
                new.cancel_hashtag = Some(words.must("a hashtag")?.to_owned());
            } else if words.take("waiting list for the rest") {
                (new.waitlist, new.shortage) = (true, Shortage::Waitlist);
            } else if words.take("waiting list") {
                new.waitlist = true;
            } else if words.take("up to") {
                new.max_per_purchase = words.number()?;
                words.take("at once");
            } else if words.take("in") {
                new.variants.push(variant(words)?);
            } else if words.take("replies in") {
                new.language = Some(words.must("a language")?.to_owned());
            } else if words.take("says") {
                own_words(words, &mut new.texts)?;
            } else if words.take("gives") {
                new.deal = Some(deal(words)?);
                new.price = new.deal.map_or(new.price, |terms| terms.min_spend);
            } else if words.take("by") {
                merchant = words.must("a merchant")?;
            } else if words.take("ships to") {
                new.ships_to = Some(words.must("a country")?.split('+').map(str::to_owned).collect());
            } else {
                words.0 = words.0.trim_start_matches([' ', ',']);
                let before = words.0;
                let quantity = words.next().and_then(|word| word.parse().ok());
                if quantity.is_some() && words.take("in stock") {
                    new.quantity = quantity;
                } else {
                    words.0 = before;
                    new.price = words.money()?;
                }
            }
        }
        if !self.merchants.contains_key(merchant) {
            let Ok(Outcome::Merchant(id)) =
                self.apply(&Command::CreateMerchant { name: merchant.to_owned() })
            else {
                return Err("no merchant".to_owned());
            };
            self.merchants.insert(merchant.to_owned(), id);
        }
        new.merchant = self.merchants[merchant];
        match self.apply(&Command::CreateOffer(Box::new(new))) {
            Ok(Outcome::Offer(id)) => {
                self.offers.insert(name.to_owned(), id);
                Ok("done".to_owned())
            }
            Err(Fault::Refused(refusal)) => Ok(format!("refused: {}", refusal.detail)),
            other => Err(format!("{other:?}")),
        }
    }

    fn edit_offer(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        let id = self.offer(words.must("an offer")?)?;
        let mut change = OfferChange::default();
        match verb {
            "pause" => change.status = Some(OfferStatus::Paused),
            "resume" => change.status = Some(OfferStatus::Live),
            "finish" => change.status = Some(OfferStatus::Ended),
            _ if words.take("to end in") => change.ends_at = Some(Some(self.now.plus_ms(words.span_ms()?))),
            _ if words.take("to give") => {
                let terms = deal(words)?;
                change.min_spend = Some(terms.min_spend);
                change.reward = Some(terms.reward);
                change.budget = Some(terms.budget);
            }
            _ if words.take("to say") => {
                own_words(words, change.texts.get_or_insert_default())?;
            }
            _ if words.take("waiting list off") => change.waitlist = Some(false),
            _ if words.take("limit to") => change.per_account_limit = Some(words.number()?),
            _ if words.take("to ship to") => {
                change.ships_to = Some(Some(vec![words.must("a country")?.to_owned()]));
            }
            _ if words.take("to") && words.take("in") => {
                let mut variants = vec![variant(words)?];
                while words.take("in") {
                    variants.push(variant(words)?);
                }
                change.variants = Some(variants);
            }
            _ if words.take("stock to") => change.quantity = Some(Some(words.number()?)),
            _ if words.take("window to") => {
                change.confirm_window_seconds = Some(u32::try_from(words.span_ms()? / 1000).unwrap());
            }
            _ => {
                words.take("price to");
                change.price = Some(words.money()?);
            }
        }
        Ok(Command::UpdateOffer { id, merchant: None, change: Box::new(change) })
    }

    /// `crowd of 300 posts "#BuyShirt" and is suspended`: that many buyers, one after the other.
    fn crowd(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        words.take("of");
        let count: usize = words.number()?;
        words.take("posts");
        let text = words.must("a text")?;
        words.take("and is suspended");
        for n in 0..count {
            self.new_buyer(&mut Words(&format!("crowd{n} on mastodon")))?;
            let post = self.post("post", &mut Words(&format!("crowd{n} c{n} \"{text}\"")))?;
            self.outcome(&post)?;
            let change = AccountChange { status: Some(AccountStatus::Suspended), ..AccountChange::default() };
            let id = self.buyer(&format!("crowd{n}"))?;
            self.outcome(&Command::UpdateAccount { id, change: Box::new(change) })?;
        }
        Ok("done".to_owned())
    }

    /// `buyer alice on x and bluesky, from CA, pays with tok_visa`
    fn new_buyer(&mut self, words: &mut Words<'_>) -> Result<String, String> {
        let name = words.must("a name")?;
        let mut identities = Vec::new();
        while words.take("on") || words.take("and") {
            let network = words.must("a network")?.to_owned();
            identities.push(Identity { network, user_id: name.to_owned(), handle: name.to_owned() });
        }
        let country = if words.take("from") { words.must("a country")? } else { "US" };
        let token = if words.take("pays with") { words.must("a card")? } else { "tok_visa" };
        let home = identities.first().map_or("x", |identity| identity.network.as_str()).to_owned();
        let new = NewAccount {
            identities,
            email: Some(format!("{name}@example.com")),
            billing_address: address(country),
            payment_method: card(token),
        };
        match self.apply(&Command::CreateAccount(Box::new(new))) {
            Ok(Outcome::Account(id)) => {
                self.buyers.insert(name.to_owned(), id);
                self.homes.insert(name.to_owned(), home);
                Ok("done".to_owned())
            }
            Err(Fault::Refused(refusal)) => Ok(format!("refused: {}", refusal.detail)),
            other => Err(format!("{other:?}")),
        }
    }

    fn edit_buyer(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        let name = words.must("a buyer")?;
        let id = self.buyer(name)?;
        let mut change = AccountChange::default();
        match verb {
            "suspend" => change.status = Some(AccountStatus::Suspended),
            "activate" => change.status = Some(AccountStatus::Active),
            "link" => {
                let network = words.must("a network")?.to_owned();
                let user_id = if words.take("as") { words.must("a user")? } else { name }.to_owned();
                change.identities = Some(vec![Identity { network, handle: user_id.clone(), user_id }]);
            }
            "move" => {
                words.take("to");
                change.billing_address = Some(address(words.must("a country")?));
            }
            _ => change.payment_method = Some(card(words.must("a card")?)),
        }
        Ok(Command::UpdateAccount { id, change: Box::new(change) })
    }

    /// `post alice p1 "#BuyShirt" on x, made 20 minutes ago`, `repost alice p2 of r-p1`
    fn post(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        let author = words.must("an author")?;
        let id = words.must("a post's name")?.to_owned();
        let mut repost_of = None;
        let mut text = "";
        if verb == "repost" {
            words.take("of");
            repost_of = Some(words.must("a post")?.to_owned());
            if words.take("with") {
                text = words.must("a text")?;
            }
        } else {
            text = words.must("a text")?;
        }
        let network = if words.take("on") {
            words.must("a network")?.to_owned()
        } else {
            self.homes.get(author).cloned().unwrap_or_else(|| "x".to_owned())
        };
        let language = if words.take("in") { Some(words.must("a language")?.to_owned()) } else { None };
        let handle = if words.take("called") { words.must("a handle")? } else { author };
        let quote_of = if words.take("quoting") { Some(words.must("a post")?.to_owned()) } else { None };
        let to_us = if words.take("not to us") { Some(false) } else { words.take("to us").then_some(true) };
        let created_at = self.moment(words, "made")?;
        self.posts.entry(id.clone()).or_insert_with(|| network.clone());
        Ok(Command::JudgePost(Post {
            network,
            id,
            author: Recipient { user_id: author.to_owned(), handle: handle.to_owned() },
            hashtags: hashtags(text).iter().map(|tag| fold(tag)).collect(),
            text: text.to_owned(),
            created_at,
            repost_of,
            quote_of,
            to_us,
            language,
        }))
    }

    /// `made 20 minutes ago`, `made in 5 minutes` (a wrong clock), or nothing.
    fn moment(&self, words: &mut Words<'_>, verb: &str) -> Result<Option<Time>, String> {
        if !words.take(verb) {
            return Ok(None);
        }
        let future = words.take("in");
        let ms = words.span_ms()?;
        if !future && !words.take("ago") {
            return Err("`ago` is missing".to_owned());
        }
        Ok(Some(self.now.plus_ms(if future { ms } else { -ms })))
    }

    /// `sent p1`: the reply to p1 is out as the post `r-p1`. `sent p1 as r9, out 2 minutes ago`. `failed p1 for good`.
    fn reported(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        let post = words.must("a post")?.to_owned();
        let (id, reply) = self.reply(&post).ok_or("that post has no reply")?;
        if verb == "failed" {
            let retry = !words.take("for good");
            return Ok(Command::ReplyFailed {
                id,
                network: None,
                reason: "the network said no".to_owned(),
                retry,
            });
        }
        let post_id = if words.take("as") { words.must("a post")?.to_owned() } else { format!("r-{post}") };
        let network = if words.take("by") { words.must("a network")?.to_owned() } else { reply.network };
        let sent_at = self.moment(words, "out")?;
        Ok(Command::ReplySent { id, network: Some(network), post_id, sent_at })
    }

    /// `gateway says paid to alice Shirt, attempt 1`; `owner`: it asks for the card's owner
    fn gateway(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        words.take("says");
        let said = words.must("an answer")?;
        words.take("to");
        let (purchase, record) = self.purchase(words)?;
        let last = u32::try_from(record.attempts.len()).unwrap();
        let attempt = if words.take("attempt") { words.number()? } else { last };
        let answer = match said {
            "created" => ChargeAnswer::Created(format!("pay_{attempt}")),
            "paid" => ChargeAnswer::Paid,
            "declined" => ChargeAnswer::Declined("card_declined".to_owned()),
            "unknown" => ChargeAnswer::Unknown,
            "lost" => ChargeAnswer::Lost,
            "canceled" => ChargeAnswer::Declined("canceled".to_owned()),
            "owner" => ChargeAnswer::NeedsOwner,
            other => return Err(format!("no gateway says {other:?}")),
        };
        Ok(Command::Charged { purchase, attempt, answer })
    }

    /// `bank gives back to alice Shirt`, `bank refuses alice Shirt`, `bank is unsure of alice Shirt`; `, refund 1`
    fn bank(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let answer = if words.take("gives back to") {
            RefundAnswer::Succeeded("re_1".to_owned())
        } else if words.take("refuses") {
            RefundAnswer::Failed("no".to_owned())
        } else {
            words.take("is unsure of");
            RefundAnswer::Unknown
        };
        let (_, record) = self.purchase(words)?;
        let tx = self.batch.as_mut().unwrap().begin();
        let chosen: Option<usize> = if words.take("refund") { Some(words.number()?) } else { None };
        let pending = |id: &&RefundId| tx.must::<Refunds>(id).unwrap().status == RefundStatus::Pending;
        let refund = match chosen {
            Some(number) => record.refunds.get(number - 1),
            None => record.refunds.iter().find(pending).or(record.refunds.last()),
        };
        Ok(Command::RefundAnswered { refund: *refund.ok_or("there is no refund")?, answer })
    }

    /// `spends t1 alice 80.00 USD at shop, 5 minutes ago`, `returns t2 of t1 alice 10.00 USD at shop`
    fn spend(&mut self, verb: &str, words: &mut Words<'_>) -> Result<Command, String> {
        let id = words.must("a transaction")?.to_owned();
        let original = if words.take("of") { Some(words.must("a transaction")?.to_owned()) } else { None };
        let account = self.buyer(words.must("a buyer")?)?;
        let amount = words.money()?;
        words.take("at");
        let merchant = *self.merchants.get(words.must("a merchant")?).ok_or("there is no such merchant")?;
        let occurred_at = self.moment(words, "made")?.unwrap_or(self.now);
        let kind = match verb {
            "spends" => TransactionKind::Purchase,
            "returns" => TransactionKind::Refund,
            _ => TransactionKind::Reversal,
        };
        let new = NewTransaction { id, kind, original, account, merchant, amount, occurred_at };
        Ok(Command::TakeTransaction(Box::new(new)))
    }

    /// `credit says paid to alice Deal`, `credit says given back / refused to alice Deal`: the newest one.
    fn credited(&mut self, words: &mut Words<'_>) -> Result<Command, String> {
        let said = words.must("an answer")?;
        words.take("back");
        words.take("to");
        let (credit, record) = self.credit(words)?;
        let last = u32::try_from(record.attempts.len()).unwrap();
        let attempt = if words.take("attempt") { words.number()? } else { last };
        let open = record.reversals.iter().find(|one| one.status == RefundStatus::Pending);
        let number = open.or(record.reversals.last()).map_or(1, |one| one.number);
        let charge = |answer| Ok(Command::CreditAnswered { credit, attempt, answer });
        match said {
            "created" => charge(ChargeAnswer::Created(format!("cr_{attempt}"))),
            "paid" => charge(ChargeAnswer::Paid),
            "declined" => charge(ChargeAnswer::Declined("no".to_owned())),
            "unknown" => charge(ChargeAnswer::Unknown),
            "lost" => charge(ChargeAnswer::Lost),
            "given" => {
                let answer = RefundAnswer::Succeeded("rev_1".to_owned());
                Ok(Command::ReversalAnswered { credit, number, answer })
            }
            "refused" => Ok(Command::ReversalAnswered {
                credit,
                number,
                answer: RefundAnswer::Failed("no".to_owned()),
            }),
            other => Err(format!("no gateway says {other:?} about a credit")),
        }
    }

    fn order(&mut self, words: &mut Words<'_>) -> Result<OrderId, String> {
        self.purchase(words)?.1.order.ok_or_else(|| "there is no order".to_owned())
    }
}
