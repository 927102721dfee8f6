//! Whose statement is it? By its type, an object identifier.
//!
//! The draft defines no types. Those of TCG and of PKIX Evidence are known. Makers have none for their own formats, so
//! keyvouch has an arc for them, in the way of X.667 (a UUID, made once, that nobody else has):
//!
//! ```text
//! 2.25.243173574279165502397274057169519977584.n      UUID b6f186de-e835-4ba5-a0e9-88df6e372470
//! stmt ::= CHOICE { file OCTET STRING, files SEQUENCE OF OCTET STRING }
//! ```
//!
//! `n` is the number of the format below, and the octets are the very files that the device or its tool wrote.

use crate::formats::{self, Format};
use crate::submission::Options;
use crate::wire::oid::Oid;

/// Content octets of the arc for makers' evidence.
pub(crate) const VENDOR_ARC: [u8; 20] = [
    0x69, 0x82, 0xed, 0xf1, 0xc3, 0xb7, 0xdd, 0x83, 0xaa, 0xae, 0xcb, 0xa0, 0xf4, 0xe2, 0x9b, 0xf6, 0xf1,
    0xdc, 0xc8, 0x70,
];

/// The numbers below the arc. A number is never given to another format, even when its own is gone.
///
/// Answers of a provider that only the operator may fetch (`aws`, `azure-key-vault`) have none: from a subscriber they
/// prove nothing. Nor have formats that speak of no key.
pub(crate) const NUMBERS: &[(u32, &str)] = &[
    (1, "yubikey-piv"),
    (2, "yubikey-openpgp"),
    (3, "yubihsm2"),
    (4, "marvell"),
    (5, "google-cloud-hsm"),
    (6, "azure-managed-hsm"),
    (7, "securosys"),
    (8, "smartcard-hsm"),
    (9, "nshield"),
    (10, "crypto4a-qasm"),
    (11, "thales-luna"),
    (12, "fortanix"),
    (13, "i4p-trident"),
    (14, "tpm"),
    (15, "tpm-windows"),
    (16, "pkix-evidence"),
    (17, "android"),
    (18, "apple-app-attest"),
    (19, "webauthn"),
    (20, "acme-device-attest"),
    (21, "apple-mda"),
];

/// The operator switch of the arc.
pub(crate) const VENDOR_EVIDENCE: &str = "csr_vendor_evidence";

/// tcg-attest-tpm-certify.
pub(crate) const TCG_CERTIFY: &str = "2.23.133.20.1";
/// id-evidence of PKIX Evidence: placeholders of its drafts.
pub(crate) const PKIX_EVIDENCE: [&str; 2] = ["1.3.6.1.5.5.999", "1.2.3.999"];

/// What evaluates a statement.
pub(super) enum Route {
    /// The TPM statement of TCG.
    TpmCertify,
    /// A format of the registry.
    Format(&'static dyn Format),
    /// Nothing: why.
    Nothing(String),
}

impl Route {
    pub(super) fn of(kind: Oid<'_>, options: &Options) -> Self {
        if kind.is(TCG_CERTIFY) {
            return Self::TpmCertify;
        }
        let text = kind.to_string();
        if PKIX_EVIDENCE.contains(&text.as_str()) || options.text("evidence_arc") == Some(&text) {
            return Self::registered("pkix-evidence");
        }
        if kind.below(&VENDOR_ARC).is_some() {
            if options.is_off(VENDOR_EVIDENCE) {
                let why = "evidence under keyvouch's own identifiers is turned off (csr_vendor_evidence)";
                return Self::Nothing(why.to_owned());
            }
            let number = kind.number_below(&VENDOR_ARC);
            return match NUMBERS.iter().find(|(n, _)| Some(*n) == number) {
                Some((_, id)) => Self::registered(id),
                None => Self::Nothing("keyvouch has not given this number to a format".to_owned()),
            };
        }
        Self::Nothing(match name(&text) {
            Some(name) => format!("{name}: it says nothing of a key that this verifier evaluates"),
            None => "nobody knows this type".to_owned(),
        })
    }

    fn registered(id: &str) -> Self {
        match formats::ALL.iter().find(|format| format.about().id == id) {
            Some(format) => Self::Format(*format),
            None => Self::Nothing(format!("the format {id} is not in this version")),
        }
    }
}

/// Types that are known by name only.
pub(super) fn name(oid: &str) -> Option<&'static str> {
    Some(match oid {
        TCG_CERTIFY => "TPM 2.0 certification of a key (TCG)",
        "2.23.133.20.2" => "TPM 2.0 quote (TCG)",
        "2.23.133.5.4.1" => "DICE TcbInfo",
        "2.23.133.5.4.3" => "DICE manifest URI",
        "2.23.133.5.4.4" => "DICE UEID",
        "2.23.133.5.4.5" => "DICE MultiTcbInfo",
        "2.23.133.5.4.6" => "DICE UCCS",
        "2.23.133.5.4.7" => "DICE manifest evidence",
        "2.23.133.5.4.8" => "DICE MultiTcbInfoComp",
        "2.23.133.5.4.9" => "DICE conceptual message wrapper",
        "2.23.133.5.4.11" => "DICE TcbFreshness",
        "1.3.6.1.5.5.7.1.35" => "conceptual message wrapper (RATS CMW)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Formats that are not carried: why is said at `NUMBERS`.
    const NOT_CARRIED: &[&str] = &[
        "csr-attestation",
        "tpm-ek",
        "without-attestation",
        "aws",
        "azure-key-vault",
        "rats-results",
        "ear",
        "cmw",
    ];

    #[test]
    fn every_format_has_its_own_number_or_is_not_carried() {
        let numbers: BTreeSet<u32> = NUMBERS.iter().map(|(number, _)| *number).collect();
        let ids: BTreeSet<&str> = NUMBERS.iter().map(|(_, id)| *id).collect();
        assert_eq!((numbers.len(), ids.len()), (NUMBERS.len(), NUMBERS.len()));
        for about in formats::about() {
            assert!(ids.contains(about.id) != NOT_CARRIED.contains(&about.id), "{}", about.id);
        }
    }

    #[test]
    fn the_arc_is_the_uuid() {
        let tlv = [&[0x06, 21][..], &VENDOR_ARC, &[0x07]].concat();
        let oid = Oid::read(&tlv).unwrap();
        let uuid = 0xb6f1_86de_e835_4ba5_a0e9_88df_6e37_2470_u128;
        assert_eq!(oid.to_string(), format!("2.25.{uuid}.7"));
        assert_eq!(oid.number_below(&VENDOR_ARC), Some(7));
    }
}
