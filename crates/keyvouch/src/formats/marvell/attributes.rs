//! The table of attribute types. Numbers are those of PKCS#11 (OASIS, version 3.0) where it has one; the names
//! without `CKA_` are the maker's own or descriptive.

/// The form of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One byte, 0 or 1.
    Flag,
    /// One byte.
    Byte,
    /// Four bytes, a number.
    Word,
    /// So many bytes.
    Bytes(usize),
    /// So many bytes of text, padded with NUL.
    Text(usize),
    /// Any number of bytes.
    Any,
}

impl Form {
    /// The length that a value must have, if it is fixed.
    pub(super) const fn length(self) -> Option<usize> {
        match self {
            Self::Flag | Self::Byte => Some(1),
            Self::Word => Some(4),
            Self::Bytes(n) | Self::Text(n) => Some(n),
            Self::Any => None,
        }
    }
}

/// A known attribute type.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) form: Form,
}

pub(super) const CLASS: u32 = 0x0000_0000;
pub(super) const TOKEN: u32 = 0x0000_0001;
pub(super) const LABEL: u32 = 0x0000_0003;
pub(super) const KEY_TYPE: u32 = 0x0000_0100;
pub(super) const ID: u32 = 0x0000_0102;
pub(super) const SENSITIVE: u32 = 0x0000_0103;
pub(super) const DECRYPT: u32 = 0x0000_0105;
pub(super) const UNWRAP: u32 = 0x0000_0107;
pub(super) const SIGN: u32 = 0x0000_0108;
pub(super) const DERIVE: u32 = 0x0000_010c;
pub(super) const MODULUS: u32 = 0x0000_0120;
pub(super) const MODULUS_BITS: u32 = 0x0000_0121;
pub(super) const PUBLIC_EXPONENT: u32 = 0x0000_0122;
pub(super) const EXTRACTABLE: u32 = 0x0000_0162;
pub(super) const LOCAL: u32 = 0x0000_0163;
pub(super) const NEVER_EXTRACTABLE: u32 = 0x0000_0164;
pub(super) const ALWAYS_SENSITIVE: u32 = 0x0000_0165;
pub(super) const KEY_GEN_MECHANISM: u32 = 0x0000_0166;
pub(super) const KCV: u32 = 0x0000_0173;
pub(super) const EKCV: u32 = 0x0000_1003;
pub(super) const SPLITTABLE: u32 = 0x8000_0002;
pub(super) const IS_SPLIT: u32 = 0x8000_0003;

