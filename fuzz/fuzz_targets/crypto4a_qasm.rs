//! Spoilt samples of format `crypto4a-qasm`.
#![no_main]

keyvouch_fuzz::format_target!("crypto4a-qasm");
