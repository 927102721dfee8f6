//! The statement inside, judged by the format that it is of. What the format is given is made anew for it: its own
//! roots, its own switches, and the certificates of the statement alone.

use std::borrow::Cow;

use super::checks as ck;
use super::identifier::{self, Identifier};
use super::{Challenge, FORMAT};
use crate::appraisal::Freshness;
use crate::checks::Checks;
use crate::claims::ClaimName;
use crate::crypto::{Curve, Hash, Material as Numbers, PublicKey, Scheme, sha256};
use crate::formats::apple::mda;
use crate::formats::tpm::gather::Signature;
use crate::formats::tpm::identity::is_authority;
use crate::formats::tpm::statement::{Material, modulus_lengths};
use crate::formats::tpm::switches::{AkProfile, Switches};
use crate::formats::{Attested, Context, Format, Statement, android, tpm, yubikey_piv};
use crate::input::{Limits, Parts};
use crate::pki::Certificate;
use crate::reference::Reference;
use crate::submission::{File, Submission};
use crate::wire::attestation_object::AttestationObject;
use crate::wire::cbor::{self, Item};
use crate::wire::tpm::{Attest, PublicArea, alg};

/// The formats that are verified here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inner {
    Apple,
    Step,
    Tpm,
    AndroidKey,
}

impl Inner {
    pub(super) const ALL: [Self; 4] = [Self::Apple, Self::Step, Self::Tpm, Self::AndroidKey];

    /// The format with this `fmt`.
    pub(super) fn of(fmt: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|inner| inner.fmt() == fmt)
    }

    pub(super) const fn fmt(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Step => "step",
            Self::Tpm => "tpm",
            Self::AndroidKey => "android-key",
        }
    }

    /// The option with roots for this format alone.
    pub(super) const fn roots(self) -> &'static str {
        match self {
            Self::Apple => "roots_apple",
            Self::Step => "roots_step",
            Self::Tpm => "roots_tpm",
            Self::AndroidKey => "roots_android_key",
        }
    }

    /// The format whose anchors count. There is no public authority for attestation keys of TPMs with device
    /// identifiers: those anchors are this format's own, and all the operator's.
    const fn anchors(self) -> &'static str {
        match self {
            Self::Apple => mda::FORMAT,
            Self::Step => yubikey_piv::ID,
            Self::Tpm => FORMAT,
            Self::AndroidKey => android::ID,
        }
    }

    /// Whether the statement covers the key authorization, and so the account; else the token alone.
    pub(super) const fn covers_account(self) -> bool {
        !matches!(self, Self::Apple)
    }

    fn takes_option(self, name: &str) -> bool {
        match self {
            Self::Apple => name.starts_with("mda_"),
            Self::Step => false,
            Self::Tpm => matches!(name, "sha1_attestation" | "name_alg_sha1"),
            Self::AndroidKey => name.starts_with("android_"),
        }
    }
}

/// A statement with what it answers.
pub(super) struct Task<'a> {
    pub(super) object: &'a AttestationObject<'a>,
    /// The leaf first.
    pub(super) x5c: &'a [Certificate],
    pub(super) place: &'a str,
    pub(super) challenge: Challenge<'a>,
}

