//! The operator switches of TPM statements, the same in every wrapping.

use crate::crypto::PublicKey;
use crate::formats::Context;
use crate::input::{Carrier, Content, Limits, Parts};
use crate::submission::{File, OptionDef, OptionKind, Options, Submission};
use crate::time::Time;
use crate::wire::tpm::PublicArea;

use super::gather::public_area;

/// What each switch is.
pub(crate) const OPTIONS: &[OptionDef] = &[
    OptionDef {
        name: "ak_pinned",
        kind: OptionKind::File,
        about: "the attestation key of this submission, known out of band: SubjectPublicKeyInfo (PEM, DER), TPMT_PUBLIC, TPM2B_PUBLIC or certificate",
    },
    OptionDef {
        name: "activation",
        kind: OptionKind::Object,
        about: "record of a credential activation that this verifier's operator made: {\"ek_spki_sha256\": hex, \"ak_name\": hex, \"expires\": RFC 3339}",
    },
    OptionDef {
        name: "subject",
        kind: OptionKind::Choice(&["key", "attestation-key"]),
        about: "what the attested key is to be: a subject's key (default) or an attestation key",
    },
    OptionDef {
        name: "ak_profile",
        kind: OptionKind::Choice(&["tcg", "webauthn", "any"]),
        about: "form of the certificate of the attestation key: TCG AIK profile (default), WebAuthn's (also an empty subject and a critical SAN), or whatever the operator's authority issues",
    },
    OptionDef {
        name: "sha1_attestation",
        kind: OptionKind::Choice(&["microsoft-only", "allow", "refuse"]),
        about: "SHA-1 signatures of attestation keys: a finding below Microsoft's TPM root only (default), a finding always, or a failure always",
    },
    OptionDef {
        name: "name_alg_sha1",
        kind: OptionKind::Choice(&["refuse", "allow"]),
        about: "object names made with SHA-1: a failure (default) or a finding",
    },
    OptionDef {
        name: "derived_keys",
        kind: OptionKind::Choice(&["refuse", "allow"]),
        about: "keys that the TPM derived from a seed of its own: a failure (default) or a finding",
    },
    OptionDef {
        name: "null_hierarchy",
        kind: OptionKind::Choice(&["refuse", "allow"]),
        about: "keys that are lost at the next reset of the TPM: a failure (default) or a finding",
    },
];

/// Which form a certificate of an attestation key must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AkProfile {
    Tcg,
    WebAuthn,
    Any,
}

/// Where SHA-1 signatures are let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha1 {
    MicrosoftOnly,
    Allow,
    Refuse,
}

/// The switches of a submission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switches {
    pub(crate) subject_is_ak: bool,
    pub(crate) ak_profile: AkProfile,
    pub(crate) sha1: Sha1,
    pub(crate) name_alg_sha1: bool,
    pub(crate) derived_keys: bool,
    pub(crate) null_hierarchy: bool,
}

impl Switches {
    /// Reads them. The verifier has seen to it that the words are known ones.
    pub(crate) fn of(options: &Options) -> Self {
        let allows = |name| options.text(name) == Some("allow");
        Self {
            subject_is_ak: options.text("subject") == Some("attestation-key"),
            ak_profile: match options.text("ak_profile") {
                Some("any") => AkProfile::Any,
                Some("webauthn") => AkProfile::WebAuthn,
                _ => AkProfile::Tcg,
            },
            sha1: match options.text("sha1_attestation") {
                Some("allow") => Sha1::Allow,
                Some("refuse") => Sha1::Refuse,
                _ => Sha1::MicrosoftOnly,
            },
            name_alg_sha1: allows("name_alg_sha1"),
            derived_keys: allows("derived_keys"),
            null_hierarchy: allows("null_hierarchy"),
        }
    }
}

/// The pinned attestation key.
#[derive(Debug, Clone)]
pub(crate) struct Pinned<'a> {
    pub(crate) key: PublicKey,
    /// Its public area, when that is what was pinned.
    pub(crate) public: Option<PublicArea<'a>>,
}

/// The file of `ak_pinned`. `Some(Err)` when it holds no key, or several.
pub(crate) fn pinned<'a>(cx: &Context<'a>) -> Option<Result<Pinned<'a>, &'static str>> {
    let bytes = cx.options.file("ak_pinned")?;
    if let Some(public) = public_area(bytes) {
        let read = PublicArea::read(public).ok().and_then(|public| Some((public, public.key()?)));
        return Some(match read {
            Some((public, key)) => Ok(Pinned { key, public: Some(public) }),
            None => Err("ak_pinned is a public area that cannot be read or holds no RSA or ECC key"),
        });
    }
    const NO_CARRIERS: &[Carrier] = &[];
    let file = Submission::new(vec![File::new("ak_pinned", bytes)], Time::from_unix(0));
    let mut keys: Vec<PublicKey> = Vec::new();
    for (_, part) in Parts::of(&file, NO_CARRIERS, Limits::DEFAULT).ok().iter().flat_map(Parts::iter) {
        let key = match &part.content {
            Content::PublicKey(key) => Some(key.clone()),
            Content::Certificate(certificate) => certificate.key().ok().cloned(),
            _ => None,
        };
        keys.extend(key.filter(|key| !keys.contains(key)));
    }
    Some(match keys.pop() {
        Some(key) if keys.is_empty() => Ok(Pinned { key, public: None }),
        Some(_) => Err("ak_pinned holds several keys"),
        None => Err("ak_pinned holds no public key, public area or certificate"),
    })
}

/// The record of an activation.
#[derive(Debug, Clone)]
pub(crate) struct Activation {
    pub(crate) ek_spki_sha256: Vec<u8>,
    pub(crate) ak_name: Vec<u8>,
    pub(crate) expires: Time,
}

/// The object of `activation`. `Some(Err)` when it is not such a record.
pub(crate) fn activation(options: &Options) -> Option<Result<Activation, &'static str>> {
    let record = options.object("activation")?;
    let read = || {
        let text = |name: &str| record.get(name)?.as_str();
        Some(Activation {
            ek_spki_sha256: hex::decode(text("ek_spki_sha256")?).ok().filter(|d| d.len() == 32)?,
            ak_name: hex::decode(text("ak_name")?).ok().filter(|name| !name.is_empty())?,
            expires: text("expires")?.parse().ok()?,
        })
    };
    Some(read().ok_or(
        "the record of the activation lacks ek_spki_sha256, ak_name or expires, or they are not in form",
    ))
}
