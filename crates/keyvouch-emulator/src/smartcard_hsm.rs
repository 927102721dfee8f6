//! SmartCard-HSM: requests of generated keys, signed by the device, under CV certificates.
//!
//! Sources: BSI TR-03110-3, appendix C and D; CardContact, "Remote Key Attestation explained"; OpenSC, `card-sc-hsm`.

mod cvc;

pub use cvc::{Certificate, PublicKey, algorithm, authenticated_request, parameters, tlv};

use crate::key::{Key, KeyKind};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::Map;
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "smartcard-hsm";

/// The time at which the samples are to be judged; all certificates are valid then.
pub const AT: &str = "2026-06-01T00:00:00Z";

/// Roles in certificates of the scheme, dotted.
pub const SCHEME: &str = "1.3.6.1.4.1.24991.3.1.1";

/// The roles: of the root, of those who issue devices, of devices.
pub const ROOT: u8 = 0xc0;
/// See [`ROOT`].
pub const ISSUER: u8 = 0x80;
/// See [`ROOT`].
pub const DEVICE: u8 = 0x00;

/// A token with the certificates above it; nothing is signed yet.
#[derive(Debug, Clone)]
pub struct Token {
    /// The root's certificate.
    pub root: Certificate,
    /// Its key.
    pub root_key: Arc<Key>,
    /// The certificate of the device's issuer (DICA).
    pub issuer: Certificate,
    /// Its key.
    pub issuer_key: Arc<Key>,
    /// The certificate of the device.
    pub device: Certificate,
    /// Its key, which signs requests.
    pub device_key: Arc<Key>,
}

impl Token {
    /// A token under a throw-away root; `serial` is its serial number of two letters and up to nine characters.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(serial: &str) -> Result<Self, Error> {
        let key = |name: &str| Key::shared(&format!("{FORMAT}: {name}"), KeyKind::BrainpoolP256r1);
        let (root_key, issuer_key, device_key) = (key("root")?, key("issuer")?, key(serial)?);
        let (root, issuer, device) = ("UTEMROOT00001", "UTDINK9900001", format!("{serial}00000"));
        Ok(Self {
            root: certificate(root, root, &root_key, ROOT, [1, 2, 1, 1, 0, 9], [3, 2, 1, 1, 0, 8])?,
            issuer: Certificate {
                // Real ones have an empty field.
                extensions: Some(Vec::new()),
                ..certificate(issuer, root, &issuer_key, ISSUER, [2, 4, 1, 0, 3, 0], [3, 2, 1, 0, 2, 9])?
            },
            device: certificate(
                &device,
                issuer,
                &device_key,
                DEVICE,
                [2, 6, 0, 5, 2, 8],
                [3, 1, 0, 5, 2, 7],
            )?,
            root_key,
            issuer_key,
            device_key,
        })
    }

    /// The root's certificate, signed by itself.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn root(&self) -> Result<Vec<u8>, Error> {
        self.root.sign(&self.root_key)
    }

    /// The certificates of device and issuer, as EF 2F02 has them one after another.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn certificates(&self) -> Result<[Vec<u8>; 2], Error> {
        Ok([self.device.sign(&self.issuer_key)?, self.issuer.sign(&self.root_key)?])
    }

    /// What the token signs of a new key, as the tools of OpenSC ask for it.
    ///
    /// # Errors
    /// [`Error::UnfitKey`].
    pub fn template(&self, key: &Key) -> Result<Certificate, Error> {
        let serial = self.device.holder.trim_end_matches("00000");
        Ok(Certificate {
            profile: vec![0],
            authority: Some("UTCA00001".to_owned()),
            key: PublicKey::of(key, true)?,
            holder: format!("{serial}00001"),
            role: None,
            dates: None,
            extensions: None,
            more: Vec::new(),
        })
    }

    /// The request of a key: EF CExx.
    ///
    /// # Errors
    /// [`Error::UnfitKey`], and as [`Certificate::sign`].
    pub fn request(&self, key: &Key) -> Result<Vec<u8>, Error> {
        self.request_of(&self.template(key)?, key)
    }

    /// The same with a changed template.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn request_of(&self, template: &Certificate, key: &Key) -> Result<Vec<u8>, Error> {
        authenticated_request(&template.sign(key)?, &self.device.holder, &self.device_key)
    }

    /// The two files of a token for a key.
    ///
    /// # Errors
    /// [`Error::UnfitKey`], and as [`Certificate::sign`].
    pub fn files(&self, key: &Key) -> Result<Vec<File>, Error> {
        Ok(vec![
            File::new("ef-ce01.bin", self.request(key)?),
            File::new("ef-2f02.bin", self.certificates()?.concat()),
        ])
    }
}

