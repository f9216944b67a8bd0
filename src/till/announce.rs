//! The post that puts an offer up: a text for its merchant to publish, in the offer's language. The till never posts it.

use super::hashtag::bare;
use super::record::{NetworkRecord, OfferRecord, Reward};
use super::text::length;
use super::words::{Language, Words};
use std::collections::BTreeMap;

/// The sentences of such a post in one language.
struct Phrases {
    code: &'static str,
    /// Before the least of several prices.
    from: &'static str,
    buy: &'static str,
    /// The same where the shop has to be mentioned: a reply does that.
    buy_by_reply: &'static str,
    /// What the till asks for, and what it means.
    confirm: &'static str,
    which: &'static str,
    ends: &'static str,
    deal: &'static str,
    deal_percent: &'static str,
    join: &'static str,
    join_by_reply: &'static str,
    link: &'static str,
    terms: &'static str,
}

const PHRASES: &[Phrases] = &[
    Phrases {
        code: "en",
        from: "from {price}",
        buy: "To buy, post #{tag}.",
        buy_by_reply: "To buy, reply with #{tag}.",
        confirm: "We answer with a second hashtag: posting that within {window} orders it and charges your linked card.",
        which: "Say which: {choices}.",
        ends: "Ends {date}.",
        deal: "Spend {spend} or more with your linked card and get {credit} back.",
        deal_percent: "Spend {spend} or more with your linked card and get {percent} % back, up to {credit}.",
        join: "To take part, post #{tag}.",
        join_by_reply: "To take part, reply with #{tag}.",
        link: "Link a card first: {url}",
        terms: "Terms: {url}",
    },
    Phrases {
        code: "de",
        from: "ab {price}",
        buy: "Zum Kaufen #{tag} posten.",
        buy_by_reply: "Zum Kaufen mit #{tag} antworten.",
        confirm: "Wir antworten mit einem zweiten Hashtag: Wer ihn innerhalb von {window} postet, bestellt und zahlt mit der verknüpften Karte.",
        which: "Bitte dazuschreiben: {choices}.",
        ends: "Endet am {date}.",
        deal: "Ab {spend} Umsatz mit der verknüpften Karte gibt es {credit} zurück.",
        deal_percent: "Ab {spend} Umsatz mit der verknüpften Karte gibt es {percent} % zurück, höchstens {credit}.",
        join: "Zum Mitmachen #{tag} posten.",
        join_by_reply: "Zum Mitmachen mit #{tag} antworten.",
        link: "Zuerst eine Karte verknüpfen: {url}",
        terms: "Bedingungen: {url}",
    },
    Phrases {
        code: "es",
        from: "desde {price}",
        buy: "Para comprar, publica #{tag}.",
        buy_by_reply: "Para comprar, responde con #{tag}.",
        confirm: "Respondemos con otro hashtag: publicarlo en {window} hace el pedido y lo cobra a tu tarjeta vinculada.",
        which: "Di cuál: {choices}.",
        ends: "Termina el {date}.",
        deal: "Gasta {spend} o más con tu tarjeta vinculada y te devolvemos {credit}.",
        deal_percent: "Gasta {spend} o más con tu tarjeta vinculada y te devolvemos el {percent} %, hasta {credit}.",
        join: "Para participar, publica #{tag}.",
        join_by_reply: "Para participar, responde con #{tag}.",
        link: "Vincula antes una tarjeta: {url}",
        terms: "Condiciones: {url}",
    },
    Phrases {
        code: "fr",
        from: "à partir de {price}",
        buy: "Pour acheter, publiez #{tag}.",
        buy_by_reply: "Pour acheter, répondez avec #{tag}.",
        confirm: "Nous répondons avec un second hashtag : le publier dans les {window} vaut commande et débite votre carte associée.",
        which: "Précisez : {choices}.",
        ends: "Jusqu’au {date}.",
        deal: "Dépensez {spend} ou plus avec votre carte associée et recevez {credit}.",
        deal_percent: "Dépensez {spend} ou plus avec votre carte associée et recevez {percent} %, au plus {credit}.",
        join: "Pour participer, publiez #{tag}.",
        join_by_reply: "Pour participer, répondez avec #{tag}.",
        link: "Associez d’abord une carte : {url}",
        terms: "Conditions : {url}",
    },
    Phrases {
        code: "ja",
        from: "{price}から",
        buy: "購入は #{tag} と投稿してください。",
        buy_by_reply: "購入は #{tag} と返信してください。",
        confirm: "二つ目のハッシュタグを返信します。{window}以内に投稿すると注文となり、連携したカードで支払われます。",
        which: "種類も書いてください：{choices}",
        ends: "{date}まで。",
        deal: "連携したカードで{spend}以上のお支払いで{credit}戻ります。",
        deal_percent: "連携したカードで{spend}以上のお支払いで{percent}%（最大{credit}）戻ります。",
        join: "参加は #{tag} と投稿してください。",
        join_by_reply: "参加は #{tag} と返信してください。",
        link: "先にカードを連携：{url}",
        terms: "条件：{url}",
    },
];

