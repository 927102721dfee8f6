//! Authenticator data (Web Authentication, section "Authenticator Data"): what an authenticator says of itself and of
//! a new credential, and signs. WebAuthn, CTAP2 and Apple's App Attest share it.

use super::cbor::{self, Item, Map};

/// Bits of the flags.
mod flag {
    pub(super) const UP: u8 = 0x01;
    pub(super) const UV: u8 = 0x04;
    pub(super) const BE: u8 = 0x08;
    pub(super) const BS: u8 = 0x10;
    pub(super) const AT: u8 = 0x40;
    pub(super) const ED: u8 = 0x80;
    /// Bits for future use.
    pub(super) const RESERVED: u8 = 0x22;
}

/// Longest credential id (Web Authentication, "Credential ID").
pub(crate) const MAX_CREDENTIAL_ID: usize = 1023;

/// The flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    const fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// UP: a user was present.
    pub(crate) const fn user_present(self) -> bool {
        self.has(flag::UP)
    }

    /// UV: the user was verified, by PIN or biometry.
    pub(crate) const fn user_verified(self) -> bool {
        self.has(flag::UV)
    }

    /// BE: the credential may be backed up, and so leave its authenticator.
    pub(crate) const fn backup_eligible(self) -> bool {
        self.has(flag::BE)
    }

    /// BS: the credential is backed up.
    pub(crate) const fn backed_up(self) -> bool {
        self.has(flag::BS)
    }

    /// AT: data of a new credential follow.
    pub(crate) const fn attested_credential(self) -> bool {
        self.has(flag::AT)
    }

    /// ED: extensions follow.
    pub(crate) const fn extensions(self) -> bool {
        self.has(flag::ED)
    }

    /// Bits that have no meaning yet.
    pub(crate) const fn reserved(self) -> u8 {
        self.0 & flag::RESERVED
    }
}

/// Authenticator data.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AuthenticatorData<'a> {
    /// SHA-256 of the RP ID.
    pub(crate) rp_id_hash: &'a [u8],
    pub(crate) flags: Flags,
    pub(crate) sign_count: u32,
    /// The new credential, with flag AT.
    pub(crate) credential: Option<Credential<'a>>,
    /// Outputs of extensions, with flag ED. Every key is text.
    pub(crate) extensions: Option<Map<'a>>,
}

/// A new credential (attestedCredentialData).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Credential<'a> {
    /// The model of the authenticator.
    pub(crate) aaguid: [u8; 16],
    pub(crate) id: &'a [u8],
    /// The COSE_Key, for [`CoseKey::read`](super::cose::CoseKey::read).
    pub(crate) key: Item<'a>,
}

/// Why bytes are not authenticator data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("authenticator data: {0}")]
    Form(&'static str),
    /// The place of the credential's public key holds no CBOR item.
    #[error("public key of the credential: {0}")]
    Key(cbor::Error),
    #[error("extensions: {0}")]
    Extensions(cbor::Error),
}

const CUT: Fault = Fault::Form("it is cut short");

impl<'a> AuthenticatorData<'a> {
    /// Reads authenticator data that fill `bytes` exactly.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32).ok_or(CUT)?;
        let (flags, rest) = rest.split_first().ok_or(CUT)?;
        let (sign_count, mut rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        let flags = Flags(*flags);
        let mut credential = None;
        if flags.attested_credential() {
            let (read, behind) = Credential::read(rest)?;
            (credential, rest) = (Some(read), behind);
        }
        let mut extensions = None;
        if flags.extensions() {
            let (item, behind) = cbor::read_first(rest).map_err(Fault::Extensions)?;
            let Item::Map(map) = item else { return Err(Fault::Form("the extensions are not a map")) };
            if map.entries().any(|(key, _)| key.as_text().is_none()) {
                return Err(Fault::Form("an extension's name is not text"));
            }
            (extensions, rest) = (Some(map), behind);
        }
        if !rest.is_empty() {
            return Err(Fault::Form("bytes are left over at its end"));
        }
        Ok(Self { rp_id_hash, flags, sign_count: u32::from_be_bytes(*sign_count), credential, extensions })
    }
}

