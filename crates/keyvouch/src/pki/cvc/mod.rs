//! Card-verifiable certificates (BSI TR-03110-3, appendix C and D): read strictly, judged in [`path`].
//!
//! ```text
//! 7F21  CV certificate
//!   7F4E  body: 5F29 profile, 42 authority, 7F49 key, 5F20 holder, 7F4C authorization, 5F25 and 5F24 dates, 65 extensions
//!   5F37  signature over the body
//! 67    authenticated request
//!   7F21  the same without authorization and dates, signed by its own key
//!   42    authority
//!   5F37  signature of the authority over the two before
//! ```

mod domain;
pub mod path;

use der::asn1::ObjectIdentifier;

use self::domain::Parameters;
use crate::authentic::SignatureValid;
use crate::crypto::{Curve, Hash, Material, PublicKey, Scheme, SignatureError, sha256};
use crate::time::Time;
use crate::wire::tlv::{self, Tlv};

/// More extensions, or parts of a key, than there ever are.
const MAX_PARTS: usize = 16;
/// Longer than any certificate of these.
const MAX_LENGTH: usize = 4096;
/// TR-03110-3, D.2.2 gives references up to 16 characters.
const MAX_REFERENCE: usize = 16;

/// Why bytes are no CV certificate or request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CvcError(&'static str);

/// Why the key in a certificate cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CvKeyError {
    /// A curve or algorithm that this verifier does not know: nothing is said of the key.
    #[error("{0}")]
    Unsupported(String),
    /// It is no key.
    #[error("{0}")]
    Wrong(&'static str),
}

/// A CV certificate, or the certificate inside a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CvCertificate {
    bytes: Vec<u8>,
    body: Vec<u8>,
    signature: Vec<u8>,
    authority: Option<String>,
    holder: String,
    key: Key,
    role: Option<(ObjectIdentifier, Vec<u8>)>,
    dates: Option<([u8; 6], [u8; 6])>,
    extensions: Vec<(ObjectIdentifier, Vec<u8>)>,
}

/// An authenticated request: the certificate that a card makes of a new key, signed by that key and by the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CvRequest {
    /// The certificate of the new key.
    pub certificate: CvCertificate,
    /// Who signed the request.
    pub authority: String,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    algorithm: ObjectIdentifier,
    numbers: Numbers,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { parameters: Option<Box<Parameters>>, point: Vec<u8> },
}

/// Which of the two forms a certificate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Certificate,
    Request,
}

const ID_TA_RSA: &str = "0.4.0.127.0.7.2.2.2.1.";
const ID_TA_ECDSA: &str = "0.4.0.127.0.7.2.2.2.2.";

