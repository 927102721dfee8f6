//! Spoilt samples of format `acme-device-attest`.
#![no_main]

keyvouch_fuzz::format_target!("acme-device-attest");
