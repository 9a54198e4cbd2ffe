//! `cargo fuzz run proof --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::proof::TARGET.run)(data);
});
