//! `cargo fuzz run schema --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::schema::TARGET.run)(data);
});
