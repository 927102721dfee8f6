//! PKIX Evidence (draft-ietf-rats-pkix-key-attestation): a signed list of elements with claims, as an HSM would report
//! itself and its keys, in the encoding of drafts -06 and later and in the one before.
//!
//! Names of the authorities apart, certificates and claims are those of the sample data that the draft's authors
//! publish: three levels of P-256, ECDSA with SHA-256, a nonce, a timestamp and the attestation key in the transaction.

mod samples;
mod statement;

pub use samples::samples;
pub use statement::{Claim, Element, Encoding, Statement, capability, claim};

use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, der};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "pkix-evidence";

/// id-evidence as sample data since July 2026 has it.
pub const ARC: &str = "1.3.6.1.5.5.999";
/// id-evidence as drafts and sample data before had it.
pub const OLDER_ARC: &str = "1.2.3.999";
/// id-kp-attestationKey as sample data since July 2026 has it.
pub const EKU: &str = "1.3.6.1.5.5.7.3.999";
/// What stood in its place before.
pub const OLDER_EKU: &str = "1.3.6.1.4.1.39901.4.1.1";

const DATES: (&str, &str) = ("2026-01-01T00:00:00Z", "2036-01-01T00:00:00Z");

/// A maker: root, intermediate, and the attestation key of a module.
#[derive(Debug, Clone)]
pub struct Maker {
    /// The root, for the verifier as operator anchor.
    pub root: Authority,
    /// The authority that certifies attestation keys.
    pub intermediate: Authority,
    /// The certificate of the attestation key, not yet signed.
    pub ak: Certificate,
    /// The attestation key.
    pub ak_key: Arc<Key>,
}

impl Maker {
    /// A maker whose modules attest with a P-256 key. Its keys are the same all through the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::with_key(name, KeyKind::P256)
    }

    /// A maker whose modules attest with a key of this kind.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn with_key(name: &str, kind: KeyKind) -> Result<Self, Error> {
        let key = |role: &str, kind| Key::shared(&format!("{FORMAT}: {name} {role}"), kind);
        let template = |role: &str, key: &Key| -> Result<Certificate, Error> {
            let name = x509::name(&[
                ("O", Text::Utf8, &format!("keyvouch emulated {name}")),
                ("OU", Text::Utf8, "pkix-key-attestation"),
                ("CN", Text::Utf8, role),
            ])?;
            Certificate::new(name, key, DATES.0, DATES.1)
        };
        let authority = |role: &str, key: &Key| -> Result<Certificate, Error> {
            let mut certificate = template(role, key)?;
            certificate.extensions = vec![
                x509::basic_constraints(true, None).critical(),
                x509::subject_key_identifier(&x509::key_id(key)?),
                x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN]).critical(),
            ];
            Ok(certificate)
        };
        let (root_key, intermediate_key) = (key("root", KeyKind::P256)?, key("intermediate", KeyKind::P256)?);
        let root = Authority::root(authority("RootCA", &root_key)?, root_key, SignAlg::EcdsaSha256)?;
        let below = authority("IntCA", &intermediate_key)?;
        let intermediate = root.subordinate(below, intermediate_key, SignAlg::EcdsaSha256)?;
        let ak_key = key("attestation key", kind)?;
        let mut ak = template("attestation key", &ak_key)?;
        ak.issuer = intermediate.certificate.subject.clone();
        ak.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::subject_key_identifier(&x509::key_id(&ak_key)?),
            x509::authority_key_identifier(&x509::key_id(&intermediate.key)?),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE]).critical(),
            x509::extended_key_usage(&[EKU])?,
        ];
        Ok(Self { root, intermediate, ak, ak_key })
    }

    /// The certificate of the attestation key, signed by the intermediate.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn ak_der(&self) -> Result<Vec<u8>, Error> {
        self.ak.sign(&self.intermediate.key, SignAlg::EcdsaSha256)
    }

    /// Evidence of this statement, with one signature of the attestation key that carries its certificate.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn attest(&self, statement: Statement) -> Result<Evidence, Error> {
        Ok(Evidence {
            statement,
            blocks: vec![Block::new(vec![certificate(&self.ak_der()?)], &self.ak_key)],
            intermediates: vec![self.intermediate.der.clone()],
            explicit: false,
        })
    }
}

