//! AWS: what KMS answers about a key, requests to KMS that a subscriber signs, and certificates of a CloudHSM cluster.
//!
//! Nothing here is attestation: the answers are unsigned, the requests are signed for AWS alone (Signature Version 4,
//! with a secret that nobody else has), and the certificates speak of an HSM.

pub mod cloudhsm;

use crate::key::{Key, KeyKind, sha256};
use crate::{Error, File, bundle, csr, pem};
use aws_lc_rs::hmac;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "aws";

/// The nonce of the samples.
pub const NONCE: &str = "00112233445566778899aabbccddeeff";
/// The time at which the samples were signed.
pub const SIGNED_AT: &str = "20260601T000000Z";
/// The time at which the samples are to be judged: a minute later.
pub const AT: &str = "2026-06-01T00:01:00Z";

/// Who signs requests. The credentials are those of AWS's documentation.
#[derive(Clone)]
pub struct Signer {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
}

impl Signer {
    /// With temporary credentials.
    pub fn temporary() -> Self {
        Self {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: Some("emulated/session+token==".into()),
        }
    }
}

/// A request to KMS that is not yet signed.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Address.
    pub url: String,
    /// Host that is signed.
    pub host: String,
    /// Headers besides Host and Authorization, as written.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: String,
    /// Headers, in lower case, that the signature leaves out.
    pub unsigned: Vec<String>,
    /// Day of the credential scope.
    pub day: String,
    /// Region of the credential scope.
    pub region: String,
    /// Service of the credential scope.
    pub service: String,
}

impl Request {
    /// A request of an operation (`DescribeKey`, `GetPublicKey`) about a key.
    pub fn new(operation: &str, region: &str, arn: &str, nonce: &str, signed_at: &str) -> Self {
        let host = format!("kms.{region}.amazonaws.com");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            method: "POST".into(),
            url: format!("https://{host}/"),
            host,
            headers: vec![
                header("Content-Type", "application/x-amz-json-1.1"),
                header("X-Amz-Target", &format!("TrentService.{operation}")),
                header("X-RKA-Nonce", nonce),
                header("X-Amz-Date", signed_at),
            ],
            body: json!({ "KeyId": arn }).to_string(),
            unsigned: Vec::new(),
            day: signed_at[..8].into(),
            region: region.into(),
            service: "kms".into(),
        }
    }

    /// Sets a header, or adds it.
    pub fn set(&mut self, name: &str, value: &str) {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
    }

    /// The request with its Authorization header, as it stands in an envelope.
    pub fn sign(&self, signer: &Signer) -> Value {
        let mut headers = self.headers.clone();
        if let Some(token) = &signer.session_token {
            headers.push(("X-Amz-Security-Token".into(), token.clone()));
        }
        let mut signed: Vec<(String, String)> =
            headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
        if !signed.iter().any(|(name, _)| name == "host") {
            signed.push(("host".into(), self.host.clone()));
        }
        signed.retain(|(name, _)| !self.unsigned.contains(name));
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = signed.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let digest = |text: &str| hex::encode(sha256(text.as_bytes()));
        let canonical = format!("{}\n/\n\n{lines}\n{names}\n{}", self.method, digest(&self.body));
        let date = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("x-amz-date"));
        let date = date.map(|(_, v)| v.as_str()).unwrap_or_default();
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", digest(&canonical));
        let mut key = format!("AWS4{}", signer.secret).into_bytes();
        for part in [self.day.as_str(), &self.region, &self.service, "aws4_request"] {
            key = mac(&key, part.as_bytes());
        }
        let signature = hex::encode(mac(&key, to_sign.as_bytes()));
        headers.push((
            "Authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                signer.access_key_id
            ),
        ));
        let headers: Map<String, Value> = headers.into_iter().map(|(n, v)| (n, v.into())).collect();
        json!({ "method": self.method, "url": self.url, "headers": headers, "body": self.body })
    }
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// An envelope of signed requests.
pub fn envelope(nonce: &str, requests: &[Value]) -> Value {
    json!({ "type": "aws-kms-signed-requests", "version": 1, "nonce": nonce, "requests": requests })
}

