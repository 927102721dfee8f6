//! CMS EnvelopedData for one recipient (RFC 5652, 6), opened with the operator's private key.
//!
//! Only what certification authorities need for requests that Windows encrypts to them: one KeyTransRecipientInfo
//! with RSAES-OAEP, content in AES-CBC. PKCS#1 v1.5 is left out on purpose: who can ask for many appraisals could
//! use the answers to decrypt with the operator's key (Bleichenbacher).

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Tag, TagNumber};

use crate::crypto::algorithm_identifier;
use crate::wire::der::{content, sequence, single};

const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const RSAES_OAEP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// No request is encrypted in more.
const MAX_ENVELOPE: usize = 64 * 1024;

/// An EnvelopedData as it stands: read, not opened.
#[derive(Debug)]
pub struct Enveloped<'a> {
    oaep: &'static OaepAlgorithm,
    encrypted_key: &'a [u8],
    cipher: &'static aws_lc_rs::cipher::Algorithm,
    iv: [u8; 16],
    content: &'a [u8],
}

/// Why an EnvelopedData is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an EnvelopedData for one recipient.
    #[error("not an EnvelopedData for one recipient")]
    Form,
    /// Encrypted in a way that is not opened here.
    #[error("not encrypted with RSAES-OAEP and AES-CBC")]
    Algorithm,
    /// Not a PKCS#8 RSA key.
    #[error("the exchange key is not an RSA key in PKCS#8")]
    Key,
    /// The key is not the recipient's.
    #[error("it is not encrypted to this exchange key")]
    OtherRecipient,
    /// What the recipient's key opens is not the content key, or the content is broken.
    #[error("its content cannot be decrypted")]
    Content,
}

impl<'a> Enveloped<'a> {
    /// Reads a ContentInfo that holds one.
    ///
    /// # Errors
    /// [`EnvelopeError::Form`], [`EnvelopeError::Algorithm`].
    pub fn read(der: &'a [u8]) -> Result<Self, EnvelopeError> {
        if der.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::Form);
        }
        let fields = Fields::of(der).ok_or(EnvelopeError::Form)?;
        let oaep = oaep(fields.key_algorithm).ok_or(EnvelopeError::Algorithm)?;
        let (cipher, iv) = cipher(fields.content_algorithm).ok_or(EnvelopeError::Algorithm)?;
        Ok(Self { oaep, encrypted_key: fields.encrypted_key, cipher, iv, content: fields.content })
    }

    /// Opens it with an unencrypted PKCS#8 RSA key.
    ///
    /// # Errors
    /// What is wrong with the key or the content; see [`EnvelopeError`].
    pub fn open(&self, pkcs8: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8)
            .map_err(|_| EnvelopeError::Key)
            .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|_| EnvelopeError::Key))?;
        let mut content_key = vec![0; key.min_output_size()];
        let content_key = key
            .decrypt(self.oaep, self.encrypted_key, &mut content_key, None)
            .map_err(|_| EnvelopeError::OtherRecipient)?;
        // From here on there is one answer for every fault, so that nobody learns of the padding.
        let open = || {
            let key = UnboundCipherKey::new(self.cipher, content_key).ok()?;
            let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
            let mut content = self.content.to_vec();
            let context = DecryptionContext::Iv128(FixedLength::from(&self.iv));
            key.decrypt(&mut content, context).ok().map(|plain| plain.to_vec())
        };
        open().ok_or(EnvelopeError::Content)
    }
}

/// What the algorithms are applied to.
struct Fields<'a> {
    key_algorithm: &'a [u8],
    encrypted_key: &'a [u8],
    content_algorithm: &'a [u8],
    content: &'a [u8],
}

impl<'a> Fields<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let outer = sequence(der, 2)?;
        let [kind, data] = outer.as_slice() else { return None };
        if ObjectIdentifier::from_der(kind).ok()? != ENVELOPED_DATA {
            return None;
        }
        // version, recipientInfos, encryptedContentInfo; originatorInfo and attributes are not used here.
        let fields = sequence(tagged(data, true)?, 3)?;
        let [_, recipients, encrypted] = fields.as_slice() else { return None };
        // version, rid, keyEncryptionAlgorithm, encryptedKey
        let recipient = sequence(content(recipients, Tag::Set)?, 4)?;
        let [_, _, key_algorithm, encrypted_key] = recipient.as_slice() else { return None };
        let info = sequence(encrypted, 3)?;
        let [_, content_algorithm, ciphertext] = info.as_slice() else { return None };
        Some(Self {
            key_algorithm,
            encrypted_key: content(encrypted_key, Tag::OctetString)?,
            content_algorithm,
            content: tagged(ciphertext, false)?,
        })
    }
}

/// Content of a TLV tagged `[0]`.
fn tagged(tlv: &[u8], constructed: bool) -> Option<&[u8]> {
    let wanted = Tag::ContextSpecific { constructed, number: TagNumber(0) };
    single(tlv).filter(|(tag, _)| *tag == wanted).map(|(_, value)| value)
}

/// RSAES-OAEP-params (RFC 8017, A.2.1): empty, which means SHA-1, or SHA-256 for hash and mask.
fn oaep(algorithm: &[u8]) -> Option<&'static OaepAlgorithm> {
    let (oid, parameters) = algorithm_identifier(algorithm).ok()?;
    if oid != RSAES_OAEP {
        return None;
    }
    match parameters.map(AnyRef::value) {
        None | Some([]) => Some(&OAEP_SHA1_MGF1SHA1),
        Some(fields) => {
            let fields = crate::wire::der::children(fields, 2)?;
            let [hash, mask] = fields.as_slice() else { return None };
            let explicit = |tlv, number| {
                let wanted = Tag::ContextSpecific { constructed: true, number: TagNumber(number) };
                single(tlv).filter(|(tag, _)| *tag == wanted).map(|(_, value)| value)
            };
            let (hash, _) = algorithm_identifier(explicit(hash, 0)?).ok()?;
            let mask = sequence(explicit(mask, 1)?, 2)?;
            let (mask_hash, _) = algorithm_identifier(mask.get(1)?).ok()?;
            (hash == SHA256 && mask_hash == SHA256).then_some(&OAEP_SHA256_MGF1SHA256)
        }
    }
}

/// aes128-CBC, aes192-CBC, aes256-CBC (RFC 3565) and the initialization vector.
fn cipher(algorithm: &[u8]) -> Option<(&'static aws_lc_rs::cipher::Algorithm, [u8; 16])> {
    let (oid, parameters) = algorithm_identifier(algorithm).ok()?;
    let cipher = match oid.to_string().as_str() {
        "2.16.840.1.101.3.4.1.2" => &AES_128,
        "2.16.840.1.101.3.4.1.22" => &AES_192,
        "2.16.840.1.101.3.4.1.42" => &AES_256,
        _ => return None,
    };
    Some((cipher, parameters?.value().try_into().ok()?))
}
