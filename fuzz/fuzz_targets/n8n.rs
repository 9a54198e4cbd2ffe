//! `cargo fuzz run n8n --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    (sluice_fuzz::targets::n8n::TARGET.run)(data);
});
