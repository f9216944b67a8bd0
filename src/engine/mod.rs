//! The one writer: queue → batch → commit → answers; the tick; whoever waits for news.
//!
//! All changes are commands with an explicit time. They queue for one thread, which applies what is queued on one
//! snapshot; another commits it once, durably, and only then hands out the answers. It knows neither HTTP nor redb.

mod applied;
mod clock;
mod committer;
mod core;
mod handle;
mod job;
mod keyed;
mod memory;
mod stepper;
mod timing;
mod waiters;
mod writer;

pub use clock::{Clock, StandingTime, SystemTime, TimeSource, wall_ms};
pub use handle::{Handle, Overloaded, Stats};
pub use job::{Job, Keyed, Render, Rendered, Reply, Unavailable, Verdicted};
pub use keyed::find as find_kept;
pub use memory::{Memory, TokenEntry};
pub use stepper::Stepper;
pub use timing::{BOUNDS_MICROS, Timings};
pub use waiters::{Ask, News, Waiters};
pub use writer::{Engine, EngineConfig};
