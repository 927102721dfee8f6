//! Spoilt samples of format `csr-attestation`.
#![no_main]

keyvouch_fuzz::format_target!("csr-attestation");
