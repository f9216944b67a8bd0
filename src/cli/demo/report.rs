//! What the story came to: tables for the eye, and last lines for programs.

use super::Summary;
use super::stage::{Stage, address_words, stock, text};
use super::style::{Ink, Style, pad, wrap};
use super::timeline::{Stock, bar, counts};
use crate::client::Client;
use crate::till::money::{Currency, Money};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

/// How a line of the summary begins.
const LABEL: usize = 11;

/// What the till holds in the end, read through the API.
pub struct Found {
    purchases: Vec<Value>,
    /// Orders to ship.
    pub orders: Vec<Value>,
    /// By offer, in the order of the script.
    pub stock: Vec<Stock>,
    /// Card by account.
    cards: BTreeMap<String, (String, String)>,
}

impl Found {
    /// Reads it.
    pub fn read(admin: &Client, stage: &Stage) -> Result<Self, String> {
        let list = |path: &str| admin.all(path).map_err(|error| format!("{path}: {error}"));
        let mut orders = list("/v1/orders")?;
        // Oldest first, as the parcels leave: ids grow with time.
        orders.sort_by_key(|order| text(order, "id").unwrap_or_default());
        let mut left = Vec::new();
        for offer in &stage.offers {
            left.push(stock(admin, offer)?);
        }
        let cards =
            stage.buyers.iter().map(|(id, buyer)| (id.clone(), (buyer.handle.clone(), buyer.card.clone())));
        Ok(Self { purchases: list("/v1/purchases")?, orders, stock: left, cards: cards.collect() })
    }

    /// How many purchases stand where.
    pub fn by_status(&self) -> BTreeMap<String, u64> {
        let mut counted = BTreeMap::new();
        for purchase in &self.purchases {
            *counted.entry(text(purchase, "status").unwrap_or_default()).or_default() += 1;
        }
        counted
    }

    /// What was charged.
    fn charged(&self) -> Money {
        let paid =
            self.purchases.iter().filter(|purchase| text(purchase, "status").is_ok_and(|s| s == "paid"));
        let amounts = paid.filter_map(|purchase| purchase.pointer("/price/amount").and_then(Value::as_i64));
        Money { amount: amounts.sum(), currency: Currency::USD }
    }
}

/// The tables at the end of the story.
pub fn tables(style: Style, found: &Found) -> String {
    let mut out = format!("\n{}\n", style.paint(Ink::Dim, &"─".repeat(style.width)));
    let head = |out: &mut String, title: &str| {
        let _ = writeln!(out, "\n{}\n", style.paint(Ink::Bold, title));
    };
    head(&mut out, "Purchases");
    for (status, count) in most_first(&found.by_status()) {
        let ink = match status.as_str() {
            "paid" => Ink::Good,
            "declined" => Ink::Bad,
            _ => Ink::Calm,
        };
        let marks = "■".repeat(usize::try_from(count).unwrap_or(0));
        let _ = writeln!(out, "  {}{count:>3}  {}", pad(&status, 10), style.paint(ink, &marks));
    }
    let paid = found.by_status().get("paid").copied().unwrap_or(0);
    let _ = writeln!(
        out,
        "\n  {} charged for {paid} purchases",
        style.paint(Ink::Bold, &found.charged().to_string())
    );

    head(&mut out, "To ship");
    for order in &found.orders {
        let (handle, card) =
            found.cards.get(&text(order, "account").unwrap_or_default()).cloned().unwrap_or_default();
        let price = order.get("price").map(super::stage::money).unwrap_or_default();
        let title = text(order, "title").unwrap_or_default();
        let id = style.paint(Ink::Dim, &text(order, "id").unwrap_or_default());
        let _ = writeln!(out, "  {id}  {title}");
        let to = address_words(order.get("ship_to").unwrap_or(&Value::Null));
        for line in wrap(&to, style.width.saturating_sub(6)) {
            let _ = writeln!(out, "      {line}");
        }
        let paid = format!("@{handle} paid {price} with {card}");
        let _ = writeln!(out, "      {}", style.paint(Ink::Dim, &paid));
    }

    head(&mut out, "Stock");
    let widest = found.stock.iter().map(|stock| stock.title.chars().count()).max().unwrap_or(0);
    for stock in &found.stock {
        let units = usize::try_from(stock.available + stock.held + stock.sold).unwrap_or(0);
        let gap = " ".repeat(12_usize.saturating_sub(units));
        let _ =
            writeln!(out, "  {}  {}{gap}  {}", pad(&stock.title, widest), bar(style, stock), counts(stock));
    }
    let _ = writeln!(out, "\n  {}\n", style.paint(Ink::Dim, "■ sold  ▣ held  □ free"));
    out
}

/// What was counted, the most frequent first.
fn most_first(counted: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut sorted: Vec<_> = counted.iter().map(|(name, count)| (name.clone(), *count)).collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

/// The last lines: posts, purchases by status, orders, stock per offer, and what `verify` says.
///
/// # Errors
/// When it cannot be printed.
pub fn print_summary(out: &mut dyn Write, summary: &Summary, verify: &str) -> std::io::Result<()> {
    let verdicts: Vec<_> =
        most_first(&summary.verdicts).into_iter().map(|(code, count)| format!("{count} {code}")).collect();
    for (i, line) in wrap(&verdicts.join(", "), 78).iter().enumerate() {
        let label = if i == 0 { format!("posts      {}: ", summary.posts) } else { " ".repeat(LABEL + 4) };
        writeln!(out, "{label}{line}")?;
    }
    let all: u64 = summary.purchases_by_status.values().sum();
    let statuses: Vec<_> = most_first(&summary.purchases_by_status)
        .into_iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    writeln!(out, "{}{all}: {}", pad("purchases", LABEL), statuses.join(", "))?;
    writeln!(out, "{}{} to ship", pad("orders", LABEL), summary.orders)?;
    for (i, stock) in summary.stock.iter().enumerate() {
        let label = if i == 0 { "stock" } else { "" };
        writeln!(out, "{}{}: {}", pad(label, LABEL), stock.title, counts(stock))?;
    }
    writeln!(out, "{verify}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_count_everything() {
        let summary = Summary {
            posts: 3,
            verdicts: [("pending".to_owned(), 2), ("confirmed".to_owned(), 1)].into(),
            purchases_by_status: [("paid".to_owned(), 1), ("expired".to_owned(), 1)].into(),
            orders: 1,
            stock: vec![Stock { title: "Tea".to_owned(), available: 4, held: 0, sold: 1 }],
            visit: None,
        };
        let mut out = Vec::new();
        print_summary(&mut out, &summary, "verify holds: 1 order").unwrap();
        let expected = "\
posts      3: 2 pending, 1 confirmed
purchases  2: 1 expired, 1 paid
orders     1 to ship
stock      Tea: 4 free, 0 held, 1 sold
verify holds: 1 order
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
