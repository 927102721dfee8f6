//! WebAuthn attestation on emulated authenticators: every form, and one failure for every check.

mod support;

#[path = "webauthn/accepted.rs"]
mod accepted;
#[path = "webauthn/bench.rs"]
mod bench;
#[path = "webauthn/refused.rs"]
mod refused;
#[path = "webauthn/refused_tpm.rs"]
mod refused_tpm;
