//! `cargo fuzz run note --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::note::TARGET.run)(data);
});
