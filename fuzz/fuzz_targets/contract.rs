//! `cargo fuzz run contract --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::contract::TARGET.run)(data);
});