/// Every type whose form is known. Others are kept and reported.
const TABLE: &[Known] = {
    use Form::{Any, Byte, Bytes, Flag, Text, Word};
    const fn known(number: u32, name: &'static str, form: Form) -> Known {
        Known { number, name, form }
    }
    &[
        known(CLASS, "CLASS", Byte),
        // Not a flag: 2 occurs, and only 0 (a session object) has a known meaning beside 1.
        known(TOKEN, "TOKEN", Byte),
        known(0x0002, "PRIVATE", Flag),
        known(LABEL, "LABEL", Text(128)),
        known(0x0086, "TRUSTED", Flag),
        known(KEY_TYPE, "KEY_TYPE", Byte),
        known(ID, "ID", Text(128)),
        known(SENSITIVE, "SENSITIVE", Flag),
        known(0x0104, "ENCRYPT", Flag),
        known(DECRYPT, "DECRYPT", Flag),
        known(0x0106, "WRAP", Flag),
        known(UNWRAP, "UNWRAP", Flag),
        known(SIGN, "SIGN", Flag),
        known(0x0109, "SIGN_RECOVER", Flag),
        known(0x010a, "VERIFY", Flag),
        known(0x010b, "VERIFY_RECOVER", Flag),
        known(DERIVE, "DERIVE", Flag),
        known(MODULUS, "MODULUS", Any),
        known(MODULUS_BITS, "MODULUS_BITS", Word),
        known(PUBLIC_EXPONENT, "PUBLIC_EXPONENT", Bytes(3)),
        known(0x0161, "VALUE_LEN", Word),
        known(EXTRACTABLE, "EXTRACTABLE", Flag),
        known(LOCAL, "LOCAL", Flag),
        known(NEVER_EXTRACTABLE, "NEVER_EXTRACTABLE", Flag),
        known(ALWAYS_SENSITIVE, "ALWAYS_SENSITIVE", Flag),
        known(KEY_GEN_MECHANISM, "KEY_GEN_MECHANISM", Word),
        known(0x0170, "MODIFIABLE", Flag),
        known(0x0172, "DESTROYABLE", Flag),
        known(KCV, "KCV", Bytes(3)),
        known(0x0202, "ALWAYS_AUTHENTICATE", Flag),
        known(0x0210, "WRAP_WITH_TRUSTED", Flag),
        known(0x0300, "limit 0x300", Word),
        known(0x0301, "limit 0x301", Word),
        known(0x0302, "limit 0x302", Word),
        known(0x0303, "limit 0x303", Word),
        known(0x0304, "limit 0x304", Word),
        known(0x0308, "limit 0x308", Word),
        known(0x1000, "EXT_ATTR1", Bytes(8)),
        known(EKCV, "EKCV", Bytes(32)),
        known(0x1000_01f5, "vendor 0x100001f5", Byte),
        known(0x8000_0000, "size of the private parts", Word),
        known(SPLITTABLE, "SPLITTABLE", Flag),
        known(IS_SPLIT, "IS_SPLIT", Flag),
        known(0x8000_0004, "vendor 0x80000004", Byte),
        known(0x8000_0005, "vendor 0x80000005", Bytes(3)),
        known(0x8000_0174, "ENCRYPT_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0175, "DECRYPT_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0176, "SIGN_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0177, "VERIFY_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0178, "WRAP_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0179, "UNWRAP_KEY_MECHANISMS", Bytes(32)),
        known(0x8000_0180, "DERIVE_KEY_MECHANISMS", Bytes(32)),
        known(0xf000_000d, "vendor 0xf000000d", Byte),
        known(0xf000_000f, "vendor 0xf000000f", Byte),
    ]
};

/// The type with that number.
pub(super) fn known(number: u32) -> Option<&'static Known> {
    TABLE.iter().find(|k| k.number == number)
}

/// A type for people.
pub(super) fn name(number: u32) -> String {
    known(number).map_or_else(|| format!("unknown {number:#010x}"), |k| k.name.to_owned())
}

/// CKA_CLASS in words.
pub(super) fn class_name(class: u8) -> &'static str {
    match class {
        0 => "data",
        1 => "certificate",
        2 => "public key",
        3 => "private key",
        4 => "secret key",
        _ => "unknown",
    }
}

/// CKA_KEY_TYPE in words. From 0x30 on the numbers are the maker's.
pub(super) fn key_type_name(key_type: u8) -> &'static str {
    match key_type {
        0x00 => "RSA",
        0x01 => "DSA",
        0x03 => "EC",
        0x10 => "generic secret",
        0x12 => "RC4",
        0x13 => "DES",
        0x15 => "triple DES",
        0x1f => "AES",
        0x30 => "Kyber",
        0x31 => "Dilithium",
        0x32 => "Falcon",
        _ => "unknown",
    }
}

/// CKA_KEY_GEN_MECHANISM in words.
pub(super) fn mechanism_name(mechanism: u32) -> String {
    match mechanism {
        0x0000 => "CKM_RSA_PKCS_KEY_PAIR_GEN".to_owned(),
        0x000a => "CKM_RSA_X9_31_KEY_PAIR_GEN".to_owned(),
        0x1040 => "CKM_EC_KEY_PAIR_GEN".to_owned(),
        0x1080 => "CKM_AES_KEY_GEN".to_owned(),
        other => format!("mechanism {other:#x}"),
    }
}
