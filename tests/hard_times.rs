//! Hard times: too much to do, no room on the disk, files that cannot be read or written, handlers that hang.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "hard_times/disk.rs"]
mod disk;
#[path = "hard_times/failure.rs"]
mod failure;
#[path = "hard_times/files.rs"]
mod files;
#[path = "hard_times/overload.rs"]
mod overload;
#[path = "hard_times/rights.rs"]
mod rights;
mod support;
