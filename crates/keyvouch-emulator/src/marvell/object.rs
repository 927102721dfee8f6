//! A key object: its attributes, in the order and with the values of real ones.

use crate::Error;
use crate::key::{Key, KeyKind, derived, rsa_spki, sha1, sha256};

/// Attribute types: PKCS#11 v3.0 and the vendor's own.
pub mod kind {
    /// CKA_CLASS, one octet.
    pub const CLASS: u32 = 0x0000;
    /// CKA_TOKEN.
    pub const TOKEN: u32 = 0x0001;
    /// CKA_PRIVATE.
    pub const PRIVATE: u32 = 0x0002;
    /// CKA_LABEL, 128 octets.
    pub const LABEL: u32 = 0x0003;
    /// CKA_TRUSTED.
    pub const TRUSTED: u32 = 0x0086;
    /// CKA_KEY_TYPE, one octet.
    pub const KEY_TYPE: u32 = 0x0100;
    /// CKA_ID, 128 octets.
    pub const ID: u32 = 0x0102;
    /// CKA_SENSITIVE.
    pub const SENSITIVE: u32 = 0x0103;
    /// CKA_ENCRYPT.
    pub const ENCRYPT: u32 = 0x0104;
    /// CKA_DECRYPT.
    pub const DECRYPT: u32 = 0x0105;
    /// CKA_WRAP.
    pub const WRAP: u32 = 0x0106;
    /// CKA_UNWRAP.
    pub const UNWRAP: u32 = 0x0107;
    /// CKA_SIGN.
    pub const SIGN: u32 = 0x0108;
    /// CKA_SIGN_RECOVER.
    pub const SIGN_RECOVER: u32 = 0x0109;
    /// CKA_VERIFY.
    pub const VERIFY: u32 = 0x010a;
    /// CKA_VERIFY_RECOVER.
    pub const VERIFY_RECOVER: u32 = 0x010b;
    /// CKA_DERIVE.
    pub const DERIVE: u32 = 0x010c;
    /// CKA_MODULUS; of an EC key the uncompressed point.
    pub const MODULUS: u32 = 0x0120;
    /// CKA_MODULUS_BITS; of an EC key the OpenSSL number of the curve.
    pub const MODULUS_BITS: u32 = 0x0121;
    /// CKA_PUBLIC_EXPONENT.
    pub const PUBLIC_EXPONENT: u32 = 0x0122;
    /// CKA_VALUE_LEN.
    pub const VALUE_LEN: u32 = 0x0161;
    /// CKA_EXTRACTABLE.
    pub const EXTRACTABLE: u32 = 0x0162;
    /// CKA_LOCAL.
    pub const LOCAL: u32 = 0x0163;
    /// CKA_NEVER_EXTRACTABLE.
    pub const NEVER_EXTRACTABLE: u32 = 0x0164;
    /// CKA_ALWAYS_SENSITIVE.
    pub const ALWAYS_SENSITIVE: u32 = 0x0165;
    /// CKA_KEY_GEN_MECHANISM.
    pub const KEY_GEN_MECHANISM: u32 = 0x0166;
    /// CKA_MODIFIABLE.
    pub const MODIFIABLE: u32 = 0x0170;
    /// CKA_DESTROYABLE.
    pub const DESTROYABLE: u32 = 0x0172;
    /// Key check value, three octets.
    pub const KCV: u32 = 0x0173;
    /// CKA_ALWAYS_AUTHENTICATE.
    pub const ALWAYS_AUTHENTICATE: u32 = 0x0202;
    /// CKA_WRAP_WITH_TRUSTED.
    pub const WRAP_WITH_TRUSTED: u32 = 0x0210;
    /// Vendor: extended attributes, eight octets.
    pub const EXT_ATTR1: u32 = 0x1000;
    /// Vendor: extended key check value, 32 octets.
    pub const EKCV: u32 = 0x1003;
    /// Vendor: size of the private parts of an RSA key.
    pub const PARTS_SIZE: u32 = 0x8000_0000;
    /// Vendor: may be split.
    pub const SPLITTABLE: u32 = 0x8000_0002;
    /// Vendor: is split.
    pub const IS_SPLIT: u32 = 0x8000_0003;
    /// Vendor: mechanism masks of encrypt, decrypt, sign, verify, wrap, unwrap and derive.
    pub const MECHANISMS: [u32; 7] =
        [0x8000_0174, 0x8000_0175, 0x8000_0176, 0x8000_0177, 0x8000_0178, 0x8000_0179, 0x8000_0180];
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Type, see [`kind`].
    pub kind: u32,
    /// Value.
    pub value: Vec<u8>,
}

