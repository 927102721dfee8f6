//! PKCS#10 certification requests (RFC 2986).

use crate::key::{Key, SignAlg};
use crate::x509::Extension;
use crate::{Error, der};

/// PKCS#9 extensionRequest (RFC 2985, 5.4.2).
pub const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

/// One attribute of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Object identifier, dotted.
    pub oid: String,
    /// DER values.
    pub values: Vec<Vec<u8>>,
}

impl Attribute {
    /// An attribute of one value.
    pub fn new(oid: &str, value: Vec<u8>) -> Self {
        Self { oid: oid.to_owned(), values: vec![value] }
    }

    /// The extensionRequest attribute.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn extension_request(extensions: &[Extension]) -> Result<Self, Error> {
        let each: Vec<_> = extensions.iter().map(Extension::der).collect::<Result<_, _>>()?;
        Ok(Self::new(EXTENSION_REQUEST, der::sequence(&each)))
    }

    fn der(&self) -> Result<Vec<u8>, Error> {
        Ok(der::sequence(&[der::oid(&self.oid)?, der::set_of(&self.values)]))
    }
}

/// A request that is not yet signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The version number as written; 0 is v1.
    pub version: u8,
    /// Subject, DER Name.
    pub subject: Vec<u8>,
    /// DER SubjectPublicKeyInfo.
    pub spki: Vec<u8>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// DER AlgorithmIdentifier instead of that of the signature.
    pub algorithm: Option<Vec<u8>>,
}

impl Request {
    /// A request for a key, without attributes.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn new(subject: Vec<u8>, key: &Key) -> Result<Self, Error> {
        Ok(Self { version: 0, subject, spki: key.spki_der()?, attributes: Vec::new(), algorithm: None })
    }

    /// Add an attribute.
    #[must_use]
    pub fn with(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Sign: DER CertificationRequest. Another key than the request's own gives a bad proof of possession.
    ///
    /// # Errors
    /// [`Error::Oid`] and those of [`Key::sign`].
    pub fn sign(&self, key: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        let attributes: Vec<_> = self.attributes.iter().map(Attribute::der).collect::<Result<_, _>>()?;
        let info = der::sequence(&[
            der::integer(&[self.version]),
            self.subject.clone(),
            self.spki.clone(),
            der::explicit(0, &der::sorted(&attributes)),
        ]);
        let signature = key.sign(alg, &info)?;
        let algorithm = self.algorithm.clone().map_or_else(|| alg.algorithm_identifier(), Ok)?;
        Ok(der::sequence(&[info, algorithm, der::bit_string(&signature)]))
    }
}

/// The simplest request: a common name, the key, its usual algorithm.
///
/// # Errors
/// Those of [`Key::sign`].
pub fn plain(common_name: &str, key: &Key) -> Result<Vec<u8>, Error> {
    Request::new(crate::x509::common_name(common_name)?, key)?.sign(key, key.default_alg())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn an_attribute_set_is_always_written() {
        let key = Key::shared("test", KeyKind::P256).unwrap();
        let request = Request::new(crate::x509::common_name("A").unwrap(), &key).unwrap();
        let der = request.sign(&key, SignAlg::EcdsaSha256).unwrap();
        assert!(hex::encode(&der).contains(&format!("{}a000", hex::encode(&request.spki))));
    }
}
