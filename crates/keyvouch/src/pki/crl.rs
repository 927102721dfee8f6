//! Certificate revocation lists (RFC 5280, section 5), as files that somebody hands over: there is no network.
//!
//! Only complete lists of certificates that their issuer itself revoked are used. A list with a critical
//! extension that is not processed here says nothing, neither good nor bad (RFC 5280, 5.2).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use der::asn1::{AnyRef, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

use crate::authentic::SignatureValid;
use crate::crypto::{PublicKey, Scheme, SchemeError, SignatureError, sha256};
use crate::time::Time;
use crate::wire::der::{children, content, range_in, sequence, single};

/// Larger lists are not looked at; that of a device maker's authority has a few entries.
const MAX_LIST: usize = 8 << 20;
const MAX_ENTRIES: usize = 200_000;
const MAX_EXTENSIONS: usize = 64;

const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// A certificate revocation list. Cheap to clone.
#[derive(Clone)]
pub struct RevocationList(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    sha256: [u8; 32],
    tbs: Range<usize>,
    issuer: Range<usize>,
    this_update: Time,
    next_update: Option<Time>,
    scheme: Result<Scheme, SchemeError>,
    signature: Range<usize>,
    serials: Vec<Range<usize>>,
    unprocessed: Option<ObjectIdentifier>,
}

/// Why bytes are not a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// Longer than any list of a device maker.
    #[error("longer than {MAX_LIST} bytes")]
    TooLong,
    /// Not DER of a CertificateList, or bytes after it.
    #[error("not a certificate revocation list")]
    Malformed,
    /// The signature algorithm inside the signed part is another than the one outside.
    #[error("the signature algorithms inside and outside the signed part differ")]
    AlgorithmMismatch,
}

impl RevocationList {
    /// Reads a DER CertificateList that fills `der` exactly.
    ///
    /// # Errors
    /// When the bytes are not one.
    pub fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > MAX_LIST {
            return Err(CrlError::TooLong);
        }
        let outer = sequence(der, 3).ok_or(CrlError::Malformed)?;
        let [tbs, algorithm, signature] = outer.as_slice() else { return Err(CrlError::Malformed) };
        let fields = Fields::of(tbs).ok_or(CrlError::Malformed)?;
        if fields.algorithm != *algorithm {
            return Err(CrlError::AlgorithmMismatch);
        }
        // BIT STRING of whole octets
        let signature = content(signature, Tag::BitString).and_then(|s| s.strip_prefix(&[0]));
        let place = |part: &[u8]| range_in(der, part).ok_or(CrlError::Malformed);
        Ok(Self(Arc::new(Inner {
            sha256: sha256(der),
            tbs: place(tbs)?,
            issuer: place(fields.issuer)?,
            this_update: fields.this_update,
            next_update: fields.next_update,
            scheme: Scheme::from_algorithm_identifier(algorithm),
            signature: place(signature.ok_or(CrlError::Malformed)?)?,
            serials: fields.serials.into_iter().map(place).collect::<Result<_, _>>()?,
            unprocessed: fields.unprocessed,
            der: der.to_vec(),
        })))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        // The ranges were measured on these very bytes.
        self.0.der.get(range.clone()).unwrap_or_default()
    }

    /// SHA-256 of the list.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// DER of the issuer Name.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.slice(&self.0.issuer)
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> Time {
        self.0.this_update
    }

    /// When the next one is due.
    #[must_use]
    pub fn next_update(&self) -> Option<Time> {
        self.0.next_update
    }

    /// A critical extension, of the list or an entry, that is not processed here: the list must not be used.
    #[must_use]
    pub fn unprocessed_extension(&self) -> Option<ObjectIdentifier> {
        self.0.unprocessed
    }

    /// How many certificates it lists.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.serials.len()
    }

    /// Whether it lists none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.serials.is_empty()
    }

    /// Whether it lists this serial number (content of the INTEGER).
    #[must_use]
    pub fn lists(&self, serial: &[u8]) -> bool {
        self.0.serials.iter().any(|range| self.slice(range) == serial)
    }

    /// Verifies the list's signature with `key`.
    ///
    /// # Errors
    /// When it does not verify or the algorithm is not accepted.
    pub fn verify_signed_by(&self, key: &PublicKey) -> Result<SignatureValid<'_>, SignatureError> {
        key.verify(self.0.scheme.clone()?, self.slice(&self.0.tbs), self.slice(&self.0.signature))
    }
}

