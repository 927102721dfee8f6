//! Windows key attestation (AD CS, MS-WCCE): the statement in the little-endian blobs of Windows, inside a PKCS#10,
//! with the attestation key encrypted to the exchange certificate of the CA.

use super::{AkAuthority, Statement, WINDOWS_KEY, digest, tpm2b};
use crate::csr::{Attribute, Request};
use crate::key::{Key, KeyKind, SignAlg};
use crate::x509::{self, Certificate};
use crate::{Error, File, Sample, der, pem};
use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use serde_json::Map;
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "tpm-windows";

/// Object identifiers of the attributes.
pub mod oid {
    /// Attestation statement.
    pub const STATEMENT: &str = "1.3.6.1.4.1.311.21.24";
    /// Name of the key storage provider.
    pub const KSP_NAME: &str = "1.3.6.1.4.1.311.21.25";
    /// Attestation key, encrypted.
    pub const AIK_INFO: &str = "1.3.6.1.4.1.311.21.39";
    /// Endorsement key, encrypted.
    pub const EK_INFO: &str = "1.3.6.1.4.1.311.21.23";
    /// A CMC message in a SCEP request.
    pub const CMC: &str = "1.3.6.1.4.1.37623.26.3";
}

/// The six branches of the policy of Windows keys; the fifth would be that of duplication.
pub const BRANCHES: [&str; 6] = [
    "8fcd2169ab92694e0c633f1ab772842b8241bbc20288981fc7ac1eddc1fddb0e",
    "e529f5d6112872954e8ed6605117b757e237c6e19513a949fee1f204c458023a",
    "af2ca569699c436a21006f1cb8a2756c98bc1c765a3559c5fe1c3f5e7228a7e7",
    "c413a847b11112b1cbddd4eca4daaa15a1852c1c3bba57461d257605f3d5af53",
    "",
    "048e9a3ace08583f79f344ff785bbea9f07ac7fa3325b3d49a21dd5194c65850",
];

/// Digests of the branches.
pub fn branches() -> Vec<Vec<u8>> {
    BRANCHES.iter().map(|digits| hex::decode(digits).unwrap_or_default()).collect()
}

/// The policy that is satisfied by any of these branches (TPM2_PolicyOR).
pub fn policy_or(branches: &[Vec<u8>]) -> Vec<u8> {
    digest(super::alg::SHA256, &[&[0; 32][..], &[0, 0, 1, 0x71], &branches.concat()].concat())
}

/// Blob headers: every number can be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Magic of the statement.
    pub kast: [u8; 4],
    /// Version.
    pub version: u32,
    /// Platform: 2 for TPM 2.0.
    pub platform: u32,
    /// Magic of the key attestation.
    pub kads: [u8; 4],
    /// Magic of the key blob.
    pub pcpm: [u8; 4],
    /// Type of the key blob: 2 for TPM 2.0.
    pub pcp_type: u32,
}

impl Default for Headers {
    fn default() -> Self {
        Self { kast: *b"KAST", version: 1, platform: 2, kads: *b"KADS", pcpm: *b"PCPM", pcp_type: 2 }
    }
}

/// A certification request of Windows, not yet signed.
#[derive(Debug, Clone)]
pub struct WindowsRequest {
    /// The statement; its signature is always bare.
    pub statement: Statement,
    /// Blob headers.
    pub headers: Headers,
    /// Policy branches in the key blob.
    pub branches: Vec<Vec<u8>>,
    /// Attestation key and its creation statement (flow with an endorsement key).
    pub id_binding: Vec<u8>,
    /// Name of the provider; none writes no attribute.
    pub ksp_name: Option<String>,
    /// Attributes besides those of the statement and the provider.
    pub attributes: Vec<Attribute>,
    /// Number of the attribute of the statement.
    pub statement_oid: &'static str,
}

