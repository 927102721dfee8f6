//! Spoilt samples of format `smartcard-hsm`.
#![no_main]

keyvouch_fuzz::format_target!("smartcard-hsm");
