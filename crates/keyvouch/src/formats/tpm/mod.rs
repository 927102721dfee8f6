//! TPM 2.0 key attestation: what a TPM signs about another key that is loaded in it.
//!
//! ```text
//! attestation key (AK) ──signs──► TPMS_ATTEST ──name──► public area of the key: key, attributes, policy
//!   ▲ certificate to an anchor, or activation for an endorsement key (EK), or pin by the operator
//! ```
//!
//! Source: TCG, "Trusted Platform Module Library", parts 1 to 3; TCG EK and AIK credential profiles.
//!
//! A signature proves nothing by itself: an *unrestricted* key of a genuine TPM signs a forged attestation of any
//! key. What counts is that the attestation key is a restricted signing key of a genuine TPM, and that the magic of
//! what it signed is the TPM's own: then the TPM composed it.
//!
//! The steps are in `statement`, which other wrappings of the same structures use too.

mod ak;
pub(crate) mod chain;
pub(crate) mod checks;
pub(crate) mod claims;
pub(crate) mod ek;
pub(crate) mod gather;
pub(crate) mod identity;
mod json;
pub(crate) mod key;
pub(crate) mod nv;
mod policy;
pub(crate) mod signature;
mod skae;
pub(crate) mod statement;
pub(crate) mod switches;
pub(crate) mod trust;
pub(crate) mod view;

pub(crate) use self::trust::is_software;

use std::borrow::Cow;

use serde_json::Value;

use self::checks as ck;
use self::gather::{Piece, Pool, Signature};
use self::statement::{AkStatement, Material, judge, modulus_lengths};
use self::switches::{Pinned, Switches, pinned};
use super::{About, Context, Format, Proof, Statement};
use crate::wire::tpm::{Attest, Certified, PublicArea};

/// The format: TPM structures as files, and the JSON of go-attestation and smallstep.
pub(crate) struct Tpm;

pub(crate) const ID: &str = "tpm";

/// What no TPM statement proves, whatever it comes in.
pub(crate) mod limits {
    pub(crate) const PASSWORD: &str =
        "That a password (authValue) protects the key: nothing shows it, and it may be empty.";
    pub(crate) const HOLDER: &str =
        "Who holds the TPM, or that its host is clean: malware on the host can use the key.";
    pub(crate) const PHYSICAL: &str = "Resistance to physical attack, or a certification: both come from the model, not from the signature. A firmware or virtual TPM gives the same bytes as a chip; only the chain of certificates tells them apart.";
    pub(crate) const FIRMWARE: &str =
        "Which firmware runs now: for ordinary attestation keys the version in the statement is scrambled.";
    pub(crate) const TIME: &str = "When the key was created: a TPM has no clock that the world agrees with. A statement can be made at any later time.";
    pub(crate) const RESTRICTED: &str = "That an attestation key with a certificate is restricted: that is the promise of who issued the certificate.";
}

static ABOUT: About = About {
    id: ID,
    title: "TPM 2.0 key attestation",
    maker: "Infineon, STMicroelectronics, Nuvoton, Nationz, Intel, AMD, Microsoft and others",
    devices: "every TPM 2.0: chips, firmware TPMs (Intel PTT, AMD fTPM, Pluton), virtual TPMs (recognised as software)",
    proof: Proof::RealEvidence,
    checks: ck::ALL,
    options: switches::OPTIONS,
    limits: &[
        limits::PASSWORD,
        limits::HOLDER,
        limits::PHYSICAL,
        limits::FIRMWARE,
        limits::TIME,
        "Freshness, unless the statement answers a nonce of this verifier.",
        limits::RESTRICTED,
    ],
    docs: "docs/devices/tpm.md",
};

impl Format for Tpm {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement> {
        let pool = Pool::of(cx);
        if !pool.recognised() {
            return Vec::new();
        }
        let bench = Bench::of(&pool, cx);
        let (of_keys, of_aks) = bench.statements();
        if of_keys.is_empty() {
            return vec![bench.without_attestation()];
        }
        of_keys.iter().map(|found| bench.judge(found, &of_aks, cx)).collect()
    }

