//! One signature block: who made the signature, whether it verifies, and who vouches for the signer.

use super::ID;
use super::checks as ck;
use super::envelope::{Block, Envelope, Signer, certificate_has_id, key_has_id};
use super::oids::{Purpose, purpose};
use super::trust;
use crate::authentic::{Authentic, SignatureValid, TrustedKey};
use crate::checks::Check;
use crate::crypto::{Material, PublicKey, Scheme, SchemeError, SignatureError};
use crate::formats::Context;
use crate::pki::Certificate;

/// How many certificates with one key identifier are tried; more are made to waste time.
const MAX_CANDIDATES: usize = 8;

/// What a block came to.
pub(super) struct Judged<'a> {
    /// The signer's key, as far as it is known.
    pub(super) key: Option<PublicKey>,
    /// TbsEvidence and the signer's certificate, when signature and signer are in order.
    pub(super) authentic: Option<Authentic<Signed<'a>>>,
    /// What is wrong.
    pub(super) faults: Vec<(&'static Check, String)>,
    /// The certificates that the judgement rests on.
    pub(super) certificates: Vec<Certificate>,
    /// The signer, for people.
    pub(super) name: String,
}

/// TbsEvidence, and the certificate of the key that signed it, where it has one.
pub(super) type Signed<'a> = (&'a [u8], Option<Certificate>);

impl Judged<'_> {
    /// Whether only nobody vouches for the signer: no fault of the signature, and none of the evidence.
    pub(super) fn is_only_unknown(&self) -> bool {
        !self.faults.is_empty() && self.faults.iter().all(|(check, _)| check.id == ck::ANCHOR_UNKNOWN.id)
    }
}

/// Judges a block.
pub(super) fn judge<'a>(envelope: &Envelope<'a>, block: &Block<'a>, cx: &Context<'_>) -> Judged<'a> {
    match &block.signer {
        Signer::Certificate(certificate) => by_certificate(envelope, block, certificate, cx),
        Signer::Key(key) => by_key(envelope, block, key, cx),
        Signer::KeyId(id) => by_key_id(envelope, block, id, cx),
    }
}

/// A key identifier is looked up among the pinned keys and everything that was handed over. Of several certificates
/// with it, one that is trusted and fits the signature counts; else the one with the fewest faults.
fn by_key_id<'a>(envelope: &Envelope<'a>, block: &Block<'a>, id: &[u8], cx: &Context<'_>) -> Judged<'a> {
    let pinned = cx.reference.anchors.keys_for(ID).find(|anchor| key_has_id(&anchor.key, id));
    if let Some(anchor) = pinned {
        return by_key(envelope, block, &anchor.key, cx);
    }
    let candidates = trust::at_hand(envelope, cx).into_iter().filter(|c| certificate_has_id(c, id));
    candidates
        .take(MAX_CANDIDATES)
        .map(|certificate| by_certificate(envelope, block, &certificate, cx))
        .min_by_key(|judged| judged.faults.len())
        .unwrap_or_else(|| Judged {
            key: None,
            authentic: None,
            faults: vec![(
                &ck::UNKNOWN_SIGNER,
                "no certificate with this key identifier is there".to_owned(),
            )],
            certificates: Vec::new(),
            name: format!("key identifier {}", hex::encode(id)),
        })
}

/// A bare key is trusted only when the operator pinned that very key.
fn by_key<'a>(envelope: &Envelope<'a>, block: &Block<'a>, key: &PublicKey, cx: &Context<'_>) -> Judged<'a> {
    let mut faults = Vec::new();
    let valid = verify(envelope, block, key, &mut faults);
    let trusted = cx.reference.anchors.keys_for(ID).find(|a| a.key == *key).and_then(TrustedKey::pinned);
    if trusted.is_none() {
        faults.push((
            &ck::ANCHOR_UNKNOWN,
            "the signer is a bare key that is not configured as an anchor".to_owned(),
        ));
    }
    let signed = valid.zip(trusted).and_then(|(valid, trusted)| trusted.authenticate(valid));
    Judged {
        key: Some(key.clone()),
        authentic: signed.and_then(|tbs| tbs.parse(|tbs| Ok::<_, ()>((tbs, None))).ok()),
        faults,
        certificates: Vec::new(),
        name: format!("{} key {}", key.algorithm(), hex::encode(key.spki_sha256())),
    }
}