/// One object: header and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Handle.
    pub handle: u32,
    /// Attributes in this order.
    pub attributes: Vec<Attribute>,
    /// Octets after the attributes that the object size counts: none in FW3, zeros in FW2.
    pub padding: Vec<u8>,
    /// The attribute count as written, instead of the true one.
    pub count: Option<u32>,
    /// The object size as written, instead of the true one.
    pub size: Option<u32>,
}

impl Object {
    /// The value of the first attribute of this type.
    pub fn get(&self, kind: u32) -> Option<&[u8]> {
        self.attributes.iter().find(|attribute| attribute.kind == kind).map(|attribute| &attribute.value[..])
    }

    /// Give every attribute of this type this value; add one at the end when there is none.
    pub fn set(&mut self, kind: u32, value: impl Into<Vec<u8>>) {
        let value = value.into();
        match self.get(kind) {
            None => self.attributes.push(Attribute { kind, value }),
            Some(_) => self
                .attributes
                .iter_mut()
                .filter(|attribute| attribute.kind == kind)
                .for_each(|attribute| attribute.value.clone_from(&value)),
        }
    }

    /// Take away every attribute of this type.
    pub fn remove(&mut self, kind: u32) {
        self.attributes.retain(|attribute| attribute.kind != kind);
    }

    /// Write the attributes of this type once more, at the end.
    pub fn duplicate(&mut self, kind: u32) {
        let again: Vec<_> =
            self.attributes.iter().filter(|attribute| attribute.kind == kind).cloned().collect();
        self.attributes.extend(again);
    }

