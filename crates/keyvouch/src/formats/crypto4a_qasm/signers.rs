//! Who signed: every block, its signature, and the chain of its signer.

use der::asn1::ObjectIdentifier;

use super::message::{Block, Message};
use super::{Context, ID, checks as ck};
use crate::authentic::{Authentic, SignatureValid, TrustedKey};
use crate::checks::{Check, Checks};
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme};
use crate::pki::path::{self, Rules, Signs, Top};
use crate::pki::{Certificate, name};
use crate::reference::anchors::{Anchor, AnchorKind};

/// Purpose of certificates whose keys sign attestation messages.
const ATTESTATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.39901.4.1.1");

/// The claims as one block vouches for them.
pub(super) struct Vouched<'a> {
    pub(super) claims: Authentic<&'a [u8]>,
    pub(super) scheme: Scheme,
    pub(super) signer: Certificate,
}

/// Judges every block. The blocks that hold; one that does not is a failed check, whatever the others say.
pub(super) fn judge<'a>(
    message: &Message<'a>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Vec<Vouched<'a>> {
    let has_blocks = !message.blocks.is_empty();
    checks.test(&ck::UNSIGNED, place.to_owned(), has_blocks, "the message has signature blocks", || {
        "the message has no signature block".into()
    });
    let pool = pool(message, cx);
    let mut vouched = Vec::new();
    for (number, block) in (1_usize..).zip(&message.blocks) {
        let place = format!("{place}, signature block {number}");
        let Some(signer) = &block.certificate else {
            checks.fail(&ck::NO_SIGNER_CERTIFICATE, place, "the block has no certificate of its signer");
            continue;
        };
        checks.pass(&ck::NO_SIGNER_CERTIFICATE, place.clone(), "the block has the certificate of its signer");
        used.push(signer.clone());
        let signed = check_signature(message.claims, block, signer, &place, checks);
        let trusted = check_chain(signer, &pool, &place, cx, checks, used);
        if let (Some((scheme, signed)), Some(trusted)) = (signed, trusted)
            && let Some(claims) = trusted.authenticate(signed)
        {
            vouched.push(Vouched { claims, scheme, signer: signer.clone() });
        }
    }
    vouched
}

/// What paths may be built from: attached certificates, those handed over beside, and the operator's.
fn pool(message: &Message<'_>, cx: &Context<'_>) -> Vec<Certificate> {
    let mut pool: Vec<Certificate> = Vec::new();
    let beside = cx.parts.certificates();
    let beside = beside.iter().map(|(_, c)| *c);
    for certificate in message.related.iter().chain(beside).chain(&cx.reference.intermediates) {
        // The same authority is attached once for each signer.
        if !pool.contains(certificate) {
            pool.push(certificate.clone());
        }
    }
    pool
}

fn check_signature<'a>(
    claims: &'a [u8],
    block: &Block<'_>,
    signer: &Certificate,
    place: &str,
    checks: &mut Checks,
) -> Option<(Scheme, SignatureValid<'a>)> {
    let verify = || -> Result<(Scheme, SignatureValid<'a>), String> {
        let scheme = Scheme::from_algorithm_identifier(block.algorithm).map_err(|e| e.to_string())?;
        let key = signer.key().map_err(|e| format!("key of the signer: {e}"))?;
        if !is_of_a_qasm(scheme, key) {
            return Err(format!("{scheme} with a {} key is not an algorithm of a QASM", key.algorithm()));
        }
        let valid = key.verify(scheme, claims, block.signature).map_err(|e| e.to_string())?;
        Ok((scheme, valid))
    };
    match verify() {
        Ok((scheme, valid)) => {
            let detail = format!("the claims are signed by {} ({scheme})", signer.display_name());
            checks.pass(&ck::SIGNATURE_INVALID, place.to_owned(), detail);
            Some((scheme, valid))
        }
        Err(why) => {
            let detail = format!("signature of {}: {why}", signer.display_name());
            checks.fail(&ck::SIGNATURE_INVALID, place.to_owned(), detail);
            None
        }
    }
}

