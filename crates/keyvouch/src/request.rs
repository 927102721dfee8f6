//! What the attested key must be: the key of a certification request, a certificate, or a public key (as
//! SubjectPublicKeyInfo or in OpenPGP's form).

use crate::appraisal::Binding;
use crate::authentic::SignatureValid;
use crate::checks::{Check, Checks};
use crate::crypto::{Material, PublicKey, SignatureError};
use crate::input::{Content, InputError, Part, Parts, Role};
use crate::pki::crmf::PossessionError;
use crate::pki::{CertReqMsg, CertificationRequest, OpenPgpKey, attestation};

/// The request of a submission.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    place: String,
    subject: Subject,
}

#[derive(Debug, Clone)]
enum Subject {
    Csr(CertificationRequest),
    Crmf(CertReqMsg),
    Certificate(PublicKey),
    PublicKey(PublicKey),
    /// Its primary key: that is the key which somebody certifies. Whether a subkey belongs to it is said by
    /// signatures that are not looked at here.
    OpenPgp(OpenPgpKey),
}

pub(crate) const CSR_KEY_MISMATCH: Check = Check::fitness(
    "csr-key-mismatch",
    "the attested key is the key of the request",
    "Make the request with the attested key, or the attestation of the key that the request holds; both must come from the same slot or key label.",
);
pub(crate) const CSR_SIGNATURE: Check = Check::fitness(
    "csr-signature",
    "the request is signed by its own key (proof of possession)",
    "Make the request again with the device that holds the key. Do not edit a request after it was signed.",
);
pub(crate) const NO_POP: Check = Check::fitness(
    "no-pop",
    "the request proves possession of its key by a signature, and the key can sign",
    "A key-agreement key cannot sign a request; prove possession by another way, or attest a signing key.",
);

/// A request says with which algorithm it is signed outside of what is signed, so this is let pass; a strict authority
/// may refuse it.
const NULL_PARAMETERS: &str = "the signature algorithm of the request has NULL parameters, which ECDSA does not have (RFC 5758, 3.2): tpm2-openssl writes them, and they change nothing";

/// The checks that bind a statement to a request.
pub(crate) const CHECKS: &[&Check] = &[&CSR_KEY_MISMATCH, &CSR_SIGNATURE, &NO_POP];

impl Request {
    /// Finds the one request, certificate or key in the request file.
    pub(crate) fn of(parts: &Parts<'_>) -> Result<Option<Self>, InputError> {
        let Some((file, _)) = parts.files.iter().find(|(_, role)| *role == Role::Request) else {
            return Ok(None);
        };
        let all: Vec<&Part<'_>> = parts
            .iter()
            .map(|(_, p)| p)
            .filter(|p| p.role == Role::Request && !is_carried(parts, p))
            .collect();
        let broken = || {
            let seen: Vec<String> = all.iter().map(|p| p.content.describe()).collect();
            InputError::BadRequest { name: file.name.clone(), why: format!("it is {}", seen.join(", ")) }
        };
        let mut candidates: Vec<Self> = Vec::new();
        for part in &all {
            let subject = match &part.content {
                Content::Request(csr) => Subject::Csr(csr.clone()),
                Content::CrmfRequest(request) => Subject::Crmf(request.clone()),
                Content::Certificate(certificate) => {
                    let key = certificate.key().map_err(|e| InputError::BadRequest {
                        name: file.name.clone(),
                        why: format!("public key of the certificate: {e}"),
                    })?;
                    Subject::Certificate(key.clone())
                }
                Content::PublicKey(key) => Subject::PublicKey(key.clone()),
                Content::OpenPgpKey(key) => Subject::OpenPgp(key.clone()),
                _ => continue,
            };
            candidates.push(Self { place: part.place.clone(), subject });
        }
        match candidates.len() {
            // Handed in as evidence too: the evidence is answered by what is wrong with it, and is bound to nothing.
            0 if attestation::announced_in(parts, &file.bytes) => Ok(None),
            0 => Err(broken()),
            1 => Ok(candidates.pop()),
            count => {
                // A request with its certificates in one file is still one request.
                let is_request = |c: &Self| matches!(c.subject, Subject::Csr(_) | Subject::Crmf(_));
                let mut requests = candidates.into_iter().filter(is_request);
                match (requests.next(), requests.next()) {
                    (Some(only), None) => Ok(Some(only)),
                    _ => Err(InputError::ManyRequests { name: file.name.clone(), count }),
                }
            }
        }
    }

    /// A request that came with the evidence.
    pub(crate) fn carried(place: impl Into<String>, csr: &CertificationRequest) -> Self {
        Self { place: place.into(), subject: Subject::Csr(csr.clone()) }
    }

    /// The PKCS#10 request, where it is one.
    pub(crate) fn csr(&self) -> Option<&CertificationRequest> {
        match &self.subject {
            Subject::Csr(csr) => Some(csr),
            _ => None,
        }
    }

    /// Where it came from, for reports.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// The same of one in CRMF.
    pub(crate) fn carried_crmf(place: impl Into<String>, request: &CertReqMsg) -> Self {
        Self { place: place.into(), subject: Subject::Crmf(request.clone()) }
    }