/// A certificate of the scheme. Only the root's has the parameters of the curve.
fn certificate(
    holder: &str,
    authority: &str,
    key: &Key,
    role: u8,
    from: [u8; 6],
    to: [u8; 6],
) -> Result<Certificate, Error> {
    Ok(Certificate {
        profile: vec![0],
        authority: Some(authority.to_owned()),
        key: PublicKey::of(key, holder == authority)?,
        holder: holder.to_owned(),
        role: Some((SCHEME.to_owned(), vec![role])),
        dates: Some((from, to)),
        extensions: None,
        more: Vec::new(),
    })
}

/// Older form of OpenSC's export for public key authentication.
pub fn old_pka(request: &[u8], [device, issuer]: &[Vec<u8>; 2]) -> Vec<u8> {
    tlv(0x30, &[request, device, issuer].concat())
}

/// Newer form, with 61 for the device or for the issuer: tools differ.
///
/// # Errors
/// None in practice: the identifier is a constant.
pub fn new_pka(
    request: &[u8],
    [device, issuer]: &[Vec<u8>; 2],
    device_first: bool,
) -> Result<Vec<u8>, Error> {
    let (first, second) = if device_first { (device, issuer) } else { (issuer, device) };
    let oid = crate::der::oid("1.3.6.1.4.1.24991.4.3.1")?;
    Ok(tlv(0x30, &[oid, tlv(0x61, first), tlv(0x62, second), tlv(0x63, request)].concat()))
}

/// The call to the CA service of the maker.
pub fn soap(request: &[u8], certificates: &[Vec<u8>; 2]) -> String {
    format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>\
         <ns:RequestCertificate xmlns:ns=\"http://www.openscdp.org/CAService\">\
         <CertificateSigningRequest>{}</CertificateSigningRequest><DeviceCertificate>{}</DeviceCertificate>\
         </ns:RequestCertificate></soap:Body></soap:Envelope>\n",
        bundle::base64(request),
        bundle::base64(&certificates.concat()),
    )
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let token = Token::new("UTNK0000001")?;
    let sample = |variant: &str, about: &str, evidence: Vec<File>, key: &Key| {
        Ok::<_, Error>(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence,
            request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
            anchors: vec![File::new("root.cvcert", token.root()?)],
            at: AT.to_owned(),
            options: Map::new(),
        })
    };
    let key_of = |kind| Key::shared(&format!("{FORMAT}: subscriber"), kind);
    let mut samples = Vec::new();
    for (variant, about, kind) in [
        ("files-p256", "the two files of a token for a P-256 key", KeyKind::P256),
        ("files-rsa2048", "the two files for an RSA-2048 key", KeyKind::Rsa2048),
        ("files-rsa3072", "the two files for an RSA-3072 key", KeyKind::Rsa3072),
        ("files-p384", "the two files for a P-384 key", KeyKind::P384),
        ("files-p521", "the two files for a P-521 key", KeyKind::P521),
        ("files-secp256k1", "the two files for a secp256k1 key", KeyKind::Secp256k1),
        ("files-brainpoolp256r1", "the two files for a brainpoolP256r1 key", KeyKind::BrainpoolP256r1),
    ] {
        let key = key_of(kind)?;
        samples.push(sample(variant, about, token.files(&key)?, &key)?);
    }
    let key = key_of(KeyKind::P256)?;
    let (request, certificates) = (token.request(&key)?, token.certificates()?);
    let one = |name: &str, bytes: Vec<u8>| vec![File::new(name, bytes)];
    for (variant, about, evidence) in [
        ("one-file", "request and certificates in one file", {
            one("all.bin", [&request[..], &certificates.concat()].concat())
        }),
        ("pka-old", "PKA file of older tools", one("key.pka", old_pka(&request, &certificates))),
        ("pka-new", "PKA file", one("key.pka", new_pka(&request, &certificates, true)?)),
        ("pka-new-turned", "PKA file with the issuer first", {
            one("key.pka", new_pka(&request, &certificates, false)?)
        }),
        ("text", "hexadecimal and base64 text", {
            vec![
                File::new("ef-ce01.txt", bundle::base64(&request)),
                File::new("ef-2f02.txt", hex::encode_upper(certificates.concat())),
            ]
        }),
        ("soap", "call to the CA service of the maker", {
            one("request.xml", soap(&request, &certificates).into_bytes())
        }),
    ] {
        samples.push(sample(variant, about, evidence, &key)?);
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_long_as_real_ones() {
        let mut token = Token::new("DENK0404144").unwrap();
        token.issuer.holder = "DEDINK0400001".to_owned();
        token.device.authority = Some("DEDINK0400001".to_owned());
        token.issuer.authority = Some("DESRCACC100001".to_owned());
        token.root.authority = Some("DESRCACC100001".to_owned());
        token.root.holder = "DESRCACC100001".to_owned();
        let key = Key::shared("test", KeyKind::P256).unwrap();
        assert_eq!(token.certificates().unwrap().concat().len(), 464);
        assert_eq!(token.request(&key).unwrap().len(), 490);
        assert_eq!(token.root().unwrap().len(), 441);
    }
}