impl CvCertificate {
    /// Reads a certificate that fills `bytes` exactly.
    ///
    /// # Errors
    /// When anything is missing, out of order, twice, or left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CvcError> {
        Self::read(bytes, Form::Certificate)
    }

    fn read(bytes: &[u8], form: Form) -> Result<Self, CvcError> {
        const NOT_ONE: CvcError = CvcError("not one CV certificate with a body and a signature");
        if bytes.len() > MAX_LENGTH {
            return Err(CvcError("longer than any CV certificate"));
        }
        let outer = tlv::only(bytes, 0x7f21).ok_or(NOT_ONE)?;
        let members = tlv::all(outer.value, 2).ok_or(NOT_ONE)?;
        let [body @ Tlv { tag: 0x7f4e, .. }, signature @ Tlv { tag: 0x5f37, .. }] = members.as_slice() else {
            return Err(NOT_ONE);
        };
        let mut fields = Fields(tlv::all(body.value, MAX_PARTS).ok_or(NOT_ONE)?.into_iter().peekable());
        if fields.need(0x5f29, "the profile is missing")? != [0] {
            return Err(CvcError("the profile is not 0"));
        }
        let authority = match form {
            Form::Certificate => Some(reference(fields.need(0x42, "the authority reference is missing")?)?),
            Form::Request => fields.take(0x42).map(free_text).transpose()?,
        };
        let key = read_key(fields.need(0x7f49, "the public key is missing")?)?;
        let holder = fields.need(0x5f20, "the holder reference is missing")?;
        let holder = if form == Form::Certificate { reference(holder) } else { free_text(holder) }?;
        let (mut role, mut dates) = (None, None);
        if form == Form::Certificate {
            // Look-alikes write it under 5F4C. Such a certificate has no role, so it is good for nothing; it is read
            // to say what it is.
            if fields.take(0x5f4c).is_none() {
                role = Some(read_role(fields.need(0x7f4c, "the authorization is missing")?)?);
            }
            let mut date = |tag| -> Result<[u8; 6], CvcError> {
                let value = fields.need(tag, "a date is missing")?;
                value.try_into().map_err(|_| CvcError("a date has not six digits"))
            };
            dates = Some((date(0x5f25)?, date(0x5f24)?));
        }
        let extensions = fields.take(0x65).map(read_extensions).transpose()?.unwrap_or_default();
        if fields.0.next().is_some() {
            return Err(CvcError("a field that does not belong there, twice, or out of order"));
        }
        Ok(Self {
            bytes: bytes.to_vec(),
            body: body.whole.to_vec(),
            signature: signature.value.to_vec(),
            authority,
            holder,
            key,
            role,
            dates,
            extensions,
        })
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.bytes)
    }

    /// Certification authority reference; only requests may have none.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Certificate holder reference.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether it names itself as its authority.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.authority.as_deref() == Some(self.holder.as_str())
    }

    /// The scheme and the role in it, as bytes of the authorization template; none in requests.
    #[must_use]
    pub fn role(&self) -> Option<(ObjectIdentifier, &[u8])> {
        self.role.as_ref().map(|(scheme, role)| (*scheme, role.as_slice()))
    }

    /// First and last second of its validity; none for dates that are none.
    #[must_use]
    pub fn validity(&self) -> Option<(Time, Time)> {
        let (from, to) = self.dates.as_ref()?;
        Some((day(from, "00:00:00")?, day(to, "23:59:59")?))
    }

    /// The value of an extension.
    #[must_use]
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        self.extensions.iter().find(|(o, _)| *o == oid).map(|(_, value)| value.as_slice())
    }

    /// The public key. Certificates below the root leave the curve out; then `inherited` is it. Where there are
    /// parameters, they count, and have to be those of a known curve.
    ///
    /// # Errors
    /// When it is no key, or of an unknown kind.
    pub fn public_key(&self, inherited: Option<Curve>) -> Result<PublicKey, CvKeyError> {
        use CvKeyError::Wrong;
        match &self.key.numbers {
            Numbers::Ec { parameters, point } => {
                let curve = match parameters {
                    Some(parameters) => parameters.curve()?,
                    None => inherited.ok_or(Wrong("the curve is not stated"))?,
                };
                let key = PublicKey::ec(curve, point)
                    .map_err(|_| Wrong("the point has not the form of its curve"))?;
                match key.is_on_curve() {
                    Some(true) => Ok(key),
                    _ => Err(Wrong("the point is not on its curve")),
                }
            }
            Numbers::Rsa { n, e } => {
                let key =
                    PublicKey::rsa(n, e).map_err(|_| Wrong("modulus or exponent is zero or too long"))?;
                let Material::Rsa { n, e } = key.material() else { return Err(Wrong("no RSA key")) };
                let odd = |number: &[u8]| number.last().is_some_and(|low| low & 1 == 1);
                // 65537 is the smallest odd number of three bytes with a first byte that is not zero.
                if !odd(n) || !odd(e) || e.len() < 3 {
                    return Err(Wrong("the modulus is even, or the exponent even or under 65537"));
                }
                Ok(key)
            }
        }
    }

    /// How the key in it signs (TR-03110-3, A.6.1 and A.6.2): its algorithm stands with the key. ECDSA signatures
    /// have the plain form.
    ///
    /// # Errors
    /// For algorithms that this verifier does not know.
    pub fn scheme(&self) -> Result<Scheme, CvKeyError> {
        use Hash::{Sha1, Sha256, Sha384, Sha512};
        let oid = self.key.algorithm.to_string();
        let rsa = oid.strip_prefix(ID_TA_RSA);
        let ecdsa = oid.strip_prefix(ID_TA_ECDSA);
        Ok(match (rsa, ecdsa) {
            (Some("1"), _) => Scheme::RsaPkcs1(Sha1),
            (Some("2"), _) => Scheme::RsaPkcs1(Sha256),
            (Some("3"), _) => Scheme::RsaPss(Sha1),
            (Some("4"), _) => Scheme::RsaPss(Sha256),
            (Some("5"), _) => Scheme::RsaPkcs1(Sha512),
            (Some("6"), _) => Scheme::RsaPss(Sha512),
            (_, Some("1")) => Scheme::EcdsaFixed(Sha1),
            (_, Some("3")) => Scheme::EcdsaFixed(Sha256),
            (_, Some("4")) => Scheme::EcdsaFixed(Sha384),
            (_, Some("5")) => Scheme::EcdsaFixed(Sha512),
            _ => return Err(CvKeyError::Unsupported(format!("algorithm {oid} is not known here"))),
        })
    }

    /// Verifies its signature.
    ///
    /// # Errors
    /// When it does not verify.
    pub fn verify(&self, scheme: Scheme, key: &PublicKey) -> Result<SignatureValid<'_>, SignatureError> {
        key.verify(scheme, &self.body, &self.signature)
    }
}