impl WindowsRequest {
    /// A request for an RSA key of the Platform Crypto Provider.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(mut statement: Statement) -> Result<Self, Error> {
        let branches = branches();
        statement.form = super::SignatureForm::Bare;
        statement.public.attributes = WINDOWS_KEY;
        statement.public.auth_policy = policy_or(&branches);
        Ok(Self {
            statement,
            headers: Headers::default(),
            branches,
            id_binding: Vec::new(),
            ksp_name: Some("Microsoft Platform Crypto Provider".to_owned()),
            attributes: Vec::new(),
            statement_oid: oid::STATEMENT,
        })
    }

    /// PCPM: the key blob.
    pub fn pcpm(&self) -> Vec<u8> {
        let public = tpm2b(&self.statement.public.bytes());
        let private = tpm2b(&[0xaa; 32]);
        let mut list = if self.branches.is_empty() { Vec::new() } else { count(&self.branches) };
        list.extend(self.branches.iter().flat_map(|branch| tpm2b(branch)));
        let sizes = [public.len(), private.len(), 0, 0, list.len(), 0, 0, 0, 0];
        let mut out = self.headers.pcpm.to_vec();
        out.extend(little(&[56, self.headers.pcp_type, 3]));
        out.extend(sizes.iter().flat_map(|size| little_size(*size)));
        out.extend([0x0b, 0, 0, 0]);
        out.extend([public, private, list].concat());
        out
    }

    /// KADS: the key attestation.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn kads(&self) -> Result<Vec<u8>, Error> {
        let signed = self.statement.sign()?;
        let blob = self.pcpm();
        let mut out = self.headers.kads.to_vec();
        out.extend(little(&[self.headers.platform, 24]));
        let parts = [&signed.attest, &signed.signature, &blob];
        out.extend(parts.iter().flat_map(|part| little_size(part.len())));
        out.extend(parts.iter().flat_map(|part| part.iter().copied()));
        Ok(out)
    }

    /// KAST: the statement.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn kast(&self) -> Result<Vec<u8>, Error> {
        let kads = self.kads()?;
        let mut out = self.headers.kast.to_vec();
        out.extend(little(&[self.headers.version, self.headers.platform, 28]));
        out.extend([self.id_binding.len(), kads.len(), 0].iter().flat_map(|size| little_size(*size)));
        out.extend(&self.id_binding);
        out.extend(kads);
        Ok(out)
    }

    /// DER PKCS#10 with the statement, signed by the subscriber's key.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn request(&self, key: &Key) -> Result<Vec<u8>, Error> {
        let mut request = Request::new(x509::common_name("emulated Windows device")?, key)?;
        if let Some(name) = &self.ksp_name {
            request = request.with(Attribute::new(oid::KSP_NAME, bmp_string(name)));
        }
        for attribute in &self.attributes {
            request = request.with(attribute.clone());
        }
        request = request.with(Attribute::new(self.statement_oid, der::octet_string(&self.kast()?)));
        request.sign(key, key.default_alg())
    }
}

/// idBinding: attestation key, creation data, attestation, signature.
///
/// # Errors
/// Those of [`Key::sign`].
pub fn id_binding(ak: &super::Ak, creation: &super::Creation) -> Result<Vec<u8>, Error> {
    let (attest, signature) = ak.creation_statement(creation)?;
    Ok([tpm2b(&ak.public.bytes()), tpm2b(&creation.bytes()), tpm2b(&attest), signature].concat())
}

fn count(items: &[Vec<u8>]) -> Vec<u8> {
    u32::try_from(items.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec()
}

fn little(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn little_size(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes()
}

/// BMPString.
pub fn bmp_string(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    der::tlv(0x1e, &units)
}

/// The exchange key of a CA, with its certificate.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The key.
    pub key: Arc<Key>,
    /// DER of its certificate.
    pub certificate: Vec<u8>,
}

impl Exchange {
    /// A CA's exchange key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let key = Key::shared("tpm-windows: exchange", KeyKind::Rsa2048)?;
        let name = x509::common_name("keyvouch emulated CA Exchange")?;
        let certificate = Certificate::new(name, &key, "2025-01-01T00:00:00Z", "2045-01-01T00:00:00Z")?;
        let certificate = certificate.sign(&key, SignAlg::RsaPkcs1Sha256)?;
        Ok(Self { key, certificate })
    }

    /// PKCS#8, PEM: what the operator configures.
    pub fn key_pem(&self) -> Vec<u8> {
        pem::encode("PRIVATE KEY", self.key.pkcs8_der()).into_bytes()
    }

    /// CMS EnvelopedData of this content: AES-128-CBC, RSAES-OAEP with SHA-1.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn encrypt(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::Crypto("encryption");
        let content_key = [0x42; 16];
        let recipient =
            PublicEncryptingKey::from_der(&self.key.spki_der()?).map_err(|_| Error::Crypto("RSA key"))?;
        let recipient = OaepPublicEncryptingKey::new(recipient).map_err(failed)?;
        let mut encrypted_key = vec![0; recipient.ciphertext_size()];
        recipient.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut encrypted_key, None).map_err(failed)?;
        let iv = [0x24; 16];
        let cipher = UnboundCipherKey::new(&AES_128, &content_key).map_err(failed)?;
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(cipher).map_err(failed)?;
        let mut ciphertext = content.to_vec();
        let context = EncryptionContext::Iv128(FixedLength::from(&iv));
        let _ = cipher.less_safe_encrypt(&mut ciphertext, context).map_err(failed)?;
        let empty: [&[u8]; 0] = [];
        let recipient = der::sequence(&[
            der::integer(&[0]),
            der::sequence(&[x509::common_name("keyvouch emulated CA Exchange")?, der::integer(&[1])]),
            der::sequence(&[der::oid("1.2.840.113549.1.1.7")?, der::sequence(&empty)]),
            der::octet_string(&encrypted_key),
        ]);
        let content = der::sequence(&[
            der::oid("1.2.840.113549.1.7.1")?,
            der::sequence(&[der::oid("2.16.840.1.101.3.4.1.2")?, der::octet_string(&iv)]),
            der::implicit(0, &ciphertext),
        ]);
        let enveloped = der::sequence(&[der::integer(&[0]), der::set(&[recipient]), content]);
        Ok(der::sequence(&[der::oid("1.2.840.113549.1.7.3")?, der::explicit(0, &enveloped)]))
    }
}

