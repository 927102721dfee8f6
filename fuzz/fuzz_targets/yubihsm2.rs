//! Spoilt samples of format `yubihsm2`.
#![no_main]

keyvouch_fuzz::format_target!("yubihsm2");
