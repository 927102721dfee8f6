//! Spoilt samples of YubiKey PIV.
#![no_main]

keyvouch_fuzz::format_target!("yubikey-piv");