/// The content of AIK_INFO or EK_INFO.
pub fn info(spki: &[u8], certificates: &[Vec<u8>]) -> Vec<u8> {
    der::sequence(&[vec![spki.to_vec()], certificates.to_vec()].concat())
}

/// A Full PKI Request (CMC) around a PKCS#10, with certificates beside it.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn cmc<D: AsRef<[u8]>>(request: &[u8], certificates: &[D]) -> Result<Vec<u8>, Error> {
    let empty: [&[u8]; 0] = [];
    let tagged = der::explicit(0, &der::join(&[der::integer(&[1]), request.to_vec()]));
    let nothing = || der::sequence(&empty);
    let pki_data = der::sequence(&[nothing(), der::sequence(&[tagged]), nothing(), nothing()]);
    let content =
        der::sequence(&[der::oid("1.3.6.1.5.5.7.12.2")?, der::explicit(0, &der::octet_string(&pki_data))]);
    let signed_data = der::sequence(&[
        der::integer(&[3]),
        der::set(&empty),
        content,
        der::explicit(0, &der::join(certificates)),
        der::set(&empty),
    ]);
    Ok(der::sequence(&[der::oid("1.2.840.113549.1.7.2")?, der::explicit(0, &signed_data)]))
}

/// Positive samples. The attestation key's certificate lies beside the request: a verifier without the exchange key
/// of the CA needs it.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let authority = AkAuthority::new()?;
    let key = Key::shared("tpm-windows: subscriber", KeyKind::Rsa2048)?;
    let ak = super::Ak::new("Windows AIK", KeyKind::Rsa2048)?;
    let mut statement = Statement::new(&key, ak, &authority)?;
    statement.nonce = crate::key::sha1(&Exchange::new()?.certificate);
    let request = WindowsRequest::new(statement)?;
    let signed = request.statement.sign()?;
    let csr = request.request(&key)?;
    let beside = signed.certificates();
    let cmc = cmc(&csr, &signed.chain)?;
    let scep = Request::new(x509::common_name("emulated Windows device")?, &key)?
        .with(Attribute::new(oid::CMC, cmc.clone()))
        .sign(&key, key.default_alg())?;
    let ecc = Key::shared("tpm-windows: subscriber", KeyKind::P256)?;
    let ecc_ak = super::Ak::new("Windows AIK", KeyKind::P256)?;
    let mut ecc_request = WindowsRequest::new(Statement::new(&ecc, ecc_ak, &authority)?)?;
    ecc_request.statement.public.attributes = super::SUBJECT_KEY;
    let ecc_csr = ecc_request.request(&ecc)?;
    let sample = |variant: &str, about: &str, evidence: Vec<File>, request: Vec<u8>| Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(File::new("request.csr", request)),
        anchors: authority.anchors(),
        at: "2026-06-01T00:00:00Z".to_owned(),
        options: Map::new(),
    };
    let with = |first: File, rest: &[File]| [vec![first], rest.to_vec()].concat();
    let request_file = |der: &[u8]| File::new("request.csr", pem::request(der));
    Ok(vec![
        sample(
            "request",
            "Windows request with the statement as attribute; certificate of the attestation key beside it",
            with(request_file(&csr), &beside),
            csr.clone(),
        ),
        sample("cmc", "the same in a CMC message", with(File::new("request.cmc", cmc), &beside), csr.clone()),
        sample("scep", "that again in a SCEP request", with(request_file(&scep), &beside), scep.clone()),
        sample(
            "blob",
            "the statement alone, and the request",
            with(File::new("kast.bin", request.kast()?), &beside),
            csr.clone(),
        ),
        sample(
            "ecc",
            "an ECC key, attested by an ECC attestation key",
            with(request_file(&ecc_csr), &ecc_request.statement.sign()?.certificates()),
            ecc_csr,
        ),
    ])
}
