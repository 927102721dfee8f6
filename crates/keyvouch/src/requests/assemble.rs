//! The signed request, of its content and a signature that the device made.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use der::{Decode, Encode, Tag};

use super::{EmbedError, encode};
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use crate::wire::der::{content, sequence};

/// A signed request.
#[derive(Debug, Clone)]
pub struct Assembled {
    /// DER PKCS#10.
    pub der: Vec<u8>,
    /// How it is signed.
    pub scheme: Scheme,
}

impl Assembled {
    /// PEM (RFC 7468).
    #[must_use]
    pub fn pem(&self) -> String {
        const LABEL: &str = "CERTIFICATE REQUEST";
        let encoded = STANDARD.encode(&self.der);
        let mut text = format!("-----BEGIN {LABEL}-----\n");
        let mut rest = encoded.as_str();
        while let Some((line, after)) =
            rest.split_at_checked(rest.len().min(64)).filter(|(l, _)| !l.is_empty())
        {
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(&format!("-----END {LABEL}-----\n"));
        text
    }
}

/// The hash that signatures of a key are usually made with; `None` for keys that sign without one, or not at all.
#[must_use]
pub fn usual_hash(key: &PublicKey) -> Option<Hash> {
    match key.material() {
        Material::Rsa { .. } => Some(Hash::Sha256),
        Material::Ec { curve, .. } => Some(match curve {
            Curve::P384 | Curve::BrainpoolP384r1 => Hash::Sha384,
            Curve::P521 => Hash::Sha512,
            _ => Hash::Sha256,
        }),
        _ => None,
    }
}

/// Puts content and signature together. The algorithm is found by trying: a signature that does not verify with the
/// key in the content is refused.
///
/// # Errors
/// When the content is not one, or the signature is not its key's.
pub fn assemble(info: &[u8], signature: &[u8]) -> Result<Assembled, EmbedError> {
    let members = sequence(info, 4).ok_or(EmbedError::NotInfo)?;
    let [version, _, spki, _] = members.as_slice() else { return Err(EmbedError::NotInfo) };
    if content(version, Tag::Integer) != Some(&[0]) {
        return Err(EmbedError::NotInfo);
    }
    let key = PublicKey::from_spki_der(spki).map_err(|_| EmbedError::NotInfo)?;
    let (scheme, signature) = candidates(&key, signature)
        .into_iter()
        .find(|(scheme, signature)| key.verify(*scheme, info, signature).is_ok())
        .ok_or_else(|| EmbedError::Signature { key: key.algorithm(), expected: expected(&key) })?;
    let algorithm = scheme.algorithm_identifier().ok_or(EmbedError::Encoding)?;
    let bits = encode::tlv(Tag::BitString, &[&[0], signature.as_slice()].concat())?;
    Ok(Assembled { der: encode::sequence(&[info.to_vec(), algorithm, bits])?, scheme })
}

fn candidates(key: &PublicKey, signature: &[u8]) -> Vec<(Scheme, Vec<u8>)> {
    const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
    let own = signature.to_vec();
    match key.material() {
        Material::Rsa { .. } => HASHES
            .into_iter()
            .flat_map(|hash| [Scheme::RsaPkcs1(hash), Scheme::RsaPss(hash)])
            .map(|scheme| (scheme, own.clone()))
            .collect(),
        // As in DER, or r and s side by side, as PKCS#11 modules give it.
        Material::Ec { .. } => HASHES
            .into_iter()
            .flat_map(|hash| {
                let der = ecdsa_in_der(signature);
                [Some(own.clone()), der].into_iter().flatten().map(move |s| (Scheme::Ecdsa(hash), s))
            })
            .collect(),
        Material::Ed25519(_) => vec![(Scheme::Ed25519, own)],
        _ => Vec::new(),
    }
}

fn expected(key: &PublicKey) -> &'static str {
    match key.material() {
        Material::Rsa { .. } => {
            "RSA PKCS#1 v1.5 or PSS (salt as long as the digest) with SHA-256, SHA-384 or SHA-512"
        }
        Material::Ec { .. } => "ECDSA with SHA-256, SHA-384 or SHA-512",
        Material::Ed25519(_) => "Ed25519",
        _ => "a kind that this key cannot make: a request of it cannot be signed",
    }
}

/// Ecdsa-Sig-Value of r ‖ s, each half as long. `None` when it is none.
fn ecdsa_in_der(signature: &[u8]) -> Option<Vec<u8>> {
    let half = signature.len().checked_div(2)?;
    let (r, s) = signature.split_at_checked(half).filter(|(r, s)| r.len() == s.len() && !r.is_empty())?;
    let number = |bytes: &[u8]| der::asn1::UintRef::new(bytes).ok()?.to_der().ok();
    encode::sequence(&[number(r)?, number(s)?]).ok()
}

impl Scheme {
    /// The AlgorithmIdentifier of a request's signature; `None` for schemes that requests are not signed with.
    #[must_use]
    pub fn algorithm_identifier(self) -> Option<Vec<u8>> {
        let of = |oid: &str, parameters: &[u8]| {
            let oid = der::asn1::ObjectIdentifier::new(oid).ok()?.to_der().ok()?;
            encode::sequence(&[oid.as_slice(), parameters]).ok()
        };
        const NULL: &[u8] = &[0x05, 0x00];
        let made = match self {
            Self::RsaPkcs1(Hash::Sha256) => of("1.2.840.113549.1.1.11", NULL),
            Self::RsaPkcs1(Hash::Sha384) => of("1.2.840.113549.1.1.12", NULL),
            Self::RsaPkcs1(Hash::Sha512) => of("1.2.840.113549.1.1.13", NULL),
            Self::Ecdsa(Hash::Sha256) => of("1.2.840.10045.4.3.2", &[]),
            Self::Ecdsa(Hash::Sha384) => of("1.2.840.10045.4.3.3", &[]),
            Self::Ecdsa(Hash::Sha512) => of("1.2.840.10045.4.3.4", &[]),
            Self::Ed25519 => of("1.3.101.112", &[]),
            Self::RsaPss(hash) => {
                let digest = of(
                    match hash {
                        Hash::Sha256 => "2.16.840.1.101.3.4.2.1",
                        Hash::Sha384 => "2.16.840.1.101.3.4.2.2",
                        Hash::Sha512 => "2.16.840.1.101.3.4.2.3",
                        Hash::Sha1 => return None,
                    },
                    NULL,
                )?;
                let mgf = of("1.2.840.113549.1.1.8", &digest)?;
                let salt = u8::try_from(hash.output_len()).ok()?;
                let fields = [
                    encode::context(0, &digest).ok()?,
                    encode::context(1, &mgf).ok()?,
                    encode::context(2, &[0x02, 0x01, salt]).ok()?,
                ];
                of("1.2.840.113549.1.1.10", &encode::sequence(&fields).ok()?)
            }
            _ => None,
        };
        // What is written must be what is read.
        made.filter(|der| Self::from_algorithm_identifier(der) == Ok(self) && der::Any::from_der(der).is_ok())
    }
}
