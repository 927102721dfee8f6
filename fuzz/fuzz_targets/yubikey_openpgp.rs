//! Spoilt samples of format `yubikey-openpgp`.
#![no_main]

keyvouch_fuzz::format_target!("yubikey-openpgp");
