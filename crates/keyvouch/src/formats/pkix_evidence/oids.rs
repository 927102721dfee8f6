//! Object identifiers of the format. Its arc, id-evidence, is not assigned yet: drafts and sample data use
//! placeholders, under which anybody may mint anything.

use der::asn1::ObjectIdentifier;

use crate::submission::Options;

/// Arcs of drafts and sample data: -07 and the samples since July 2026, and everything before.
const PLACEHOLDER_ARCS: [ObjectIdentifier; 2] =
    [ObjectIdentifier::new_unwrap("1.3.6.1.5.5.999"), ObjectIdentifier::new_unwrap("1.2.3.999")];

/// id-kp-attestationKey as the sample data has it since July 2026.
const PLACEHOLDER_EKU: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.999");

/// Below the arc: kinds of elements, claims (by the kind of element they belong to), capabilities of keys.
const ELEMENT: u32 = 0;
const CLAIM: u32 = 1;
const CAPABILITY: u32 = 2;

/// An arc that stands for id-evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arc {
    oid: ObjectIdentifier,
    pub(super) placeholder: bool,
}

/// What an identifier below the arc names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A kind of element.
    Element(u32),
    /// A claim: kind of element, number.
    Claim(u32, u32),
    /// A capability of a key.
    Capability(u32),
}

impl Arc {
    fn new(oid: ObjectIdentifier) -> Self {
        Self { oid, placeholder: PLACEHOLDER_ARCS.contains(&oid) }
    }

    /// The arcs that are recognised: the placeholders, and the one that the operator configured.
    pub(super) fn known(options: &Options) -> Vec<Self> {
        let configured = options.text("evidence_arc").and_then(|text| ObjectIdentifier::new(text).ok());
        PLACEHOLDER_ARCS.into_iter().chain(configured).map(Self::new).collect()
    }

    /// What the identifier names, when it is below this arc and of a form that the format has.
    pub(super) fn name(&self, oid: ObjectIdentifier) -> Option<Named> {
        let (own, all): (Vec<u32>, Vec<u32>) = (self.oid.arcs().collect(), oid.arcs().collect());
        match all.strip_prefix(own.as_slice())? {
            [ELEMENT, kind] => Some(Named::Element(*kind)),
            [CLAIM, kind, number] => Some(Named::Claim(*kind, *number)),
            [CAPABILITY, number] => Some(Named::Capability(*number)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Arc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.oid.fmt(f)
    }
}

/// How the extended key usage of an attestation key's certificate stands to what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// It names a purpose that is accepted.
    Accepted,
    /// It names only the placeholder, which the operator has not allowed.
    Placeholder,
    /// It names none of them.
    Other,
}

/// Judges an extended key usage by `names`, which says whether it has a purpose.
pub(super) fn purpose(options: &Options, names: impl Fn(ObjectIdentifier) -> bool) -> Purpose {
    let mut configured = options.list("ak_eku").filter_map(|text| ObjectIdentifier::new(text).ok());
    let placeholder = names(PLACEHOLDER_EKU);
    if configured.any(&names) || (placeholder && options.is_on("accept_placeholder_oids")) {
        Purpose::Accepted
    } else if placeholder {
        Purpose::Placeholder
    } else {
        Purpose::Other
    }
}
