//! Spoilt samples of format `nshield`.
#![no_main]

keyvouch_fuzz::format_target!("nshield");
