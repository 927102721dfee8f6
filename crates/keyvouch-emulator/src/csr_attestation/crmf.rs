//! Requests in CRMF (RFC 4211) and the CMP messages around them (RFC 9810).

use crate::key::Key;
use crate::x509::{self, Extension};
use crate::{Error, der};

/// How possession is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Possession {
    /// A signature over the request.
    Signature,
    /// A signature over something else, in the place of it.
    BadSignature,
    /// A signature over a POPOSigningKeyInput.
    OverInput,
    /// raVerified.
    RaVerified,
    /// keyEncipherment.
    Encipherment,
    /// None.
    None,
}

/// A CertReqMsg that is not yet signed.
#[derive(Debug, Clone)]
pub struct CertReq {
    /// Subject, DER Name; without one the field is left out.
    pub subject: Option<Vec<u8>>,
    /// DER SubjectPublicKeyInfo; without one the field is left out.
    pub spki: Option<Vec<u8>>,
    /// Extensions of the template.
    pub extensions: Vec<Extension>,
    /// Proof of possession.
    pub possession: Possession,
}

impl CertReq {
    /// A request of a key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Key) -> Result<Self, Error> {
        Ok(Self {
            subject: Some(x509::common_name("emulated subscriber")?),
            spki: Some(key.spki_der()?),
            extensions: Vec::new(),
            possession: Possession::Signature,
        })
    }

    /// DER CertReqMsg.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn sign(&self, key: &Key) -> Result<Vec<u8>, Error> {
        let mut template = Vec::new();
        template.extend(self.subject.iter().map(|name| der::explicit(5, name)));
        // IMPLICIT: the tag in place of the SEQUENCE's.
        let implicit = |number: u8, der: &[u8]| {
            let mut own = der.to_vec();
            own[0] = 0xa0 | number;
            own
        };
        template.extend(self.spki.iter().map(|spki| implicit(6, spki)));
        if !self.extensions.is_empty() {
            let each: Vec<_> = self.extensions.iter().map(Extension::der).collect::<Result<_, _>>()?;
            template.push(implicit(9, &der::sequence(&each)));
        }
        let request = der::sequence(&[der::integer_u32(0), der::sequence(&template)]);
        let alg = key.default_alg();
        let signed = |message: &[u8]| -> Result<Vec<u8>, Error> {
            Ok([alg.algorithm_identifier()?, der::bit_string(&key.sign(alg, message)?)].concat())
        };
        let proof = match self.possession {
            Possession::Signature => der::explicit(1, &signed(&request)?),
            Possession::BadSignature => der::explicit(1, &signed(b"something else")?),
            Possession::OverInput => {
                let input = der::sequence(&[der::explicit(0, &[]), key.spki_der()?]);
                der::explicit(1, &[implicit(0, &input), signed(&input)?].concat())
            }
            Possession::RaVerified => der::implicit(0, &[]),
            Possession::Encipherment => der::explicit(2, &der::implicit(1, &[0])),
            Possession::None => Vec::new(),
        };
        Ok(der::sequence(&[request, proof]))
    }
}

/// CertReqMessages.
pub fn messages(each: &[Vec<u8>]) -> Vec<u8> {
    der::sequence(each)
}

/// A PKIMessage, not protected: body of that choice (0 ir, 2 cr, 4 p10cr, 7 kur, 20 nested), and extra certificates.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn cmp_message(choice: u8, body: &[u8], certificates: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let name = |text: &str| Ok::<_, Error>(der::explicit(4, &x509::common_name(text)?));
    let header = der::sequence(&[
        der::integer_u32(2),
        name("emulated subscriber")?,
        name("emulated CA")?,
        der::explicit(4, &der::octet_string(&[7; 16])),
    ]);
    let mut fields = vec![header, der::explicit(choice, body)];
    if !certificates.is_empty() {
        fields.push(der::explicit(1, &der::sequence(certificates)));
    }
    Ok(der::sequence(&fields))
}
