//! Whose is it? One file (or folder) per format, registered in `ALL`.
//!
//! A format recognises its evidence among the parts of a submission, makes the checks of its kind, and returns
//! a `Statement` for each key that the evidence speaks of. Claims can be made only from authenticated bytes
//! (see [`authentic`](crate::authentic)); everything after this stage knows no vendor.

use serde_json::Value;

use crate::appraisal::{Freshness, Route, Trust};
use crate::authentic::{Authentic, Fetched};
use crate::checks::{Check, Checks, Text};
use crate::claims::ClaimSet;
use crate::crypto::PublicKey;
use crate::input::{Carrier, PartId, Parts};
use crate::pki::Certificate;
use crate::reference::Reference;
use crate::request::Request;
use crate::signatures::Signatures;
use crate::submission::{OptionDef, Options};
use crate::time::Time;

mod acme_device_attest;
mod android;
mod apple;
mod aws;
mod azure_key_vault;
mod crypto4a_qasm;
pub(crate) mod csr_attestation;
mod fortanix;
mod i4p_trident;
mod marvell;
mod nshield;
mod pkix_evidence;
mod provider;
mod securosys;
mod smartcard_hsm;
mod thales_luna;
mod tpm;
mod tpm_ek;
mod tpm_windows;
mod webauthn;
mod without_attestation;
mod witness_statement;
mod yubico;
mod yubihsm2;
mod yubikey_openpgp;
mod yubikey_piv;

/// Every format, in the order in which reports list them. A new device is one line here.
pub(crate) const ALL: &[&dyn Format] = &[
    &acme_device_attest::AcmeDeviceAttest,
    &android::Android,
    &apple::AppAttest,
    &apple::Mda,
    &aws::Aws,
    &azure_key_vault::AzureKeyVault,
    &marvell::AzureManagedHsm,
    &crypto4a_qasm::Crypto4aQasm,
    &csr_attestation::CsrAttestation,
    &fortanix::Fortanix,
    &marvell::GoogleCloudHsm,
    &i4p_trident::I4pTrident,
    &marvell::Marvell,
    &nshield::Nshield,
    &pkix_evidence::PkixEvidence,
    &securosys::Securosys,
    &smartcard_hsm::SmartcardHsm,
    &thales_luna::ThalesLuna,
    &tpm::Tpm,
    &tpm_ek::TpmEk,
    &tpm_windows::TpmWindows,
    &webauthn::WebAuthn,
    &witness_statement::WitnessStatement,
    &yubihsm2::Yubihsm2,
    &yubikey_openpgp::YubikeyOpenpgp,
    &yubikey_piv::YubikeyPiv,
    &without_attestation::WithoutAttestation,
];

/// How far a format has been proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its reader was run on evidence of real devices, and anchors of the maker are built in.
    RealEvidence,
    /// No real evidence is public; its reader follows the maker's documents and an emulator.
    EmulatedOnly,
    /// Its statements are a provider's answers to the operator, which nobody signed.
    ProviderStatement,
    /// There is no evidence that could prove it: the format answers for devices without attestation.
    NoEvidence,
}

/// What a format is, for people and for `keyvouch formats`.
#[derive(Debug)]
pub struct About {
    /// Stable id, such as `yubikey-piv`.
    pub id: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// The makers or operators.
    pub maker: &'static str,
    /// The devices.
    pub devices: &'static str,
    /// How far it has been proved.
    pub proof: Proof,
    /// The checks it can make, besides those that every format shares.
    pub checks: &'static [&'static Check],
    /// The operator switches it knows, besides those that every format shares.
    pub options: &'static [OptionDef],
    /// What its evidence does not prove.
    pub limits: &'static [&'static str],
    /// The page for subscribers and CAs, relative to the repository.
    pub docs: &'static str,
}

/// Everything that a format may look at. Nothing else: no clock, no network, no state.
pub(crate) struct Context<'a> {
    pub(crate) parts: &'a Parts<'a>,
    pub(crate) at: Time,
    pub(crate) nonce: Option<&'a [u8]>,
    pub(crate) request: Option<&'a Request>,
    pub(crate) reference: &'a Reference,
    pub(crate) options: &'a Options,
    pub(crate) signatures: &'a Signatures<'a>,
}

/// A reader and judge of one kind of evidence.
pub(crate) trait Format: Sync {
    /// What it is.
    fn about(&self) -> &'static About;