/// A key in KMS, with the answers about it; each member can be changed.
#[derive(Debug, Clone)]
pub struct KmsKey {
    /// The key itself, which a CSR is signed with.
    pub key: Arc<Key>,
    /// Region.
    pub region: String,
    /// ARN.
    pub arn: String,
    /// `KeyMetadata` of the answer to DescribeKey.
    pub metadata: Value,
    /// The answer to GetPublicKey.
    pub published: Value,
}

impl KmsKey {
    /// A key that KMS generated, in Region eu-west-1.
    ///
    /// # Errors
    /// [`Error::UnfitKey`].
    pub fn new(kind: KeyKind) -> Result<Self, Error> {
        Self::in_region(kind, "eu-west-1", "aws")
    }

    /// The same in another Region.
    ///
    /// # Errors
    /// [`Error::UnfitKey`].
    pub fn in_region(kind: KeyKind, region: &str, partition: &str) -> Result<Self, Error> {
        let (spec, algorithm) = match kind {
            KeyKind::Rsa2048 => ("RSA_2048", "RSASSA_PSS_SHA_256"),
            KeyKind::Rsa3072 => ("RSA_3072", "RSASSA_PSS_SHA_256"),
            KeyKind::Rsa4096 => ("RSA_4096", "RSASSA_PSS_SHA_256"),
            KeyKind::P256 => ("ECC_NIST_P256", "ECDSA_SHA_256"),
            KeyKind::P384 => ("ECC_NIST_P384", "ECDSA_SHA_384"),
            KeyKind::P521 => ("ECC_NIST_P521", "ECDSA_SHA_512"),
            KeyKind::Secp256k1 => ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
            KeyKind::Ed25519 => ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
            other => return Err(Error::UnfitKey("AWS KMS", other)),
        };
        let key = Key::shared("aws: subscriber", kind)?;
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let account = "111122223333";
        let arn = format!("arn:{partition}:kms:{region}:{account}:key/{id}");
        let metadata = json!({
            "AWSAccountId": account, "KeyId": id, "Arn": arn, "CreationDate": 1_780_000_000.25_f64,
            "Enabled": true, "Description": "code signing", "KeyUsage": "SIGN_VERIFY", "KeyState": "Enabled",
            "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "CustomerMasterKeySpec": spec, "KeySpec": spec,
            "SigningAlgorithms": [algorithm], "MultiRegion": false,
        });
        let published = json!({
            "KeyId": arn, "PublicKey": bundle::base64(&key.spki_der()?), "CustomerMasterKeySpec": spec,
            "KeySpec": spec, "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": [algorithm],
        });
        Ok(Self { key, region: region.into(), arn, metadata, published })
    }

    /// The two requests of an envelope about it, not yet signed.
    pub fn requests(&self, nonce: &str, signed_at: &str) -> [Request; 2] {
        ["DescribeKey", "GetPublicKey"].map(|op| Request::new(op, &self.region, &self.arn, nonce, signed_at))
    }

    /// The answers, as files.
    pub fn answers(&self) -> Vec<File> {
        vec![
            File::new("describe-key.response.json", json!({ "KeyMetadata": self.metadata }).to_string()),
            File::new("get-public-key.response.json", self.published.to_string()),
        ]
    }

    /// An envelope about it, as a file.
    pub fn envelope(&self) -> File {
        let signed = self.requests(NONCE, SIGNED_AT).map(|r| r.sign(&Signer::temporary()));
        File::new("envelope.json", envelope(NONCE, &signed).to_string())
    }

    /// A request for a certificate of the key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn csr(&self) -> Result<File, Error> {
        Ok(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", &self.key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of AWS's General Reference, "Create a signed AWS API request": key derivation.
    #[test]
    fn the_key_of_a_scope_is_derived_as_documented() {
        let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec();
        for part in ["20150830", "us-east-1", "iam", "aws4_request"] {
            key = mac(&key, part.as_bytes());
        }
        assert_eq!(hex::encode(key), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }
}
