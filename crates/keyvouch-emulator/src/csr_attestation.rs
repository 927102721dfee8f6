//! Evidence inside certification requests, by draft-ietf-lamps-csr-attestation: the attribute of PKCS#10 and the extension
//! of CRMF, in the shapes of its drafts, with the statement of a TPM and with makers' own evidence.

mod crmf;
mod samples;

pub use crmf::{CertReq, Possession, cmp_message, messages};
pub use samples::samples;

use crate::csr::{Attribute, Request};
use crate::key::Key;
use crate::tpm::Signed;
use crate::{Error, der, x509};

/// Format id.
pub const FORMAT: &str = "csr-attestation";

/// id-aa-attestation.
pub const ATTESTATION: &str = "1.2.840.113549.1.9.16.2.59";
/// tcg-attest-tpm-certify.
pub const TCG_CERTIFY: &str = "2.23.133.20.1";
/// The UUID below which keyvouch has identifiers for evidence of makers that have none.
pub const VENDOR_UUID: u128 = 0xb6f1_86de_e835_4ba5_a0e9_88df_6e37_2470;

/// One statement, every field of it as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The type, a whole TLV.
    pub kind: Vec<u8>,
    /// What stands between type and stmt: bindsPublicKey of draft -23.
    pub before: Vec<u8>,
    /// stmt, a whole TLV.
    pub body: Vec<u8>,
    /// What stands after stmt: a hint, or the attributes of draft -23.
    pub after: Vec<u8>,
}

impl Statement {
    /// A statement of type and stmt.
    pub fn new(kind: Vec<u8>, body: Vec<u8>) -> Self {
        Self { kind, before: Vec::new(), body, after: Vec::new() }
    }

    /// The statement of a TPM.
    ///
    /// # Errors
    /// None in practice: the identifier is a constant.
    pub fn tpm(signed: &Signed) -> Result<Self, Error> {
        let parts = [&signed.attest, &signed.signature, &signed.public].map(|part| der::octet_string(part));
        Ok(Self::new(der::oid(TCG_CERTIFY)?, der::sequence(&parts)))
    }

    /// Evidence of a maker, by the number that keyvouch gave its format: the files as they are.
    pub fn of_maker(number: u32, files: &[&[u8]]) -> Self {
        let each: Vec<Vec<u8>> = files.iter().map(|file| der::octet_string(file)).collect();
        let body = match each.as_slice() {
            [only] => only.clone(),
            several => der::sequence(several),
        };
        Self::new(der::oid_below_uuid(VENDOR_UUID, number), body)
    }

    /// DER.
    pub fn der(&self) -> Vec<u8> {
        der::sequence(&[&self.kind, &self.before, &self.body, &self.after])
    }
}

/// How bundles are nested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// One bundle (drafts -16 and later).
    Bundle,
    /// A list of one bundle (drafts before).
    List,
    /// The same with one SEQUENCE too many around each statement, as samples of spring 2024 had it.
    ListWithNeedless,
}

/// A bundle of statements and certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Statements.
    pub statements: Vec<Statement>,
    /// LimitedCertChoices, each a whole TLV. None at all leaves the field out.
    pub certificates: Vec<Vec<u8>>,
    /// How it is nested.
    pub nesting: Nesting,
}

impl Bundle {
    /// A bundle as the current draft has it.
    pub fn new(statements: Vec<Statement>, certificates: Vec<Vec<u8>>) -> Self {
        Self { statements, certificates, nesting: Nesting::Bundle }
    }

    /// The statement of a TPM with the certificates above it.
    ///
    /// # Errors
    /// None in practice.
    pub fn of_tpm(signed: &Signed) -> Result<Self, Error> {
        let certificates = signed.ak_certificate.iter().chain(&signed.chain).cloned().collect();
        Ok(Self::new(vec![Statement::tpm(signed)?], certificates))
    }

    /// The value of the attribute or extension.
    pub fn value(&self) -> Vec<u8> {
        let needless = self.nesting == Nesting::ListWithNeedless;
        let statements: Vec<Vec<u8>> = self
            .statements
            .iter()
            .map(|s| if needless { der::sequence(&[s.der()]) } else { s.der() })
            .collect();
        let mut fields = vec![der::sequence(&statements)];
        if !self.certificates.is_empty() {
            fields.push(der::sequence(&self.certificates));
        }
        let bundle = der::sequence(&fields);
        if self.nesting == Nesting::Bundle { bundle } else { der::sequence(&[bundle]) }
    }

    /// The attribute.
    pub fn attribute(&self) -> Attribute {
        Attribute::new(ATTESTATION, self.value())
    }

    /// A PKCS#10 request of the key with it.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn request(&self, key: &Key) -> Result<Vec<u8>, Error> {
        let request = Request::new(x509::common_name("emulated subscriber")?, key)?;
        request.with(self.attribute()).sign(key, key.default_alg())
    }
}
