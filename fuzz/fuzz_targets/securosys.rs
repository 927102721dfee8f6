//! Spoilt samples of format `securosys`.
#![no_main]

keyvouch_fuzz::format_target!("securosys");
