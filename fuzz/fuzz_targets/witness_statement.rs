//! Spoilt samples of format `witness-statement`.
#![no_main]

keyvouch_fuzz::format_target!("witness-statement");
