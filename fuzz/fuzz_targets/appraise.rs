//! Any files, with or without a request, to the whole verifier.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(submission) = keyvouch_fuzz::split(data) {
        keyvouch_fuzz::appraise(&keyvouch_fuzz::BUILT_IN, &submission);
    }
});