impl CvRequest {
    /// Reads an authenticated request that fills `bytes` exactly.
    ///
    /// # Errors
    /// When anything is missing, out of order, twice, or left over.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CvcError> {
        const NOT_ONE: CvcError =
            CvcError("not one authenticated request: a certificate, an authority reference and a signature");
        if bytes.len() > MAX_LENGTH {
            return Err(CvcError("longer than any authenticated request"));
        }
        let outer = tlv::only(bytes, 0x67).ok_or(NOT_ONE)?;
        let members = tlv::all(outer.value, 3).ok_or(NOT_ONE)?;
        let [inner, authority, signature @ Tlv { tag: 0x5f37, .. }] = members.as_slice() else {
            return Err(NOT_ONE);
        };
        let signed = [inner.whole, authority.whole].concat();
        let (certificate, authority) = Self::read_signed(&signed)?;
        Ok(Self { certificate, authority, signed, signature: signature.value.to_vec() })
    }

    /// Reads what the authority signs: the certificate and the authority reference.
    ///
    /// # Errors
    /// When it is not that.
    pub fn read_signed(signed: &[u8]) -> Result<(CvCertificate, String), CvcError> {
        const NOT_TWO: CvcError = CvcError("the request has no certificate with an authority reference");
        match tlv::all(signed, 2).ok_or(NOT_TWO)?.as_slice() {
            [inner, Tlv { tag: 0x42, value, .. }] => {
                Ok((CvCertificate::read(inner.whole, Form::Request)?, reference(value)?))
            }
            _ => Err(NOT_TWO),
        }
    }

    /// Verifies the authority's signature.
    ///
    /// # Errors
    /// When it does not verify.
    pub fn verify(&self, scheme: Scheme, key: &PublicKey) -> Result<SignatureValid<'_>, SignatureError> {
        key.verify(scheme, &self.signed, &self.signature)
    }
}

/// Fields in their fixed order.
struct Fields<'a>(std::iter::Peekable<std::vec::IntoIter<Tlv<'a>>>);

impl<'a> Fields<'a> {
    fn take(&mut self, tag: u16) -> Option<&'a [u8]> {
        self.0.next_if(|tlv| tlv.tag == tag).map(|tlv| tlv.value)
    }

    fn need(&mut self, tag: u16, missing: &'static str) -> Result<&'a [u8], CvcError> {
        self.take(tag).ok_or(CvcError(missing))
    }
}

fn reference(value: &[u8]) -> Result<String, CvcError> {
    let text = std::str::from_utf8(value).ok();
    let good =
        |t: &&str| !t.is_empty() && t.len() <= MAX_REFERENCE && t.bytes().all(|c| c.is_ascii_graphic());
    text.filter(good).map(str::to_owned).ok_or(CvcError("a reference is no text of up to 16 characters"))
}

/// References in a request are whatever the host chose.
fn free_text(value: &[u8]) -> Result<String, CvcError> {
    const MAX: usize = 64;
    if value.len() > MAX {
        return Err(CvcError("a reference in the request is longer than 64 bytes"));
    }
    let text = std::str::from_utf8(value).ok().filter(|t| t.bytes().all(|c| (0x20..0x7f).contains(&c)));
    Ok(text.map_or_else(|| format!("0x{}", hex::encode(value)), str::to_owned))
}