    /// Without a request that can be read, although one was named, nothing is bound.
    pub(crate) fn refuse_unreadable(parts: &Parts<'_>, checks: &mut Checks) {
        for (file, _) in parts.files.iter().filter(|(_, role)| *role == Role::Request) {
            let detail = "the request cannot be read: there is no key to compare with";
            checks.fail(&CSR_KEY_MISMATCH, file.name.clone(), detail);
        }
    }

    /// The key that must be the attested one.
    pub(crate) fn key(&self) -> &PublicKey {
        match &self.subject {
            Subject::Csr(csr) => csr.key(),
            Subject::Crmf(request) => request.key(),
            Subject::Certificate(key) | Subject::PublicKey(key) => key,
            Subject::OpenPgp(key) => key.key(),
        }
    }

    /// What it is, for reports.
    pub(crate) fn label(&self) -> &'static str {
        match self.subject {
            Subject::Csr(_) => "certification request",
            Subject::Crmf(_) => "certification request (CRMF)",
            Subject::Certificate(..) => "certificate to be bound",
            Subject::PublicKey(_) => "public key to be bound",
            Subject::OpenPgp(_) => "OpenPGP public key to be bound",
        }
    }

    /// Checks that the attested key is this request's, and that the request proves possession of it.
    pub(crate) fn bind(&self, attested: Option<&PublicKey>, checks: &mut Checks) -> Binding {
        let possessed = self.proves_possession(checks);
        let Some(attested) = attested else {
            checks.skip(&CSR_KEY_MISMATCH, self.place.clone(), "no key was authenticated to compare with");
            return Binding::None;
        };
        let same = attested == self.key();
        checks.test(
            &CSR_KEY_MISMATCH,
            self.place.clone(),
            same,
            "the request holds the attested key",
            || {
                let subkey = match &self.subject {
                    Subject::OpenPgp(key) if key.subkeys().contains(attested) => {
                        "; the attested key is among the subkeys, which may be anybody's"
                    }
                    _ => "",
                };
                format!(
                    "the request holds another key: {} with SHA-256 {}, attested is {} with SHA-256 {}{subkey}",
                    self.key().algorithm(),
                    hex::encode(self.key().spki_sha256()),
                    attested.algorithm(),
                    hex::encode(attested.spki_sha256()),
                )
                .into()
            },
        );
        match (&self.subject, same && possessed) {
            (_, false) => Binding::None,
            (Subject::Csr(_) | Subject::Crmf(_), true) => Binding::Csr,
            (Subject::Certificate(..), true) => Binding::Certificate,
            (Subject::PublicKey(_) | Subject::OpenPgp(_), true) => Binding::PublicKey,
        }
    }

    /// For statements about keys that cannot be those of a request: only the request's own signature is checked.
    pub(crate) fn leave_unbound(&self, checks: &mut Checks) -> Binding {
        self.proves_possession(checks);
        let why = "a key of this kind cannot be the key of a request";
        checks.skip(&CSR_KEY_MISMATCH, self.place.clone(), why);
        Binding::None
    }

    fn proves_possession(&self, checks: &mut Checks) -> bool {
        let csr = match &self.subject {
            Subject::Csr(csr) => csr,
            Subject::Crmf(request) => return self.proves_possession_in_crmf(request, checks),
            Subject::Certificate(_) | Subject::PublicKey(_) | Subject::OpenPgp(_) => return true,
        };
        if matches!(csr.key().material(), Material::X25519(_)) {
            checks.fail(
                &NO_POP,
                self.place.clone(),
                "the request's key is for key agreement and cannot sign",
            );
            return false;
        }
        let verified: Result<SignatureValid<'_>, SignatureError> = csr.verify_tolerating_null_parameters();
        match verified {
            Ok(_) => {
                checks.pass(&CSR_SIGNATURE, self.place.clone(), "the request is signed by its own key");
                if csr.has_ecdsa_null_parameters() {
                    checks.info(&CSR_SIGNATURE, self.place.clone(), NULL_PARAMETERS);
                }
                true
            }
            Err(error) => {
                checks.fail(&CSR_SIGNATURE, self.place.clone(), format!("signature of the request: {error}"));
                false
            }
        }
    }

    fn proves_possession_in_crmf(&self, request: &CertReqMsg, checks: &mut Checks) -> bool {
        let place = self.place.clone();
        match request.verify() {
            Ok(_) => {
                checks.pass(&CSR_SIGNATURE, place, "the request is signed by its own key");
                return true;
            }
            Err(PossessionError::Signature(error)) => {
                checks.fail(&CSR_SIGNATURE, place, format!("signature of the request: {error}"));
            }
            Err(PossessionError::NoSignature(why)) => {
                let advice = "Make the request with a proof of possession by signature: POPOSigningKey over the CertRequest, with subject and public key in the template.";
                checks.fail_as(&NO_POP, NO_POP.on_fail, place, why, advice);
            }
        }
        false
    }
}

/// Whether the part came out of a request or certificate: carried by it, not the request itself.
fn is_carried(parts: &Parts<'_>, part: &Part<'_>) -> bool {
    let mut parent = part.parent;
    while let Some(above) = parent.and_then(|id| parts.get(id)) {
        if matches!(
            above.content,
            Content::Request(_) | Content::CrmfRequest(_) | Content::Certificate(_) | Content::Cms { .. }
        ) {
            return true;
        }
        parent = above.parent;
    }
    false
}
