//! One statement, judged: the steps that are the same in every wrapping.

use std::borrow::Cow;

use super::ak::{self, Signer};
use super::checks as ck;
use super::claims::{self, Facts};
use super::gather::Signature;
use super::identity::{is_authority, is_ek_certificate};
use super::key::{self, Hierarchy};
use super::signature::{self, Made};
use super::switches::{Pinned, Sha1, Switches};
use super::trust;
use crate::appraisal::Freshness;
use crate::checks::Checks;
use crate::crypto::{Hash, Material as Numbers, PublicKey, Scheme};
use crate::formats::{Context, Statement};
use crate::pki::Certificate;
use crate::verifier::NONCE_MISMATCH;
use crate::wire::tpm::{
    Attest, Certified, CreationData, GENERATED, PublicArea, alg, alg_name, attribute, hash, kind,
};

/// What tpm2_certify writes when it is given no nonce.
const NO_NONCE: [u8; 4] = [0x00, 0xff, 0x55, 0xaa];

/// What belongs to one statement, whatever it came in.
#[derive(Debug, Clone)]
pub(crate) struct Material<'p> {
    /// The format whose anchors count.
    pub(crate) format: &'static str,
    /// Where the attestation is.
    pub(crate) place: &'p str,
    pub(crate) attest: &'p [u8],
    pub(crate) signature: Option<Signature<'p>>,
    /// Every public area at hand, of the key and of others.
    pub(crate) publics: Vec<(&'p str, PublicArea<'p>)>,
    /// Creation data that may be that of the key.
    pub(crate) creations: Vec<(&'p str, &'p [u8])>,
    pub(crate) certificates: &'p [(String, Certificate)],
    /// Keys that are said to be the attestation key, without more.
    pub(crate) bare_keys: Vec<(&'p str, PublicKey)>,
    /// Creation statements of the attestation key.
    pub(crate) ak_statements: Vec<AkStatement<'p>>,
    pub(crate) pinned: Option<Pinned<'p>>,
    pub(crate) switches: Switches,
    /// What the attestation must answer, where something was asked.
    pub(crate) nonce: Option<&'p [u8]>,
}

/// A creation statement of an attestation key.
#[derive(Debug, Clone)]
pub(crate) struct AkStatement<'p> {
    pub(crate) place: &'p str,
    pub(crate) attest: &'p [u8],
    pub(crate) signature: Option<Signature<'p>>,
    pub(crate) creations: Vec<&'p [u8]>,
}

/// A key that may have signed.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'p> {
    pub(crate) key: PublicKey,
    place: &'p str,
    /// Whether somebody hands it over as attestation key: not the certificates of authorities and endorsement keys,
    /// not the attested key itself.
    counts: bool,
    scheme: Option<(u16, u16)>,
}

/// The key that signed, and everything at hand that speaks of it.
#[derive(Debug)]
pub(crate) struct Ak<'p> {
    pub(crate) key: PublicKey,
    pub(crate) place: &'p str,
    pub(crate) publics: Vec<(&'p str, PublicArea<'p>)>,
    pub(crate) certificates: Vec<(&'p str, &'p Certificate)>,
}

impl<'p> Material<'p> {
    /// Every certificate, for building paths.
    pub(crate) fn pool(&self) -> Vec<Certificate> {
        self.certificates.iter().map(|(_, c)| c.clone()).collect()
    }

