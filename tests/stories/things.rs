//! Things that lines describe: networks, variants, deals, addresses, cards.

use crate::words::Words;
use tagtill::till::command::{BuyerLimitsChange, Command, LimitsChange, NetworkChange, Variant};
use tagtill::till::record::{Address, DealTerms, OwnIdentity, OwnTexts, PaymentMethod, Reward};

/// `gives 25.00 USD for 75.00 USD, budget 50.00 USD`, `gives 10 percent up to 5.00 USD for 20.00 USD`
pub fn deal(words: &mut Words<'_>) -> Result<DealTerms, String> {
    let before = words.0;
    let percent = words.next().and_then(|word| word.parse().ok());
    let reward = match percent {
        Some(percent) if words.take("percent") => {
            words.take("up to");
            Reward::Percent { percent, cap: words.money()? }
        }
        _ => {
            words.0 = before;
            Reward::Fixed(words.money()?)
        }
    };
    words.take("for");
    let min_spend = words.money()?;
    let budget = if words.take("budget") { Some(words.money()?) } else { None };
    Ok(DealTerms { min_spend, reward, budget })
}

/// `in M or medium or "size M", 2 of them, at 16.00 USD`
pub fn variant(words: &mut Words<'_>) -> Result<Variant, String> {
    let mut new = Variant {
        name: words.must("a variant")?.to_owned(),
        synonyms: Vec::new(),
        quantity: None,
        price: None,
    };
    while words.take("or") {
        new.synonyms.push(words.must("another word for it")?.to_owned());
    }
    let before = words.0;
    new.quantity = words.next().and_then(|word| word.parse().ok());
    if new.quantity.is_none() || !words.take("of them") {
        (new.quantity, words.0) = (None, before);
    }
    if words.take("at") {
        new.price = Some(words.money()?);
    }
    Ok(new)
}

/// `network x: one reply per post, shop is us, no grace, …`
pub fn network(words: &mut Words<'_>) -> Result<Command, String> {
    let slug = words.must("a network")?.to_owned();
    let mut change = NetworkChange::default();
    while !words.0.trim_matches([' ', ',']).is_empty() {
        if words.take("one reply a post") {
            change.one_reply_per_post = Some(true);
        } else if words.take("many replies a post") {
            change.one_reply_per_post = Some(false);
        } else if words.take("grace") {
            change.grace_seconds = seconds(words.span_ms()?);
        } else if words.take("reply wait") {
            change.reply_wait_seconds = seconds(words.span_ms()?);
        } else if words.take("posts up to") {
            change.max_post_age_seconds = seconds(words.span_ms()?);
        } else if words.take("texts up to") {
            let limit = words.must("a number")?;
            change.text_limit = Some(limit.parse().map_err(|_| format!("{limit} is no number"))?);
        } else if words.take("no rate") {
            (change.replies_per_15_minutes, change.replies_per_day) = (Some(None), Some(None));
        } else if words.take("a quarter of an hour takes") {
            change.replies_per_15_minutes = Some(Some(words.number()?));
        } else if words.take("a day takes") {
            change.replies_per_day = Some(Some(words.number()?));
        } else if words.take("mention needed") {
            change.mention_needed = Some(true);
        } else if words.take("no mention needed") {
            change.mention_needed = Some(false);
        } else if words.take("we are") {
            let name = words.must("a name")?.to_owned();
            change.own = Some(Some(OwnIdentity { user_id: name.clone(), handle: name }));
        } else {
            return Err(format!("cannot read {:?}", words.0));
        }
    }
    Ok(Command::PutNetwork { slug, change })
}

pub fn address(country: &str) -> Address {
    Address {
        name: "A Buyer".to_owned(),
        line1: "1 Main Street".to_owned(),
        line2: None,
        city: "Town".to_owned(),
        region: None,
        postal_code: "12345".to_owned(),
        country: country.to_owned(),
    }
}

pub fn card(token: &str) -> PaymentMethod {
    PaymentMethod {
        gateway: "sandbox".to_owned(),
        customer: "cus_1".to_owned(),
        token: token.to_owned(),
        brand: "visa".to_owned(),
        last4: "4242".to_owned(),
        // A card with a name is the same for everybody.
        fingerprint: if token.contains('.') { token.to_owned() } else { String::new() },
    }
}

/// `limits: open 1, purchases 3, spending 100.00 USD, pause after 2 for 15 minutes, new accounts wait 1 hour, captures 2`;
/// after `per card` the first three are those of a card; `limits: none`.
pub fn limits(words: &mut Words<'_>) -> Result<Command, String> {
    let mut change = LimitsChange::default();
    let mut per_card = false;
    while !words.0.trim_matches([' ', ',']).is_empty() {
        let buyer = if per_card { &mut change.per_card } else { &mut change.per_account };
        if words.take("none") {
            let none = BuyerLimitsChange {
                open_holds: Some(None),
                purchases_per_day: Some(None),
                spending_per_day: Some(Vec::new()),
            };
            (change.per_account, change.per_card) = (none.clone(), none);
            (change.pause_after_expired_holds, change.captures_per_hour) = (Some(None), Some(None));
        } else if words.take("per card") {
            per_card = true;
        } else if words.take("open") {
            buyer.open_holds = Some(Some(words.number()?));
        } else if words.take("purchases") {
            buyer.purchases_per_day = Some(Some(words.number()?));
        } else if words.take("spending") {
            buyer.spending_per_day.get_or_insert_default().push(words.money()?);
        } else if words.take("pause after") {
            change.pause_after_expired_holds = Some(Some(words.number()?));
            if words.take("for") {
                change.pause_seconds = seconds(words.span_ms()?);
            }
        } else if words.take("new accounts wait") {
            change.new_account_wait_seconds = seconds(words.span_ms()?);
        } else if words.take("captures") {
            change.captures_per_hour = Some(Some(words.number()?));
        } else {
            return Err(format!("cannot read {:?}", words.0));
        }
    }
    Ok(Command::PutLimits(Box::new(change)))
}

fn seconds(ms: i64) -> Option<u32> {
    u32::try_from(ms / 1000).ok()
}

/// `in de sold_out "Weg."`: a text of the offer's own.
pub fn own_words(words: &mut Words<'_>, texts: &mut OwnTexts) -> Result<(), String> {
    words.take("in");
    let language = words.must("a language")?.to_owned();
    let name = words.must("what is said")?.to_owned();
    let text = words.must("a text")?.to_owned();
    texts.entry(language).or_default().entry(name).or_default().push(text);
    Ok(())
}
