//! Departures from DER in the certificates of real devices: told, and refused where the operator is strict.

use der::Tag;

use super::checks as ck;
use super::structure::quirk;
use super::trust::at;
use crate::checks::{Check, Checks};
use crate::pki::Certificate;
use crate::wire::der::{content, sequence, single};

pub(super) fn check(chain: &[Certificate], strict: bool, place: &str, checks: &mut Checks) {
    for (position, certificate) in (0_usize..).zip(chain) {
        for (check, detail) in found(certificate) {
            quirk(strict, check, at(place, position), detail, checks);
        }
    }
}

fn found(certificate: &Certificate) -> Vec<(&'static Check, &'static str)> {
    let mut quirks: Vec<(&'static Check, &'static str)> = Vec::new();
    if key_usage_is_not_minimal(certificate) == Some(true) {
        quirks.push((&ck::DER_KEYUSAGE_NOT_MINIMAL, "keyUsage has trailing zero bits"));
    }
    let Some(fields) = Fields::of(certificate) else { return quirks };
    if fields.algorithms.iter().any(|a| is_rsa_without_null(a)) {
        quirks.push((&ck::DER_RSA_ALGID_WITHOUT_NULL, "an RSA AlgorithmIdentifier has no NULL"));
    }
    if fields.algorithms.iter().any(|a| is_ecdsa_with_parameters(a)) {
        quirks.push((&ck::DER_ECDSA_ALGID_NULL, "an ECDSA AlgorithmIdentifier has NULL parameters"));
    }
    if fields.dates.iter().any(|d| is_early_generalized_time(d)) {
        quirks.push((&ck::DER_GENERALIZEDTIME_BEFORE_2050, "a date before 2050 is a GeneralizedTime"));
    }
    quirks
}

struct Fields<'a> {
    /// Of the signature, and of the public key.
    algorithms: [&'a [u8]; 2],
    dates: Vec<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn of(certificate: &'a Certificate) -> Option<Self> {
        let outer = sequence(certificate.der(), 3)?;
        let [tbs, algorithm, _] = outer.as_slice() else { return None };
        let fields = sequence(tbs, 10)?;
        // After an explicit version: serial number, algorithm, issuer, validity, subject, key.
        let first = usize::from(fields.first()?.first() == Some(&0xa0));
        let field = |n: usize| fields.get(first.saturating_add(n)).copied();
        let key = sequence(field(5)?, 2)?;
        Some(Self { algorithms: [algorithm, key.first()?], dates: sequence(field(3)?, 2)? })
    }
}

/// A named BIT STRING ends with its last bit that is set (X.690, 11.2.2).
fn key_usage_is_not_minimal(certificate: &Certificate) -> Option<bool> {
    const KEY_USAGE: der::asn1::ObjectIdentifier = der::asn1::ObjectIdentifier::new_unwrap("2.5.29.15");
    let bits = content(certificate.extension(KEY_USAGE)?.value, Tag::BitString)?;
    let (unused, bytes) = bits.split_first()?;
    Some(match bytes.last() {
        None => *unused != 0,
        Some(last) => *last == 0 || last.trailing_zeros() != u32::from(*unused),
    })
}

fn is_rsa_without_null(algorithm: &[u8]) -> bool {
    /// 1.2.840.113549.1.1 of rsaEncryption and its signatures, other than RSASSA-PSS (10), which has parameters.
    const ARC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    let Some(members) = sequence(algorithm, 2) else { return false };
    let oid = members.first().and_then(|m| content(m, Tag::ObjectIdentifier));
    members.len() == 1
        && oid.and_then(|o| o.strip_prefix(ARC)).is_some_and(|last| matches!(last, [1 | 5 | 11..=14]))
}

fn is_ecdsa_with_parameters(algorithm: &[u8]) -> bool {
    /// 1.2.840.10045.4.3: ECDSA with a digest of the SHA-2 family.
    const ARC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
    let Some(members) = sequence(algorithm, 2) else { return false };
    let oid = members.first().and_then(|m| content(m, Tag::ObjectIdentifier));
    members.len() > 1 && oid.is_some_and(|o| o.starts_with(ARC))
}

fn is_early_generalized_time(date: &[u8]) -> bool {
    matches!(single(date), Some((Tag::GeneralizedTime, text)) if text < b"2050".as_slice())
}