    /// Every key that may have signed, each once.
    pub(crate) fn candidates(&self) -> Vec<Candidate<'p>> {
        let name = Attest::read(self.attest).ok().and_then(|a| a.name());
        let mut all: Vec<Candidate<'p>> = Vec::new();
        let mut add = |key: PublicKey, place, counts, scheme: Option<(u16, u16)>| match all
            .iter_mut()
            .find(|c| c.key == key)
        {
            Some(known) => {
                known.counts |= counts;
                known.scheme = known.scheme.or(scheme);
            }
            None => all.push(Candidate { key, place, counts, scheme }),
        };
        for (place, certificate) in self.certificates {
            let counts = !is_authority(certificate) && !is_ek_certificate(certificate);
            if let Ok(key) = certificate.key() {
                add(key.clone(), place.as_str(), counts, None);
            }
        }
        for (place, public) in &self.publics {
            let own = name.is_some() && public.name().as_deref() == name;
            if let Some(key) = public.key() {
                let counts = !own && public.has(attribute::SIGN);
                add(key, place, counts, ak::scheme_of(std::iter::once(public)));
            }
        }
        for (place, key) in &self.bare_keys {
            add(key.clone(), place, true, None);
        }
        if let Some(pinned) = &self.pinned {
            add(pinned.key.clone(), "option ak_pinned", true, ak::scheme_of(pinned.public.iter()));
        }
        all
    }

    fn ak(&self, candidate: Candidate<'p>) -> Ak<'p> {
        let Candidate { key, place, .. } = candidate;
        let pinned = self.pinned.iter().filter_map(|p| p.public).map(|public| ("option ak_pinned", public));
        let publics = self
            .publics
            .iter()
            .copied()
            .chain(pinned)
            .filter(|(_, public)| public.key().as_ref() == Some(&key))
            .collect();
        let certificates = self
            .certificates
            .iter()
            .filter(|(_, c)| c.key().is_ok_and(|k| *k == key))
            .map(|(place, c)| (place.as_str(), c))
            .collect();
        Ak { key, place, publics, certificates }
    }
}

/// Judges a statement; what is found goes into `statement`.
pub(crate) fn judge(material: &Material<'_>, cx: &Context<'_>, statement: &mut Statement) {
    let checks = &mut statement.checks;
    let attest = read_attest(material, checks);
    let signed = check_signature(material, checks);
    statement.freshness = attest.as_ref().map(|attest| check_nonce(material, attest, checks));
    let trusted = signed.as_ref().and_then(|(_, ak)| trust::establish(material, ak, cx, checks));
    let mut signer = Signer::default();
    if let Some((made, ak)) = &signed {
        let microsofts = trusted.as_ref().map(|trust| trust.microsofts);
        check_sha1(made.scheme, microsofts, material.switches.sha1, ak.place, checks);
        signer = ak::check(material, ak, attest.as_ref(), checks);
    }
    if let Some(trust) = &trusted {
        statement.certificates.extend(trust.chain.iter().cloned());
    }
    let Some(attest) = attest else { return };
    let ak_key = signed.as_ref().map(|(_, ak)| &ak.key);
    let Some((place, public)) = find_public(material, &attest, ak_key, checks) else { return };
    let creation = check_creation(material, &attest, &public, checks);
    let hierarchy = Hierarchy::of(&public, &attest.certified, creation.as_ref().map(|(data, _)| data));
    key::check(&public, hierarchy, place, material.switches, checks);
    if material.switches.subject_is_ak {
        ak::check_restricted(&public, place, checks);
    }
    let (Some((made, ak)), Some(trust)) = (signed, trusted) else { return };
    let facts = Facts {
        mode: trust.mode,
        software: trust.software,
        anchor_kind: trust.anchor_kind.clone(),
        googles: trust.googles,
        derived_keys: material.switches.derived_keys,
        firmware_is_clear: signer.in_endorsement_hierarchy,
        hierarchy,
        ak_spki_sha256: ak.key.spki_sha256(),
    };
    statement.attested = claims::attest(made.proof, trust, public, creation, facts);
}

/// Steps 1 to 3.
fn read_attest<'p>(material: &Material<'p>, checks: &mut Checks) -> Option<Attest<'p>> {
    let place = || material.place.to_owned();
    let attest = match Attest::read(material.attest) {
        Ok(attest) => attest,
        Err(fault) => {
            checks.fail(&ck::MALFORMED, place(), fault.to_string());
            return None;
        }
    };
    checks.pass(&ck::MALFORMED, place(), "the attestation is read exactly");
    checks.test(&ck::TPM_MAGIC, place(), attest.magic == GENERATED, "it begins with TPM_GENERATED", || {
        format!("it begins with {:08x}, not with ff544347: no TPM composed it", attest.magic).into()
    });
    checks.test(
        &ck::TPM_ATTEST_TYPE,
        place(),
        attest.certified != Certified::Other,
        kind::name(attest.kind),
        || format!("it is a {} attestation ({:04x})", kind::name(attest.kind), attest.kind).into(),
    );
    Some(attest)
}

