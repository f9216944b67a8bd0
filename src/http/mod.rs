//! HTTP: what stands between the network and the till.
//!
//! A client talks to the **gate** (`gate/`), which owns the public socket, reads one complete and checked
//! request at a time, and passes it on over a private connection to the **server** (`server.rs`), the one
//! file that knows `tiny_http`. Everybody else sees plain values: [`message::Request`] in,
//! [`message::Response`] out.
//!
//! Nothing here knows a rule of the till.

mod gate;
pub mod message;
pub mod server;

pub use gate::{GateConfig, GateStats};
pub use message::{Body, Method, Request, Response};
pub use server::{Handler, Responder, Server};
