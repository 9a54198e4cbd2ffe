//! `cargo fuzz run logic_apps --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::logic_apps::TARGET.run)(data);
});
