//! `cargo fuzz run javascript --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::javascript::TARGET.run)(data);
});
