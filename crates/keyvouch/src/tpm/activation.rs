//! Credential activation: a challenge that only the TPM can answer that has both an endorsement key (EK) and an
//! attestation key (AK).
//!
//! ```text
//! verifier                                               TPM
//!   credential, encrypted to the EK for the AK's name ──►  TPM2_ActivateCredential
//!   compare                                           ◄──  the secret
//! ```
//!
//! The TPM gives the secret only when an object of that name is loaded in it. So a right answer says that the AK is in
//! the TPM of the EK, and the EK's certificate says which TPM that is. It says nothing of the AK's attributes: those
//! are in the public area that the name is the digest of, and are checked with every statement of the AK.
//!
//! Nothing here is random or knows the time: whoever calls gives both. Source: TCG, "Trusted Platform Module Library",
//! part 1, 24 "Credential Protection", annexes B.10.4 (RSA) and C.6.4 (ECC).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::{Value, json};

use super::credential::{agree_seed, digest_len, encrypt_seed, protect, tpm2b};
use crate::crypto::{Curve, Hash, Material, PublicKey, sha256};
use crate::formats::tpm_public_area;
use crate::input::{Content, Limits, Parts};
use crate::wire::tpm::{PublicArea, alg, attribute, hash, u16_at};
use crate::{File, Submission, Time};

/// Length of the secret in bytes. A TPM takes one up to the digest of the EK's template.
const SECRET: usize = 32;
const SEED: usize = 64;
const EPHEMERAL: usize = 66;

/// How many random bytes a challenge needs.
pub const RANDOM_LEN: usize = SECRET + SEED + EPHEMERAL;

/// Why there is no challenge, or its answer does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ActivationError {
    /// Neither a certificate nor a public area of an endorsement key.
    #[error(
        "no endorsement key in it: give its certificate (as read from the TPM) or its public area (TPM2B_PUBLIC)"
    )]
    NoEndorsementKey,
    /// Several keys.
    #[error("several endorsement keys in it: give one certificate or public area")]
    SeveralEndorsementKeys,
    /// Of no template that is known.
    #[error(
        "the endorsement key is of none of the TCG's templates: RSA-2048, RSA-3072, RSA-4096, P-256, P-384, P-521"
    )]
    Template,
    /// A public area that is not that of an endorsement key.
    #[error(
        "the public area is not that of an endorsement key: one is restricted, decrypts, and cannot leave its TPM"
    )]
    NotAnEndorsementKey,
    /// Not a public area.
    #[error("no public area of an attestation key in it: give the file that tpm2_createak -u wrote")]
    NoAttestationKey,
    /// A key that signs anything, or can leave its TPM.
    #[error(
        "it is no attestation key: one is restricted, signs and does not decrypt, was made in its TPM and cannot leave it (fixedtpm|fixedparent|sensitivedataorigin|restricted|sign)"
    )]
    NotAnAttestationKey,
    /// The random bytes do not make a private key of the curve.
    #[error("these random bytes make no key: take others")]
    Randomness,
    /// Not a state that this verifier wrote.
    #[error("not the state of a challenge: give the file that the challenge wrote")]
    State,
    /// Too late.
    #[error("the answer came after the end of the challenge: make a new one")]
    Late,
    /// Another secret.
    #[error(
        "the answer is not the secret: the attestation key is not in the TPM of this endorsement key, or the answer is to another challenge. One answer only: make a new challenge"
    )]
    Wrong,
}

/// An endorsement key and what of its template a challenge needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorsementKey {
    key: PublicKey,
    hash: Hash,
    aes_bits: u16,
}

impl EndorsementKey {
    /// From a file: the certificate (DER, PEM, content of the NV index), or the public area (TPM2B_PUBLIC,
    /// TPMT_PUBLIC). Nothing is judged here: who relies on the answer judges the certificate.
    ///
    /// # Errors
    /// [`ActivationError::NoEndorsementKey`] and its kin.
    pub fn read(bytes: &[u8]) -> Result<Self, ActivationError> {
        match tpm_public_area(bytes) {
            Some(public) => Self::from_public_area(public),
            None => Self::from_certificate(bytes),
        }
    }