/// Steps 4 and 11: who signed, and how.
fn check_signature<'p>(material: &Material<'p>, checks: &mut Checks) -> Option<(Made<'p>, Ak<'p>)> {
    let place = || material.place.to_owned();
    let Some(signature) = &material.signature else {
        if checks.failed(&ck::MALFORMED) {
            // It may be the very structure that could not be read.
            checks.skip(&ck::ATTEST_SIGNATURE, place(), "no signature that can be read is there");
            return None;
        }
        checks.fail(&ck::STATEMENT_MISSING, place(), "the signature of the attestation is not there");
        return None;
    };
    let candidates = material.candidates();
    let made = candidates.iter().find_map(|candidate| {
        let made = signature::verify(&candidate.key, signature, candidate.scheme, material.attest)?;
        Some((made, candidate.clone()))
    });
    let Some((made, candidate)) = made else {
        let counting: Vec<&Candidate<'_>> = candidates.iter().filter(|c| c.counts).collect();
        if counting.is_empty() {
            checks.fail(
                &ck::AK_UNKNOWN,
                place(),
                "no attestation key is there: neither its certificate, its public area, nor a pinned key",
            );
            return None;
        }
        if !counting.iter().any(|c| signature::fits(&c.key, signature)) {
            let keys: Vec<String> = counting.iter().map(|c| c.key.algorithm()).collect();
            let detail = format!("the signature is not of a kind that {} makes", keys.join(" or "));
            checks.fail(&ck::SIG_ALG, place(), detail);
        }
        let detail = match counting.as_slice() {
            [only] => format!("the signature does not verify with the attestation key ({})", only.place),
            several => format!("the signature verifies with none of {} attestation keys", several.len()),
        };
        checks.fail(&ck::ATTEST_SIGNATURE, place(), detail);
        return None;
    };
    match &made.contradiction {
        Some(detail) => checks.fail(&ck::SIG_ALG, place(), detail.clone()),
        None => checks.pass(&ck::SIG_ALG, place(), made.scheme.to_string()),
    }
    let detail = format!("signed by the attestation key ({})", candidate.place);
    checks.pass(&ck::ATTEST_SIGNATURE, place(), detail);
    Some((made, material.ak(candidate)))
}

/// SHA-1 in the signature: by the operator's switch and the kind of trust. `microsofts` says whether Microsoft certified
/// the attestation key; `None`: it is not trusted.
pub(crate) fn check_sha1(
    scheme: Scheme,
    microsofts: Option<bool>,
    switch: Sha1,
    place: &str,
    checks: &mut Checks,
) {
    let place = place.to_owned();
    if scheme.hash() != Some(Hash::Sha1) {
        checks.pass(&ck::WEAK_SIGNATURE, place, scheme.to_string());
        return;
    }
    let (tolerated, why) = match switch {
        Sha1::Allow => (true, "by the operator's leave"),
        Sha1::Refuse => (false, "which the operator refuses"),
        // Without any trust the answer is undecided anyhow.
        Sha1::MicrosoftOnly => match microsofts {
            None => (true, "and the attestation key is not trusted"),
            Some(true) => (true, "as keys that Microsoft certifies do"),
            Some(false) => (false, "which is let pass only for keys that Microsoft certifies"),
        },
    };
    let detail = format!("the attestation key signs with SHA-1, {why}");
    if tolerated {
        checks.warn(&ck::WEAK_SIGNATURE, place, detail);
    } else {
        checks.fail(&ck::WEAK_SIGNATURE, place, detail);
    }
}

/// Step 14.
fn check_nonce(material: &Material<'_>, attest: &Attest<'_>, checks: &mut Checks) -> Freshness {
    let place = material.place.to_owned();
    let Some(asked) = material.nonce else { return Freshness::NotAsked };
    if attest.extra_data == asked {
        checks.pass(&NONCE_MISMATCH, place, "the attestation answers the nonce");
        return Freshness::NonceMatched;
    }
    if attest.extra_data.is_empty() || attest.extra_data == NO_NONCE {
        checks.fail(&NONCE_MISMATCH, place, "the attestation was made without a nonce");
        return Freshness::NoNonceInEvidence;
    }
    let detail = format!("the attestation answers {}", hex::encode(attest.extra_data));
    checks.fail(&NONCE_MISMATCH, place, detail);
    Freshness::NonceMismatch
}

