//! `cargo fuzz run dify --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::dify::TARGET.run)(data);
});
