//! Azure Managed HSM: LiquidSecurity blobs of firmware 2 in JSON, under two chains, the manufacturer's and the pool's.
//!
//! The pool's root is made with the pool and certifies the partition once more; there is no such certificate for the
//! card. Source: Azure/azure-managed-hsm-key-attestation, and the Key Vault REST reference, "Get Key Attestation".

use crate::key::{Key, KeyKind, SignAlg, derived};
use crate::marvell::{self, AT, Chain, Fw2, Hsm, Maker, Mode, Profile, common_name, device_name};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "azure-managed-hsm";

/// Version member of the attestation.
pub const VERSION: &str = "MRVL-1";

/// The pool of the samples.
pub const POOL: &str = "emulatedpool";

/// Name and version of the key of the samples.
pub const KEY_NAME: &str = "code-signing";
/// See [`KEY_NAME`].
pub const KEY_VERSION: &str = "5d0a2e7c1b9f4836a4c7e0f2d9b81653";

const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;

/// The path of a key, which is its signed ID.
pub fn path(name: &str, version: &str) -> String {
    format!("/keys/{name}/{version}")
}

/// The attributes that the service gives to the objects of a key.
pub fn profile(name: &str, version: &str) -> Profile {
    Profile { label: "customer_key".to_owned(), id: path(name, version).into_bytes(), token: 1, extended: 0 }
}

/// A card as the service has them: not in FIPS mode, and the partition is named by a number of its own.
///
/// # Errors
/// [`Error::Crypto`].
pub fn hsm(maker: &Maker, card_serial: &str) -> Result<Hsm, Error> {
    let mut hsm = maker.hsm(card_serial, Mode::NonFips)?;
    let number = hex::encode_upper(derived(card_serial, 15));
    hsm.partition.subject = device_name(&common_name(&number, Some(1), Mode::NonFips))?;
    hsm.partition.not_before = "2025-05-08T06:12:42Z".to_owned();
    hsm.partition.not_after = "2035-05-06T06:12:42Z".to_owned();
    Ok(hsm)
}

/// A pool: its root, and its certificate for the partition, not yet signed.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The pool's root.
    pub root: Authority,
    /// For the partition key.
    pub partition: Certificate,
}

impl Pool {
    /// A pool of this name on a partition: different names have different root keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn of(name: &str, hsm: &Hsm) -> Result<Self, Error> {
        let key = Key::shared(&format!("{FORMAT}: {name}"), KeyKind::Rsa2048)?;
        Self::with_key(name, hsm, key)
    }

    /// The same with a given root key.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn with_key(name: &str, hsm: &Hsm, key: Arc<Key>) -> Result<Self, Error> {
        let mut root =
            Certificate::new(root_name(name)?, &key, "2025-05-08T06:14:23Z", "2050-05-02T06:14:23Z")?;
        root.serial = vec![1];
        root.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN]).critical(),
            x509::subject_key_identifier(&x509::key_id(&key)?),
            x509::authority_key_identifier(&x509::key_id(&key)?),
        ];
        let root = Authority::root(root, key, ALG)?;
        let subject = single_valued(&hsm.partition.subject)?;
        let mut partition =
            Certificate::new(subject, &hsm.partition_key, "2025-05-08T06:14:33Z", "2050-05-02T06:14:23Z")?;
        partition.issuer = root.certificate.subject.clone();
        partition.serial = vec![0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        partition.extensions = vec![
            x509::basic_constraints(false, None).critical(),
            x509::subject_key_identifier(&x509::key_id(&hsm.partition_key)?),
            x509::authority_key_identifier(&x509::key_id(&root.key)?),
        ];
        Ok(Self { root, partition })
    }

    /// Its certificate for the partition, signed by its root.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Vec<u8>, Error> {
        self.partition.sign(&self.root.key, ALG)
    }
}

/// Name of the root of a pool.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn root_name(pool: &str) -> Result<Vec<u8>, Error> {
    x509::name(&[
        ("C", Text::Printable, "US"),
        ("ST", Text::Utf8, "Washington"),
        ("L", Text::Utf8, "Redmond"),
        ("O", Text::Utf8, "Microsoft Corporation"),
        ("CN", Text::Utf8, pool),
    ])
}

