//! `keyvouch tpm`: a challenge to a TPM, and its answer.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use keyvouch::Time;
use keyvouch::tpm::activation::{
    ActivationError, AttestationKey, Challenge, EndorsementKey, Pending, RANDOM_LEN,
};
use serde_json::Value;

use super::emulate::quote;
use crate::cli::{Tpm, TpmChallenge, TpmCommand, TpmConfirm};
use crate::error::Error;
use crate::files;
use crate::output::Output;

/// Exit status when an answer does not count.
const REFUSED: u8 = 1;

/// How many times random bytes may make no key: once is as good as impossible.
const TRIES: u8 = 8;

pub(crate) fn run(args: &Tpm, out: &Output) -> Result<ExitCode, Error> {
    match &args.command {
        TpmCommand::Challenge(args) => challenge(args, out).map(|()| ExitCode::SUCCESS),
        TpmCommand::Confirm(args) => confirm(args, out),
    }
}

fn challenge(args: &TpmChallenge, out: &Output) -> Result<(), Error> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |why| Error::Activation { path, why }
    };
    let ek = EndorsementKey::read(&files::read(&args.ek)?).map_err(fail(&args.ek))?;
    let ak = AttestationKey::read(&files::read(&args.ak)?).map_err(fail(&args.ak))?;
    let now = super::verify::now()?;
    let expires = now.plus_seconds(i64::from(args.hours).saturating_mul(3600));
    let challenge = make(&ek, &ak, expires)?;
    // The state first: a credential without it could never be confirmed.
    files::write_new(&args.state, challenge.pending.to_json().to_string().as_bytes())?;
    files::write_new(&args.credential, &challenge.tools_file())?;
    out.print(&format!(
        "Challenge for the attestation key {}
to be answered until {expires} by the TPM with the {} endorsement key {}.

Give {} to the subscriber, who runs

  tpm2_startauthsession --policy-session -S s.ctx
  tpm2_policysecret -S s.ctx -c e
  tpm2_activatecredential -c ak.ctx -C ek.ctx -i {} -o answer.bin -P session:s.ctx

and keep {} to yourself. With the answer, once:

  keyvouch tpm confirm --state {} --answer answer.bin --record activation.json
",
        hex::encode(ak.name()),
        ek.key().algorithm(),
        hex::encode(ek.key().spki_sha256()),
        quote(&args.credential),
        quote(&args.credential),
        quote(&args.state),
        quote(&args.state),
    ))
}

fn make(ek: &EndorsementKey, ak: &AttestationKey, expires: Time) -> Result<Challenge, Error> {
    let mut tries = 0..TRIES;
    loop {
        let mut random = [0; RANDOM_LEN];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Random)?;
        match Challenge::new(ek, ak, expires, &random) {
            Err(ActivationError::Randomness) if tries.next().is_some() => {}
            made => return made.map_err(|_| Error::Random),
        }
    }
}

fn confirm(args: &TpmConfirm, out: &Output) -> Result<ExitCode, Error> {
    let fail = |why| Error::Activation { path: args.state.clone(), why };
    let answer = files::read(&args.answer)?;
    let state: Value =
        serde_json::from_str(&files::read_text(&args.state)?).map_err(|_| fail(ActivationError::State))?;
    let pending = Pending::from_json(&state).map_err(fail)?;
    if args.record.exists() {
        return Err(Error::Exists(args.record.clone()));
    }
    // One answer only. Whoever takes the state away is the one who may look at an answer.
    fs::remove_file(&args.state).map_err(|why| Error::write(&args.state, why))?;
    match pending.confirm(&answer, super::verify::now()?) {
        Ok(record) => {
            files::write_new(&args.record, record.to_string().as_bytes())?;
            out.print(&format!(
                "Right: the attestation key is in the TPM of the endorsement key.

The record is {}; judge evidence of this attestation key with

  keyvouch verify key.pub key.attest key.sig ak.pub ek.crt.der --option activation={}
",
                quote(&args.record),
                quote(&args.record),
            ))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(why) => {
            out.error(&fail(why));
            Ok(ExitCode::from(REFUSED))
        }
    }
}
