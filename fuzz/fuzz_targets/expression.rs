//! `cargo fuzz run expression --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::expression::TARGET.run)(data);
});
