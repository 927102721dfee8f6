//! PKCS#10 certification requests (RFC 2986).

use std::ops::Range;
use std::sync::Arc;

use der::asn1::{BitStringRef, ObjectIdentifier};
use der::{Decode, Tag, TagNumber};

use crate::authentic::SignatureValid;
use crate::crypto::{KeyError, Material, PublicKey, Scheme, SchemeError, SignatureError};
use crate::wire::der::{children, content, range_in, sequence, single};

/// extensionRequest (RFC 2985, 5.4.2).
pub(crate) const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

/// The largest request that is read: evidence in it can be long.
pub(crate) const MAX_REQUEST: usize = 1 << 20;
const MAX_ATTRIBUTES: usize = 64;

/// A PKCS#10 request. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CertificationRequest(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    info: Range<usize>,
    subject: Range<usize>,
    key: PublicKey,
    algorithm: Range<usize>,
    scheme: Result<Scheme, SchemeError>,
    signature: Range<usize>,
    attributes: Vec<(ObjectIdentifier, Vec<Range<usize>>)>,
}

/// Why bytes are not a request that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Not DER of a PKCS#10 request, or bytes after it.
    #[error("not a PKCS#10 certification request")]
    Malformed,
    /// Its public key is out of form.
    #[error("public key of the request: {0}")]
    Key(#[from] KeyError),
}

impl CertificationRequest {
    /// Reads a DER PKCS#10 request that fills `der` exactly.
    ///
    /// # Errors
    /// When the bytes are not one request.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        let parts = Parts::of(der).ok_or(CsrError::Malformed)?;
        let place = |part: &[u8]| range_in(der, part).ok_or(CsrError::Malformed);
        let mut attributes = Vec::with_capacity(parts.attributes.len());
        for (oid, values) in &parts.attributes {
            attributes.push((*oid, values.iter().map(|v| place(v)).collect::<Result<_, _>>()?));
        }
        Ok(Self(Arc::new(Inner {
            info: place(parts.info)?,
            subject: place(parts.subject)?,
            key: PublicKey::from_spki_der(parts.spki)?,
            algorithm: place(parts.algorithm)?,
            scheme: Scheme::from_algorithm_identifier(parts.algorithm),
            signature: place(parts.signature)?,
            attributes,
            der: der.to_vec(),
        })))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were measured on these very bytes.
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// The request as received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// DER of the subject Name.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.slice(&self.0.subject)
    }

    /// The public key that is to be certified.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.0.key
    }

    /// Verifies the request's signature with its own key: proof of possession.
    ///
    /// # Errors
    /// When it does not verify or the algorithm is not accepted.
    pub fn verify(&self) -> Result<SignatureValid<'_>, SignatureError> {
        self.verify_as(self.0.scheme.clone()?)
    }

    /// Whether the algorithm identifier has NULL parameters with ECDSA, which has none (RFC 5758, 3.2).
    /// [`verify`](Self::verify) refuses such a request.
    #[must_use]
    pub fn has_ecdsa_null_parameters(&self) -> bool {
        self.0.scheme.is_err() && matches!(self.scheme_or_null(), Ok(Scheme::Ecdsa(_)))
    }

    /// As [`verify`](Self::verify), and lets NULL parameters pass with ECDSA: tpm2-openssl up to 1.1 writes them.
    /// Nothing hangs on them: the identifier is outside of what is signed, and names the same algorithm either way.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_tolerating_null_parameters(&self) -> Result<SignatureValid<'_>, SignatureError> {
        self.verify_as(self.scheme_or_null()?)
    }

    fn verify_as(&self, scheme: Scheme) -> Result<SignatureValid<'_>, SignatureError> {
        self.0.key.verify(scheme, self.slice(&self.0.info), self.slice(&self.0.signature))
    }

    fn scheme_or_null(&self) -> Result<Scheme, SchemeError> {
        Scheme::from_algorithm_identifier_or_null(self.slice(&self.0.algorithm))
    }

    /// Whether the algorithm of the signature is one that a key of this type has; an algorithm that is not known is
    /// for [`Self::verify`] to refuse.
    pub(crate) fn algorithm_fits(&self) -> bool {
        match (&self.0.scheme, self.0.key.material()) {
            (Ok(Scheme::RsaPkcs1(_) | Scheme::RsaPss(_)), material) => {
                matches!(material, Material::Rsa { .. })
            }
            (Ok(Scheme::Ecdsa(_)), material) => {
                matches!(material, Material::Ec { .. } | Material::Other { .. })
            }
            (Ok(Scheme::Ed25519), material) => matches!(material, Material::Ed25519(_)),
            _ => true,
        }
    }

    /// The attributes: identifier and values (each a whole TLV).
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        self.0.attributes.iter().map(|(oid, values)| (*oid, values.iter().map(|v| self.slice(v)).collect()))
    }

    /// The extensions in extensionRequest attributes: identifier and content of extnValue.
    #[must_use]
    pub fn requested_extensions(&self) -> Vec<(ObjectIdentifier, &[u8])> {
        let mut found = Vec::new();
        for (_, values) in self.0.attributes.iter().filter(|(oid, _)| *oid == EXTENSION_REQUEST) {
            for value in values {
                found.extend(read_extensions(self.slice(value)).unwrap_or_default());
            }
        }
        found
    }
}

/// Extensions ::= SEQUENCE OF SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
fn read_extensions(value: &[u8]) -> Option<Vec<(ObjectIdentifier, &[u8])>> {
    let mut found = Vec::new();
    for extension in sequence(value, MAX_ATTRIBUTES)? {
        let members = sequence(extension, 3)?;
        let oid = ObjectIdentifier::from_der(members.first()?).ok()?;
        found.push((oid, content(members.last()?, Tag::OctetString)?));
    }
    Some(found)
}

/// Identifier and values of an attribute, each value a whole TLV.
pub type Attribute<'a> = (ObjectIdentifier, Vec<&'a [u8]>);

struct Parts<'a> {
    info: &'a [u8],
    subject: &'a [u8],
    spki: &'a [u8],
    attributes: Vec<Attribute<'a>>,
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        if der.len() > MAX_REQUEST {
            return None;
        }
        let outer = sequence(der, 3)?;
        let [info, algorithm, signature] = outer.as_slice() else { return None };
        let fields = sequence(info, 4)?;
        let (version, subject, spki) = (fields.first()?, fields.get(1)?, fields.get(2)?);
        if content(version, Tag::Integer)? != [0] {
            return None;
        }
        content(subject, Tag::Sequence)?;
        let attributes = match fields.get(3) {
            // Some makers leave the empty attributes out.
            None => Vec::new(),
            Some(attributes) => read_attributes(attributes)?,
        };
        let signature = BitStringRef::from_der(signature).ok()?.as_bytes()?;
        Some(Self { info, subject, spki, attributes, algorithm, signature })
    }
}

fn read_attributes(tlv: &[u8]) -> Option<Vec<Attribute<'_>>> {
    let (Tag::ContextSpecific { constructed: true, number: TagNumber(0) }, inner) = single(tlv)? else {
        return None;
    };
    let mut found = Vec::new();
    for attribute in children(inner, MAX_ATTRIBUTES)? {
        let members = sequence(attribute, 2)?;
        let oid = ObjectIdentifier::from_der(members.first()?).ok()?;
        found.push((oid, children(content(members.get(1)?, Tag::Set)?, MAX_ATTRIBUTES)?));
    }
    Some(found)
}