    fn from_certificate(bytes: &[u8]) -> Result<Self, ActivationError> {
        let file = Submission::new(vec![File::new("ek", bytes)], Time::from_unix(0));
        let parts = Parts::of(&file, &[], Limits::DEFAULT).map_err(|_| ActivationError::NoEndorsementKey)?;
        let mut keys: Vec<PublicKey> = Vec::new();
        for (_, part) in parts.iter() {
            let found = match &part.content {
                Content::Certificate(certificate) => vec![certificate.clone()],
                _ => crate::formats::nv_certificates(&part.bytes),
            };
            let of_eks = found.iter().filter(|c| crate::formats::is_endorsement_certificate(c));
            let found: Vec<PublicKey> = of_eks.filter_map(|c| c.key().ok().cloned()).collect();
            keys.extend(found);
        }
        keys.dedup();
        match keys.as_slice() {
            [key] => Self::of_template(key),
            [] => Err(ActivationError::NoEndorsementKey),
            _ => Err(ActivationError::SeveralEndorsementKeys),
        }
    }

    /// The template by type and size of the key (TCG EK Credential Profile): where there are two, they agree in what
    /// counts here.
    fn of_template(key: &PublicKey) -> Result<Self, ActivationError> {
        let (hash, aes_bits) = match key.material() {
            Material::Rsa { .. } => match key.rsa_bits() {
                Some(2048) => (Hash::Sha256, 128),
                Some(3072 | 4096) => (Hash::Sha384, 256),
                _ => return Err(ActivationError::Template),
            },
            Material::Ec { curve: Curve::P256, .. } => (Hash::Sha256, 128),
            Material::Ec { curve: Curve::P384, .. } => (Hash::Sha384, 256),
            Material::Ec { curve: Curve::P521, .. } => (Hash::Sha512, 256),
            _ => return Err(ActivationError::Template),
        };
        Ok(Self { key: key.clone(), hash, aes_bits })
    }

    fn from_public_area(bytes: &[u8]) -> Result<Self, ActivationError> {
        use attribute::{DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN};
        let area = PublicArea::read(bytes).map_err(|_| ActivationError::NoEndorsementKey)?;
        let wanted = FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | RESTRICTED | DECRYPT;
        if !area.has(wanted) || area.has(SIGN) {
            return Err(ActivationError::NotAnEndorsementKey);
        }
        let key =
            area.key().filter(|key| key.is_on_curve() != Some(false)).ok_or(ActivationError::Template)?;
        let hash =
            hash(area.name_alg).filter(|h| digest_len(*h).is_some()).ok_or(ActivationError::Template)?;
        let aes_bits = storage_cipher(&area).ok_or(ActivationError::Template)?;
        Ok(Self { key, hash, aes_bits })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// Key size of the AES-CFB with which the key protects what is below it (TPMT_SYM_DEF_OBJECT).
fn storage_cipher(area: &PublicArea<'_>) -> Option<u16> {
    const AES: u16 = 0x0006;
    const CFB: u16 = 0x0043;
    // After type, nameAlg, attributes, and the policy with its size.
    let at = area.auth_policy.len().checked_add(10)?;
    let field = |index: usize| u16_at(area.bytes, at.checked_add(index.checked_mul(2)?)?);
    let bits = field(1).filter(|bits| matches!(bits, 128 | 192 | 256))?;
    (field(0) == Some(AES) && field(2) == Some(CFB)).then_some(bits)
}

/// The name of an attestation key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationKey {
    name: Vec<u8>,
}

impl AttestationKey {
    /// From its public area (TPM2B_PUBLIC, TPMT_PUBLIC). The name is computed here and never taken from the client.
    ///
    /// # Errors
    /// [`ActivationError::NoAttestationKey`], [`ActivationError::NotAnAttestationKey`].
    pub fn read(bytes: &[u8]) -> Result<Self, ActivationError> {
        use attribute::{DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN};
        let area = tpm_public_area(bytes).and_then(|bytes| PublicArea::read(bytes).ok());
        let area = area.ok_or(ActivationError::NoAttestationKey)?;
        let wanted = FIXED_TPM | FIXED_PARENT | SENSITIVE_DATA_ORIGIN | RESTRICTED | SIGN;
        let signs = area.scheme().is_some_and(|scheme| scheme.alg != alg::NULL);
        if !area.has(wanted) || area.has(DECRYPT) || !signs {
            return Err(ActivationError::NotAnAttestationKey);
        }
        Ok(Self { name: area.name().ok_or(ActivationError::NotAnAttestationKey)? })
    }

