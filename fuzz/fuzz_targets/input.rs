//! One file to what unwraps files, and to the readers of encodings.
#![no_main]

use keyvouch::input::{Limits, Parts, decode_base64, find_pem};
use keyvouch::{File, Submission};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let limits = Limits { total_in: 1 << 20, total_unwrapped: 1 << 20, depth: 4, parts: 32 };
    let submission = Submission::new(vec![File::new("file", data)], keyvouch_fuzz::at());
    if let Ok(parts) = Parts::of(&submission, &[], limits) {
        assert!(parts.iter().count() <= limits.parts);
        for (id, part) in parts.iter() {
            assert!(!part.content.describe().is_empty());
            assert!(part.parent.is_none_or(|parent| parent < id));
        }
    }
    let _ = decode_base64(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = find_pem(text);
    }
});
