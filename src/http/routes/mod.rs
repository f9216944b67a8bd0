//! The calls of the API, one file a resource. Each file holds its rows of the table of routes, its requests, its
//! views and its handlers.

mod accounts;
pub mod backups;
mod bridges;
mod cursors;
mod deals;
mod endpoints;
mod events;
mod gateway_events;
mod ledger;
mod limits;
mod lines;
mod link_sessions;
mod me;
mod merchants;
mod networks;
mod offer_parts;
mod offer_preview;
mod offers;
mod operation;
mod opt_outs;
mod order_papers;
mod orders;
mod overview;
mod patch;
mod post;
mod posts;
mod purchases;
pub mod rehearsals;
mod replies;
mod reports;
mod search;
mod status;
mod story;
pub mod tokens;
mod waiting;

pub use events::render as render_event;
pub use ledger::explain_post;
pub use lines::posts_in;
pub use reports::decimal;

use super::route::Route;

/// Every call there is. Posts stand first: most requests are posts.
pub fn all() -> impl Iterator<Item = &'static Route> {
    [
        posts::ROUTES,
        replies::ROUTES,
        networks::ROUTES,
        cursors::ROUTES,
        bridges::ROUTES,
        opt_outs::ROUTES,
        limits::ROUTES,
        merchants::ROUTES,
        accounts::ROUTES,
        link_sessions::ROUTES,
        offer_preview::ROUTES,
        offers::ROUTES,
        waiting::ROUTES,
        purchases::ROUTES,
        story::ROUTES,
        orders::ROUTES,
        order_papers::ROUTES,
        deals::ROUTES,
        reports::ROUTES,
        events::ROUTES,
        endpoints::ROUTES,
        gateway_events::ROUTES,
        tokens::ROUTES,
        backups::ROUTES,
        operation::ROUTES,
        status::ROUTES,
        me::ROUTES,
        overview::ROUTES,
        rehearsals::ROUTES,
    ]
    .into_iter()
    .flatten()
}
