//! Google Cloud HSM: LiquidSecurity blobs of firmware 3 under two chains, the manufacturer's and the owner's.
//!
//! The owner's root certifies card and partition each on its own, with the manufacturer's names and keys. Source:
//! Cloud KMS, "Verify attestations", and the REST resource CryptoKeyVersion.

use crate::key::{Key, KeyKind, SignAlg, derived, sha256};
use crate::marvell::{self, AT, Chain, Fw3, Hsm, Maker, Mode, Profile};
use crate::x509::{self, Authority, Certificate, Text, usage};
use crate::{Error, File, Sample, bundle, csr, pem};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "google-cloud-hsm";

/// Format member of the resource: gzip of a firmware-3 blob.
pub const ATTESTATION_FORMAT: &str = "CAVIUM_V2_COMPRESSED";

const ALG: SignAlg = SignAlg::RsaPkcs1Sha256;

/// The attributes that Cloud KMS gives to the objects of the key version of this full resource name
/// (`projects/…/cryptoKeyVersions/N`): the second half of the key id is the SHA-256 of the name.
pub fn profile(resource_name: &str) -> Profile {
    let id = [derived(resource_name, 32), sha256(resource_name.as_bytes())].concat();
    Profile { label: "app_key".to_owned(), id: hex::encode(id).into_bytes(), token: 2, extended: 2 }
}

/// The owner's root, and its certificates for a card and a partition, not yet signed.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The owner's root.
    pub root: Authority,
    /// For the card key.
    pub card: Certificate,
    /// For the partition key; issued by the root, not by the card.
    pub partition: Certificate,
}

impl Owner {
    /// The owner of a card under the root `Hawksbill Root emulated`.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn of(hsm: &Hsm) -> Result<Self, Error> {
        Self::named("Hawksbill Root emulated", hsm)
    }

    /// The owner of a card under a root of this name: different names have different keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn named(common_name: &str, hsm: &Hsm) -> Result<Self, Error> {
        let key = Key::shared(&format!("{FORMAT}: {common_name}"), KeyKind::Rsa2048)?;
        let name = x509::name(&[
            ("C", Text::Printable, "US"),
            ("ST", Text::Utf8, "CA"),
            ("L", Text::Utf8, "Mountain View"),
            ("O", Text::Utf8, "keyvouch"),
            ("CN", Text::Utf8, common_name),
        ])?;
        let mut root = Certificate::new(name, &key, "2017-07-01T00:00:00Z", "2030-01-01T00:00:00Z")?;
        root.serial = vec![3];
        root.extensions = vec![
            x509::basic_constraints(true, None).critical(),
            x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
            x509::subject_key_identifier(&x509::key_id(&key)?),
        ];
        let root = Authority::root(root, key, ALG)?;
        let card = certified(&hsm.card, &hsm.card_key, &root, "2018-09-21T21:22:32Z")?;
        let partition = certified(&hsm.partition, &hsm.partition_key, &root, "2018-09-21T21:23:36Z")?;
        Ok(Self { root, card, partition })
    }

    /// Sign the certificates.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn sign(&self) -> Result<Chain, Error> {
        Ok(Chain {
            root: self.root.der.clone(),
            card: self.card.sign(&self.root.key, ALG)?,
            partition: self.partition.sign(&self.root.key, ALG)?,
        })
    }
}

/// The owner's certificate for what the manufacturer certified: same name, same key.
fn certified(made: &Certificate, key: &Key, root: &Authority, from: &str) -> Result<Certificate, Error> {
    let mut owned = Certificate::new(made.subject.clone(), key, from, "2030-01-01T00:00:00Z")?;
    owned.issuer = root.certificate.subject.clone();
    let mut serial = derived(&hex::encode(&owned.spki), 20);
    serial[0] = 0x1c;
    owned.serial = serial;
    owned.extensions = vec![
        x509::basic_constraints(false, None),
        x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::KEY_ENCIPHERMENT]).critical(),
        x509::subject_key_identifier(&x509::key_id(key)?),
        x509::authority_key_identifier(&x509::key_id(&root.key)?),
    ];
    Ok(owned)
}

/// Name of a card or partition as another encoder would write it: one attribute an RDN, in another order. Same common
/// name as [`marvell::device_name`].
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn reordered_name(common_name: &str) -> Result<Vec<u8>, Error> {
    x509::name(&[
        ("CN", Text::Utf8, common_name),
        ("L", Text::Utf8, "SanJose"),
        ("OU", Text::Utf8, "N3FIPS"),
        ("O", Text::Utf8, "Cavium"),
        ("ST", Text::Utf8, "CA"),
        ("C", Text::Printable, "US"),
    ])
}

