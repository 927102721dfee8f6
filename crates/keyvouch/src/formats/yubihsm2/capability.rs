//! Capabilities of an object: a 64-bit number, most significant byte first. It is no ASN.1 named bit list.

/// The capabilities of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capabilities(pub(super) u64);

/// The bits that checks and claims look at.
pub(super) mod bit {
    pub(in super::super) const SIGN_PKCS: u32 = 0x05;
    pub(in super::super) const SIGN_PSS: u32 = 0x06;
    pub(in super::super) const SIGN_ECDSA: u32 = 0x07;
    pub(in super::super) const SIGN_EDDSA: u32 = 0x08;
    pub(in super::super) const DECRYPT_PKCS: u32 = 0x09;
    pub(in super::super) const DECRYPT_OAEP: u32 = 0x0a;
    pub(in super::super) const DERIVE_ECDH: u32 = 0x0b;
    pub(in super::super) const EXPORT_WRAPPED: u32 = 0x0c;
    pub(in super::super) const IMPORT_WRAPPED: u32 = 0x0d;
    pub(in super::super) const EXPORTABLE_UNDER_WRAP: u32 = 0x10;
    pub(in super::super) const SIGN_SSH_CERTIFICATE: u32 = 0x19;
    pub(in super::super) const SIGN_ATTESTATION_CERTIFICATE: u32 = 0x22;
}

/// By bit number (Yubico/yubihsm-shell, lib/yubihsm.h).
const NAMES: [&str; 56] = [
    "get-opaque",
    "put-opaque",
    "put-authentication-key",
    "put-asymmetric-key",
    "generate-asymmetric-key",
    "sign-pkcs",
    "sign-pss",
    "sign-ecdsa",
    "sign-eddsa",
    "decrypt-pkcs",
    "decrypt-oaep",
    "derive-ecdh",
    "export-wrapped",
    "import-wrapped",
    "put-wrap-key",
    "generate-wrap-key",
    "exportable-under-wrap",
    "set-option",
    "get-option",
    "get-pseudo-random",
    "put-mac-key",
    "generate-hmac-key",
    "sign-hmac",
    "verify-hmac",
    "get-log-entries",
    "sign-ssh-certificate",
    "get-template",
    "put-template",
    "reset-device",
    "decrypt-otp",
    "create-otp-aead",
    "randomize-otp-aead",
    "rewrap-from-otp-aead-key",
    "rewrap-to-otp-aead-key",
    "sign-attestation-certificate",
    "put-otp-aead-key",
    "generate-otp-aead-key",
    "wrap-data",
    "unwrap-data",
    "delete-opaque",
    "delete-authentication-key",
    "delete-asymmetric-key",
    "delete-wrap-key",
    "delete-hmac-key",
    "delete-template",
    "delete-otp-aead-key",
    "change-authentication-key",
    "put-symmetric-key",
    "generate-symmetric-key",
    "delete-symmetric-key",
    "decrypt-ecb",
    "encrypt-ecb",
    "decrypt-cbc",
    "encrypt-cbc",
    "put-public-wrap-key",
    "delete-public-wrap-key",
];

impl Capabilities {
    pub(super) fn has(self, bit: u32) -> bool {
        self.0.checked_shr(bit).is_some_and(|rest| rest & 1 == 1)
    }

    pub(super) fn has_any(self, bits: &[u32]) -> bool {
        bits.iter().any(|bit| self.has(*bit))
    }

    /// Whether it can sign data of any kind.
    pub(super) fn signs(self) -> bool {
        self.has_any(&[bit::SIGN_PKCS, bit::SIGN_PSS, bit::SIGN_ECDSA, bit::SIGN_EDDSA])
    }

    /// Bits that have no name.
    pub(super) fn unknown(self) -> Vec<u32> {
        (0..u64::BITS).filter(|bit| self.has(*bit) && name(*bit).is_none()).collect()
    }

    pub(super) fn names(self) -> Vec<String> {
        (0..u64::BITS)
            .filter(|bit| self.has(*bit))
            .map(|bit| name(bit).map_or_else(|| format!("bit {bit:#04x}"), str::to_owned))
            .collect()
    }

    /// In the words of the claim `key.purposes`.
    pub(super) fn purposes(self) -> Vec<&'static str> {
        let uses = [
            (self.signs() || self.has(bit::SIGN_SSH_CERTIFICATE), "sign"),
            (self.has_any(&[bit::DECRYPT_PKCS, bit::DECRYPT_OAEP]), "decrypt"),
            (self.has(bit::DERIVE_ECDH), "agree"),
            (self.has(bit::SIGN_ATTESTATION_CERTIFICATE), "attest"),
        ];
        uses.into_iter().filter(|(has, _)| *has).map(|(_, purpose)| purpose).collect()
    }
}

fn name(bit: u32) -> Option<&'static str> {
    usize::try_from(bit).ok().and_then(|bit| NAMES.get(bit)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_their_bits() {
        for (bit, wanted) in [
            (0x00, "get-opaque"),
            (bit::SIGN_PKCS, "sign-pkcs"),
            (bit::SIGN_EDDSA, "sign-eddsa"),
            (bit::DERIVE_ECDH, "derive-ecdh"),
            (bit::EXPORTABLE_UNDER_WRAP, "exportable-under-wrap"),
            (bit::SIGN_SSH_CERTIFICATE, "sign-ssh-certificate"),
            (0x1c, "reset-device"),
            (bit::SIGN_ATTESTATION_CERTIFICATE, "sign-attestation-certificate"),
            (0x2a, "delete-wrap-key"),
            (0x32, "decrypt-ecb"),
            (0x37, "delete-public-wrap-key"),
        ] {
            assert_eq!(name(bit), Some(wanted));
        }
        assert_eq!(name(0x38), None);
    }

    #[test]
    fn a_mask_of_the_vendor() {
        // The test of Yubico that made it asked for these three.
        let made = Capabilities(u64::from_be_bytes([0, 0, 0, 4, 0, 0, 8, 0x80]));
        assert_eq!(made.names(), ["sign-ecdsa", "derive-ecdh", "sign-attestation-certificate"]);
        assert_eq!(made.purposes(), ["sign", "agree", "attest"]);
        // Bytes from the wrong end would take this for bit 40.
        let exportable = Capabilities(u64::from_be_bytes([0, 0, 0, 0, 0, 1, 0, 0]));
        assert!(exportable.has(bit::EXPORTABLE_UNDER_WRAP) && !exportable.has(40));
        assert_eq!(Capabilities(1 << 63 | 1 << 0x38).unknown(), [0x38, 63]);
        assert_eq!(Capabilities(u64::MAX).unknown().len(), 8);
    }
}
