//! Spoilt samples of format `android`.
#![no_main]

keyvouch_fuzz::format_target!("android");
