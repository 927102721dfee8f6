//! ACME device attestation: answers of clients to `device-attest-01` challenges. The devices are those of other modules.
//!
//! Source: draft-ietf-acme-device-attest; smallstep's ACME server for what statements are signed over.

use crate::android::{self, Chain, KeyDescription, Level};
use crate::apple::{self, cbor, mda};
use crate::key::{Key, KeyKind, sha256};
use crate::tpm::{self, AkAuthority, Statement};
use crate::x509::{Extension, Text, name};
use crate::yubikey_piv::{self, Device, Maker};
use crate::{Error, File, Sample, bundle, csr, der, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "acme-device-attest";

/// The token of the challenge.
pub const TOKEN: &str = mda::TOKEN;
/// Thumbprint of the account's key.
pub const THUMBPRINT: &str = "ZW11bGF0ZWQgdGh1bWJwcmludCBvZiBhbiBhY2NvdW4";
/// Serial number of the emulated YubiKey.
pub const YUBIKEY_SERIAL: u32 = 12_345_678;
/// Permanent identifier of the emulated TPM.
pub const TPM_IDENTIFIER: &str = "tpm-device-0001";
/// At this time everything is valid.
pub const AT: &str = apple::AT;

/// The key authorization.
#[must_use]
pub fn key_authorization() -> String {
    format!("{TOKEN}.{THUMBPRINT}")
}

/// An attestation object without `authData`: `fmt`, and the members of the statement as CBOR.
#[must_use]
pub fn object(fmt: &str, members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    cbor::map(&[("fmt", cbor::text(fmt)), ("attStmt", cbor::map(members))])
}

/// The payload of an answer.
///
/// # Errors
/// [`Error::Json`].
pub fn answer(object: &[u8]) -> Result<Vec<u8>, Error> {
    bundle::json(&json!({ "attObj": bundle::base64url(object) }))
}

/// The whole JWS around a payload, with a signature that nobody made.
///
/// # Errors
/// [`Error::Json`].
pub fn jws(payload: &[u8]) -> Result<Vec<u8>, Error> {
    bundle::json(&json!({
        "protected": bundle::base64url(b"{\"alg\":\"ES256\"}"),
        "payload": bundle::base64url(payload),
        "signature": bundle::base64url(&[0; 64]),
    }))
}

/// `x5c` as CBOR.
#[must_use]
pub fn x5c(certificates: &[Vec<u8>]) -> Vec<u8> {
    cbor::array(&certificates.iter().map(|der| cbor::bytes(der)).collect::<Vec<_>>())
}

/// A statement of a YubiKey (`step`) before it is wrapped.
#[derive(Debug, Clone)]
pub struct Step {
    /// What the attested key signs.
    pub text: String,
    /// Certificates, the leaf first.
    pub x5c: Vec<Vec<u8>>,
    /// The key that signs.
    pub key: Arc<Key>,
    /// Whether the signature is a byte string within the byte string.
    pub is_wrapped: bool,
    /// The roots.
    pub anchors: Vec<File>,
}

impl Step {
    /// A YubiKey with this key in slot 9a.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Arc<Key>) -> Result<Self, Error> {
        let firmware = [5, 7, 4];
        let maker = Maker::of_firmware(firmware)?;
        let mut device = Device::new(firmware)?;
        device.serial = Some(YUBIKEY_SERIAL);
        let signed =
            maker.attest(&device, 0x9a, key, yubikey_piv::pin::ONCE, yubikey_piv::touch::NEVER)?.sign()?;
        Ok(Self {
            text: key_authorization(),
            x5c: [vec![signed.leaf, signed.f9], signed.intermediates].concat(),
            key: Arc::clone(key),
            is_wrapped: true,
            anchors: maker.anchors(),
        })
    }

    /// The attestation object.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn object(&self) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.key.default_alg(), self.text.as_bytes())?;
        let wrapped = if self.is_wrapped { cbor::bytes(&signature) } else { signature };
        Ok(object("step", &[("alg", cbor::int(-7)), ("sig", cbor::bytes(&wrapped)), ("x5c", x5c(&self.x5c))]))
    }
}

