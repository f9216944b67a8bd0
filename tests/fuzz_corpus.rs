//! Every input that is kept in `fuzz/corpus`, through the same checks as the fuzz targets run.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_imports,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test fails by panicking"
)]

#[path = "../fuzz/checks/mod.rs"]
mod checks;

use std::panic::catch_unwind;
use std::path::Path;

#[test]
fn what_was_found_once_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut broken = Vec::new();
    for (target, check) in checks::TARGETS {
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 5, "{target} has next to nothing in its corpus");
        for file in files {
            let data = std::fs::read(&file).unwrap();
            if catch_unwind(|| check(&data)).is_err() {
                broken.push(file);
            }
        }
    }
    assert!(broken.is_empty(), "these do not hold: {broken:#?}");
}
