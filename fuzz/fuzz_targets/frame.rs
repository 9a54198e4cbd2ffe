//! `cargo fuzz run frame --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::frame::TARGET.run)(data);
});
