//! Spoilt samples of format `tpm-windows`.
#![no_main]

keyvouch_fuzz::format_target!("tpm-windows");
