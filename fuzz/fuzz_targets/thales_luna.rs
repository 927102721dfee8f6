//! Spoilt samples of format `thales-luna`.
#![no_main]

keyvouch_fuzz::format_target!("thales-luna");
