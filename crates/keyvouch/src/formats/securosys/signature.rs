//! The signature over the document: over every byte, as it was received.
//!
//! Nothing in the evidence names the algorithm; the attestation key's type leaves few, all with SHA-256.

use der::Encode;
use der::asn1::UintRef;

use super::checks as ck;
use super::gather::Piece;
use crate::authentic::SignatureValid;
use crate::checks::Checks;
use crate::crypto::{Hash, Material, PublicKey, Scheme};

/// A document whose signature verifies under the attestation key, trusted or not.
pub(super) struct Signed<'m> {
    pub(super) proof: SignatureValid<'m>,
    pub(super) scheme: &'static str,
}

/// Finds the signature of `xml` by `key` among the candidates.
pub(super) fn check<'m>(
    xml: &'m Piece<'_>,
    candidates: &[Piece<'_>],
    key: &PublicKey,
    checks: &mut Checks,
) -> Option<Signed<'m>> {
    let place = xml.place.clone();
    if let Some(signed) = candidates.iter().find_map(|c| verify(key, &xml.bytes, &c.bytes)) {
        checks.pass(
            &ck::SIGNATURE_INVALID,
            place,
            format!("signed by the attestation key, {}", signed.scheme),
        );
        return Some(signed);
    }
    let known = matches!(key.material(), Material::Rsa { .. } | Material::Ec { .. });
    let why = if !known {
        format!("a key of type {} is not an attestation key of a Primus HSM", key.algorithm())
    } else if let Some(change) = explain(&xml.bytes, candidates, key) {
        format!("the document was altered after it was signed: {change}")
    } else {
        "the signature is not one of the attestation key over this document".to_owned()
    };
    checks.fail(&ck::SIGNATURE_INVALID, place, why);
    None
}

fn verify<'m>(key: &PublicKey, message: &'m [u8], signature: &[u8]) -> Option<Signed<'m>> {
    let with = |scheme, signature: &[u8], name| {
        key.verify(scheme, message, signature).ok().map(|proof| Signed { proof, scheme: name })
    };
    match key.material() {
        // The default of the TSB, then what PKCS#11 applications choose. Other salt lengths than that of the
        // digest are not known to be used, and aws-lc-rs does not find out the length by itself.
        Material::Rsa { .. } => {
            with(Scheme::RsaPkcs1(Hash::Sha256), signature, "RSA PKCS#1 v1.5 with SHA-256").or_else(|| {
                with(Scheme::RsaPss(Hash::Sha256), signature, "RSA-PSS with SHA-256, salt of 32 bytes")
            })
        }
        // JCE gives DER, PKCS#11 r and s side by side. The latter is put into DER, because aws-lc-rs does not
        // take it with SHA-256 for every curve.
        Material::Ec { curve, .. } if signature.len() == curve.field_len().saturating_mul(2) => {
            let der = to_der(signature, curve.field_len())?;
            with(Scheme::Ecdsa(Hash::Sha256), &der, "ECDSA with SHA-256, r and s side by side")
        }
        Material::Ec { .. } => with(Scheme::Ecdsa(Hash::Sha256), signature, "ECDSA with SHA-256, DER"),
        Material::Ed25519(_)
        | Material::X25519(_)
        | Material::Dsa { .. }
        | Material::MlDsa { .. }
        | Material::Other { .. } => None,
    }
}

/// Ecdsa-Sig-Value (RFC 3279, 2.2.3) of r ‖ s.
fn to_der(signature: &[u8], field_len: usize) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(field_len)?;
    let mut content = UintRef::new(r).ok()?.to_der().ok()?;
    content.extend(UintRef::new(s).ok()?.to_der().ok()?);
    der::asn1::AnyRef::new(der::Tag::Sequence, &content).ok()?.to_der().ok()
}

/// Which alteration would make the signature verify. An explanation, never an acceptance: the verified bytes
/// are dropped.
fn explain(xml: &[u8], candidates: &[Piece<'_>], key: &PublicKey) -> Option<&'static str> {
    let line_feeds = without_carriage_returns(xml);
    let ends = |body: &[u8], end: &[u8]| [body.trim_ascii_end(), end].concat();
    let bom = xml.strip_prefix(b"\xef\xbb\xbf").unwrap_or(xml);
    let tries: [(Vec<u8>, &str); 5] = [
        (line_feeds.clone(), "its line ends were made CR LF"),
        (ends(xml, b"\n\n"), "white space at its end was removed or added; it ends with two line feeds"),
        (ends(&line_feeds, b"\n\n"), "its line ends were made CR LF, and those at its end removed or added"),
        (bom.to_vec(), "a byte-order mark was put before it"),
        (ends(xml, b""), "line feeds were added at its end"),
    ];
    tries
        .iter()
        .filter(|(bytes, _)| bytes != xml)
        .find(|(bytes, _)| candidates.iter().any(|c| verify(key, bytes, &c.bytes).is_some()))
        .map(|(_, change)| *change)
}

fn without_carriage_returns(xml: &[u8]) -> Vec<u8> {
    let follows = xml.iter().skip(1).map(Some).chain([None]);
    xml.iter()
        .zip(follows)
        .filter(|(b, next)| !(**b == b'\r' && *next == Some(&b'\n')))
        .map(|(b, _)| *b)
        .collect()
}