impl PartialEq for RevocationList {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for RevocationList {}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevocationList({}, {} entries)", hex::encode(self.0.sha256), self.len())
    }
}

/// Fields of a TBSCertList.
struct Fields<'a> {
    algorithm: &'a [u8],
    issuer: &'a [u8],
    this_update: Time,
    next_update: Option<Time>,
    serials: Vec<&'a [u8]>,
    unprocessed: Option<ObjectIdentifier>,
}

impl<'a> Fields<'a> {
    fn of(tbs: &'a [u8]) -> Option<Self> {
        let members = sequence(tbs, 7)?;
        let mut rest = members.as_slice();
        let mut next_of = |wanted: fn(Tag) -> bool| {
            let (first, after) = rest.split_first()?;
            let (tag, _) = single(first)?;
            wanted(tag).then(|| {
                rest = after;
                *first
            })
        };
        let version = next_of(|tag| tag == Tag::Integer);
        if version.is_some_and(|v| content(v, Tag::Integer) != Some(&[1])) {
            return None;
        }
        let algorithm = next_of(|tag| tag == Tag::Sequence)?;
        let issuer = next_of(|tag| tag == Tag::Sequence)?;
        let this_update = time(next_of(is_time)?)?;
        let next_update = match next_of(is_time) {
            Some(text) => Some(time(text)?),
            None => None,
        };
        let entries = next_of(|tag| tag == Tag::Sequence);
        let extensions = next_of(
            |tag| matches!(tag, Tag::ContextSpecific { constructed: true, number } if number == TagNumber(0)),
        );
        if !rest.is_empty() {
            return None;
        }
        let mut unprocessed = match extensions {
            Some(tagged) => first_unprocessed(single(tagged)?.1)?,
            None => None,
        };
        let mut serials = Vec::new();
        for entry in entries.map_or(Some(Vec::new()), |e| sequence(e, MAX_ENTRIES))? {
            let fields = sequence(entry, 3)?;
            serials.push(content(fields.first()?, Tag::Integer)?);
            time(fields.get(1)?)?;
            if let Some(extensions) = fields.get(2) {
                unprocessed = unprocessed.or(first_unprocessed(extensions)?);
            }
        }
        Some(Self { algorithm, issuer, this_update, next_update, serials, unprocessed })
    }
}

fn is_time(tag: Tag) -> bool {
    matches!(tag, Tag::UtcTime | Tag::GeneralizedTime)
}

fn time(der: &[u8]) -> Option<Time> {
    let since_1970 = match single(der)?.0 {
        Tag::UtcTime => UtcTime::from_der(der).ok()?.to_unix_duration(),
        Tag::GeneralizedTime => GeneralizedTime::from_der(der).ok()?.to_unix_duration(),
        _ => return None,
    };
    i64::try_from(since_1970.as_secs()).ok().map(Time::from_unix)
}

/// The first critical extension of an Extensions SEQUENCE that is not processed. Outer `None`: not readable.
fn first_unprocessed(extensions: &[u8]) -> Option<Option<ObjectIdentifier>> {
    let mut first = None;
    for extension in sequence(extensions, MAX_EXTENSIONS)? {
        let mut reader = SliceReader::new(content(extension, Tag::Sequence)?).ok()?;
        let oid = ObjectIdentifier::decode(&mut reader).ok()?;
        let critical = Option::<bool>::decode(&mut reader).ok()?.unwrap_or(false);
        let value = AnyRef::decode(&mut reader).ok()?;
        if value.header().tag() != Tag::OctetString || !reader.is_finished() {
            return None;
        }
        let processed = oid == ISSUING_DISTRIBUTION_POINT && names_only_own_certificates(value.value());
        if critical && !processed {
            first = first.or(Some(oid));
        }
    }
    Some(first)
}