/// otherName with a permanentIdentifier (RFC 4043).
///
/// # Errors
/// [`Error::Oid`].
pub fn permanent_identifier(value: &str, assigner: Option<&str>) -> Result<Vec<u8>, Error> {
    let assigner = assigner.map(der::oid).transpose()?.unwrap_or_default();
    other_name("1.3.6.1.5.5.7.8.3", &der::sequence(&[der::utf8_string(value), assigner]))
}

/// otherName with a hardwareModuleName (RFC 4108).
///
/// # Errors
/// [`Error::Oid`].
pub fn hardware_module(kind: &str, serial: &[u8]) -> Result<Vec<u8>, Error> {
    other_name("1.3.6.1.5.5.7.8.4", &der::sequence(&[der::oid(kind)?, der::octet_string(serial)]))
}

fn other_name(kind: &str, value: &[u8]) -> Result<Vec<u8>, Error> {
    Ok(der::explicit(0, &[der::oid(kind)?, der::explicit(0, value)].concat()))
}

/// A statement of a TPM before it is signed.
#[derive(Debug, Clone)]
pub struct Tpm {
    /// The statement.
    pub statement: Statement,
    /// `ver`.
    pub version: String,
    /// `alg`.
    pub algorithm: i32,
    /// The root.
    pub anchors: Vec<File>,
}

impl Tpm {
    /// A TPM that holds this key. The certificate of its attestation key has these names of the device.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(key: &Key, names: &[Vec<u8>]) -> Result<Self, Error> {
        let mut authority = AkAuthority::new()?;
        let directory = name(&[
            ("2.23.133.2.1", Text::Utf8, "id:49465800"),
            ("2.23.133.2.2", Text::Utf8, "SLB9672"),
            ("2.23.133.2.3", Text::Utf8, "id:000F0017"),
        ])?;
        let all = [vec![der::explicit(4, &directory)], names.to_vec()].concat();
        authority.san = Extension::new("2.5.29.17", der::sequence(&all));
        let ak = tpm::Ak::new("AK", KeyKind::P256)?;
        let mut statement = Statement::new(key, ak, &authority)?;
        statement.nonce = sha256(key_authorization().as_bytes());
        Ok(Self { statement, version: "2.0".to_owned(), algorithm: -7, anchors: authority.anchors() })
    }

    /// The attestation object.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn object(&self) -> Result<Vec<u8>, Error> {
        let signed = self.statement.sign()?;
        let chain: Vec<Vec<u8>> = signed.ak_certificate.into_iter().chain(signed.chain).collect();
        Ok(object(
            "tpm",
            &[
                ("ver", cbor::text(&self.version)),
                ("alg", cbor::int(self.algorithm)),
                ("x5c", x5c(&chain)),
                ("sig", cbor::bytes(&signed.signature)),
                ("certInfo", cbor::bytes(&signed.attest)),
                ("pubArea", cbor::bytes(&signed.public)),
            ],
        ))
    }
}

/// A statement of an Android device (`android-key`) before it is signed.
#[derive(Debug, Clone)]
pub struct AndroidKey {
    /// What the device says of the key.
    pub said: KeyDescription,
    /// What the attested key signs.
    pub text: String,
    /// The attested key.
    pub key: Arc<Key>,
    /// The key that signs, when it is not the attested one.
    pub signer: Option<Arc<Key>>,
}

impl AndroidKey {
    /// A phone with this key in its TEE and this serial number.
    #[must_use]
    pub fn new(key: &Arc<Key>, serial: &str) -> Self {
        let mut said = KeyDescription::of(key, Level::Tee);
        said.challenge = key_authorization().into_bytes();
        said.hardware.text(android::tag::ID_SERIAL, serial);
        Self { said, text: key_authorization(), key: Arc::clone(key), signer: None }
    }

