//! Spoilt samples of format `tpm`.
#![no_main]

keyvouch_fuzz::format_target!("tpm-ek");
