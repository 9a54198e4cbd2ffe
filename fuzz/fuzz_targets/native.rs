//! `cargo fuzz run native --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::native::TARGET.run)(data);
});
