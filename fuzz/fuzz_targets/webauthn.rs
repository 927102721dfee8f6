//! Spoilt samples of format `webauthn`.
#![no_main]

keyvouch_fuzz::format_target!("webauthn");