/// The common name that ends a device name, in a name with one attribute an RDN.
fn single_valued(device_name: &[u8]) -> Result<Vec<u8>, Error> {
    let at = device_name.windows(4).rposition(|window| window == b"HSM:").unwrap_or_default();
    let common_name = String::from_utf8_lossy(&device_name[at..]);
    x509::name(&[
        ("C", Text::Printable, "US"),
        ("ST", Text::Utf8, "CA"),
        ("O", Text::Utf8, "Cavium"),
        ("OU", Text::Utf8, "N3FIPS"),
        ("L", Text::Utf8, "SanJose"),
        ("CN", Text::Utf8, &common_name),
    ])
}

/// What the service hands out for a key.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The private half, signed.
    pub private: Vec<u8>,
    /// The public half, signed.
    pub public: Vec<u8>,
    /// The manufacturer's certificates.
    pub manufacturer: Chain,
    /// The pool's root.
    pub pool_root: Vec<u8>,
    /// The pool's certificate for the partition.
    pub pool_partition: Vec<u8>,
    /// `key.kid`.
    pub kid: String,
    /// The rest of `key`: `kty` and the public numbers.
    pub jwk: Map<String, Value>,
}

impl Attestation {
    /// The attestation of a key in a pool.
    ///
    /// # Errors
    /// [`Error::UnfitKey`], and as [`Certificate::sign`].
    pub fn of(key: &Key, pool: &Pool, hsm: &Hsm) -> Result<Self, Error> {
        let (private, public) = marvell::fw2_pair(key, &profile(KEY_NAME, KEY_VERSION))?;
        Self::with(&private, &public, key, pool, hsm)
    }

    /// The same with given blobs.
    ///
    /// # Errors
    /// [`Error::UnfitKey`], and as [`Certificate::sign`].
    pub fn with(private: &Fw2, public: &Fw2, key: &Key, pool: &Pool, hsm: &Hsm) -> Result<Self, Error> {
        Ok(Self {
            private: private.sign(&hsm.partition_key)?,
            public: public.sign(&hsm.partition_key)?,
            manufacturer: hsm.sign()?,
            pool_root: pool.root.der.clone(),
            pool_partition: pool.sign()?,
            kid: format!("https://{POOL}.managedhsm.azure.net{}", path(KEY_NAME, KEY_VERSION)),
            jwk: jwk(key)?,
        })
    }

    /// Card, partition, the pool's root, the pool's partition certificate, as the service orders them.
    pub fn certificates(&self) -> [&Vec<u8>; 4] {
        [&self.manufacturer.card, &self.manufacturer.partition, &self.pool_root, &self.pool_partition]
    }

    /// The inner object.
    pub fn inner(&self) -> Value {
        json!({
            "certificatePemFile": bundle::base64url(pem::certificates(&self.certificates()).as_bytes()),
            "privateKeyAttestation": bundle::base64url(&self.private),
            "publicKeyAttestation": bundle::base64url(&self.public),
            "version": VERSION,
        })
    }

    /// The attributes of the key with the attestation.
    pub fn attributes(&self) -> Value {
        json!({
            "attestation": self.inner(),
            "created": 1_746_685_312,
            "enabled": true,
            "exportable": false,
            "recoverableDays": 7,
            "recoveryLevel": "CustomizedRecoverable+Purgeable",
            "updated": 1_746_685_312,
        })
    }

    /// The whole answer.
    pub fn answer(&self) -> Value {
        let mut key = self.jwk.clone();
        key.insert("kid".to_owned(), json!(self.kid));
        key.insert("key_ops".to_owned(), json!(["verify", "sign"]));
        json!({ "attributes": self.attributes(), "key": key })
    }
}