    /// The name: the digest of the public area, after its algorithm.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

/// What goes to the TPM, and what the verifier keeps.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// TPM2B_ID_OBJECT.
    pub credential: Vec<u8>,
    /// TPM2B_ENCRYPTED_SECRET.
    pub secret: Vec<u8>,
    /// To check the answer with. It does not hold the secret.
    pub pending: Pending,
}

impl Challenge {
    /// A challenge to be answered before `expires`, from random bytes that are used for nothing else.
    ///
    /// # Errors
    /// [`ActivationError::Randomness`]: take other random bytes.
    pub fn new(
        ek: &EndorsementKey,
        ak: &AttestationKey,
        expires: Time,
        random: &[u8; RANDOM_LEN],
    ) -> Result<Self, ActivationError> {
        let (secret, rest) = random.split_first_chunk::<SECRET>().ok_or(ActivationError::Randomness)?;
        let (seed, ephemeral) = rest.split_first_chunk::<SEED>().ok_or(ActivationError::Randomness)?;
        let (credential, encrypted) =
            make(ek, &ak.name, secret, seed, ephemeral).ok_or(ActivationError::Randomness)?;
        let pending = Pending {
            ek_spki_sha256: ek.key.spki_sha256(),
            ak_name: ak.name.clone(),
            secret_sha256: sha256(secret),
            expires,
        };
        Ok(Self { credential, secret: encrypted, pending })
    }

    /// Both in the form of the file that `tpm2_activatecredential -i` reads.
    #[must_use]
    pub fn tools_file(&self) -> Vec<u8> {
        const MAGIC_AND_VERSION: [u8; 8] = [0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1];
        [&MAGIC_AND_VERSION[..], &self.credential, &self.secret].concat()
    }
}

/// TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. For RSA `seed` is the seed and `more` masks it; for ECC `more` is the
/// ephemeral private key.
fn make(
    ek: &EndorsementKey,
    name: &[u8],
    secret: &[u8],
    seed: &[u8],
    more: &[u8],
) -> Option<(Vec<u8>, Vec<u8>)> {
    let len = digest_len(ek.hash)?;
    let (seed, encrypted) = match ek.key.material() {
        Material::Rsa { n, e } => {
            let seed = seed.get(..len)?;
            (seed.to_vec(), encrypt_seed(ek.hash, n, e, seed, more.get(..len)?)?)
        }
        Material::Ec { curve, point } => {
            let mut scalar = more.get(..curve.field_len())?.to_vec();
            if let (Curve::P521, Some(first)) = (curve, scalar.first_mut()) {
                // 521 bits are 65 bytes and one bit.
                *first &= 1;
            }
            let agreed = agree_seed(ek.hash, *curve, point, &scalar)?;
            (agreed.seed, [tpm2b(&agreed.x)?, tpm2b(&agreed.y)?].concat())
        }
        _ => return None,
    };
    let protected = protect(ek.hash, ek.aes_bits, &seed, name, secret)?;
    let credential = [tpm2b(&protected.hmac)?, protected.identity].concat();
    Some((tpm2b(&credential)?, tpm2b(&encrypted)?))
}

/// A challenge that waits for its answer. It is to be kept by the verifier, and thrown away with the first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    ek_spki_sha256: [u8; 32],
    ak_name: Vec<u8>,
    secret_sha256: [u8; 32],
    expires: Time,
}

impl Pending {
    /// As JSON, to be kept in a file.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "challenge": 1,
            "ek_spki_sha256": hex::encode(self.ek_spki_sha256),
            "ak_name": hex::encode(&self.ak_name),
            "secret_sha256": hex::encode(self.secret_sha256),
            "expires": self.expires.to_string(),
        })
    }

    /// From that JSON.
    ///
    /// # Errors
    /// [`ActivationError::State`].
    pub fn from_json(value: &Value) -> Result<Self, ActivationError> {
        let read = || {
            let text = |name: &str| value.get(name)?.as_str();
            let digest = |name: &str| <[u8; 32]>::try_from(hex::decode(text(name)?).ok()?).ok();
            (value.get("challenge")?.as_u64()? == 1).then_some(())?;
            Some(Self {
                ek_spki_sha256: digest("ek_spki_sha256")?,
                ak_name: hex::decode(text("ak_name")?).ok().filter(|name| !name.is_empty())?,
                secret_sha256: digest("secret_sha256")?,
                expires: text("expires")?.parse().ok()?,
            })
        };
        read().ok_or(ActivationError::State)
    }

    /// Checks the answer, once. Gives the record for the operator's option `activation`.
    ///
    /// # Errors
    /// [`ActivationError::Late`], [`ActivationError::Wrong`].
    pub fn confirm(self, answer: &[u8], at: Time) -> Result<Value, ActivationError> {
        if at > self.expires {
            return Err(ActivationError::Late);
        }
        verify_slices_are_equal(&sha256(answer), &self.secret_sha256).map_err(|_| ActivationError::Wrong)?;
        Ok(json!({
            "ek_spki_sha256": hex::encode(self.ek_spki_sha256),
            "ak_name": hex::encode(&self.ak_name),
            "expires": self.expires.to_string(),
        }))
    }
}

#[cfg(test)]
#[path = "activation_tests.rs"]
mod tests;
