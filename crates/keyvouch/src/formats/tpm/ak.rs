//! The attestation key itself: whether it is one that signs nothing but what its TPM composed.

use super::checks as ck;
use super::ek::weakness;
use super::gather::Signature;
use super::signature;
use super::statement::{Ak, AkStatement, Material};
use crate::checks::Checks;
use crate::wire::tpm::{
    Attest, Certified, CreationData, GENERATED, PublicArea, alg, attribute, hierarchy, name_of,
};

/// What is known of the attestation key beyond its being trusted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signer {
    /// Whether it is in the endorsement hierarchy: then counters and firmware version are not scrambled.
    pub(super) in_endorsement_hierarchy: bool,
}

/// Makes the checks of the attestation key.
pub(super) fn check(
    material: &Material<'_>,
    ak: &Ak<'_>,
    attest: Option<&Attest<'_>>,
    checks: &mut Checks,
) -> Signer {
    let weak = weakness(&ak.key);
    checks.test(&ck::AK_KEY_STRENGTH, ak.place.to_owned(), weak.is_none(), "the key is strong", || {
        format!("the attestation key is weak: {}", weak.unwrap_or_default()).into()
    });
    if ak.publics.is_empty() {
        checks.skip(
            &ck::AK_NOT_RESTRICTED,
            ak.place.to_owned(),
            "the public area of the attestation key is not there: that it is restricted rests on who certified or pinned it",
        );
        return Signer::default();
    }
    for (place, public) in &ak.publics {
        check_restricted(public, place, checks);
    }
    let mut parents: Vec<Vec<u8>> = Vec::new();
    for statement in &material.ak_statements {
        parents.extend(check_creation(statement, ak, checks));
    }
    attest.map_or_else(Signer::default, |attest| check_signer(material, ak, attest, &parents, checks))
}

/// Step 9: an unrestricted key signs a forged attestation of any key.
pub(super) fn check_restricted(public: &PublicArea<'_>, place: &str, checks: &mut Checks) {
    use attribute::{DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN};
    let lacking: Vec<&str> = [
        (RESTRICTED, "restricted"),
        (SIGN, "sign"),
        (FIXED_TPM, "fixedTPM"),
        (FIXED_PARENT, "fixedParent"),
        (SENSITIVE_DATA_ORIGIN, "sensitiveDataOrigin"),
    ]
    .into_iter()
    .filter(|(bit, _)| !public.has(*bit))
    .map(|(_, name)| name)
    .collect();
    let fault = if !lacking.is_empty() {
        Some(format!("{} not set: it could sign a forged attestation, or leave its TPM", lacking.join(", ")))
    } else if public.has(DECRYPT) {
        Some("decrypt is set".to_owned())
    } else {
        match public.scheme() {
            None => Some("it is neither an RSA nor an ECC key".to_owned()),
            Some(scheme) if scheme.alg == alg::NULL => Some("it has no signing scheme".to_owned()),
            Some(_) => None,
        }
    };
    checks.test(
        &ck::AK_NOT_RESTRICTED,
        place.to_owned(),
        fault.is_none(),
        "a restricted signing key that was made in its TPM and cannot leave it",
        || fault.unwrap_or_default().into(),
    );
}

/// The attestation key's own creation statement; gives the qualified name of its parent.
fn check_creation(statement: &AkStatement<'_>, ak: &Ak<'_>, checks: &mut Checks) -> Option<Vec<u8>> {
    let place = statement.place.to_owned();
    let read = || -> Result<Vec<u8>, String> {
        let attest = Attest::read(statement.attest).map_err(|fault| fault.to_string())?;
        let Certified::Creation { name, creation_hash } = attest.certified else {
            return Err("it is no creation attestation".to_owned());
        };
        if attest.magic != GENERATED {
            return Err("it was not composed by a TPM".to_owned());
        }
        let (_, public) = ak
            .publics
            .iter()
            .find(|(_, p)| p.name().as_deref() == Some(name))
            .ok_or("it is about another object than the attestation key")?;
        let signature = statement.signature.ok_or("its signature is not there")?;
        let made = signature::verify(&ak.key, &signature, own_scheme(ak), statement.attest);
        if made.is_none_or(|made| made.contradiction.is_some()) {
            return Err("it is not signed by the attestation key".to_owned());
        }
        let hash = crate::wire::tpm::hash(public.name_alg).ok_or("the hash of its name is not supported")?;
        let creation = statement
            .creations
            .iter()
            .find(|data| hash.digest(data) == creation_hash)
            .ok_or("the creation data is not there, or another")?;
        let data = CreationData::read(creation).map_err(|fault| fault.to_string())?;
        Ok(data.parent_qualified_name.to_vec())
    };
    match read() {
        Ok(parent) => {
            checks.pass(&ck::AK_CREATION, place, "the attestation key's own creation statement is in order");
            Some(parent)
        }
        Err(why) => {
            checks.fail(&ck::AK_CREATION, place, format!("creation statement of the attestation key: {why}"));
            None
        }
    }
}

/// Whether the attestation names this key below its parent as signer, where the parent is known; and in which
/// hierarchy the key is, where that can be told.
fn check_signer(
    material: &Material<'_>,
    ak: &Ak<'_>,
    attest: &Attest<'_>,
    parents: &[Vec<u8>],
    checks: &mut Checks,
) -> Signer {
    let is_signer = |parent: &[u8]| {
        ak.publics.iter().any(|(_, p)| p.qualified_name(parent).as_deref() == Some(attest.qualified_signer))
    };
    for parent in parents {
        checks.test(
            &ck::QUALIFIED_SIGNER,
            material.place.to_owned(),
            is_signer(parent),
            "the signer is the attestation key below the parent that it was created with",
            || "the attestation names another signer, or one below another parent".into(),
        );
    }
    // Primary in the hierarchy, or below an endorsement key whose public area is at hand.
    let handle = hierarchy::ENDORSEMENT.to_be_bytes();
    let below_ek = material.publics.iter().any(|(_, public)| {
        let name = public.name().and_then(|name| name_of(public.name_alg, &[&handle, &name]));
        name.is_some_and(|name| is_signer(&name))
    });
    Signer { in_endorsement_hierarchy: is_signer(&handle) || below_ek }
}

/// Algorithm and hash in the public area of the attestation key, where it is at hand and has them.
pub(super) fn own_scheme(ak: &Ak<'_>) -> Option<(u16, u16)> {
    scheme_of(ak.publics.iter().map(|(_, public)| public))
}

pub(super) fn scheme_of<'a>(mut publics: impl Iterator<Item = &'a PublicArea<'a>>) -> Option<(u16, u16)> {
    publics.find_map(|public| {
        let scheme = public.scheme()?;
        Some((scheme.alg, scheme.hash?))
    })
}

/// Whether a signature is one over the attestation by any key that could be an attestation key here.
pub(super) fn is_by_any(material: &Material<'_>, signature: &Signature<'_>, message: &[u8]) -> bool {
    material.candidates().iter().any(|c| signature::verify(&c.key, signature, None, message).is_some())
}