/// Key type and numbers of a JSON Web Key with the key types of the service.
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn jwk(key: &Key) -> Result<Map<String, Value>, Error> {
    let number = |bytes: &[u8]| Value::from(bundle::base64url(bytes));
    let members = match (key.rsa_public(), key.point(), key.kind()) {
        (Some((n, e)), ..) => vec![("kty", "RSA-HSM".into()), ("n", number(n)), ("e", number(e))],
        (None, Some(point), kind) => {
            let curve = match kind {
                KeyKind::P256 => "P-256",
                KeyKind::P384 => "P-384",
                KeyKind::P521 => "P-521",
                KeyKind::Secp256k1 => "P-256K",
                other => return Err(Error::UnfitKey("Managed HSM", other)),
            };
            let (x, y) = point[1..].split_at(point.len() / 2);
            vec![("kty", "EC-HSM".into()), ("crv", curve.into()), ("x", number(x)), ("y", number(y))]
        }
        (None, None, other) => return Err(Error::UnfitKey("Managed HSM", other)),
    };
    Ok(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new()?;
    let hsm = hsm(&maker, "5.3G2142-EMU000001")?;
    let pool = Pool::of(POOL, &hsm)?;
    let attested = |kind| {
        let key = Key::shared(&format!("{FORMAT}: subscriber"), kind)?;
        Ok::<_, Error>((Attestation::of(&key, &pool, &hsm)?, key))
    };
    let sample = |variant: &str, about: &str, evidence: Vec<File>, key: &Key| {
        Ok::<_, Error>(Sample {
            format: FORMAT,
            variant: variant.to_owned(),
            about: about.to_owned(),
            evidence,
            request: Some(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?))),
            anchors: vec![File::new("manufacturer-root.pem", pem::certificate(&maker.root.der))],
            at: AT.to_owned(),
            options: Map::new(),
        })
    };
    let json_file = |value: &Value| Ok::<_, Error>(vec![File::new("attestation.json", bundle::json(value)?)]);

    let mut samples = Vec::new();
    for (variant, about, kind) in [
        ("answer-rsa3072", "whole answer of the service for an RSA-3072 key", KeyKind::Rsa3072),
        ("answer-rsa2048", "whole answer for an RSA-2048 key", KeyKind::Rsa2048),
        ("answer-p256", "whole answer for a P-256 key", KeyKind::P256),
        ("answer-p384", "whole answer for a P-384 key", KeyKind::P384),
        ("answer-p521", "whole answer for a P-521 key", KeyKind::P521),
        ("answer-secp256k1", "whole answer for a P-256K (secp256k1) key", KeyKind::Secp256k1),
    ] {
        let (attestation, key) = attested(kind)?;
        samples.push(sample(variant, about, json_file(&attestation.answer())?, &key)?);
    }
    let (attestation, key) = attested(KeyKind::P256)?;
    let about = "only the attributes of the key";
    samples.push(sample("attributes-p256", about, json_file(&attestation.attributes())?, &key)?);
    let about = "only the attestation object";
    samples.push(sample("attestation-p256", about, json_file(&attestation.inner())?, &key)?);
    // The pool's certificates first: without them the rest would be evidence of a card of one's own.
    let [card, partition, root, owned] = attestation.certificates();
    let files = vec![
        File::new("private.bin", attestation.private.clone()),
        File::new("public.bin", attestation.public.clone()),
        File::new("certificates.pem", pem::certificates(&[root, owned, card, partition])),
    ];
    samples.push(sample("files-p256", "the decoded members as files", files, &key)?);
    let about = "whole answer, and the pool's root is pinned";
    let mut pinned = sample("pinned-p256", about, json_file(&attestation.answer())?, &key)?;
    let digest = hex::encode(crate::key::sha256(&pool.root.key.spki_der()?));
    pinned.options.insert("pool_root_spki_sha256".to_owned(), json!([digest]));
    samples.push(pinned);
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_and_certificates_are_as_long_as_real_ones() {
        let maker = Maker::new().unwrap();
        let hsm = hsm(&maker, "5.3G2142-EMU003565").unwrap();
        let pool = Pool::of("clitesthsmkeyatsbvzpfrzm", &hsm).unwrap();
        let key = Key::shared("test", KeyKind::Rsa2048).unwrap();
        let attestation = Attestation::of(&key, &pool, &hsm).unwrap();
        assert_eq!((attestation.private.len(), attestation.public.len()), (1523, 1511));
        let [_, partition, root, owned] = attestation.certificates();
        assert_eq!((partition.len(), root.len(), owned.len()), (902, 978, 998));
    }

    #[test]
    fn the_key_id_is_the_path_of_the_kid() {
        assert_eq!(profile("k", "1").id, b"/keys/k/1");
    }
}