/// Whether an issuingDistributionPoint (RFC 5280, 5.2.5) leaves the list one of the issuer's own certificates.
/// That it may be one of only some of them does not matter: what is listed is revoked, and what is not listed is
/// never taken as proved good.
fn names_only_own_certificates(value: &[u8]) -> bool {
    let read = || {
        for field in children(content(value, Tag::Sequence)?, 6)? {
            match single(field)?.0 {
                // indirectCRL, onlyContainsAttributeCerts
                Tag::ContextSpecific { number: TagNumber(4 | 5), .. } => return None,
                Tag::ContextSpecific { .. } => {}
                _ => return None,
            }
        }
        Some(())
    };
    read().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyvouch_emulator::crl::RevocationList as Template;
    use keyvouch_emulator::key::{Key, KeyKind, SignAlg};
    use keyvouch_emulator::x509::{self, Extension};

    fn template() -> Template {
        let issuer = x509::common_name("Issuer").unwrap();
        Template::new(issuer, "2026-01-01T00:00:00Z", "2050-02-01T00:00:00Z")
            .with(&[0, 0x80], "2025-12-31T00:00:00Z")
    }

    fn signed(template: &Template) -> (Vec<u8>, PublicKey) {
        let key = Key::shared("crl", KeyKind::P256).unwrap();
        let public = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        (template.sign(&key, SignAlg::EcdsaSha256).unwrap(), public)
    }

    #[test]
    fn lists_serial_numbers_as_they_are_written() {
        let (der, key) = signed(&template());
        let list = RevocationList::from_der(&der).unwrap();
        assert!(list.verify_signed_by(&key).is_ok());
        assert!(list.lists(&[0, 0x80]) && !list.lists(&[0x80]) && !list.lists(&[]));
        assert_eq!(list.len(), 1);
        assert_eq!(list.this_update().to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(list.next_update().unwrap().to_string(), "2050-02-01T00:00:00Z");
        assert_eq!(name_of(&list), "Issuer");
        assert_eq!(list.unprocessed_extension(), None);
    }

    fn name_of(list: &RevocationList) -> &str {
        crate::pki::name::common_name(list.issuer()).unwrap()
    }

    #[test]
    fn optional_fields_may_be_absent() {
        let mut bare = template();
        (bare.next_update, bare.entries) = (None, Vec::new());
        let list = RevocationList::from_der(&signed(&bare).0).unwrap();
        assert!(list.is_empty() && list.next_update().is_none());
    }

    #[test]
    fn critical_extensions_are_processed_or_told() {
        let unprocessed = |oid: &str, value: &[u8], critical: bool, in_entry: bool| {
            let mut template = template();
            let extension = Extension { critical, ..Extension::new(oid, value) };
            let place = if in_entry { &mut template.entries[0].extensions } else { &mut template.extensions };
            place.push(extension);
            RevocationList::from_der(&signed(&template).0).unwrap().unprocessed_extension().is_some()
        };
        const POINT: &str = "2.5.29.28";
        assert!(!unprocessed("1.2.3", &[5, 0], false, false));
        assert!(unprocessed("1.2.3", &[5, 0], true, false));
        assert!(unprocessed("1.2.3", &[5, 0], true, true));
        assert!(!unprocessed(POINT, &[0x30, 3, 0x81, 1, 0xff], true, false));
        // indirectCRL, onlyContainsAttributeCerts, not readable
        assert!(unprocessed(POINT, &[0x30, 3, 0x84, 1, 0xff], true, false));
        assert!(unprocessed(POINT, &[0x30, 3, 0x85, 1, 0xff], true, false));
        assert!(unprocessed(POINT, &[5, 0], true, false));
    }

    #[test]
    fn no_cut_list_is_a_list() {
        let (der, _) = signed(&template());
        for length in 0..der.len() {
            assert!(RevocationList::from_der(&der[..length]).is_err(), "{length}");
        }
        assert_eq!(RevocationList::from_der(&[&der[..], &[0]].concat()), Err(CrlError::Malformed));
        assert_eq!(RevocationList::from_der(&vec![0; MAX_LIST + 1]), Err(CrlError::TooLong));
    }
}
