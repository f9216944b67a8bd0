#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| tagtill_fuzz::frames(data));
