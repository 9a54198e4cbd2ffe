//! `cargo fuzz run definition --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::definition::TARGET.run)(data);
});
