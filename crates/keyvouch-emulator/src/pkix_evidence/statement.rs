//! TbsEvidence: elements with claims.

use super::{ARC, OLDER_ARC};
use crate::key::Key;
use crate::{Error, der};

/// How values are tagged, and with that the numbers of claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Universal tags: draft -06 and later.
    Current,
    /// Context tags: before.
    Older,
}

impl Encoding {
    fn tagged(self, universal: u8, context: u8, content: &[u8]) -> Vec<u8> {
        match self {
            Self::Current => der::tlv(universal, content),
            Self::Older => der::implicit(context, content),
        }
    }

    /// Octets.
    #[must_use]
    pub fn octets(self, bytes: &[u8]) -> Vec<u8> {
        self.tagged(0x04, 0, bytes)
    }

    /// Text.
    #[must_use]
    pub fn text(self, text: &str) -> Vec<u8> {
        self.tagged(0x0c, 1, text.as_bytes())
    }

    /// Yes or no.
    #[must_use]
    pub fn flag(self, flag: bool) -> Vec<u8> {
        self.tagged(0x01, 2, &[if flag { 0xff } else { 0 }])
    }

    /// GeneralizedTime, its text as given.
    #[must_use]
    pub fn time(self, text: &str) -> Vec<u8> {
        self.tagged(0x18, 3, text.as_bytes())
    }

    /// A number.
    #[must_use]
    pub fn number(self, number: u32) -> Vec<u8> {
        self.tagged(0x02, 4, &der::unsigned(&number.to_be_bytes()))
    }

    /// Capabilities of a key, by number.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn purposes(self, capabilities: &[u32]) -> Result<Vec<u8>, Error> {
        let each: Vec<_> = capabilities
            .iter()
            .map(|number| der::oid(&format!("{}.2.{number}", self.arc())))
            .collect::<Result<_, _>>()?;
        let list = der::sequence(&each);
        Ok(match self {
            Self::Current => list,
            Self::Older => der::implicit(0, &list),
        })
    }

    fn arc(self) -> &'static str {
        match self {
            Self::Current => ARC,
            Self::Older => OLDER_ARC,
        }
    }

    /// Platform claims after the tenth were moved when `usermods` was taken out.
    fn number_of(self, (element, number): (u32, u32)) -> u32 {
        let moved = self == Self::Older && element == 1 && number >= 10;
        if moved { number + 1 } else { number }
    }
}

/// Claims: kind of element, number.
pub mod claim {
    /// Nonce of the transaction.
    pub const NONCE: (u32, u32) = (0, 0);
    /// Time of the module.
    pub const TIMESTAMP: (u32, u32) = (0, 1);
    /// A key that signs.
    pub const AK_SPKI: (u32, u32) = (0, 2);
    /// Maker.
    pub const VENDOR: (u32, u32) = (1, 0);
    /// Model.
    pub const HWMODEL: (u32, u32) = (1, 2);
    /// Version of the hardware.
    pub const HWVERSION: (u32, u32) = (1, 3);
    /// Serial number.
    pub const HWSERIAL: (u32, u32) = (1, 4);
    /// Version of the firmware.
    pub const SWVERSION: (u32, u32) = (1, 6);
    /// Debug status.
    pub const DBGSTAT: (u32, u32) = (1, 7);
    /// Seconds since the start.
    pub const UPTIME: (u32, u32) = (1, 8);
    /// Whether it started in its FIPS mode.
    pub const FIPSBOOT: (u32, u32) = (1, 10);
    /// The standard of that mode.
    pub const FIPSVER: (u32, u32) = (1, 11);
    /// Its level.
    pub const FIPSLEVEL: (u32, u32) = (1, 12);
    /// Name of a key.
    pub const IDENTIFIER: (u32, u32) = (2, 0);
    /// Public key.
    pub const SPKI: (u32, u32) = (2, 1);
    /// CKA_EXTRACTABLE.
    pub const EXTRACTABLE: (u32, u32) = (2, 2);
    /// CKA_SENSITIVE.
    pub const SENSITIVE: (u32, u32) = (2, 3);
    /// CKA_NEVER_EXTRACTABLE.
    pub const NEVER_EXTRACTABLE: (u32, u32) = (2, 4);
    /// CKA_LOCAL.
    pub const LOCAL: (u32, u32) = (2, 5);
    /// End of use.
    pub const EXPIRY: (u32, u32) = (2, 6);
    /// Capabilities.
    pub const PURPOSE: (u32, u32) = (2, 7);
}

/// Capabilities of a key.
pub mod capability {
    /// decrypt.
    pub const DECRYPT: u32 = 1;
    /// unwrap.
    pub const UNWRAP: u32 = 3;
    /// sign.
    pub const SIGN: u32 = 4;
    /// verify.
    pub const VERIFY: u32 = 6;
    /// derive.
    pub const DERIVE: u32 = 8;
}

/// A claim: what, and its DER value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Kind of element and number, in the current encoding.
    pub claim: (u32, u32),
    /// Dotted identifier instead of that of the claim.
    pub oid: Option<String>,
    /// The value as encoded; none writes none.
    pub value: Option<Vec<u8>>,
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// 0 transaction, 1 platform, 2 key.
    pub kind: u32,
    /// Dotted identifier instead of that of the kind.
    pub oid: Option<String>,
    /// Its claims, in this order.
    pub claims: Vec<Claim>,
}