/// What Cloud KMS hands out for a key version.
#[derive(Debug, Clone)]
pub struct KeyVersion {
    /// Full resource name.
    pub name: String,
    /// `algorithm` of the resource, such as `EC_SIGN_P256_SHA256`.
    pub algorithm: String,
    /// The blob, signed and not compressed.
    pub blob: Vec<u8>,
    /// The manufacturer's certificates.
    pub manufacturer: Chain,
    /// The owner's certificates.
    pub owner: Chain,
    /// The manufacturer's root as the bundle still has it: the expired one.
    pub bundled_root: Vec<u8>,
}

impl KeyVersion {
    /// The key version of a blob.
    ///
    /// # Errors
    /// As [`Certificate::sign`] and [`Fw3::sign`].
    pub fn new(
        name: &str,
        algorithm: &str,
        blob: &Fw3,
        maker: &Maker,
        hsm: &Hsm,
        owner: &Owner,
    ) -> Result<Self, Error> {
        Ok(Self {
            name: name.to_owned(),
            algorithm: algorithm.to_owned(),
            blob: blob.sign(&hsm.partition_key)?,
            manufacturer: hsm.sign()?,
            owner: owner.sign()?,
            bundled_root: maker.expired_root.der.clone(),
        })
    }

    /// `attestation.dat`: gzip of the blob.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn dat(&self) -> Result<Vec<u8>, Error> {
        bundle::gzip(&self.blob)
    }

    /// The six certificates of the console's combined chain: the manufacturer's root, card, partition, then the owner's.
    pub fn combined_chain(&self) -> String {
        let (made, owned) = (&self.manufacturer, &self.owner);
        pem::certificates(&[
            &self.bundled_root,
            &made.card,
            &made.partition,
            &owned.root,
            &owned.card,
            &owned.partition,
        ])
    }

    /// Names as the console makes them: `<ring>-<key>-<version>-<what>`.
    pub fn file_name(&self, what: &str) -> String {
        let parts: Vec<_> = self.name.split('/').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        format!("{}-{}-{}-{what}", part(5), part(7), part(9))
    }

    /// The files of the console's bundle.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn files(&self) -> Result<Vec<File>, Error> {
        let dat = format!("{ATTESTATION_FORMAT}-attestation.dat");
        Ok(vec![
            File::new(self.file_name(&dat), self.dat()?),
            File::new(self.file_name("combined-chain.pem"), self.combined_chain()),
        ])
    }

    /// The console's bundle.
    ///
    /// # Errors
    /// [`Error::Zip`], [`Error::Io`].
    pub fn zip(&self) -> Result<Vec<u8>, Error> {
        let (made, owned) = (&self.manufacturer, &self.owner);
        let made = pem::certificates(&[&self.bundled_root, &made.card, &made.partition]);
        let owned = pem::certificates(&[&owned.root, &owned.card, &owned.partition]);
        let mut files = self.files()?;
        files.push(File::new(self.file_name("manufacturer-chain.pem"), made));
        files.push(File::new(self.file_name("owner-chain.pem"), owned));
        bundle::zip(&files)
    }

    /// The resource CryptoKeyVersion; change members and write it with [`bundle::json`].
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn resource(&self) -> Result<Value, Error> {
        let (made, owned) = (&self.manufacturer, &self.owner);
        Ok(json!({
            "name": self.name,
            "state": "ENABLED",
            "protectionLevel": "HSM",
            "algorithm": self.algorithm,
            "createTime": "2026-05-20T09:12:44.181624Z",
            "generateTime": "2026-05-20T09:12:46.023911Z",
            "attestation": {
                "format": ATTESTATION_FORMAT,
                "content": bundle::base64(&self.dat()?),
                "certChains": {
                    "caviumCerts": [pem::certificate(&made.partition), pem::certificate(&made.card)],
                    "googleCardCerts": [pem::certificate(&owned.card)],
                    "googlePartitionCerts": [pem::certificate(&owned.partition)],
                },
            },
        }))
    }
}

/// The resource name of the samples.
pub const RESOURCE_NAME: &str = "projects/emulated-project/locations/us-east1/keyRings/emulated-ring/\
                                 cryptoKeys/code-signing/cryptoKeyVersions/1";

