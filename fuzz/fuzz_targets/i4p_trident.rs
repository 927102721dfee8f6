//! Spoilt samples of format `i4p-trident`.
#![no_main]

keyvouch_fuzz::format_target!("i4p-trident");
