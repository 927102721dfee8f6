//! TPM 2.0: a key in a TPM, an attestation key (AK) beside it, and what the TPM signs about the one with the other.
//!
//! Structures are those of the TCG "Trusted Platform Module Library", part 2; certificates follow the TCG profiles.
//! Everything is a template: fields can be changed before [`Statement::sign`], so that evidence can be made which no
//! TPM would make.

mod authority;
pub mod endorsement;
mod samples;
mod structures;
pub mod windows;

pub use authority::{AkAuthority, Maker, san};
pub use samples::samples;
pub use structures::{
    Attest, Body, Creation, Public, Scheme, alg, attribute, digest, hierarchy, kind, name_of,
    signature_structure, tpm2b,
};

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::x509::Certificate;
use crate::{Error, File};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "tpm";

/// Attributes of an ordinary key: cannot leave the TPM, made in it, used with a password, signs.
pub const SUBJECT_KEY: u32 = 0x0004_0072;
/// The same, and decrypts, as Windows makes RSA keys.
pub const WINDOWS_KEY: u32 = 0x0006_0072;
/// Attributes of an attestation key.
pub const ATTESTATION_KEY: u32 = 0x0005_0072;
/// Attributes of an endorsement key.
pub const ENDORSEMENT_KEY: u32 = 0x0003_00b2;

/// Which command makes the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// TPM2_Certify.
    Certify,
    /// TPM2_CertifyCreation.
    CertifyCreation,
}

/// How the signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureForm {
    /// TPMT_SIGNATURE (`-f tss`).
    Structure,
    /// An RSA block, or an Ecdsa-Sig-Value (`-f plain`).
    Bare,
}

/// An attestation key with its private half.
#[derive(Debug, Clone)]
pub struct Ak {
    /// Its public area.
    pub public: Public,
    /// Its key.
    pub key: Arc<Key>,
    /// What it signs with.
    pub signature: SignAlg,
    /// Qualified name of its parent; the handle of a hierarchy for a primary key.
    pub parent: Vec<u8>,
}

impl Ak {
    /// A key of this kind, below a storage key of the owner hierarchy.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(label: &str, kind: KeyKind) -> Result<Self, Error> {
        let key = Key::shared(&format!("{FORMAT}: {label}"), kind)?;
        let signature = key.default_alg();
        let mut public = Public::of(&key, ATTESTATION_KEY)?;
        public.scheme = Scheme::of(signature);
        Ok(Self { public, key, signature, parent: storage_key() })
    }

    /// The same, signing otherwise: its public area says so.
    #[must_use]
    pub fn signing(mut self, signature: SignAlg) -> Self {
        self.public.scheme = Scheme::of(signature);
        self.signature = signature;
        self
    }

    /// Its qualified name.
    pub fn qualified_name(&self) -> Vec<u8> {
        name_of(self.public.name_alg, &[&self.parent, &self.public.name()])
    }

    /// Its own creation statement, by itself: attestation and signature.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn creation_statement(&self, creation: &Creation) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut attest = Attest::new(self.qualified_name(), Vec::new());
        attest.kind = kind::CREATION;
        let hash = structures::digest(self.public.name_alg, &creation.bytes());
        attest.body = Body::Creation { name: self.public.name(), hash };
        let bytes = attest.bytes();
        let signature = signature_structure(self.signature, &self.key.sign(self.signature, &bytes)?);
        Ok((bytes, signature))
    }
}

/// Qualified name of the storage key below which everything is made that is not said to be elsewhere.
pub fn storage_key() -> Vec<u8> {
    let name = [&alg::SHA256.to_be_bytes()[..], &derived("tpm: storage key", 32)].concat();
    name_of(alg::SHA256, &[&hierarchy::OWNER.to_be_bytes(), &name])
}

/// A statement that is not yet signed, with everything that goes with it.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The public area of the attested key.
    pub public: Public,
    /// Which command.
    pub command: Command,
    /// Qualified name of the parent of the key.
    pub parent: Vec<u8>,
    /// What the attestation answers.
    pub nonce: Vec<u8>,
    /// The attestation key.
    pub ak: Ak,
    /// Its certificate, and the key of the authority.
    pub ak_certificate: Option<(Certificate, Arc<Key>)>,
    /// Certificates above it.
    pub chain: Vec<Vec<u8>>,
    /// Circumstances of the creation of the key.
    pub creation: Creation,
    /// How the signature is written.
    pub form: SignatureForm,
    /// Change the attestation before it is signed.
    pub change: fn(&mut Attest),
}

