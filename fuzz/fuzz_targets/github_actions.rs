//! `cargo fuzz run github_actions --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::github_actions::TARGET.run)(data);
});
