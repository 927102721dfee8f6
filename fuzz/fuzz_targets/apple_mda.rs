//! Spoilt samples of format `apple-mda`.
#![no_main]

keyvouch_fuzz::format_target!("apple-mda");