    /// Object header, attributes and padding.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        for Attribute { kind, value } in &self.attributes {
            body.extend(kind.to_be_bytes());
            body.extend(size(value.len())?.to_be_bytes());
            body.extend(value);
        }
        body.extend(&self.padding);
        let mut out = self.handle.to_be_bytes().to_vec();
        out.extend(self.count.map_or_else(|| size(self.attributes.len()), Ok)?.to_be_bytes());
        out.extend(self.size.map_or_else(|| size(body.len()), Ok)?.to_be_bytes());
        out.extend(body);
        Ok(out)
    }

    /// The public half of a pair generated in the device, FW3.
    pub fn fw3_public(handle: u32, values: &PublicValues, profile: &Profile) -> Self {
        let role = Role { class: 2, local: 1, sensitive: 0, extractable: 1, never: 0, usage: PUBLIC_USAGE };
        let checks = [kcv(&values.spki), sha256(&values.spki)];
        Self::fw3(
            handle,
            &role,
            values.key_type,
            values.public_len,
            checks,
            &values.attributes(false),
            profile,
        )
    }

    /// A private key, FW3: the second half of a pair generated in the device, or imported.
    pub fn fw3_private(handle: u32, values: &PublicValues, profile: &Profile, generated: bool) -> Self {
        let born = u8::from(generated);
        let role =
            Role { class: 3, local: born, sensitive: 1, extractable: 0, never: born, usage: PRIVATE_USAGE };
        let checks = [kcv(&values.spki), sha256(&values.spki)];
        Self::fw3(
            handle,
            &role,
            values.key_type,
            values.private_len,
            checks,
            &values.attributes(true),
            profile,
        )
    }

    /// An AES-256 key generated in the device, FW3.
    pub fn fw3_secret(handle: u32, profile: &Profile) -> Self {
        let role = Role { class: 4, local: 1, sensitive: 1, extractable: 0, never: 1, usage: [1; 6] };
        let checks = [derived("AES check value", 3), derived("AES extended check value", 32)];
        Self::fw3(handle, &role, 0x1f, 32, checks, &[], profile)
    }

    fn fw3(
        handle: u32,
        role: &Role,
        key_type: u8,
        value_len: u32,
        [kcv, ekcv]: [Vec<u8>; 2],
        public_values: &[(u32, Vec<u8>)],
        profile: &Profile,
    ) -> Self {
        let mut list = role.head(key_type, profile);
        list.extend([
            (kind::VALUE_LEN, value_len.to_be_bytes().to_vec()),
            (kind::KCV, kcv),
            (kind::EKCV, ekcv),
            (kind::EXT_ATTR1, profile.extended.to_be_bytes().to_vec()),
        ]);
        let mut mask = vec![0; 32];
        mask[31] = 0xff;
        list.extend(kind::MECHANISMS.map(|each| (each, mask.clone())));
        list.extend(public_values.iter().cloned());
        list.extend([
            (kind::TRUSTED, vec![0]),
            (kind::WRAP_WITH_TRUSTED, vec![0]),
            (kind::DERIVE, vec![0]),
            (kind::ALWAYS_SENSITIVE, vec![role.never]),
            (kind::SPLITTABLE, vec![0]),
            (kind::IS_SPLIT, vec![0]),
            (kind::NEVER_EXTRACTABLE, vec![role.never]),
        ]);
        Self::of(handle, list, 0)
    }

    /// The public half of a pair generated in the device, FW2.
    pub fn fw2_public(handle: u32, values: &PublicValues, profile: &Profile) -> Self {
        let role = Role { class: 2, local: 1, sensitive: 0, extractable: 1, never: 0, usage: PUBLIC_USAGE };
        Self::of(handle, Self::fw2(&role, values, profile), 25)
    }

    /// The private half of a pair generated in the device, FW2.
    pub fn fw2_private(handle: u32, values: &PublicValues, profile: &Profile) -> Self {
        let role = Role { class: 3, local: 1, sensitive: 1, extractable: 0, never: 1, usage: PRIVATE_USAGE };
        Self::of(handle, Self::fw2(&role, values, profile), 16)
    }

    fn fw2(role: &Role, values: &PublicValues, profile: &Profile) -> Vec<(u32, Vec<u8>)> {
        let private = role.class == 3;
        let mark = u8::from(private);
        let value_len = if private { values.private_len } else { values.public_len };
        // CKM_RSA_X9_31_KEY_PAIR_GEN or CKM_EC_KEY_PAIR_GEN.
        let mechanism: u32 = if values.key_type == 0 { 0x0a } else { 0x1040 };
        let mut list = role.head(values.key_type, profile);
        list.extend([
            (0xf000_000d, vec![mark]),
            (0xf000_000f, vec![mark]),
            (kind::VALUE_LEN, value_len.to_be_bytes().to_vec()),
            (kind::KCV, kcv(&values.spki)),
        ]);
        list.extend(values.attributes(private));
        list.extend([
            (kind::TRUSTED, vec![0]),
            (kind::WRAP_WITH_TRUSTED, vec![0]),
            (kind::MODIFIABLE, vec![1]),
            (kind::KEY_GEN_MECHANISM, mechanism.to_be_bytes().to_vec()),
            (kind::SPLITTABLE, vec![0]),
            (kind::IS_SPLIT, vec![0]),
        ]);
        if private {
            list.push((kind::ALWAYS_AUTHENTICATE, vec![0]));
        }
        list.extend([
            (0x8000_0004, vec![1]),
            (kind::EXT_ATTR1, profile.extended.to_be_bytes().to_vec()),
            (kind::SIGN_RECOVER, vec![0]),
            (kind::VERIFY_RECOVER, vec![0]),
            (0x1000_01f5, vec![0]),
        ]);
        list.extend([0x301, 0x300, 0x302, 0x303, 0x308, 0x304].map(|limit| (limit, vec![0xff; 4])));
        list.extend([
            (kind::DERIVE, vec![0]),
            (kind::ALWAYS_SENSITIVE, vec![role.never]),
            (kind::NEVER_EXTRACTABLE, vec![role.never]),
            (kind::DESTROYABLE, vec![1]),
        ]);
        list
    }

    fn of(handle: u32, attributes: Vec<(u32, Vec<u8>)>, padding: usize) -> Self {
        let attributes = attributes.into_iter().map(|(kind, value)| Attribute { kind, value }).collect();
        Self { handle, attributes, padding: vec![0; padding], count: None, size: None }
    }
}

/// ENCRYPT, DECRYPT, WRAP, UNWRAP, SIGN, VERIFY of public keys, whatever the key is for.
const PUBLIC_USAGE: [u8; 6] = [1, 0, 1, 0, 0, 1];
/// The same of private keys.
const PRIVATE_USAGE: [u8; 6] = [0, 1, 0, 1, 1, 0];

/// What distinguishes the classes of objects.
struct Role {
    class: u8,
    local: u8,
    sensitive: u8,
    extractable: u8,
    /// NEVER_EXTRACTABLE and ALWAYS_SENSITIVE, which go together.
    never: u8,
    usage: [u8; 6],
}