    /// The attestation object, and the root.
    ///
    /// # Errors
    /// Those of [`Key::sign`].
    pub fn object(&self) -> Result<(Vec<u8>, File), Error> {
        let chain = Chain::remote(&self.key, &self.said, Level::Tee)?;
        let signer = self.signer.as_ref().unwrap_or(&self.key);
        let signature = signer.sign(signer.default_alg(), self.text.as_bytes())?;
        let members =
            [("alg", cbor::int(-7)), ("sig", cbor::bytes(&signature)), ("x5c", x5c(&chain.sign()?))];
        Ok((object("android-key", &members), chain.anchor()?))
    }
}

fn subscriber(kind: KeyKind) -> Result<Arc<Key>, Error> {
    Key::shared(&format!("{FORMAT}: subscriber"), kind)
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let mut samples = Vec::new();
    let mut add =
        |variant: &str, about: &str, key: &Key, evidence: File, anchors: &[File], order: (&str, &str)| {
            let mut options = Map::new();
            for (name, value) in [
                ("token", TOKEN),
                ("account_thumbprint", THUMBPRINT),
                ("identifier_type", order.0),
                ("identifier_value", order.1),
            ] {
                options.insert(name.to_owned(), Value::from(value));
            }
            samples.push(Sample {
                format: FORMAT,
                variant: variant.to_owned(),
                about: about.to_owned(),
                evidence: vec![evidence],
                request: Some(File::new(
                    "request.csr",
                    pem::request(&csr::plain("emulated subscriber", key)?),
                )),
                anchors: anchors.to_vec(),
                at: AT.to_owned(),
                options,
            });
            Ok::<_, Error>(())
        };
    let permanent = |value| ("permanent-identifier", value);

    let key = subscriber(KeyKind::P384)?;
    let signed = mda::chain(&key, &mda::freshness_of(TOKEN))?.sign()?;
    let payload = answer(&mda::attestation_object(&signed.array()))?;
    let about = "answer of a Mac";
    add(
        "apple",
        about,
        &key,
        File::new("answer.json", payload.clone()),
        &signed.anchors(),
        permanent(mda::SERIAL),
    )?;
    let whole = File::new("answer.jws.json", jws(&payload)?);
    add("apple-jws", "the whole JWS of a Mac", &key, whole, &signed.anchors(), permanent(mda::UDID))?;

    let key = subscriber(KeyKind::P256)?;
    let step = Step::new(&key)?;
    let file = File::new("answer.json", answer(&step.object()?)?);
    add("step", "answer of a YubiKey", &key, file, &step.anchors, permanent("12345678"))?;

    let tpm = Tpm::new(&key, &[permanent_identifier(TPM_IDENTIFIER, None)?])?;
    let file = File::new("answer.json", answer(&tpm.object()?)?);
    add("tpm", "answer of a TPM", &key, file, &tpm.anchors, permanent(TPM_IDENTIFIER))?;
    let mut bare = Tpm::new(&key, &[hardware_module("1.3.6.1.4.1.99999.1", b"HW1")?])?;
    bare.statement.form = tpm::SignatureForm::Bare;
    let file = File::new("answer.cbor", bare.object()?);
    let order = ("hardware-module", "HW1/1.3.6.1.4.1.99999.1");
    add("tpm-bare", "attestation object of a TPM with a bare signature", &key, file, &bare.anchors, order)?;

    let (object, root) = AndroidKey::new(&key, "PHONE1").object()?;
    let file = File::new("answer.json", answer(&object)?);
    add("android-key", "answer of a phone", &key, file, &[root], permanent("PHONE1"))?;
    if let Some(phone) = samples.last_mut() {
        let list = Value::from(android::EMPTY_STATUS_LIST);
        phone.options.insert("android_status_list".to_owned(), list);
    }
    Ok(samples)
}