/// Steps 15 and 16: the public area that the attested name is the digest of.
fn find_public<'p>(
    material: &Material<'p>,
    attest: &Attest<'_>,
    ak: Option<&PublicKey>,
    checks: &mut Checks,
) -> Option<(&'p str, PublicArea<'p>)> {
    let name = attest.name()?;
    let of_name = material.publics.iter().find(|(_, p)| p.name().as_deref() == Some(name));
    // Of others, those that cannot be meant are the attestation key's, and storage keys that came along.
    let others = material.publics.iter().filter(|(_, p)| {
        let storage = p.has(attribute::RESTRICTED | attribute::DECRYPT);
        !storage && (ak.is_none() || p.key().as_ref() != ak)
    });
    let found = of_name.or_else(|| others.into_iter().next()).copied();
    let Some((place, public)) = found else {
        let detail = format!("no public area has the attested name {}", hex::encode(name));
        checks.fail(&ck::PUBLIC_AREA_MISSING, material.place.to_owned(), detail);
        return None;
    };
    checks.pass(&ck::PUBLIC_AREA_MISSING, place.to_owned(), "the public area is there");
    check_name_alg(&public, place, material.switches, checks);
    if of_name.is_some() {
        checks.pass(&ck::NAME_MISMATCH, place.to_owned(), "its digest is the attested name");
    } else if public.name().is_some() {
        let detail = format!("the attestation is of {}, not of this public area", hex::encode(name));
        checks.fail(&ck::NAME_MISMATCH, place.to_owned(), detail);
    }
    Some((place, public))
}

pub(crate) fn check_name_alg(public: &PublicArea<'_>, place: &str, switches: Switches, checks: &mut Checks) {
    let name_alg = public.name_alg;
    let place = || place.to_owned();
    checks.test(&ck::NAME_ALG, place(), hash(name_alg).is_some(), alg_name(name_alg), || {
        format!("the name is made with {}", alg_name(name_alg)).into()
    });
    const WEAK: &str =
        "the name is made with SHA-1: whoever imports a key can make two public areas with one name";
    if name_alg != alg::SHA1 {
        checks.pass(&ck::NAME_ALG_SHA1, place(), alg_name(name_alg));
    } else if switches.name_alg_sha1 {
        checks.warn(&ck::NAME_ALG_SHA1, place(), WEAK);
    } else {
        checks.fail(&ck::NAME_ALG_SHA1, place(), WEAK);
    }
}

/// Step 17.
fn check_creation<'p>(
    material: &Material<'p>,
    attest: &Attest<'_>,
    public: &PublicArea<'_>,
    checks: &mut Checks,
) -> Option<(CreationData<'p>, &'p [u8])> {
    let Certified::Creation { creation_hash, .. } = attest.certified else { return None };
    let place = material.place;
    let hash = hash(public.name_alg)?;
    if material.creations.is_empty() {
        checks.skip(&ck::CREATION_HASH, place.to_owned(), "the creation data was not handed over");
        return None;
    }
    let found = material.creations.iter().find(|(_, data)| hash.digest(data) == creation_hash);
    let Some((place, data)) = found else {
        let detail = "the creation data is not the one whose hash is attested";
        checks.fail(&ck::CREATION_HASH, place.to_owned(), detail);
        return None;
    };
    match CreationData::read(data) {
        Ok(read) => {
            checks.pass(&ck::CREATION_HASH, (*place).to_owned(), "its hash is the attested one");
            Some((read, data))
        }
        Err(fault) => {
            checks.fail(&ck::MALFORMED, (*place).to_owned(), fault.to_string());
            None
        }
    }
}

/// Lengths of the RSA moduli among keys: a bare signature is as long as one of them.
pub(crate) fn modulus_lengths<'k>(keys: impl Iterator<Item = Cow<'k, PublicKey>>) -> Vec<usize> {
    keys.filter_map(|key| match key.material() {
        Numbers::Rsa { n, .. } => Some(n.len()),
        _ => None,
    })
    .collect()
}
