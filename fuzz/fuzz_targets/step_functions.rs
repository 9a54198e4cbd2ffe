//! `cargo fuzz run step_functions --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::step_functions::TARGET.run)(data);
});
