//! HTTP: what stands between the network and the till.
//!
//! A client talks to the **gate** (`gate/`), which owns the public socket, reads one complete and checked
//! request at a time, and passes it on over a private connection to the **server** (`server.rs`), the one
//! file that knows `tiny_http`. Everybody else sees plain values: [`message::Request`] in,
//! [`message::Response`] out.
//!
//! The **API** (`api.rs`) is such a handler: it finds the route in the table of routes, admits the caller, and
//! calls the route's handler in `routes/`, one file a resource. Handlers turn requests into commands for the
//! writer and records into views; what is decided is decided elsewhere.
//!
//! The **pages** for buyers (`pages/`) are forms; what they look like is the affair of [`crate::web`].
//!
//! Nothing here knows a rule of the till.

mod answer;
mod api;
mod auth;
mod body;
mod bridges;
mod call;
mod csv;
pub mod gate;
mod idempotency;
pub mod message;
mod metrics;
mod openapi;
mod overview;
mod pages;
mod paging;
mod problem;
mod query;
pub mod route;
mod routes;
pub mod server;

pub use api::{Api, ApiConfig, Authenticating, MethodResolver, NotTaken, Notice, Play, PlaygroundPage};
pub use auth::hash_token;
pub use gate::{GateConfig, GateStats, wire};
pub use message::{Body, Method, Request, Response};
pub use openapi::document as openapi;
pub use problem::Problem;
pub use routes::all as routes;
pub use routes::rehearsals::{
    NotBegun, RehearsalProgress, RehearsalStatus, RehearsalView, RehearsalWish, Rehearsals, SaleShown,
    sale_shown,
};
pub use routes::tokens::new_secret;
pub use routes::{decimal, explain_post, posts_in, render_event};
pub use server::{Handler, Responder, Server};