/// The device identifiers that were found, with the places where they stand; `None` when nothing is authenticated.
pub(super) type Identifiers = Option<Vec<(Identifier, &'static str)>>;

/// Judges the statement inside; what is found goes into `statement`.
pub(super) fn judge(
    inner: Inner,
    task: &Task<'_>,
    cx: &Context<'_>,
    statement: &mut Statement,
) -> Identifiers {
    let reference = match scoped(inner, cx) {
        Ok(reference) => reference,
        Err(why) => {
            let place = format!("option {}", inner.roots());
            statement.checks.lacking(&mda::checks::ANCHOR_UNKNOWN, place, why);
            return None;
        }
    };
    let options = cx.options.only(|name| inner.takes_option(name));
    let files = (1_usize..)
        .zip(task.x5c)
        .map(|(number, certificate)| File::new(format!("{} › x5c {number}", task.place), certificate.der()));
    let submission = Submission { options, ..Submission::new(files.collect(), cx.at) };
    let parts = match Parts::of(&submission, &[], Limits::DEFAULT) {
        Ok(parts) => parts,
        Err(why) => {
            statement.checks.fail(&ck::X5C, task.place.to_owned(), why.to_string());
            return None;
        }
    };
    let own = Context {
        parts: &parts,
        at: cx.at,
        nonce: None,
        request: None,
        reference: &reference,
        options: &submission.options,
        signatures: cx.signatures,
    };
    match inner {
        Inner::Apple => apple(task, &own, statement),
        Inner::Step => step(task, &own, statement),
        Inner::Tpm => of_tpm(task, &own, statement),
        Inner::AndroidKey => android_key(task, &own, statement),
    }
}

/// The reference data, with the operator's roots for this format alone.
fn scoped<'a>(inner: Inner, cx: &Context<'a>) -> Result<Cow<'a, Reference>, String> {
    let Some(bytes) = cx.options.file(inner.roots()) else { return Ok(Cow::Borrowed(cx.reference)) };
    let mut given = Reference::empty();
    given.load_operator_certificates(inner.roots(), bytes).map_err(|e| e.to_string())?;
    let mut reference = cx.reference.clone();
    for anchor in given.anchors.iter() {
        let mut anchor = anchor.clone();
        anchor.every_format = false;
        anchor.formats = vec![inner.anchors().to_owned()];
        reference.anchors.add(anchor).map_err(|e| e.to_string())?;
    }
    reference.intermediates.extend(given.intermediates);
    Ok(Cow::Owned(reference))
}

/// Apple: the freshness code covers the token.
fn apple(task: &Task<'_>, cx: &Context<'_>, statement: &mut Statement) -> Identifiers {
    let (leaf, above) = task.x5c.split_first()?;
    let chain = mda::Chain { leaf: leaf.clone(), above: above.to_vec(), in_order: true };
    let wanted = mda::Wanted { token: task.challenge.token, nonce: None };
    let found = mda::judge(&chain, wanted, task.place, cx, statement)?;
    statement.attested.as_ref()?;
    let read = |own: mda::Identifier| Some((Identifier::permanent(&own.value)?, own.from));
    Some(found.into_iter().filter_map(read).collect())
}

/// YubiKey PIV (`step`): the attested key itself signs the key authorization.
fn step(task: &Task<'_>, cx: &Context<'_>, statement: &mut Statement) -> Identifiers {
    let leaf = task.x5c.first()?;
    let judged = yubikey_piv::YubikeyPiv.appraise(cx);
    match judged.into_iter().find(|own| own.certificates.first() == Some(leaf)) {
        None => statement.checks.fail(
            &yubikey_piv::NO_LEAF,
            task.place.to_owned(),
            "the first certificate is not the attestation certificate of a PIV slot",
        ),
        Some(own) => {
            statement.checks.absorb(own.checks);
            statement.certificates.extend(own.certificates);
            statement.attested = own.attested;
        }
    }
    let checks = &mut statement.checks;
    let signature = task.object.statement.text_key("sig").and_then(Item::as_bytes);
    let signature = match signature.map(cbor::read) {
        Some(Ok(Item::Bytes(signature))) => signature,
        Some(_) => {
            let detail = "sig is not a byte string within the byte string";
            checks.fail(&ck::MALFORMED, task.place.to_owned(), detail);
            return None;
        }
        None => {
            checks.fail(&ck::MALFORMED, task.place.to_owned(), "sig is missing or no byte string");
            return None;
        }
    };
    let text = task.challenge.key_authorization.as_deref()?;
    if !check_possession(leaf, signature, text, task.place, checks) {
        return None;
    }
    statement.freshness = Some(Freshness::NonceMatched);
    let serial = statement.attested.as_ref()?.claims.text(ClaimName::DeviceSerial);
    let serial = serial.and_then(Identifier::permanent);
    Some(serial.map(|serial| (serial, "leaf extension 1.3.6.1.4.1.41482.3.7")).into_iter().collect())
}

