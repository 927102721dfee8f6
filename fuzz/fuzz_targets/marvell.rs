//! Spoilt samples of format `marvell`.
#![no_main]

keyvouch_fuzz::format_target!("marvell");