    fn inspect(&self, cx: &Context<'_>) -> Vec<Value> {
        let pool = Pool::of(cx);
        if pool.recognised() { view::all(&pool) } else { Vec::new() }
    }
}

/// The pool, with its structures read.
struct Bench<'p> {
    pool: &'p Pool<'p>,
    switches: Switches,
    pinned: Option<Result<Pinned<'p>, &'static str>>,
    publics: Vec<(&'p str, PublicArea<'p>)>,
    /// Signatures that belong to no document.
    signatures: Vec<Signature<'p>>,
    broken: Vec<(String, String)>,
    moduli: Vec<usize>,
    nonce: Option<&'p [u8]>,
}

/// An attestation with what belongs to it.
#[derive(Clone)]
struct Found<'p> {
    place: &'p str,
    attest: &'p [u8],
    signature: Option<Signature<'p>>,
    creations: Vec<(&'p str, &'p [u8])>,
}

impl<'p> Bench<'p> {
    fn of(pool: &'p Pool<'p>, cx: &Context<'p>) -> Self {
        let pinned = pinned(cx);
        let publics: Vec<(&str, PublicArea<'_>)> = pool
            .publics
            .iter()
            .filter_map(|piece| Some((piece.place.as_str(), PublicArea::read(&piece.bytes).ok()?)))
            .collect();
        let certified = pool.certificates.iter().filter_map(|(_, c)| c.key().ok().map(Cow::Borrowed));
        let public = publics.iter().filter_map(|(_, p)| p.key().map(Cow::Owned));
        let pin = pinned.iter().flatten().map(|p| Cow::Borrowed(&p.key));
        let moduli = modulus_lengths(certified.chain(public).chain(pin));
        let mut broken = pool.broken.clone();
        let mut signatures = Vec::new();
        for piece in &pool.signatures {
            match Signature::read(&piece.bytes, &moduli) {
                Ok(signature) => signatures.push(signature),
                Err(fault) => broken.push((piece.place.clone(), fault.to_string())),
            }
        }
        for piece in pool.documents.iter().filter_map(|document| document.signature.as_ref()) {
            if let Err(fault) = Signature::read(&piece.bytes, &moduli) {
                broken.push((piece.place.clone(), fault.to_string()));
            }
        }
        let (switches, nonce) = (Switches::of(cx.options), cx.nonce);
        Self { pool, switches, pinned, publics, signatures, broken, moduli, nonce }
    }

    fn material(&self, found: &Found<'p>) -> Material<'p> {
        Material {
            format: ID,
            place: found.place,
            attest: found.attest,
            signature: found.signature,
            publics: self.publics.clone(),
            creations: found.creations.clone(),
            certificates: &self.pool.certificates,
            bare_keys: Vec::new(),
            ak_statements: Vec::new(),
            pinned: self.pinned.clone().and_then(Result::ok),
            switches: self.switches,
            nonce: self.nonce,
        }
    }

    /// Every attestation with the signature that is its own; apart, the creation statements of attestation keys
    /// that signed others: those belong to the others.
    fn statements(&self) -> (Vec<Found<'p>>, Vec<Found<'p>>) {
        let in_documents = self.pool.documents.iter().filter_map(|document| {
            let attest = document.attest.as_ref()?;
            let signature =
                document.signature.as_ref().map(|piece| Signature::read(&piece.bytes, &self.moduli));
            let creations = document.creation.iter().map(|piece| (piece.place.as_str(), &*piece.bytes));
            Some(Found {
                place: &attest.place,
                attest: &attest.bytes,
                signature: signature.and_then(Result::ok),
                creations: creations.collect(),
            })
        });
        let mut all: Vec<Found<'p>> = in_documents.collect();
        all.extend(self.paired(self.pool.attests.iter().map(|piece| self.loose(piece)).collect()));
        if self.switches.subject_is_ak || all.len() < 2 {
            return (all, Vec::new());
        }
        let of_ak: Vec<bool> = all.iter().map(|found| self.is_of_signer(found, &all)).collect();
        let (of_aks, of_keys): (Vec<_>, Vec<_>) = all.into_iter().zip(of_ak).partition(|(_, of_ak)| *of_ak);
        let plain = |found: Vec<(Found<'p>, bool)>| found.into_iter().map(|(found, _)| found).collect();
        (plain(of_keys), plain(of_aks))
    }

    /// Whether this is the creation statement of a key that signed another of these attestations.
    fn is_of_signer(&self, found: &Found<'p>, all: &[Found<'p>]) -> bool {
        let Some(name) = created(found.attest) else { return false };
        let public = self.publics.iter().find(|(_, public)| public.name().as_ref() == Some(&name));
        let Some(key) = public.and_then(|(_, public)| public.key()) else { return false };
        all.iter().any(|other| {
            let signature = other.signature.filter(|_| created(other.attest).as_ref() != Some(&name));
            signature.is_some_and(|s| signature::verify(&key, &s, None, other.attest).is_some())
        })
    }

    fn loose(&self, piece: &'p Piece<'p>) -> Found<'p> {
        let creations = self.pool.creations.iter().map(|c| (c.place.as_str(), &*c.bytes)).collect();
        Found { place: &piece.place, attest: &piece.bytes, signature: None, creations }
    }

    /// Gives each attestation the signature that a key at hand made over it, and those that have none of the rest.
    fn paired(&self, mut loose: Vec<Found<'p>>) -> Vec<Found<'p>> {
        let mut free = self.signatures.clone();
        if loose.len() > 1 || free.len() > 1 {
            for found in &mut loose {
                let material = self.material(found);
                let own = free.iter().position(|s| ak::is_by_any(&material, s, found.attest));
                found.signature = own.map(|index| free.swap_remove(index));
            }
        }
        for found in loose.iter_mut().filter(|found| found.signature.is_none()) {
            found.signature = free.pop();
        }
        loose
    }

    fn judge(&self, found: &Found<'p>, of_aks: &[Found<'p>], cx: &Context<'_>) -> Statement {
        let mut statement = self.start();
        let mut material = self.material(found);
        material.ak_statements = of_aks
            .iter()
            .map(|found| AkStatement {
                place: found.place,
                attest: found.attest,
                signature: found.signature,
                creations: found.creations.iter().map(|(_, data)| *data).collect(),
            })
            .collect();
        judge(&material, cx, &mut statement);
        statement
    }

    fn start(&self) -> Statement {
        let mut statement = Statement { labels: self.pool.labels.clone(), ..Statement::default() };
        for (place, why) in self.broken.iter().chain(&self.pool.spoilt) {
            statement.checks.fail(&ck::MALFORMED, place.clone(), why.clone());
        }
        for (place, what) in &self.pool.tpm12 {
            statement.checks.fail(&ck::TPM12_EVIDENCE, place.clone(), what.clone());
        }
        if let Some(Err(why)) = &self.pinned {
            statement.checks.fail(&ck::AK_UNKNOWN, "option ak_pinned", *why);
        }
        statement
    }

    /// Something of a TPM is there, and no attestation.
    fn without_attestation(&self) -> Statement {
        let mut statement = self.start();
        if self.broken.is_empty() && self.pool.tpm12.is_empty() {
            let detail = match self.pool.stray.first() {
                Some(_) => {
                    "a credential or a saved context is no statement: the attestation and its signature are not there"
                }
                None => {
                    "the attestation is not there: a public area or a signature alone says nothing of a key"
                }
            };
            let place = self.pool.stray.first().cloned().unwrap_or_default();
            statement.checks.fail(&ck::STATEMENT_MISSING, place, detail);
        }
        statement
    }
}

/// The name of the object that is attested as just created.
fn created(attest: &[u8]) -> Option<Vec<u8>> {
    match Attest::read(attest).ok()?.certified {
        Certified::Creation { name, .. } => Some(name.to_vec()),
        _ => None,
    }
}
