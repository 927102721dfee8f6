//! The key generation certificate: with which parameters and access control list a key was made, signed by the
//! module that made it.

use super::acl::{Acl, AclFault};
use super::checks as ck;
use super::keys::{self, KeyData, KeyFault, KeyHash};
use super::state::State;
use crate::authentic::Authentic;
use crate::checks::Checks;
use crate::crypto::Curve;
use crate::wire::ncore::{NcoreError, Reader};

/// M_ModCertMsg of a key generation.
const KEY_GEN: u32 = 2;
/// Length of the hash at the end.
const HASH_LEN: usize = 20;

/// What the module says of a key that it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyGen {
    parameters: Parameters,
    /// The list, or why this verifier cannot read it.
    pub(super) acl: Result<Acl, AclFault>,
    hash: KeyHash,
}

/// M_KeyGenParams.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Parameters {
    Rsa { bits: u32, e: Option<Vec<u8>> },
    Ec { ecdsa: bool, curve: Curve },
}

impl KeyGen {
    pub(super) fn read(message: &[u8]) -> Result<Self, KeyFault> {
        // The hash is at the end, wherever the list before it ends.
        let cut = message.len().checked_sub(HASH_LEN).and_then(|end| message.split_at_checked(end));
        let (body, hash) = cut.ok_or(NcoreError::Short)?;
        let mut reader = Reader::new(body);
        if reader.word()? != KEY_GEN {
            return Err(KeyFault::Malformed("it is not a key generation certificate".to_owned()));
        }
        if reader.word()? != 0 {
            return Err(KeyFault::Malformed("the certificate has flags that are not known".to_owned()));
        }
        let parameters = Parameters::read(&mut reader)?;
        let acl = Acl::read(reader.rest());
        if let Err(AclFault::Malformed(error)) = acl {
            return Err(error.into());
        }
        Ok(Self { parameters, acl, hash: hash.try_into().map_err(|_| NcoreError::Short)? })
    }

    /// Why the key cannot be the one that this certificate speaks of.
    fn mismatch(&self, key: &KeyData) -> Option<String> {
        if key.hash() != Ok(self.hash) {
            return Some(format!(
                "the certificate is of the key with hash {}, not of this one",
                hex::encode(self.hash)
            ));
        }
        (!self.parameters.fit(key))
            .then(|| format!("a {} key was not made with these parameters", key.describe()))
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match &self.parameters {
            Parameters::Rsa { bits, .. } => format!("RSA, {bits} bits"),
            Parameters::Ec { ecdsa, curve } => {
                format!("{}, curve {}", if *ecdsa { "ECDSA" } else { "EC" }, curve.name())
            }
        }
    }
}

impl Parameters {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyFault> {
        match reader.word()? {
            2 => {
                let flags = reader.word()?;
                // Given exponent 0x1, number of primality tests 0x2, strong primes 0x4.
                if flags & !0x7 != 0 {
                    return Err(KeyFault::Malformed(format!(
                        "RSA generation flags {flags:#x} are not known"
                    )));
                }
                let bits = reader.word()?;
                let e = if flags & 0x1 != 0 { Some(reader.number()?) } else { None };
                if flags & 0x2 != 0 {
                    let _tests = reader.word()?;
                }
                Ok(Self::Rsa { bits, e })
            }
            kind @ (45 | 47) => Ok(Self::Ec { ecdsa: kind == 47, curve: keys::curve(reader.word()?)? }),
            other => Err(match key_type(other) {
                Some(name) => KeyFault::Unsupported(format!("a key of type {name}")),
                None => KeyFault::Malformed(format!("key type {other} is not that of a private key")),
            }),
        }
    }

    fn fit(&self, key: &KeyData) -> bool {
        match (self, key) {
            (Self::Rsa { bits, e: given }, KeyData::Rsa { e, .. }) => {
                let length = key.public_key().ok().and_then(|k| k.rsa_bits());
                length.and_then(|n| u32::try_from(n).ok()) == Some(*bits)
                    && given.as_ref().is_none_or(|g| g == e)
            }
            (Self::Ec { ecdsa: a, curve: b }, KeyData::Ec { ecdsa, curve, .. }) => (a, b) == (ecdsa, curve),
            _ => false,
        }
    }
}

/// M_KeyType of private keys whose parameters or public form are not confirmed.
fn key_type(number: u32) -> Option<&'static str> {
    Some(match number {
        19 => "DSA",
        40 => "KCDSA",
        60 => "X25519",
        66 => "Ed25519",
        81 => "Ed448",
        83 => "ML-DSA",
        85 => "ML-KEM",
        87 => "SLH-DSA",
        _ => return None,
    })
}

/// The certificate, signed by the module, and the public key that it speaks of.
pub(super) fn check(
    message: &[u8],
    signature: &[u8],
    key: Option<KeyData>,
    state: &Authentic<State>,
    place: &str,
    checks: &mut Checks,
) -> Option<(Authentic<KeyGen>, Authentic<KeyData>)> {
    let place = place.to_owned();
    let kml = state.delegate("its module signing key", |s| s.kml.public_key())?;
    let verify = || {
        let (scheme, signature) = keys::signature(signature, kml.key())?;
        let valid = kml.key().verify(scheme, message, &signature).map_err(|e| e.to_string())?;
        kml.authenticate(valid).ok_or_else(|| "signed by another key".to_owned())
    };
    let message = match verify() {
        Ok(message) => message,
        Err(why) => {
            checks.fail(
                &ck::KEY_SIGNATURE,
                place,
                format!("signature of the key generation certificate: {why}"),
            );
            return None;
        }
    };
    checks.pass(&ck::KEY_SIGNATURE, place.clone(), "signed by the module of the state certificate");
    let certificate = match message.parse(KeyGen::read) {
        Ok(certificate) => certificate,
        Err(fault) => {
            super::key_fault(&fault, "member kcmsg", &place, checks);
            return None;
        }
    };
    // What is wrong with the key itself was reported when it was read.
    let key = key?;
    let mismatch = certificate.get().mismatch(&key);
    let fits = mismatch.is_none();
    checks.test(&ck::KEY_HASH, place, fits, "the public key is the one that was made", || {
        mismatch.unwrap_or_default().into()
    });
    let key = certificate.endorse(key, |certificate, key| certificate.mismatch(key).is_none())?;
    Some((certificate, key))
}