fn by_certificate<'a>(
    envelope: &Envelope<'a>,
    block: &Block<'a>,
    certificate: &Certificate,
    cx: &Context<'_>,
) -> Judged<'a> {
    let mut faults = Vec::new();
    let mut certificates = vec![certificate.clone()];
    let valid = match certificate.key() {
        Ok(key) => verify(envelope, block, key, &mut faults),
        Err(why) => {
            faults.push((&ck::SIGNATURE_INVALID, format!("the key of the signer's certificate: {why}")));
            None
        }
    };
    check_profile(certificate, cx, &mut faults);
    let trusted = trust::check(certificate, envelope, cx, &mut faults, &mut certificates);
    let authentic = valid.zip(trusted).filter(|_| faults.is_empty()).and_then(|(valid, trusted)| {
        let both = trusted.key.authenticate(valid)?.join(trusted.certificate)?;
        both.parse(|(tbs, certificate)| Ok::<_, ()>((tbs, Some(certificate)))).ok()
    });
    Judged {
        key: certificate.key().ok().cloned(),
        authentic,
        faults,
        certificates,
        name: certificate.display_name(),
    }
}

/// The signature over TbsEvidence as it was received, with the algorithm that the block declares and no other.
fn verify<'a>(
    envelope: &Envelope<'a>,
    block: &Block<'a>,
    key: &PublicKey,
    faults: &mut Vec<(&'static Check, String)>,
) -> Option<SignatureValid<'a>> {
    let scheme = Scheme::from_algorithm_identifier(block.algorithm).map_err(SignatureError::from);
    match scheme.and_then(|scheme| key.verify(scheme, envelope.tbs, block.signature)) {
        Ok(valid) => return Some(valid),
        Err(SignatureError::Unsupported(SchemeError::Malformed)) => {
            faults.push((&ck::MALFORMED, "the signature algorithm is not an AlgorithmIdentifier".to_owned()));
        }
        Err(why @ SignatureError::Unsupported(SchemeError::Unknown(_))) => {
            faults.push((&ck::UNKNOWN_ALGORITHM, why.to_string()));
        }
        Err(why @ SignatureError::WrongKeyType { .. })
            if matches!(key.material(), Material::Other { .. }) =>
        {
            faults.push((
                &ck::UNKNOWN_ALGORITHM,
                format!("{why}: a key type that this verifier does not know"),
            ));
        }
        Err(why) => faults.push((&ck::SIGNATURE_INVALID, why.to_string())),
    }
    None
}

/// The draft's profile of the certificate. RFC 5280 takes an absent extension for no restriction; here it must say
/// that the key signs, and signs evidence.
fn check_profile(certificate: &Certificate, cx: &Context<'_>, faults: &mut Vec<(&'static Check, String)>) {
    let usage = certificate.key_usage().and_then(Result::ok);
    if !usage.is_some_and(|usage| usage.digital_signature) {
        faults.push((&ck::AK_PROFILE, "keyUsage does not say digitalSignature".to_owned()));
    }
    match purpose(cx.options, |oid| certificate.has_extended_key_usage(oid)) {
        Purpose::Accepted => {}
        Purpose::Placeholder => {
            let detail = "the purpose id-kp-attestationKey is the placeholder of the sample data".to_owned();
            faults.push((&ck::PLACEHOLDER_OIDS, detail));
        }
        Purpose::Other => {
            faults.push((&ck::AK_PROFILE, "extKeyUsage does not name id-kp-attestationKey".to_owned()));
        }
    }
}
