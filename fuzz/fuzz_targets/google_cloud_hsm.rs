//! Spoilt samples of format `google-cloud-hsm`.
#![no_main]

keyvouch_fuzz::format_target!("google-cloud-hsm");