/// Whether the attested key signed the key authorization. A signature over anything else cannot be told from garbage.
fn check_possession(
    leaf: &Certificate,
    signature: &[u8],
    key_authorization: &str,
    place: &str,
    checks: &mut Checks,
) -> bool {
    let verified = match leaf.key() {
        Err(error) => Err(error.to_string()),
        Ok(key) => match scheme_of(key) {
            None => Err(format!("a {} key makes no such signature", key.algorithm())),
            Some(scheme) => {
                let message = key_authorization.as_bytes();
                key.verify(scheme, message, signature).map(|_| scheme).map_err(|e| e.to_string())
            }
        },
    };
    match verified {
        Ok(scheme) => {
            let detail = format!("the attested key signed the key authorization: {scheme}");
            checks.pass(&ck::SIGNATURE, place.to_owned(), detail);
            true
        }
        Err(why) => {
            let detail = format!("signature of the attested key over the key authorization: {why}");
            checks.fail(&ck::SIGNATURE, place.to_owned(), detail);
            false
        }
    }
}

/// How such a key signs a key authorization.
fn scheme_of(key: &PublicKey) -> Option<Scheme> {
    match key.material() {
        Numbers::Rsa { .. } => Some(Scheme::RsaPkcs1(Hash::Sha256)),
        Numbers::Ec { curve: Curve::P256, .. } => Some(Scheme::Ecdsa(Hash::Sha256)),
        Numbers::Ec { curve: Curve::P384, .. } => Some(Scheme::Ecdsa(Hash::Sha384)),
        Numbers::Ed25519(_) => Some(Scheme::Ed25519),
        _ => None,
    }
}

/// TPM 2.0: extraData is the digest of the key authorization.
fn of_tpm(task: &Task<'_>, cx: &Context<'_>, statement: &mut Statement) -> Identifiers {
    let place = || task.place.to_owned();
    let members = match TpmMembers::read(task.object) {
        Ok(members) => members,
        Err(why) => {
            statement.checks.fail(&ck::MALFORMED, place(), why);
            return None;
        }
    };
    let version = members.version;
    statement.checks.test(&ck::TPM_VERSION, place(), version == "2.0", "ver is 2.0", || {
        format!("ver is {version:?}").into()
    });
    // Only the first certificate may be the one of the attestation key.
    let (first, above) = task.x5c.split_first()?;
    let numbered = (1_usize..).zip(std::iter::once(first).chain(above.iter().filter(|c| is_authority(c))));
    let certificates: Vec<(String, Certificate)> =
        numbered.map(|(number, c)| (format!("{} › certificate {number}", task.place), c.clone())).collect();
    let moduli = modulus_lengths(first.key().ok().map(Cow::Borrowed).into_iter());
    let read = PublicArea::read(members.public).map_err(|e| format!("pubArea: {e}"));
    let read = read.and_then(|public| {
        let signature = Signature::read(members.signature, &moduli).map_err(|e| format!("sig: {e}"))?;
        Ok((public, signature))
    });
    let (public, signature) = match read {
        Ok(read) => read,
        Err(why) => {
            statement.checks.fail(&ck::MALFORMED, place(), why);
            return None;
        }
    };
    // Of a bare signature (Windows) the member alg says what it is.
    let signature = match signature {
        Signature::Bare { bytes, .. } => Signature::Bare { bytes, stated: Some(members.stated) },
        structure @ Signature::Structure(_) => structure,
    };
    let material = Material {
        format: FORMAT,
        place: task.place,
        attest: members.attest,
        signature: Some(signature),
        publics: vec![(task.place, public)],
        creations: Vec::new(),
        certificates: &certificates,
        bare_keys: Vec::new(),
        ak_statements: Vec::new(),
        pinned: None,
        switches: Switches { ak_profile: AkProfile::WebAuthn, ..Switches::of(cx.options) },
        nonce: None,
    };
    let mut own = Statement::default();
    tpm::statement::judge(&material, cx, &mut own);
    statement.checks.absorb_as(own.checks, &tpm::checks::ATTEST_SIGNATURE, &ck::SIGNATURE);
    statement.certificates.extend(own.certificates);
    statement.attested = own.attested;
    let text = task.challenge.key_authorization.as_deref()?;
    let answer = Attest::read(members.attest).ok()?.extra_data;
    statement.freshness =
        Some(check_answer(answer, &sha256(text.as_bytes()), task.place, &mut statement.checks));
    statement.attested.as_ref()?;
    // The path of the attestation key's certificate holds, or nothing would be attested.
    let found = identifier::in_certificate(first).into_iter();
    Some(found.map(|own| (own, "subjectAltName of the attestation key's certificate")).collect())
}