    /// Extensions in which devices' tools put certificates of this format.
    fn carriers(&self) -> &'static [Carrier] {
        &[]
    }

    /// The statements of this format among the evidence, each judged. None: not this format.
    fn appraise(&self, cx: &Context<'_>) -> Vec<Statement>;

    /// Whether it is asked only when no other format finds anything. Such formats are the last of [`ALL`].
    fn is_last_resort(&self) -> bool {
        false
    }

    /// The same evidence decoded for people, without judgement.
    fn inspect(&self, cx: &Context<'_>) -> Vec<Value>;
}

/// A statement that was found and judged.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    /// What each part was taken for.
    pub(crate) labels: Vec<(PartId, Text)>,
    /// The checks that were made.
    pub(crate) checks: Checks,
    /// What was authenticated; absent when it could not be.
    pub(crate) attested: Option<Attested>,
    /// What the operator fetched from the provider of a device that attests nothing.
    pub(crate) stated: Option<Stated>,
    /// By which way the statement speaks of keys. By any other than attestation it is never `authentic`.
    pub(crate) way: Way,
    /// Every certificate that the judgement rests on, for deny-lists.
    pub(crate) certificates: Vec<Certificate>,
    /// How the statement answers a nonce, or the challenge that a switch of the format names; for formats that have
    /// a place for one.
    pub(crate) freshness: Option<Freshness>,
    /// Whether the attested key is of a kind that cannot be the key of a request: nothing is bound then.
    pub(crate) unbindable: bool,
    /// What it is a statement of, where that is another format than the one that found it: an envelope has
    /// statements of others in it.
    pub(crate) about: Option<&'static About>,
    /// The request in which the statement came. It is the one to be bound unless the caller names another.
    pub(crate) request: Option<Request>,
}

/// By which way a statement speaks of keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Way {
    /// The device or its maker signs.
    #[default]
    Attestation,
    /// The operator asks the provider.
    ProviderStatement,
    /// People sign who saw it.
    WitnessStatement,
    /// By none: it is of a device that attests nothing.
    None,
}

impl Way {
    /// The route of an appraisal in which something is claimed.
    pub(crate) const fn route(self) -> Route {
        match self {
            Self::Attestation => Route::Attestation,
            Self::WitnessStatement => Route::WitnessStatement,
            Self::ProviderStatement => Route::ProviderStatement,
            Self::None => Route::None,
        }
    }
}

/// What the operator fetched, as the answer says it.
#[derive(Debug)]
pub(crate) struct Stated {
    pub(crate) key: Option<PublicKey>,
    pub(crate) claims: ClaimSet,
}

impl Stated {
    /// From a fetched answer: the key it speaks of, and the claims made of it.
    pub(crate) fn new<T>(
        answer: &Fetched<T>,
        key: impl FnOnce(&T) -> Option<PublicKey>,
        claims: ClaimSet,
    ) -> Self {
        Self { key: key(answer.get()), claims }
    }
}

/// What an authenticated statement says.
#[derive(Debug)]
pub(crate) struct Attested {
    pub(crate) key: Option<PublicKey>,
    pub(crate) claims: ClaimSet,
    pub(crate) trust: Trust,
}

impl Attested {
    /// From an authenticated statement: the key it speaks of, and the claims made of it.
    pub(crate) fn new<T>(
        statement: &Authentic<T>,
        key: impl FnOnce(&T) -> Option<PublicKey>,
        claims: ClaimSet,
    ) -> Self {
        Self { key: key(statement.get()), claims, trust: statement.trust().clone() }
    }
}

/// The public area of a TPM object that the bytes begin like; for the verifier's side of a challenge to a TPM.
pub(crate) fn tpm_public_area(bytes: &[u8]) -> Option<&[u8]> {
    tpm::gather::public_area(bytes)
}

/// The certificates in the content of an NV index of a TPM.
pub(crate) fn nv_certificates(bytes: &[u8]) -> Vec<Certificate> {
    tpm::nv::certificates(bytes).map(|found| found.certificates).unwrap_or_default()
}

/// Whether octets are a witness statement that is filled in; an error says what is wrong with it.
pub(crate) fn check_witness_statement(octets: &[u8]) -> Result<(), String> {
    witness_statement::check(octets)
}

/// Whether a certificate may be one of an endorsement key.
pub(crate) fn is_endorsement_certificate(certificate: &Certificate) -> bool {
    tpm::identity::is_ek_like(certificate) && !tpm::identity::is_authority(certificate)
}

/// What may be sent to AWS KMS, for those who send.
pub(crate) use self::aws::ready as aws_kms_sending;
/// The key identifiers of Azure Key Vault.
pub(crate) use self::azure_key_vault::kid::Kid as KeyVaultKid;

/// What every format is, in the order of the registry.
pub fn about() -> impl Iterator<Item = &'static About> {
    ALL.iter().map(|f| f.about())
}
