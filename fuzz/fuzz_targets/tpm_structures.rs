//! Files to the readers of TPM structures: as evidence, as endorsement keys and attestation keys, as states of
//! challenges. For whatever is read as both keys a challenge is made.
#![no_main]

use keyvouch::tpm::activation::{AttestationKey, Challenge, EndorsementKey, Pending, RANDOM_LEN};
use keyvouch_fuzz::{BUILT_IN, appraise, at, split};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(submission) = split(data) else { return };
    appraise(&BUILT_IN, &submission);
    let files = || submission.evidence.iter().map(|file| &file.bytes);
    let endorsement: Vec<_> = files().filter_map(|bytes| EndorsementKey::read(bytes).ok()).collect();
    let attestation: Vec<_> = files().filter_map(|bytes| AttestationKey::read(bytes).ok()).collect();
    for (ek, ak) in endorsement.iter().zip(&attestation) {
        if let Ok(challenge) = Challenge::new(ek, ak, at(), &[1; RANDOM_LEN]) {
            let state = challenge.pending.to_json();
            assert_eq!(Pending::from_json(&state).as_ref(), Ok(&challenge.pending));
            assert!(challenge.pending.confirm(&[], at()).is_err());
        }
    }
    for state in files().filter_map(|bytes| serde_json::from_slice(bytes).ok()) {
        if let Ok(pending) = Pending::from_json(&state) {
            let _ = pending.confirm(data, at());
        }
    }
});
