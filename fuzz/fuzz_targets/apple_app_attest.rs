//! Spoilt samples of format `apple-app-attest`.
#![no_main]

keyvouch_fuzz::format_target!("apple-app-attest");