/// A statement with its signature.
#[derive(Debug, Clone)]
pub struct Signed {
    /// TPMS_ATTEST.
    pub attest: Vec<u8>,
    /// The signature, in the form that was asked for.
    pub signature: Vec<u8>,
    /// TPMT_PUBLIC of the key.
    pub public: Vec<u8>,
    /// TPMS_CREATION_DATA, of a creation statement.
    pub creation: Option<Vec<u8>>,
    /// TPMT_PUBLIC of the attestation key.
    pub ak_public: Vec<u8>,
    /// The certificate of the attestation key.
    pub ak_certificate: Option<Vec<u8>>,
    /// Certificates above it.
    pub chain: Vec<Vec<u8>>,
}

impl Statement {
    /// A statement about a key, with an attestation key that an authority certified.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Key, ak: Ak, authority: &AkAuthority) -> Result<Self, Error> {
        let certificate = authority.certificate(&ak)?;
        Ok(Self {
            public: Public::of(key, SUBJECT_KEY)?,
            command: Command::Certify,
            parent: storage_key(),
            nonce: derived("tpm: nonce", 32),
            ak,
            ak_certificate: Some((certificate, Arc::clone(&authority.issuer.key))),
            chain: vec![authority.issuer.der.clone()],
            creation: Creation::below_storage_key(),
            form: SignatureForm::Structure,
            change: |_| {},
        })
    }

    /// The attestation, not yet signed.
    pub fn attest(&self) -> Attest {
        let mut attest = Attest::new(self.ak.qualified_name(), self.nonce.clone());
        let name = self.public.name();
        match self.command {
            Command::Certify => {
                let qualified_name = name_of(self.public.name_alg, &[&self.parent, &name]);
                attest.body = Body::Certify { name, qualified_name };
            }
            Command::CertifyCreation => {
                attest.kind = kind::CREATION;
                let hash = structures::digest(self.public.name_alg, &self.creation.bytes());
                attest.body = Body::Creation { name, hash };
            }
        }
        (self.change)(&mut attest);
        attest
    }

    /// Sign.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn sign(&self) -> Result<Signed, Error> {
        let attest = self.attest().bytes();
        let bare = self.ak.key.sign(self.ak.signature, &attest)?;
        let certificate = self.ak_certificate.as_ref();
        Ok(Signed {
            signature: match self.form {
                SignatureForm::Structure => signature_structure(self.ak.signature, &bare),
                SignatureForm::Bare => bare,
            },
            attest,
            public: self.public.bytes(),
            creation: (self.command == Command::CertifyCreation).then(|| self.creation.bytes()),
            ak_public: self.ak.public.bytes(),
            ak_certificate: certificate.map(|(c, key)| c.sign(key, key.default_alg())).transpose()?,
            chain: self.chain.clone(),
        })
    }
}

impl Signed {
    /// The files of tpm2-tools: public area and creation data with their size, the rest without.
    pub fn files(&self) -> Vec<File> {
        let mut files = vec![
            File::new("key.pub", tpm2b(&self.public)),
            File::new("key.attest", self.attest.clone()),
            File::new("key.sig", self.signature.clone()),
        ];
        files.extend(self.creation.iter().map(|data| File::new("key.cdata", tpm2b(data))));
        files.extend(self.certificates());
        files
    }

    /// The certificates, as PEM.
    pub fn certificates(&self) -> Vec<File> {
        let mut files = Vec::new();
        if let Some(certificate) = &self.ak_certificate {
            files.push(File::new("ak.pem", crate::pem::certificate(certificate)));
        }
        for (number, certificate) in self.chain.iter().enumerate() {
            files.push(File::new(format!("ca-{}.pem", number + 1), crate::pem::certificate(certificate)));
        }
        files
    }

    /// go-attestation's CertificationParameters.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn go_attestation(&self) -> Result<File, Error> {
        let base64 = |bytes: &[u8]| crate::bundle::base64(bytes);
        let document = serde_json::json!({
            "Public": base64(&self.public),
            "CreateData": base64(self.creation.as_deref().unwrap_or_default()),
            "CreateAttestation": base64(&self.attest),
            "CreateSignature": base64(&self.signature),
        });
        Ok(File::new("key.json", crate::bundle::json(&document)?))
    }
}
