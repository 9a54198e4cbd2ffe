//! `cargo fuzz run entry --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::entry::TARGET.run)(data);
});
