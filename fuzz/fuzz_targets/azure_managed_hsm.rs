//! Spoilt samples of format `azure-managed-hsm`.
#![no_main]

keyvouch_fuzz::format_target!("azure-managed-hsm");
