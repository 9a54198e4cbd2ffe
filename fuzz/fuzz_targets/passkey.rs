//! `cargo fuzz run passkey --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::passkey::TARGET.run)(data);
});