/// What is filled in; nothing that is filled in is looked at again.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        text.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    text + rest
}

/// The post: what it is, what it costs, how to buy, what that means, where to link a card. What fits every network comes
/// on top.
pub fn post(
    words: &Words,
    networks: &BTreeMap<String, NetworkRecord>,
    offer: &OfferRecord,
    link: &str,
) -> String {
    let language = words.pick([offer.language.as_deref(), None]);
    let known = |code| PHRASES.iter().find(|phrases| phrases.code == code);
    let Some(phrases) = known(language.code()).or(known("en")) else { return String::new() };
    let fits = |lines: &[String]| {
        let text = lines.join("\n");
        networks.values().all(|network| {
            length(&text, network.counting) <= usize::try_from(network.text_limit).unwrap_or(usize::MAX)
        })
    };
    // Only who is mentioned may answer there, and a reply is a mention.
    let by_reply = networks.values().any(|network| network.mention_needed && network.own.is_some());
    let mut lines = if offer.deal.is_some() {
        deal(phrases, language, offer, by_reply)
    } else {
        sale(phrases, language, offer, by_reply)
    };
    lines.push(fill(phrases.link, &[("url", link)]));
    for extra in extras(phrases, language, offer) {
        let mut longer = lines.clone();
        longer.insert(longer.len().saturating_sub(1), extra);
        if fits(&longer) {
            lines = longer;
        }
    }
    lines.join("\n")
}

fn sale(phrases: &Phrases, language: &Language, offer: &OfferRecord, by_reply: bool) -> Vec<String> {
    let prices = offer.variants.iter().map(|variant| offer.unit_price(Some(variant)));
    let least = prices.clone().min_by_key(|price| price.amount).unwrap_or(offer.price);
    let mut price = language.money(least);
    if prices.clone().any(|price| price != least) {
        price = fill(phrases.from, &[("price", &price)]);
    }
    let tag = bare(&offer.hashtag);
    let window = language.span(offer.confirm_window_seconds);
    let how = if by_reply { phrases.buy_by_reply } else { phrases.buy };
    let how = fill(how, &[("tag", tag)]);
    let confirm = fill(phrases.confirm, &[("window", &window)]);
    vec![format!("{} – {price}", offer.title), format!("{how}{}{confirm}", language.form().join)]
}

fn deal(phrases: &Phrases, language: &Language, offer: &OfferRecord, by_reply: bool) -> Vec<String> {
    let spend = language.money(offer.price);
    let terms = match offer.deal.map(|terms| terms.reward) {
        None => String::new(),
        Some(Reward::Fixed(credit)) => {
            fill(phrases.deal, &[("spend", &spend), ("credit", &language.money(credit))])
        }
        Some(Reward::Percent { percent, cap }) => {
            let (percent, cap) = (language.number(percent.into()), language.money(cap));
            fill(phrases.deal_percent, &[("spend", &spend), ("percent", &percent), ("credit", &cap)])
        }
    };
    let how = if by_reply { phrases.join_by_reply } else { phrases.join };
    vec![offer.title.clone(), terms, fill(how, &[("tag", bare(&offer.hashtag))])]
}

/// What is said where it fits.
fn extras(phrases: &Phrases, language: &Language, offer: &OfferRecord) -> Vec<String> {
    let mut extras = Vec::new();
    if offer.variants.len() > 1 {
        let names: Vec<&str> = offer.variants.iter().map(|variant| variant.name.as_str()).collect();
        extras.push(fill(phrases.which, &[("choices", &names.join(&language.form().list))]));
    }
    extras.extend(offer.ends_at.map(|end| fill(phrases.ends, &[("date", &language.day(end))])));
    extras.extend(offer.terms_url.as_ref().map(|url| fill(phrases.terms, &[("url", url)])));
    extras
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_looked_at_again() {
        let values = [("a", "{b}"), ("b", "no")];
        assert_eq!(fill("1 {a} 2 {c}{b}", &values), "1 {b} 2 no");
    }
}
