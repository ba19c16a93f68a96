#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tumble_fuzz::models::run(bytes));