impl Element {
    fn new(kind: u32, claims: Vec<((u32, u32), Vec<u8>)>) -> Self {
        let claim = |(claim, value)| Claim { claim, oid: None, value: Some(value) };
        Self { kind, oid: None, claims: claims.into_iter().map(claim).collect() }
    }

    /// A transaction.
    #[must_use]
    pub fn transaction(claims: Vec<((u32, u32), Vec<u8>)>) -> Self {
        Self::new(0, claims)
    }

    /// The platform.
    #[must_use]
    pub fn platform(claims: Vec<((u32, u32), Vec<u8>)>) -> Self {
        Self::new(1, claims)
    }

    /// A key.
    #[must_use]
    pub fn key(claims: Vec<((u32, u32), Vec<u8>)>) -> Self {
        Self::new(2, claims)
    }

    /// The first claim of this kind.
    pub fn claim_mut(&mut self, claim: (u32, u32)) -> Option<&mut Claim> {
        self.claims.iter_mut().find(|each| each.claim == claim)
    }

    /// Sets the value of a claim, adding it at the end when it is not there.
    pub fn set(&mut self, claim: (u32, u32), value: Vec<u8>) {
        match self.claim_mut(claim) {
            Some(found) => found.value = Some(value),
            None => self.claims.push(Claim { claim, oid: None, value: Some(value) }),
        }
    }

    /// Takes a claim away.
    pub fn remove(&mut self, claim: (u32, u32)) {
        self.claims.retain(|each| each.claim != claim);
    }
}

/// What a module says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// 1.
    pub version: u8,
    /// How identifiers and lists of capabilities are written.
    pub encoding: Encoding,
    /// Dotted arc instead of that of the encoding.
    pub arc: Option<String>,
    /// The elements, in this order.
    pub elements: Vec<Element>,
}

impl Statement {
    /// A statement without elements.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self { version: 1, encoding, arc: None, elements: Vec::new() }
    }

    /// What a module with a key says that it generated, that signs and does not leave it.
    ///
    /// # Errors
    /// None in practice: the identifiers are constants.
    pub fn of(encoding: Encoding, attestation_key: &Key, key: &Key) -> Result<Self, Error> {
        let e = encoding;
        let transaction = Element::transaction(vec![
            (claim::NONCE, e.octets(&[0xbe, 0xef, 0xca, 0xfe])),
            (claim::TIMESTAMP, e.time("20260501120000Z")),
            (claim::AK_SPKI, e.octets(&attestation_key.spki_der()?)),
        ]);
        let platform = Element::platform(vec![
            (claim::VENDOR, e.text("Emulated HSM Ltd")),
            (claim::HWMODEL, e.octets(b"HSM-9000")),
            (claim::HWVERSION, e.text("2.1.0")),
            (claim::HWSERIAL, e.text("0000-1234")),
            (claim::SWVERSION, e.text("7.4.1")),
            (claim::DBGSTAT, e.number(3)),
            (claim::UPTIME, e.number(86_400)),
            (claim::FIPSBOOT, e.flag(true)),
            (claim::FIPSVER, e.text("FIPS 140-3")),
            (claim::FIPSLEVEL, e.number(3)),
        ]);
        let key = Element::key(vec![
            (claim::IDENTIFIER, e.text("signing key 1")),
            (claim::SPKI, e.octets(&key.spki_der()?)),
            (claim::EXTRACTABLE, e.flag(false)),
            (claim::NEVER_EXTRACTABLE, e.flag(true)),
            (claim::SENSITIVE, e.flag(true)),
            (claim::LOCAL, e.flag(true)),
            (claim::PURPOSE, e.purposes(&[capability::SIGN, capability::VERIFY])?),
        ]);
        Ok(Self { elements: vec![transaction, platform, key], ..Self::new(encoding) })
    }

    /// DER TbsEvidence.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn der(&self) -> Result<Vec<u8>, Error> {
        let arc = self.arc.as_deref().unwrap_or(self.encoding.arc());
        let elements: Vec<_> =
            self.elements.iter().map(|element| self.element(arc, element)).collect::<Result<_, _>>()?;
        Ok(der::sequence(&[der::integer(&[self.version]), der::sequence(&elements)]))
    }

    fn element(&self, arc: &str, element: &Element) -> Result<Vec<u8>, Error> {
        let claims: Vec<_> =
            element.claims.iter().map(|claim| self.claim(arc, claim)).collect::<Result<_, _>>()?;
        let kind = element.oid.clone().unwrap_or_else(|| format!("{arc}.0.{}", element.kind));
        Ok(der::sequence(&[der::oid(&kind)?, der::sequence(&claims)]))
    }

    fn claim(&self, arc: &str, claim: &Claim) -> Result<Vec<u8>, Error> {
        let (element, number) = (claim.claim.0, self.encoding.number_of(claim.claim));
        let oid = claim.oid.clone().unwrap_or_else(|| format!("{arc}.1.{element}.{number}"));
        Ok(der::sequence(&[der::oid(&oid)?, claim.value.clone().unwrap_or_default()]))
    }
}
