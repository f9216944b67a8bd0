//! What must hold for any bytes at all, one function a fuzz target. A check that does not hold panics.
//!
//! The fuzz targets call these with what the fuzzer makes up; `cargo test` calls them with what is kept in
//! `fuzz/corpus`. Nothing here may depend on the clock, on chance, or on what was checked before.

mod data_file;
mod frames;
mod hashtags;
mod posts;
mod records;
mod replies;
mod request_body;
mod request_head;

pub use data_file::data_file;
pub use frames::frames;
pub use hashtags::hashtags;
pub use posts::posts;
pub use records::records;
pub use replies::replies;
pub use request_body::request_body;
pub use request_head::request_head;

/// Every target by its name, which is that of its folder in `fuzz/corpus` too.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("data_file", data_file),
    ("frames", frames),
    ("hashtags", hashtags),
    ("posts", posts),
    ("records", records),
    ("replies", replies),
    ("request_body", request_body),
    ("request_head", request_head),
];
