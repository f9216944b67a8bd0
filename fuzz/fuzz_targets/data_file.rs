#![no_main]

use std::panic::{catch_unwind, set_hook};
use std::sync::Once;

// A panic within the store is part of what is checked here: only one that gets out of the check counts.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| set_hook(Box::new(|panic| {
        let text = panic.to_string();
        if !text.contains("redb-") {
            eprintln!("{text}");
        }
    })));
    if catch_unwind(|| tagtill_fuzz::data_file(data)).is_err() {
        std::process::abort();
    }
});