fn oid(value: &[u8]) -> Result<ObjectIdentifier, CvcError> {
    ObjectIdentifier::from_bytes(value).map_err(|_| CvcError("an object identifier that is none"))
}

fn read_role(value: &[u8]) -> Result<(ObjectIdentifier, Vec<u8>), CvcError> {
    match tlv::all(value, 2).as_deref() {
        Some([Tlv { tag: 0x06, value: scheme, .. }, Tlv { tag: 0x53, value: role, .. }]) => {
            Ok((oid(scheme)?, role.to_vec()))
        }
        _ => Err(CvcError("the authorization has not an identifier and a role")),
    }
}

/// An empty field is written by some authorities.
fn read_extensions(value: &[u8]) -> Result<Vec<(ObjectIdentifier, Vec<u8>)>, CvcError> {
    const BAD: CvcError = CvcError("an extension that cannot be read, or is there twice");
    let mut found: Vec<(ObjectIdentifier, Vec<u8>)> = Vec::new();
    for extension in tlv::all(value, MAX_PARTS).ok_or(BAD)? {
        let (name, rest) = tlv::first(extension.value).ok_or(BAD)?;
        if extension.tag != 0x73 || name.tag != 0x06 {
            return Err(BAD);
        }
        let name = oid(name.value)?;
        if found.iter().any(|(known, _)| *known == name) {
            return Err(BAD);
        }
        found.push((name, rest.to_vec()));
    }
    Ok(found)
}

/// The identifier tells RSA from EC: the same tags hold other numbers in each.
fn read_key(value: &[u8]) -> Result<Key, CvcError> {
    const BAD: CvcError = CvcError("the public key has not the parts of its kind");
    let parts = tlv::all(value, MAX_PARTS).ok_or(BAD)?;
    let (first, rest) = parts.split_first().filter(|(first, _)| first.tag == 0x06).ok_or(BAD)?;
    let algorithm = oid(first.value)?;
    let text = algorithm.to_string();
    let tags: Vec<u16> = rest.iter().map(|part| part.tag).collect();
    let part = |tag: u16| rest.iter().find(|p| p.tag == tag).map_or_else(Vec::new, |p| p.value.to_vec());
    let numbers = match tags.as_slice() {
        [0x81, 0x82] if text.starts_with(ID_TA_RSA) => Numbers::Rsa { n: part(0x81), e: part(0x82) },
        [0x86] if text.starts_with(ID_TA_ECDSA) => Numbers::Ec { parameters: None, point: part(0x86) },
        [0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87] if text.starts_with(ID_TA_ECDSA) => {
            let parameters = Parameters {
                p: part(0x81),
                a: part(0x82),
                b: part(0x83),
                g: part(0x84),
                n: part(0x85),
                h: part(0x87),
            };
            Numbers::Ec { parameters: Some(Box::new(parameters)), point: part(0x86) }
        }
        _ => return Err(BAD),
    };
    Ok(Key { algorithm, numbers })
}

/// Six digits YYMMDD, one a byte, of this century.
fn day(digits: &[u8; 6], time: &str) -> Option<Time> {
    if digits.iter().any(|d| *d > 9) {
        return None;
    }
    let [y1, y2, m1, m2, d1, d2] = digits;
    format!("20{y1}{y2}-{m1}{m2}-{d1}{d2}T{time}Z").parse().ok()
}

/// A holder reference in the form in which anchors are kept: a distinguished name of this common name.
#[must_use]
pub fn name_of(reference: &str) -> Vec<u8> {
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    let wrap = |tag: u8, content: &[u8]| {
        // References are short.
        let length = u8::try_from(content.len()).unwrap_or(0x7f).min(0x7f);
        [&[tag, length], content].concat()
    };
    let text: Vec<u8> = reference.bytes().take(MAX_REFERENCE).collect();
    let attribute = wrap(0x30, &[&COMMON_NAME[..], &wrap(0x0c, &text)].concat());
    wrap(0x30, &wrap(0x31, &attribute))
}