fn is_of_a_qasm(scheme: Scheme, key: &PublicKey) -> bool {
    match scheme {
        Scheme::Ecdsa(Hash::Sha384) => matches!(key.material(), Material::Ec { curve: Curve::P384, .. }),
        Scheme::HssLms => true,
        _ => false,
    }
}

fn check_chain(
    signer: &Certificate,
    pool: &[Certificate],
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
    used: &mut Vec<Certificate>,
) -> Option<TrustedKey> {
    if let Some(why) = not_for_attestation(signer) {
        let detail = format!("{}: {why}", signer.display_name());
        checks.fail(&ck::CHAIN_INVALID, place.to_owned(), detail);
        return None;
    }
    let anchors: Vec<&Anchor> = cx.reference.anchors.roots_for(ID).collect();
    let path::Found { chain, top } = path::find(signer, pool, &anchors, cx.signatures);
    used.extend(chain.iter().skip(1).cloned());
    let Top::Anchor(anchor) = top else {
        let (check, detail) = why_no_anchor(&chain, &top, &anchors);
        checks.fail(check, place.to_owned(), detail);
        return None;
    };
    checks.pass(&ck::ANCHOR_UNKNOWN, place.to_owned(), format!("the chain ends at {}", anchor.name));
    let rules = Rules::strict(cx.at, Signs::Statements);
    let validation = path::validate(&chain, anchor, &cx.reference.anchors, &rules, cx.signatures);
    for fault in &validation.faults {
        checks.fail(&ck::CHAIN_INVALID, place.to_owned(), fault.to_string());
    }
    if validation.faults.is_empty() {
        checks.pass(&ck::CHAIN_INVALID, place.to_owned(), path::describe(&chain));
    }
    validation.trusted
}

/// Why a certificate is not one of an assertion authority. What the path validator sees is not repeated.
fn not_for_attestation(signer: &Certificate) -> Option<&'static str> {
    let attests = signer.extended_key_usage().is_some_and(|p| p.is_ok_and(|p| p.contains(&ATTESTATION)));
    if !attests {
        return Some("lacks the purpose of attestation (1.3.6.1.4.1.39901.4.1.1)");
    }
    if !signer.key_usage().is_some_and(|u| u.is_ok_and(|u| u.digital_signature)) {
        return Some("lacks keyUsage digitalSignature");
    }
    match signer.basic_constraints() {
        Some(Ok(constraints)) if constraints.ca => Some("is a CA, which an assertion authority is not"),
        _ => None,
    }
}

fn why_no_anchor(chain: &[Certificate], top: &Top<'_>, anchors: &[&Anchor]) -> (&'static Check, String) {
    let issuer = chain.last().map(|c| name::display(c.issuer())).unwrap_or_default();
    let names_anchor =
        |c: &Certificate| anchors.iter().any(|a| a.kind == AnchorKind::Root && a.subject == c.subject());
    match top {
        Top::NotSignedByAnchor(anchor) => {
            (&ck::CHAIN_INVALID, format!("the chain names {} and is not signed by it", anchor.name))
        }
        Top::SelfSigned if chain.last().is_some_and(names_anchor) => (
            &ck::CHAIN_INVALID,
            format!(
                "the chain ends at a self-signed certificate that has the name of an anchor, {issuer}, and another key"
            ),
        ),
        Top::SelfSigned => (
            &ck::ANCHOR_UNKNOWN,
            format!("the chain ends at the self-signed certificate of {issuer}, which is no anchor"),
        ),
        Top::NotSignedByIssuer | Top::Budget => (
            &ck::CHAIN_INVALID,
            format!("the chain is not signed by the certificate of {issuer} that is there"),
        ),
        Top::IssuerMissing | Top::Anchor(_) => {
            (&ck::ANCHOR_UNKNOWN, format!("the issuer {issuer} is neither an anchor nor in the evidence"))
        }
    }
}
