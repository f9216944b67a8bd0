//! Orders on paper: a table for spreadsheets, a packing slip to print.

use super::orders;
use super::reports::decimal;
use crate::http::answer::Answer;
use crate::http::api::Shared;
use crate::http::call::Call;
use crate::http::csv::Csv;
use crate::http::message::Response;
use crate::http::pages::{policy, secured};
use crate::http::problem::Problem;
use crate::http::route::{Kind, Route};
use crate::till::id::OrderId;
use crate::till::order;
use crate::till::record::{Address, MerchantRecord, OrderRecord};
use crate::till::state::{Direction, Read as _};
use crate::till::table::{Merchants, Orders};
use std::ops::ControlFlow;
use std::sync::Arc;

const MERCHANT: &[Kind] = &[Kind::Merchant];

pub const ROUTES: &[Route] = &[
    Route::get(
        "/v1/orders.csv",
        "exportOrders",
        "All orders, or a merchant's own, for a spreadsheet.",
        export,
    )
    .also(MERCHANT)
    .query(orders::FILTERS)
    .produces("text/csv"),
    Route::get(
        "/v1/orders/{id}/packing-slip",
        "getPackingSlip",
        "A page to print and to put into the parcel.",
        slip,
    )
    .also(MERCHANT)
    .produces("text/html"),
];

const COLUMNS: [&str; 20] = [
    "order",
    "status",
    "created_at",
    "title",
    "variant",
    "units",
    "units_shipped",
    "amount",
    "currency",
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "carrier",
    "tracking_number",
    "shipped_at",
    "purchase",
];

fn row(id: OrderId, order: &OrderRecord) -> Vec<String> {
    let newest = order.shipments.last();
    let to = order.ship_to.as_ref();
    let of = |part: fn(&Address) -> Option<&str>| to.and_then(part).unwrap_or_default().to_owned();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    vec![
        id.to_string(),
        order.status.word().to_owned(),
        order.created_at.to_string(),
        order.title.clone(),
        text(order.variant.as_ref()),
        order.units.to_string(),
        order.shipped_units().to_string(),
        decimal(order.price.amount, order.price.currency),
        order.price.currency.code().to_owned(),
        of(|to| Some(&to.name)),
        of(|to| Some(&to.line1)),
        of(|to| to.line2.as_deref()),
        of(|to| Some(&to.city)),
        of(|to| to.region.as_deref()),
        of(|to| Some(&to.postal_code)),
        of(|to| Some(&to.country)),
        text(newest.and_then(|one| one.carrier.as_ref())),
        text(newest.and_then(|one| one.tracking_number.as_ref())),
        order.shipped_at.map(|at| at.to_string()).unwrap_or_default(),
        order.purchase.to_string(),
    ]
}

/// Whoever reads all orders does not keep a worker from others.
fn export(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let filter = orders::Filter::read(&shared.handle.snapshot()?, call)?;
    Answer::later(move |shared, out| {
        let shared = Arc::clone(shared);
        let writing = std::thread::Builder::new().name("orders".to_owned()).spawn(move || {
            out.finish(table(&shared, &filter));
        });
        if let Err(error) = writing {
            log::error!("no thread to write a table with: {error}");
        }
    })
}

fn table(shared: &Shared, filter: &orders::Filter) -> Result<Response, Problem> {
    let mut csv = Csv::new(&COLUMNS)?;
    let mut failed = None;
    let snapshot = shared.handle.snapshot()?;
    if let Some(keys) = &filter.keys {
        for id in keys.iter().rev() {
            if let Some(order) = snapshot.get::<Orders>(id)?.filter(|order| filter.fits(order)) {
                csv.row(&row(*id, &order))?;
            }
        }
        return csv.answer("orders.csv");
    }
    snapshot.scan::<Orders>(&filter.span, Direction::Up, |id, order| {
        if filter.fits(&order)
            && let Err(problem) = csv.row(&row(id, &order))
        {
            failed = Some(problem);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or_else(|| csv.answer("orders.csv"), Err)
}

const STYLE: &str = "body{font:11pt/1.4 system-ui,sans-serif;margin:2cm auto;max-width:17cm;color:#000;background:#fff}\
h1{font-size:16pt;margin:0 0 1cm}address{font-style:normal;font-size:13pt;margin:0 0 1cm;white-space:pre-line}\
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3em .5em .3em 0;border-bottom:1px solid #999}\
td:last-child,th:last-child{text-align:right}p{color:#444;font-size:9pt}@media print{body{margin:0}}";

/// No price stands on it: a parcel may be a present.
fn slip(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Problem> {
    let id = call.id(OrderId::parse, "order")?;
    let snapshot = shared.handle.snapshot()?;
    let found = order::must_find(&snapshot, id, call.merchant())?;
    let merchant: MerchantRecord = snapshot.must::<Merchants>(&found.merchant)?;
    let page = Response::new(200, "text/html; charset=utf-8", page(id, &found, &merchant.name));
    let response = secured(page, &policy(STYLE, "'none'"));
    Ok(Answer::Now(response))
}

fn page(id: OrderId, order: &OrderRecord, merchant: &str) -> String {
    let to = order.ship_to.as_ref().map_or_else(|| "The address was erased.".to_owned(), lines);
    let variant = order.variant.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Packing slip {id}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\
         <h1>{}</h1><address>{}</address><table><thead><tr><th>Article</th><th>Units</th></tr></thead><tbody>\
         <tr><td>{}</td><td>{}</td></tr></tbody></table><p>Order {id}, {}</p></body></html>",
        escape(merchant),
        escape(&to),
        escape(&format!("{}{variant}", order.title)),
        order.units,
        escape(&order.created_at.to_string()),
    )
}

/// An address as it stands on a parcel.
fn lines(to: &Address) -> String {
    let city = format!("{} {}", to.postal_code, to.city);
    let parts = [
        Some(&to.name),
        Some(&to.line1),
        to.line2.as_ref(),
        Some(&city),
        to.region.as_ref(),
        Some(&to.country),
    ];
    parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("\n")
}

/// Text in HTML.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}
