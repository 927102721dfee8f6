//! KeyDescription: the content of extension 1.3.6.1.4.1.11129.2.1.17.

use der::{Decode, Tag};

use super::authorization::{AuthorizationList, enumerated};
use crate::pki::Certificate;
use crate::wire::der::{content, sequence};

/// Object identifiers below Google's arc 1.3.6.1.4.1.11129.2.1, and Samsung's.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(in super::super) const KEY_DESCRIPTION: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.1.17");
    pub(in super::super) const EAT: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.1.25");
    pub(in super::super) const PROVISIONING: ObjectIdentifier = oid("1.3.6.1.4.1.11129.2.1.30");
    pub(in super::super) const KNOX: ObjectIdentifier = oid("1.3.6.1.4.1.236.11.3.23.7");
}

/// No KeyDescription comes near this.
const MAX_KEY_DESCRIPTION: usize = 8 * 1024;

/// A security level; the number may be one that is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level(u8);

impl Level {
    pub(super) const SOFTWARE: Self = Self(0);
    pub(super) const TEE: Self = Self(1);
    pub(super) const STRONGBOX: Self = Self(2);

    pub(super) fn is_defined(self) -> bool {
        self.0 <= 2
    }

    pub(super) fn is_hardware(self) -> bool {
        self == Self::TEE || self == Self::STRONGBOX
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::SOFTWARE => "Software".to_owned(),
            Self::TEE => "TrustedEnvironment".to_owned(),
            Self::STRONGBOX => "StrongBox".to_owned(),
            Self(other) => format!("level {other}"),
        }
    }
}

/// What the device says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyDescription {
    pub(super) version: u64,
    pub(super) attestation_level: Level,
    pub(super) component_version: u64,
    pub(super) key_level: Level,
    pub(super) challenge: Vec<u8>,
    pub(super) unique_id: Vec<u8>,
    /// Said by the operating system.
    pub(super) software: AuthorizationList,
    /// Enforced by TEE or StrongBox.
    pub(super) hardware: AuthorizationList,
}

impl KeyDescription {
    /// The statement in a certificate; `None` when it has none.
    pub(super) fn of(certificate: &Certificate) -> Option<Result<Self, String>> {
        certificate.extension(oid::KEY_DESCRIPTION).map(|e| Self::read(e.value))
    }

    /// Reads the extension's content; an error says what is wrong.
    pub(super) fn read(value: &[u8]) -> Result<Self, String> {
        if value.len() > MAX_KEY_DESCRIPTION {
            return Err(format!("the KeyDescription is longer than {MAX_KEY_DESCRIPTION} bytes"));
        }
        let fields = sequence(value, 16).ok_or("the KeyDescription is not one SEQUENCE")?;
        let [version, level, component, key_level, challenge, unique_id, software, hardware] =
            fields.as_slice()
        else {
            return Err(format!("the KeyDescription has {} fields, not 8", fields.len()));
        };
        let number = |tlv: &[u8], what: &str| {
            u32::from_der(tlv).map(u64::from).map_err(|_| format!("{what} is not a positive INTEGER"))
        };
        let security = |tlv: &[u8], what: &str| {
            enumerated(tlv).map(Level).ok_or_else(|| format!("{what} is not an ENUMERATED of one byte"))
        };
        let octets = |tlv, what: &str| {
            content(tlv, Tag::OctetString)
                .map(<[u8]>::to_vec)
                .ok_or_else(|| format!("{what} is not an OCTET STRING"))
        };
        Ok(Self {
            version: number(version, "attestationVersion")?,
            attestation_level: security(level, "attestationSecurityLevel")?,
            component_version: number(component, "keyMintVersion")?,
            key_level: security(key_level, "keyMintSecurityLevel")?,
            challenge: octets(challenge, "attestationChallenge")?,
            unique_id: octets(unique_id, "uniqueId")?,
            software: AuthorizationList::read(software)?,
            hardware: AuthorizationList::read(hardware)?,
        })
    }

    pub(super) fn has_software_level(&self) -> bool {
        self.attestation_level == Level::SOFTWARE || self.key_level == Level::SOFTWARE
    }

    /// Whether the hardware says, in so many words, that it generated the key.
    pub(super) fn is_generated_in_hardware(&self) -> bool {
        self.attestation_level.is_hardware()
            && self.key_level.is_hardware()
            && self.hardware.integer(super::tags::ORIGIN).value() == Some(ORIGIN_GENERATED)
    }
}

/// KeyOrigin.
pub(super) const ORIGIN_GENERATED: u64 = 0;

/// KeyPurpose.
pub(super) mod purpose {
    pub(in super::super) const DECRYPT: u64 = 1;
    pub(in super::super) const SIGN: u64 = 2;
    pub(in super::super) const WRAP_KEY: u64 = 5;
    pub(in super::super) const AGREE_KEY: u64 = 6;
    pub(in super::super) const ATTEST_KEY: u64 = 7;
}
