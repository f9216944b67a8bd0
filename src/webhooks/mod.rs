//! Webhooks: events sent to merchants' own addresses, signed after the Standard Webhooks specification.
//!
//! The worker starts from committed rows only, and what came of a delivery is a command. It knows no route and no view:
//! how an event is written it is told. It must never send anything to an address that is not the world's to see.

mod address;
mod post;
mod round;
mod sign;
mod worker;

pub use address::{Checked, is_public};
pub use post::{Came, Parcel, Sender};
pub use round::Render;
pub use sign::{new_secret, sign};
pub use worker::Worker;
