//! The attributes of the attested key, each a check of its own.

use super::checks as ck;
use super::switches::Switches;
use crate::checks::Checks;
use crate::crypto::hygiene;
use crate::crypto::{Material, PublicKey};
use crate::wire::tpm::{Certified, CreationData, Parameters, PublicArea, alg, attribute, hierarchy, name_of};

/// The hierarchy of a primary object. Of an object below others it is not to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hierarchy {
    Owner,
    Null,
    Endorsement,
    Platform,
}

impl Hierarchy {
    const ALL: [(Self, u32); 4] = [
        (Self::Owner, hierarchy::OWNER),
        (Self::Null, hierarchy::NULL),
        (Self::Endorsement, hierarchy::ENDORSEMENT),
        (Self::Platform, hierarchy::PLATFORM),
    ];

    /// For the report.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Owner => "owner (primary key)",
            Self::Null => "null (primary key)",
            Self::Endorsement => "endorsement (primary key)",
            Self::Platform => "platform (primary key)",
        }
    }

    /// From what is attested: the qualified name, or the parent in the creation data.
    pub(crate) fn of(
        public: &PublicArea<'_>,
        certified: &Certified<'_>,
        creation: Option<&CreationData<'_>>,
    ) -> Option<Self> {
        let is = |handle: u32| match certified {
            Certified::Certify { name, qualified_name } => {
                name_of(public.name_alg, &[&handle.to_be_bytes(), name]).as_deref() == Some(*qualified_name)
            }
            Certified::Creation { .. } => {
                creation.is_some_and(|c| c.parent_name_alg == alg::NULL && c.hierarchy() == Some(handle))
            }
            Certified::Other => false,
        };
        Self::ALL.into_iter().find(|(_, handle)| is(*handle)).map(|(hierarchy, _)| hierarchy)
    }
}

/// Makes every check of the key itself.
pub(crate) fn check(
    public: &PublicArea<'_>,
    hierarchy: Option<Hierarchy>,
    place: &str,
    switches: Switches,
    checks: &mut Checks,
) {
    check_attributes(public, place, checks);
    checks.test(
        &ck::KEY_NOT_TPM_BOUND,
        place.to_owned(),
        public.has(attribute::FIXED_TPM | attribute::FIXED_PARENT),
        "fixedTPM and fixedParent are set",
        || {
            let why = match public.has(attribute::FIXED_PARENT) {
                true => "fixedTPM is clear: the key can leave the TPM together with its parent",
                false => {
                    "fixedTPM and fixedParent are not both set: the key can be duplicated out of the TPM"
                }
            };
            why.into()
        },
    );
    check_origin(public, place, switches, checks);
    if !switches.subject_is_ak {
        checks.test(
            &ck::KEY_RESTRICTED,
            place.to_owned(),
            !public.has(attribute::RESTRICTED),
            "restricted is clear",
            || "restricted is set: an attestation key or a storage key, which cannot serve a subject".into(),
        );
    }
    check_type_and_strength(public, place, checks);
    check_hierarchy(hierarchy, place, switches, checks);
    findings(public, place, checks);
}

/// Combinations that a TPM refuses to create.
fn check_attributes(public: &PublicArea<'_>, place: &str, checks: &mut Checks) {
    use attribute::{DECRYPT, ENCRYPTED_DUPLICATION, FIXED_PARENT, FIXED_TPM, RESERVED, RESTRICTED, SIGN};
    let scheme = public.scheme();
    let fault = if public.attributes & RESERVED != 0 {
        Some("a reserved bit is set")
    } else if public.has(FIXED_TPM) && !public.has(FIXED_PARENT) {
        Some("fixedTPM without fixedParent")
    } else if public.has(FIXED_TPM | ENCRYPTED_DUPLICATION) {
        Some("fixedTPM with encryptedDuplication")
    } else if scheme.is_some() && !public.has(SIGN) && !public.has(DECRYPT) {
        Some("an asymmetric key that neither signs nor decrypts")
    } else if public.has(RESTRICTED | SIGN | DECRYPT) {
        Some("a restricted key that both signs and decrypts")
    } else if public.has(RESTRICTED | SIGN) && scheme.is_some_and(|s| s.alg == alg::NULL) {
        Some("a restricted signing key without a scheme")
    } else {
        None
    };
    checks.test(
        &ck::KEY_ATTRIBUTES,
        place.to_owned(),
        fault.is_none(),
        format!("attributes {}", describe(public.attributes)),
        || format!("no TPM creates this: {}", fault.unwrap_or_default()).into(),
    );
}

fn check_origin(public: &PublicArea<'_>, place: &str, switches: Switches, checks: &mut Checks) {
    let place = place.to_owned();
    if public.has(attribute::SENSITIVE_DATA_ORIGIN) {
        checks.pass(&ck::KEY_ORIGIN, place, "sensitiveDataOrigin is set");
    } else if switches.derived_keys && is_derived(public) {
        checks.warn(
            &ck::KEY_ORIGIN,
            place,
            "the key was derived from a seed of the TPM, by the operator's leave",
        );
    } else {
        let why = match public.has(attribute::FIXED_TPM) {
            true => "sensitiveDataOrigin is clear: derived, or made of outside data",
            false => "sensitiveDataOrigin is clear: imported",
        };
        checks.fail(&ck::KEY_ORIGIN, place, why);
    }
}