impl<'a> Credential<'a> {
    /// The credential in authenticator data that may be damaged behind it, to tell what is wrong with them.
    pub(crate) fn first(auth_data: &'a [u8]) -> Option<Self> {
        let (head, rest) = auth_data.split_at_checked(37)?;
        let flags = Flags(*head.get(32)?);
        let read = flags.attested_credential().then(|| Self::read(rest))?;
        read.ok().map(|(credential, _)| credential)
    }

    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(CUT)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(CUT)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_CREDENTIAL_ID {
            return Err(Fault::Form("the credential id is longer than 1023 bytes"));
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(CUT)?;
        let (key, rest) = cbor::read_first(rest).map_err(Fault::Key)?;
        Ok((Self { aaguid: *aaguid, id, key }, rest))
    }
}

/// An AAGUID as text: 8-4-4-4-12 hexadecimal digits in the order of its bytes.
pub(crate) fn aaguid_text(aaguid: &[u8; 16]) -> String {
    let hex = hex::encode(aaguid);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&[7; 32][..], &[flags, 0, 0, 1, 2], rest].concat()
    }

    fn credential() -> Vec<u8> {
        [&[0xaa; 16][..], &[0, 3, 1, 2, 3], &[0xa1, 1, 2]].concat()
    }

    #[test]
    fn with_and_without_credential_and_extensions() {
        let bytes = data(0x05, &[]);
        let read = AuthenticatorData::read(&bytes).unwrap();
        assert_eq!((read.rp_id_hash, read.sign_count), (&[7; 32][..], 0x102));
        assert!(read.flags.user_present() && read.flags.user_verified());
        assert!(read.credential.is_none() && read.extensions.is_none());

        let bytes = data(0xd9, &[&credential()[..], &[0xa1, 0x61, 0x61, 1]].concat());
        let read = AuthenticatorData::read(&bytes).unwrap();
        let credential = read.credential.unwrap();
        assert_eq!((credential.id, credential.key.as_map().map(Map::len)), (&[1, 2, 3][..], Some(1)));
        assert_eq!(aaguid_text(&credential.aaguid), "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa");
        assert_eq!(read.extensions.map(|map| map.len()), Some(1));
        assert!(read.flags.backup_eligible() && read.flags.backed_up());
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_a_fault() {
        for bytes in
            [data(0x41, &credential()), data(0xc1, &[&credential()[..], &[0xa1, 0x61, 0x61, 1]].concat())]
        {
            for end in 0..bytes.len() {
                assert!(AuthenticatorData::read(&bytes[..end]).is_err(), "{end}");
            }
            assert!(AuthenticatorData::read(&[&bytes[..], &[0]].concat()).is_err());
        }
        // Flags and content must agree.
        assert!(AuthenticatorData::read(&data(0x01, &credential())).is_err());
        assert!(AuthenticatorData::read(&data(0xc1, &credential())).is_err());
    }

    #[test]
    fn the_fault_names_its_place() {
        let broken = [&[0xaa; 16][..], &[0, 0], &[0x9f]].concat();
        assert!(matches!(AuthenticatorData::read(&data(0x41, &broken)), Err(Fault::Key(_))));
        let long = [&[0xaa; 16][..], &[4, 0], &[0; 1024], &[0xa0]].concat();
        assert!(matches!(AuthenticatorData::read(&data(0x41, &long)), Err(Fault::Form(_))));
        let named_by_number = data(0x81, &[0xa1, 1, 1]);
        assert!(matches!(AuthenticatorData::read(&named_by_number), Err(Fault::Form(_))));
        assert!(matches!(AuthenticatorData::read(&data(0x81, &[0x1c])), Err(Fault::Extensions(_))));
        assert_eq!(Flags(0x23).reserved(), 0x22);
    }
}
