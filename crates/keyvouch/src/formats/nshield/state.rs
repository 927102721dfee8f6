//! The module state certificate: what the module said of itself when the bundle was made, signed by KLF2.

use super::checks as ck;
use super::keys::{self, KeyData, KeyFault, KeyHash};
use super::warrant::Module;
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::crypto::PublicKey;
use crate::wire::ncore::{NcoreError, Reader};

/// M_ModCertMsg of a state.
const STATE_CERT: u32 = 4;

/// What a module says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) esn: String,
    /// The key with which the module signs key generation certificates, and the hash that it gives for it.
    pub(super) kml: Signer,
    /// The long-term key, where the state repeats it.
    pub(super) klf2: Option<Signer>,
    /// Hash of the Security Officer's key: which Security World the module is in.
    pub(super) hknso: KeyHash,
    /// Hashes of the module keys.
    pub(super) module_keys: Vec<KeyHash>,
}

/// A key with its hash and mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signer {
    hash: KeyHash,
    key: KeyData,
    mechanism: u32,
}

impl Signer {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyFault> {
        let hash = reader.hash()?;
        let key = KeyData::read(reader)?;
        Ok(Self { hash, key, mechanism: reader.word()? })
    }

    /// The key, when hash and mechanism are its own.
    fn consistent(&self, what: &str) -> Result<PublicKey, String> {
        if self.key.hash().map_err(|e| format!("{what}: {e}"))? != self.hash {
            return Err(format!("the hash of {what} is not that of the key beside it"));
        }
        if self.key.mechanism() != Some(self.mechanism) {
            return Err(format!(
                "mechanism {} is not that of {what}, a {} key",
                self.mechanism,
                self.key.describe()
            ));
        }
        self.key.public_key().map_err(|e| format!("{what}: {e}"))
    }

    /// The key; `None` when hash and mechanism are not its own.
    pub(super) fn public_key(&self) -> Option<PublicKey> {
        self.consistent("the key").ok()
    }
}

impl State {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let short = |error: NcoreError| error.to_string();
        let mut reader = Reader::new(bytes);
        if reader.word().map_err(short)? != STATE_CERT {
            return Err("it is not a module state certificate".to_owned());
        }
        if reader.word().map_err(short)? != 0 {
            return Err("it has flags that are not known".to_owned());
        }
        let mut found = Found::default();
        for _ in 0..reader.count(4).map_err(short)? {
            found.attribute(&mut reader)?;
        }
        reader.finish().map_err(short)?;
        let missing = |what: &'static str| move || format!("it has no {what}");
        Ok(Self {
            esn: found.esn.ok_or_else(missing("serial number"))?,
            kml: found.kml.ok_or_else(missing("module signing key"))?,
            klf2: found.klf2,
            hknso: found.hknso.ok_or_else(missing("hash of the Security Officer's key"))?,
            module_keys: found.module_keys.ok_or_else(missing("list of module keys"))?,
        })
    }
}

#[derive(Default)]
struct Found {
    esn: Option<String>,
    kml: Option<Signer>,
    klf2: Option<Signer>,
    hknso: Option<KeyHash>,
    module_keys: Option<Vec<KeyHash>>,
}

impl Found {
    fn attribute(&mut self, reader: &mut Reader<'_>) -> Result<(), String> {
        let short = |error: NcoreError| error.to_string();
        let first = match reader.word().map_err(short)? {
            2 => self.esn.replace(reader.text().map_err(short)?.to_owned()).is_none(),
            3 => self
                .kml
                .replace(Signer::read(reader).map_err(|e| format!("module signing key: {e}"))?)
                .is_none(),
            13 => {
                self.klf2.replace(Signer::read(reader).map_err(|e| format!("long-term key: {e}"))?).is_none()
            }
            5 => {
                let hash = reader.hash().map_err(short)?;
                // The operations that need no Security Officer. None of them touches a key that exists.
                let _permissions = reader.word().map_err(short)?;
                self.hknso.replace(hash).is_none()
            }
            6 => self.module_keys.replace(module_keys(reader).map_err(short)?).is_none(),
            // Its length is not known, so what follows cannot be read.
            other => return Err(format!("attribute {other} is not known")),
        };
        if first { Ok(()) } else { Err("it has an attribute twice".to_owned()) }
    }
}

fn module_keys(reader: &mut Reader<'_>) -> Result<Vec<KeyHash>, NcoreError> {
    let count = reader.count(28)?;
    let mut hashes = Vec::new();
    for _ in 0..count {
        hashes.push(reader.hash()?);
        // Mechanisms with which the module key protects blobs.
        let _integrity = reader.word()?;
        let _confidentiality = reader.word()?;
    }
    Ok(hashes)
}

/// The state, signed by the module of the warrant and consistent with it.
pub(super) fn check(
    message: &[u8],
    signature: &[u8],
    module: &Authentic<Module>,
    place: &str,
    checks: &mut Checks,
) -> Option<Authentic<State>> {
    let place = place.to_owned();
    let klf2 = module.delegate(format!("nShield module {}", module.get().esn), |m| Some(m.klf2.clone()))?;
    let verify = || {
        let (scheme, signature) = keys::signature(signature, klf2.key())?;
        let valid = klf2.key().verify(scheme, message, &signature).map_err(|e| e.to_string())?;
        klf2.authenticate(valid).ok_or_else(|| "signed by another key".to_owned())
    };
    let message = match verify() {
        Ok(message) => message,
        Err(why) => {
            checks.fail(&ck::STATE_SIGNATURE, place, format!("signature of the module state: {why}"));
            return None;
        }
    };
    checks.pass(&ck::STATE_SIGNATURE, place.clone(), "signed by the long-term key of the warrant");
    match message.parse(State::read).and_then(|state| consistent(&state, module.get()).map(|()| state)) {
        Ok(state) => {
            let detail = format!("module {}, {} module keys", state.get().esn, state.get().module_keys.len());
            checks.pass(&ck::STATE, place, detail);
            Some(state)
        }
        Err(why) => {
            checks.fail(&ck::STATE, place, format!("module state: {why}"));
            None
        }
    }
}

fn consistent(state: &Authentic<State>, module: &Module) -> Result<(), String> {
    let State { esn, kml, klf2, .. } = state.get();
    if *esn != module.esn {
        return Err(format!("it is of module {esn}, the warrant of module {}", module.esn));
    }
    kml.consistent("the module signing key")?;
    match klf2.as_ref().map(|k| k.consistent("the long-term key")).transpose()? {
        Some(key) if key != module.klf2 => Err("its long-term key is not that of the warrant".to_owned()),
        _ => Ok(()),
    }
}