impl Role {
    /// The attributes up to the key id, with which both layouts begin.
    fn head(&self, key_type: u8, profile: &Profile) -> Vec<(u32, Vec<u8>)> {
        let usages = [kind::ENCRYPT, kind::DECRYPT, kind::WRAP, kind::UNWRAP, kind::SIGN, kind::VERIFY];
        let mut list = vec![
            (kind::CLASS, vec![self.class]),
            (kind::KEY_TYPE, vec![key_type]),
            (kind::TOKEN, vec![profile.token]),
            (kind::PRIVATE, vec![1]),
        ];
        list.extend(usages.into_iter().zip(self.usage).map(|(kind, value)| (kind, vec![value])));
        list.extend([
            (kind::LOCAL, vec![self.local]),
            (kind::SENSITIVE, vec![self.sensitive]),
            (kind::EXTRACTABLE, vec![self.extractable]),
            (kind::LABEL, padded(profile.label.as_bytes())),
            (kind::ID, padded(&profile.id)),
        ]);
        list
    }
}

/// First three octets of SHA-1 over the SubjectPublicKeyInfo.
fn kcv(spki: &[u8]) -> Vec<u8> {
    sha1(spki).into_iter().take(3).collect()
}

/// Filled up with NULs to the fixed 128 octets; longer text is left longer.
fn padded(text: &[u8]) -> Vec<u8> {
    let mut value = text.to_vec();
    value.resize(text.len().max(128), 0);
    value
}

pub(super) fn size(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| Error::TooLarge("length"))
}

/// What the operator of the card puts into the objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// CKA_LABEL.
    pub label: String,
    /// CKA_ID.
    pub id: Vec<u8>,
    /// CKA_TOKEN: 1, or 2 at Google.
    pub token: u8,
    /// EXT_ATTR1: 0, or 2 at Google.
    pub extended: u64,
}

impl Profile {
    /// A card of one's own: this label, and an id made from it.
    pub fn plain(label: &str) -> Self {
        Self { label: label.to_owned(), id: derived(label, 16), token: 1, extended: 0 }
    }
}

/// The public values of a key as the objects hold them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicValues {
    /// KEY_TYPE: 0 RSA, 3 EC.
    pub key_type: u8,
    /// MODULUS: modulus, or uncompressed point.
    pub modulus: Vec<u8>,
    /// MODULUS_BITS: bits of the modulus, or the OpenSSL number of the curve.
    pub modulus_bits: u32,
    /// PUBLIC_EXPONENT, RSA only.
    pub exponent: Option<Vec<u8>>,
    /// DER SubjectPublicKeyInfo, from which the check values come.
    pub spki: Vec<u8>,
    /// VALUE_LEN of the public object.
    pub public_len: u32,
    /// VALUE_LEN of the private object: length of the PKCS#8 form.
    pub private_len: u32,
}

impl PublicValues {
    /// Those of a key.
    ///
    /// # Errors
    /// [`Error::UnfitKey`] when the devices have no such keys.
    pub fn of(key: &Key) -> Result<Self, Error> {
        let private_len = size(key.pkcs8_der().len())?;
        if let Some((modulus, exponent)) = key.rsa_public() {
            return Ok(Self { private_len, ..Self::rsa(modulus, exponent)? });
        }
        let curve = match key.kind() {
            KeyKind::P256 => 415,
            KeyKind::Secp256k1 => 714,
            KeyKind::P384 => 715,
            KeyKind::P521 => 716,
            other => return Err(Error::UnfitKey("LiquidSecurity object", other)),
        };
        let point = key.point().unwrap_or_default();
        Ok(Self {
            key_type: 3,
            modulus: point.to_vec(),
            modulus_bits: curve,
            exponent: None,
            spki: key.spki_der()?,
            public_len: size(point.len())?,
            private_len,
        })
    }

    /// Those of any modulus and exponent, unsigned big-endian.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let octets = size(modulus.len())?;
        Ok(Self {
            key_type: 0,
            modulus: modulus.to_vec(),
            modulus_bits: octets * 8 - modulus.first().map_or(0, |first| first.leading_zeros()),
            exponent: Some(exponent.to_vec()),
            spki: rsa_spki(modulus, exponent)?,
            public_len: octets * 2,
            // Real RSA-2048 keys have 0x4c1 to 0x4c3 here.
            private_len: octets * 5 - 62,
        })
    }

    fn attributes(&self, private: bool) -> Vec<(u32, Vec<u8>)> {
        let mut list = vec![
            (kind::MODULUS, self.modulus.clone()),
            (kind::MODULUS_BITS, self.modulus_bits.to_be_bytes().to_vec()),
        ];
        if let Some(exponent) = &self.exponent {
            list.push((kind::PUBLIC_EXPONENT, exponent.clone()));
            if private {
                // Five numbers of half the modulus: 0x280 for 2048 bits, 0x500 for 4096.
                let parts = self.public_len / 4 * 5;
                list.push((kind::PARTS_SIZE, parts.to_be_bytes().to_vec()));
            }
        }
        list
    }
}