/// Positive samples.
///
/// # Errors
/// [`Error::Crypto`].
pub fn samples() -> Result<Vec<Sample>, Error> {
    let maker = Maker::new()?;
    let hsm = maker.hsm("5.3G2041-EMU000001", Mode::Fips)?;
    let owner = Owner::of(&hsm)?;
    let version = |kind, algorithm: &str| {
        let key = Key::shared(&format!("{FORMAT}: subscriber"), kind)?;
        let blob = marvell::pair(&key, &profile(RESOURCE_NAME))?;
        let version = KeyVersion::new(RESOURCE_NAME, algorithm, &blob, &maker, &hsm, &owner)?;
        Ok::<_, Error>((key, version))
    };
    let sample = |variant: &str, about: &str, evidence: Vec<File>, request: File| Sample {
        format: FORMAT,
        variant: variant.to_owned(),
        about: about.to_owned(),
        evidence,
        request: Some(request),
        anchors: vec![
            File::new("manufacturer-root.pem", pem::certificate(&maker.root.der)),
            File::new("owner-root.pem", pem::certificate(&owner.root.der)),
        ],
        at: AT.to_owned(),
        options: Map::new(),
    };
    let csr_of = |key: &Arc<Key>| {
        Ok::<_, Error>(File::new("request.csr", pem::request(&csr::plain("emulated subscriber", key)?)))
    };

    let (rsa, rsa_version) = version(KeyKind::Rsa3072, "RSA_SIGN_PKCS1_3072_SHA256")?;
    let (ec, ec_version) = version(KeyKind::P256, "EC_SIGN_P256_SHA256")?;
    let (_, p384_version) = version(KeyKind::P384, "EC_SIGN_P384_SHA384")?;
    let p384 = Key::shared(&format!("{FORMAT}: subscriber"), KeyKind::P384)?;
    let zip = File::new("attestation-bundle.zip", rsa_version.zip()?);
    let resource = File::new("key-version.json", bundle::json(&ec_version.resource()?)?);
    let attestation = ec_version.resource()?.get("attestation").cloned().unwrap_or_default();
    let attestation = File::new("attestation.json", bundle::json(&attestation)?);
    let public = File::new("public-key.pem", pem::public_key(&ec.spki_der()?));
    let about = "attestation bundle of the console for an RSA-3072 key";
    let mut named = sample("bundle-rsa3072", about, vec![zip], csr_of(&rsa)?);
    named.options.insert("resource_name".to_owned(), json!(RESOURCE_NAME));
    Ok(vec![
        named,
        sample(
            "files-p256",
            "attestation and combined chain of a P-256 key",
            ec_version.files()?,
            csr_of(&ec)?,
        ),
        sample(
            "files-p384",
            "attestation and combined chain of a P-384 key",
            p384_version.files()?,
            csr_of(&p384)?,
        ),
        sample("resource-p256", "the REST resource CryptoKeyVersion", vec![resource], csr_of(&ec)?),
        sample(
            "attestation-p256",
            "only the attestation member of the resource",
            vec![attestation],
            csr_of(&ec)?,
        ),
        sample(
            "public-key-p256",
            "with the provider's public key as the request",
            ec_version.files()?,
            public,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_id_ends_in_the_digest_of_the_name() {
        let name = "projects/example-project/locations/us-east1/keyRings/example-ring/cryptoKeys/code-signing/\
                    cryptoKeyVersions/1";
        let id = String::from_utf8(profile(name).id).unwrap();
        assert_eq!(id.len(), 128);
        assert!(id.ends_with("fe2e4c5d11ed278b93a5924e87d78fc727062b0a54c162afa9ac59a9ec16f2e1"));
    }

    #[test]
    fn owner_certificates_are_as_long_as_real_ones() {
        let hsm = Maker::new().unwrap().hsm("5.2G1804-EMU000678", Mode::Fips).unwrap();
        let owner = Owner::of(&hsm).unwrap().sign().unwrap();
        // "Google Inc" and the real root's common name are 10 and 22 long.
        let more = "keyvouch".len() + "Hawksbill Root emulated".len();
        assert_eq!(owner.root.len() - 4 + 2 * (10 + 22), 909 + 2 * more);
        assert_eq!(owner.card.len() - 4 + 10 + 22, 969 + more);
        assert_eq!(owner.partition.len() - 4 + 10 + 22, 977 + more);
    }

    #[test]
    fn file_names_are_those_of_the_console() {
        let samples = samples().unwrap();
        let names: Vec<_> = samples[1].evidence.iter().map(|file| &file.name[..]).collect();
        assert_eq!(
            names,
            [
                "emulated-ring-code-signing-1-CAVIUM_V2_COMPRESSED-attestation.dat",
                "emulated-ring-code-signing-1-combined-chain.pem"
            ]
        );
    }
}
