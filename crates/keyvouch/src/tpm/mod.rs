//! What a verifier's side of TPM 2.0 does besides judging: challenges to a TPM.

pub mod activation;
mod credential;
