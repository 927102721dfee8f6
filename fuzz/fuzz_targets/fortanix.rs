//! Spoilt samples of format `fortanix`.
#![no_main]

keyvouch_fuzz::format_target!("fortanix");