/// Android: the attested key was made for the key authorization as its challenge, and signs it.
fn android_key(task: &Task<'_>, cx: &Context<'_>, statement: &mut Statement) -> Identifiers {
    let leaf = task.x5c.first()?;
    let text = task.challenge.key_authorization.as_deref();
    let judged = android::judge_chain(task.x5c, task.place, text.map(str::as_bytes), cx);
    statement.checks.absorb(judged.checks);
    statement.certificates.extend(judged.certificates);
    statement.freshness = judged.freshness;
    // The chain is put in order there; what this format says of the first certificate must be about the same key.
    let of_leaf = |own: &Attested| own.key.as_ref().is_some_and(|key| leaf.key() == Ok(key));
    if judged.attested.as_ref().is_some_and(|own| !of_leaf(own)) {
        let detail = "the first certificate is not the one of the attested key";
        statement.checks.fail(&ck::X5C, task.place.to_owned(), detail);
        return None;
    }
    statement.attested = judged.attested;
    let Some(signature) = task.object.statement.text_key("sig").and_then(Item::as_bytes) else {
        statement.checks.fail(&ck::MALFORMED, task.place.to_owned(), "sig is missing or no byte string");
        return None;
    };
    if !check_possession(leaf, signature, text?, task.place, &mut statement.checks) {
        return None;
    }
    let serial = statement.attested.as_ref()?.claims.text(ClaimName::DeviceSerial);
    let serial = serial.and_then(Identifier::permanent);
    Some(serial.map(|serial| (serial, "KeyDescription, attestationIdSerial (713)")).into_iter().collect())
}

/// Compares what a statement answers with what it must answer.
fn check_answer(answer: &[u8], wanted: &[u8], place: &str, checks: &mut Checks) -> Freshness {
    let place = place.to_owned();
    if aws_lc_rs::constant_time::verify_slices_are_equal(answer, wanted).is_ok() {
        checks.pass(&ck::CHALLENGE_MISMATCH, place, "the statement answers the key authorization");
        return Freshness::NonceMatched;
    }
    if answer.is_empty() {
        checks.fail(&ck::CHALLENGE_MISMATCH, place, "the statement answers no challenge");
        return Freshness::NoNonceInEvidence;
    }
    let detail = format!("the statement answers {}, not this key authorization", hex::encode(answer));
    checks.fail(&ck::CHALLENGE_MISMATCH, place, detail);
    Freshness::NonceMismatch
}

/// The members of a `tpm` statement.
struct TpmMembers<'a> {
    version: &'a str,
    /// Algorithm and hash, as TPMs number them.
    stated: (u16, u16),
    signature: &'a [u8],
    attest: &'a [u8],
    public: &'a [u8],
}

impl<'a> TpmMembers<'a> {
    fn read(object: &AttestationObject<'a>) -> Result<Self, String> {
        let map = &object.statement;
        let bytes = |name: &str| {
            let item = map.text_key(name).and_then(Item::as_bytes);
            item.ok_or_else(|| format!("{name} is missing or no byte string"))
        };
        let algorithm = map.text_key("alg").and_then(Item::as_int).ok_or("alg is missing or no integer")?;
        Ok(Self {
            version: map.text_key("ver").and_then(Item::as_text).ok_or("ver is missing or no text")?,
            stated: match algorithm {
                -7 => (alg::ECDSA, alg::SHA256),
                -257 => (alg::RSASSA, alg::SHA256),
                -65_535 => (alg::RSASSA, alg::SHA1),
                other => return Err(format!("alg {other} is none of -7, -257 and -65535")),
            },
            signature: bytes("sig")?,
            attest: bytes("certInfo")?,
            public: bytes("pubArea")?,
        })
    }
}
