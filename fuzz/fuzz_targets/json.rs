//! `cargo fuzz run json --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::json::TARGET.run)(data);
});
