//! `cargo fuzz run inspect --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::inspect::TARGET.run)(data);
});