/// An asymmetric key that cannot leave the TPM and was not generated at random: derived from a seed that cannot
/// leave it either.
pub(super) fn is_derived(public: &PublicArea<'_>) -> bool {
    public.scheme().is_some()
        && public.has(attribute::FIXED_TPM)
        && !public.has(attribute::SENSITIVE_DATA_ORIGIN)
}

fn check_type_and_strength(public: &PublicArea<'_>, place: &str, checks: &mut Checks) {
    let key = public.key();
    let fault: Option<String> = match public.parameters {
        Parameters::KeyedHash | Parameters::SymCipher => {
            let detail = "the object is a keyed hash or a symmetric key, and no key for a certificate";
            checks.fail(&ck::KEY_TYPE, place.to_owned(), detail);
            return;
        }
        Parameters::Rsa { key_bits, exponent, .. } => rsa_fault(key.as_ref(), key_bits, exponent),
        Parameters::Ecc { curve, scheme, .. } => {
            if scheme.alg == alg::ECDAA {
                Some("its scheme is ECDAA".to_owned())
            } else {
                match &key {
                    None => Some(format!("curve {curve:#06x} or the form of its point is not accepted")),
                    Some(key) if key.is_on_curve() != Some(true) => {
                        Some("its point is not on its curve".to_owned())
                    }
                    Some(_) => None,
                }
            }
        }
    };
    checks.pass(&ck::KEY_TYPE, place.to_owned(), "the object is an RSA or ECC key");
    let named = key.map(|k| k.algorithm()).unwrap_or_default();
    checks.test(&ck::KEY_STRENGTH, place.to_owned(), fault.is_none(), format!("the key is {named}"), || {
        fault.unwrap_or_default().into()
    });
}

fn rsa_fault(key: Option<&PublicKey>, key_bits: u16, exponent: u32) -> Option<String> {
    let Some(key) = key else { return Some("its modulus is out of form".to_owned()) };
    let Material::Rsa { n, e } = key.material() else { return None };
    let bits = key.rsa_bits().unwrap_or(0);
    if bits != usize::from(key_bits) {
        Some(format!("it is stated to have {key_bits} bits and has {bits}"))
    } else if bits < 2048 {
        Some(format!("it has only {bits} bits"))
    } else if n.last().is_none_or(|low| low & 1 == 0) {
        Some("its modulus is even".to_owned())
    } else if !hygiene::exponent_is_sound(e) {
        Some(format!("its public exponent is {exponent}"))
    } else {
        None
    }
}

fn check_hierarchy(hierarchy: Option<Hierarchy>, place: &str, switches: Switches, checks: &mut Checks) {
    let place = place.to_owned();
    const LOST: &str = "the key is in the null hierarchy: it is lost at the next reset of the TPM";
    match hierarchy {
        Some(Hierarchy::Null) if switches.null_hierarchy => checks.warn(&ck::KEY_HIERARCHY, place, LOST),
        Some(Hierarchy::Null) => checks.fail(&ck::KEY_HIERARCHY, place, LOST),
        Some(Hierarchy::Platform) => {
            checks.pass(&ck::KEY_HIERARCHY, place.clone(), "the key is not in the null hierarchy");
            let detail = "the key belongs to the firmware of the platform, which may clear it";
            checks.warn(&ck::KEY_PLATFORM_HIERARCHY, place, detail);
        }
        Some(other) => checks.pass(&ck::KEY_HIERARCHY, place, other.text()),
        None => checks.skip(
            &ck::KEY_HIERARCHY,
            place,
            "the key is below another one, whose hierarchy the statement does not name",
        ),
    }
}

fn findings(public: &PublicArea<'_>, place: &str, checks: &mut Checks) {
    let place = || place.to_owned();
    if public.scheme().is_some() && !public.has(attribute::SIGN) {
        checks.warn(&ck::KEY_USAGE, place(), "sign is clear: the key cannot sign a request or a certificate");
    }
    if public.has(attribute::X509_SIGN) {
        checks.info(
            &ck::KEY_USAGE,
            place(),
            "x509sign is set: the key signs only what TPM2_CertifyX509 makes",
        );
    }
    if public.has(attribute::ST_CLEAR) {
        checks.warn(
            &ck::KEY_STCLEAR,
            place(),
            "stClear is set: saved contexts of the key die with a restart",
        );
    }
    if public.has(attribute::NO_DA) {
        checks.warn(&ck::KEY_NODA, place(), "noDA is set: passwords of the key may be guessed without limit");
    }
    if !public.has(attribute::USER_WITH_AUTH) && public.auth_policy.is_empty() {
        checks.warn(
            &ck::KEY_UNUSABLE,
            place(),
            "userWithAuth is clear and there is no policy: nobody can use it",
        );
    }
}

/// Attributes for people: the number and the names of its bits.
pub(crate) fn describe(attributes: u32) -> String {
    let names: Vec<&str> =
        attribute::ALL.iter().filter(|(bit, _)| attributes & bit != 0).map(|(_, name)| *name).collect();
    format!("{attributes:08x} ({})", names.join(", "))
}