/// keyId of a SignerIdentifier.
#[must_use]
pub fn key_id(id: &[u8]) -> Vec<u8> {
    der::explicit(0, &der::octet_string(id))
}

/// subjectPublicKeyInfo of a SignerIdentifier.
#[must_use]
pub fn spki(spki: &[u8]) -> Vec<u8> {
    der::explicit(1, spki)
}

/// certificate of a SignerIdentifier.
#[must_use]
pub fn certificate(certificate: &[u8]) -> Vec<u8> {
    der::explicit(2, certificate)
}

/// A signature block that is not yet signed.
#[derive(Debug, Clone)]
pub struct Block {
    /// Members of the SignerIdentifier, as [`key_id`], [`spki`] and [`certificate`] make them.
    pub signer: Vec<Vec<u8>>,
    /// The key that signs.
    pub key: Arc<Key>,
    /// How it signs.
    pub alg: SignAlg,
    /// DER AlgorithmIdentifier instead of that of the signature.
    pub algorithm: Option<Vec<u8>>,
}

impl Block {
    /// A block with the key's usual algorithm.
    #[must_use]
    pub fn new(signer: Vec<Vec<u8>>, key: &Arc<Key>) -> Self {
        Self { signer, key: Arc::clone(key), alg: key.default_alg(), algorithm: None }
    }

    fn der(&self, tbs: &[u8]) -> Result<Vec<u8>, Error> {
        let algorithm = self.algorithm.clone().map_or_else(|| self.alg.algorithm_identifier(), Ok)?;
        let signature = self.key.sign(self.alg, tbs)?;
        Ok(der::sequence(&[der::sequence(&self.signer), algorithm, der::octet_string(&signature)]))
    }
}

/// Evidence before it is signed: change what the test is about, then [`Evidence::sign`].
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What is said.
    pub statement: Statement,
    /// Who signs it.
    pub blocks: Vec<Block>,
    /// DER certificates beside the signatures; none writes no field.
    pub intermediates: Vec<Vec<u8>>,
    /// Whether their list is tagged explicitly, as the module demands, or implicitly, as sample data does.
    pub explicit: bool,
}

impl Evidence {
    /// Signs: DER Evidence.
    ///
    /// # Errors
    /// [`Error::Oid`], [`Error::Time`] when a claim was set to what is none, and those of [`Key::sign`].
    pub fn sign(&self) -> Result<Vec<u8>, Error> {
        let tbs = self.statement.der()?;
        let blocks: Vec<_> = self.blocks.iter().map(|block| block.der(&tbs)).collect::<Result<_, _>>()?;
        let intermediates = match (self.intermediates.is_empty(), self.explicit) {
            (true, _) => Vec::new(),
            (false, false) => der::explicit(0, &der::join(&self.intermediates)),
            (false, true) => der::explicit(0, &der::sequence(&self.intermediates)),
        };
        Ok(der::sequence(&[tbs, der::sequence(&blocks), intermediates]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_encoded_as_in_sample_data() {
        let mut statement = Statement::new(Encoding::Current);
        statement.elements = vec![Element::platform(vec![
            (claim::VENDOR, statement.encoding.text("Acme Corp")),
            (claim::FIPSBOOT, statement.encoding.flag(true)),
        ])];
        // The first bytes of the platform element of sampledata/evidence1, cut to two claims.
        let wanted = "060a2b0601050587670101000c0941636d6520436f7270300f060a2b06010505876701010a0101ff";
        assert!(
            hex::encode(statement.der().unwrap()).ends_with(wanted),
            "{}",
            hex::encode(statement.der().unwrap())
        );
    }

    #[test]
    fn older_values_have_context_tags_and_older_numbers() {
        let mut statement = Statement::new(Encoding::Older);
        statement.elements = vec![Element::platform(vec![(claim::FIPSBOOT, statement.encoding.flag(true))])];
        assert!(hex::encode(statement.der().unwrap()).ends_with("300c06072a03876701010b8201ff"));
    }
}
