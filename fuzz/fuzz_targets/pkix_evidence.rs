//! Spoilt samples of format `pkix-evidence`.
#![no_main]

keyvouch_fuzz::format_target!("pkix-evidence");
