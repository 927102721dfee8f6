//! Registrations of WebAuthn credentials, with statements of every format.
//!
//! A [`Registration`] is what authenticator and browser say of a new credential; statements about it are made by a batch
//! key of a maker's ([`Batch`]), by a TPM ([`tpm`]), by Apple's authority ([`apple`]), or by the credential key itself.

pub mod cbor;
pub mod mds;
mod samples;

pub use samples::samples;

use crate::key::{Key, KeyKind, SignAlg, derived, sha1, sha256};
use crate::x509::{self, Authority, Certificate, Extension, Text, usage};
use crate::{Error, File, der, pem};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// Format id.
pub const FORMAT: &str = "webauthn";

/// The AAGUID of the emulated model, which no metadata know.
pub const AAGUID: [u8; 16] = *b"keyvouch-emulate";

const DATES: (&str, &str) = ("2025-01-01T00:00:00Z", "2045-01-01T00:00:00Z");

/// Flags of authenticator data.
pub mod flag {
    /// A user was present.
    pub const UP: u8 = 0x01;
    /// The user was verified.
    pub const UV: u8 = 0x04;
    /// The credential may be backed up.
    pub const BE: u8 = 0x08;
    /// The credential is backed up.
    pub const BS: u8 = 0x10;
    /// A new credential follows.
    pub const AT: u8 = 0x40;
    /// Extensions follow.
    pub const ED: u8 = 0x80;
}

/// What is signed when a credential is registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The relying party.
    pub rp_id: String,
    /// Flags.
    pub flags: u8,
    /// Signature counter.
    pub sign_count: u32,
    /// Model of the authenticator.
    pub aaguid: [u8; 16],
    /// Credential id.
    pub credential_id: Vec<u8>,
    /// The credential key.
    pub key: Arc<Key>,
    /// COSE_Key, instead of that of the key.
    pub cose_key: Option<Vec<u8>>,
    /// CBOR of the extensions, with flag ED.
    pub extensions: Option<Vec<u8>>,
    /// Bytes behind the authenticator data.
    pub trailing: Vec<u8>,
    /// clientDataJSON.
    pub client_data: Vec<u8>,
}

impl Registration {
    /// A credential of this kind at `login.example`, answering [`challenge`].
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(kind: KeyKind) -> Result<Self, Error> {
        Ok(Self {
            rp_id: "login.example".to_owned(),
            flags: flag::UP | flag::UV | flag::AT,
            sign_count: 7,
            aaguid: AAGUID,
            credential_id: derived("webauthn: credential id", 32),
            key: Key::shared("webauthn: credential", kind)?,
            cose_key: None,
            extensions: None,
            trailing: Vec::new(),
            client_data: client_data("webauthn.create", &challenge(), "https://login.example"),
        })
    }

    /// Authenticator data.
    pub fn auth_data(&self) -> Vec<u8> {
        let mut data = sha256(self.rp_id.as_bytes());
        data.push(self.flags);
        data.extend(self.sign_count.to_be_bytes());
        if self.flags & flag::AT != 0 {
            data.extend(self.aaguid);
            data.extend(u16::try_from(self.credential_id.len()).unwrap_or(u16::MAX).to_be_bytes());
            data.extend(&self.credential_id);
            data.extend(self.cose_key.clone().unwrap_or_else(|| cose_key(&self.key)));
        }
        data.extend(self.extensions.iter().flatten());
        data.extend(&self.trailing);
        data
    }

    /// Authenticator data and digest of the client data.
    pub fn message(&self) -> Vec<u8> {
        [self.auth_data(), sha256(&self.client_data)].concat()
    }

    /// The attestation object with a statement of this format.
    pub fn object(&self, format: &str, statement: &[u8]) -> Vec<u8> {
        cbor::map(&[
            ("fmt", cbor::text(format)),
            ("attStmt", statement.to_vec()),
            ("authData", cbor::bytes(&self.auth_data())),
        ])
    }

    /// The answer of a CTAP2 authenticator with the same content, status byte first.
    pub fn ctap2(&self, format: &str, statement: &[u8]) -> Vec<u8> {
        let answer = cbor::int_map(&[
            (1, cbor::text(format)),
            (2, cbor::bytes(&self.auth_data())),
            (3, statement.to_vec()),
        ]);
        [vec![0], answer].concat()
    }

    /// Attestation object and client data, as files.
    pub fn files(&self, format: &str, statement: &[u8]) -> Vec<File> {
        vec![
            File::new("attestation-object.cbor", self.object(format, statement)),
            File::new("client-data.json", self.client_data.clone()),
        ]
    }

    /// The PublicKeyCredential that a browser gives, in JSON.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn credential_json(&self, format: &str, statement: &[u8]) -> Result<File, Error> {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let document = serde_json::json!({
            "id": base64(&self.credential_id),
            "rawId": base64(&self.credential_id),
            "type": "public-key",
            "response": {
                "attestationObject": base64(&self.object(format, statement)),
                "clientDataJSON": base64(&self.client_data),
            },
            "clientExtensionResults": {},
        });
        Ok(File::new("credential.json", crate::bundle::json(&document)?))
    }

    /// Self attestation.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn self_statement(&self) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.key.default_alg(), &self.message())?;
        Ok(cbor::map(&[("alg", cbor::int(cose_alg(self.key.kind()))), ("sig", cbor::bytes(&signature))]))
    }
}

/// The challenge that registrations answer.
pub fn challenge() -> Vec<u8> {
    derived("webauthn: challenge", 32)
}

/// clientDataJSON as browsers write it.
pub fn client_data(kind: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
        .into_bytes()
}

/// The algorithm of a key (IANA registry "COSE Algorithms").
pub fn cose_alg(kind: KeyKind) -> i64 {
    match kind {
        KeyKind::P256 => -7,
        KeyKind::P384 => -35,
        KeyKind::P521 => -36,
        KeyKind::Secp256k1 => -47,
        KeyKind::Ed25519 => -8,
        _ => -257,
    }
}

/// COSE_Key (RFC 9052, 7).
pub fn cose_key(key: &Key) -> Vec<u8> {
    let alg = (3, cbor::int(cose_alg(key.kind())));
    match (key.rsa_public(), key.point()) {
        (Some((n, e)), _) => {
            cbor::int_map(&[(1, cbor::int(3)), alg, (-1, cbor::bytes(n)), (-2, cbor::bytes(e))])
        }
        (None, Some(x)) if key.kind() == KeyKind::Ed25519 => {
            cbor::int_map(&[(1, cbor::int(1)), alg, (-1, cbor::int(6)), (-2, cbor::bytes(x))])
        }
        (None, point) => {
            let (x, y) = point.unwrap_or(&[4])[1..].split_at((point.map_or(1, <[u8]>::len) - 1) / 2);
            let curve = match key.kind() {
                KeyKind::P384 => 2,
                KeyKind::P521 => 3,
                KeyKind::Secp256k1 => 8,
                _ => 1,
            };
            cbor::int_map(&[
                (1, cbor::int(2)),
                alg,
                (-1, cbor::int(curve)),
                (-2, cbor::bytes(x)),
                (-3, cbor::bytes(y)),
            ])
        }
    }
}

/// A maker's authority and the batch key in its devices.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The maker's root.
    pub root: Authority,
    /// The attestation certificate, not yet signed.
    pub certificate: Certificate,
    /// Certificates between it and the root, or behind it.
    pub chain: Vec<Vec<u8>>,
    /// The batch key.
    pub key: Arc<Key>,
    /// The algorithm that the statement names, instead of that of the key.
    pub alg: Option<i64>,
}

impl Batch {
    /// A batch of the emulated model below a root of its own.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new(label: &str) -> Result<Self, Error> {
        let root = root(&format!("keyvouch emulated {label} FIDO Root CA"))?;
        let key = Key::shared(&format!("webauthn: batch key of {label}"), KeyKind::P256)?;
        let subject = x509::name(&[
            ("C", Text::Printable, "DE"),
            ("O", Text::Utf8, "keyvouch"),
            ("OU", Text::Utf8, "Authenticator Attestation"),
            ("CN", Text::Utf8, "keyvouch emulated authenticator"),
        ])?;
        let mut certificate = Certificate::new(subject, &key, DATES.0, DATES.1)?;
        certificate.issuer = root.certificate.subject.clone();
        certificate.extensions =
            vec![aaguid_extension(&AAGUID), x509::basic_constraints(false, None).critical()];
        Ok(Self { root, certificate, chain: Vec::new(), key, alg: None })
    }

    /// The attestation certificate.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn signed(&self) -> Result<Vec<u8>, Error> {
        self.certificate.sign(&self.root.key, self.root.key.default_alg())
    }

    /// x5c.
    ///
    /// # Errors
    /// As [`Certificate::sign`].
    pub fn x5c(&self) -> Result<Vec<u8>, Error> {
        let certificates = std::iter::once(self.signed()?).chain(self.chain.iter().cloned());
        Ok(cbor::array(&certificates.map(|der| cbor::bytes(&der)).collect::<Vec<_>>()))
    }

    /// A packed statement.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn packed(&self, registration: &Registration) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.key.default_alg(), &registration.message())?;
        let alg = self.alg.unwrap_or_else(|| cose_alg(self.key.kind()));
        Ok(cbor::map(&[("alg", cbor::int(alg)), ("sig", cbor::bytes(&signature)), ("x5c", self.x5c()?)]))
    }

    /// A U2F statement.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn u2f(&self, registration: &Registration) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.key.default_alg(), &u2f_message(registration))?;
        Ok(cbor::map(&[("sig", cbor::bytes(&signature)), ("x5c", self.x5c()?)]))
    }

    /// The answer to a raw U2F registration.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn raw_u2f(&self, registration: &Registration) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.key.default_alg(), &u2f_message(registration))?;
        let length =
            u8::try_from(registration.credential_id.len()).map_err(|_| Error::TooLarge("key handle"))?;
        Ok([
            &[5][..],
            registration.key.point().unwrap_or_default(),
            &[length],
            &registration.credential_id,
            &self.signed()?,
            &signature,
        ]
        .concat())
    }

    /// The root, for the verifier as operator anchor.
    pub fn anchors(&self) -> Vec<File> {
        vec![File::new("root.pem", pem::certificate(&self.root.der))]
    }

    /// SHA-1 of the batch key, by which metadata name U2F authenticators.
    pub fn key_identifier(&self) -> Vec<u8> {
        sha1(self.key.point().unwrap_or_default())
    }
}

/// `00 ‖ RP ID hash ‖ client data hash ‖ key handle ‖ point`
fn u2f_message(registration: &Registration) -> Vec<u8> {
    [
        &[0][..],
        &sha256(registration.rp_id.as_bytes()),
        &sha256(&registration.client_data),
        &registration.credential_id,
        registration.key.point().unwrap_or_default(),
    ]
    .concat()
}

/// The registration as U2F devices have it: no AAGUID, no user verification.
#[must_use]
pub fn as_u2f(registration: Registration) -> Registration {
    Registration { aaguid: [0; 16], flags: flag::UP | flag::AT, ..registration }
}

/// id-fido-gen-ce-aaguid.
pub fn aaguid_extension(aaguid: &[u8; 16]) -> Extension {
    Extension::new("1.3.6.1.4.1.45724.1.1.4", der::octet_string(aaguid))
}

fn root(name: &str) -> Result<Authority, Error> {
    let key = Key::shared(&format!("webauthn: {name}"), KeyKind::P256)?;
    let mut certificate = Certificate::new(x509::common_name(name)?, &key, DATES.0, DATES.1)?;
    certificate.extensions = vec![
        x509::basic_constraints(true, None).critical(),
        x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
    ];
    Authority::root(certificate, key, SignAlg::EcdsaSha256)
}

/// Apple's anonymous attestation.
pub mod apple {
    use super::*;

    /// Apple's authority, and the certificate that it issues for a credential.
    #[derive(Debug, Clone)]
    pub struct Anonymous {
        /// The root.
        pub root: Authority,
        /// Issues certificates for credentials.
        pub issuer: Authority,
        /// What it issued, not yet signed.
        pub certificate: Certificate,
        /// Whether the issuer's certificate is in the statement.
        pub with_issuer: bool,
    }

    impl Anonymous {
        /// For a registration.
        ///
        /// # Errors
        /// [`Error::Crypto`].
        pub fn new(registration: &Registration) -> Result<Self, Error> {
            let root = root("keyvouch emulated WebAuthn Root CA")?;
            let key = Key::shared("webauthn: Apple issuer", KeyKind::P256)?;
            let name = x509::common_name("keyvouch emulated WebAuthn CA 1")?;
            let mut certificate = Certificate::new(name, &key, DATES.0, DATES.1)?;
            certificate.extensions = vec![
                x509::basic_constraints(true, Some(0)).critical(),
                x509::key_usage(&[usage::KEY_CERT_SIGN, usage::CRL_SIGN]).critical(),
            ];
            let issuer = root.subordinate(certificate, key, SignAlg::EcdsaSha256)?;
            let subject = x509::common_name("keyvouch emulated credential")?;
            let mut certificate = Certificate::new(subject, &registration.key, DATES.0, DATES.1)?;
            certificate.issuer = issuer.certificate.subject.clone();
            let nonce = sha256(&registration.message());
            certificate.extensions = vec![
                x509::basic_constraints(false, None).critical(),
                x509::key_usage(&[usage::DIGITAL_SIGNATURE, usage::NON_REPUDIATION]).critical(),
                Extension::new(
                    "1.2.840.113635.100.8.2",
                    der::sequence(&[der::explicit(1, &der::octet_string(&nonce))]),
                ),
            ];
            Ok(Self { root, issuer, certificate, with_issuer: true })
        }

        /// The statement.
        ///
        /// # Errors
        /// As [`Certificate::sign`].
        pub fn statement(&self) -> Result<Vec<u8>, Error> {
            let leaf = self.certificate.sign(&self.issuer.key, SignAlg::EcdsaSha256)?;
            let mut x5c = vec![cbor::bytes(&leaf)];
            if self.with_issuer {
                x5c.push(cbor::bytes(&self.issuer.der));
            }
            Ok(cbor::map(&[("x5c", cbor::array(&x5c))]))
        }

        /// The root, for the verifier as operator anchor.
        pub fn anchors(&self) -> Vec<File> {
            vec![File::new("root.pem", pem::certificate(&self.root.der))]
        }
    }
}

/// Windows Hello: a TPM certifies the credential key.
pub mod tpm {
    use super::*;
    use crate::tpm::{Ak, AkAuthority, SignatureForm, Statement};

    /// A TPM statement about a registration.
    #[derive(Debug, Clone)]
    pub struct Hello {
        /// What the TPM signs.
        pub statement: Statement,
        /// The authority of the attestation key.
        pub authority: AkAuthority,
        /// Version of the statement.
        pub version: String,
        /// The algorithm that the statement names.
        pub alg: i64,
        /// The public area as it is written, instead of the statement's.
        pub public: Option<Vec<u8>>,
    }

    impl Hello {
        /// The credential key in a TPM, certified by an attestation key that an authority vouches for.
        ///
        /// # Errors
        /// [`Error::Crypto`].
        pub fn new(registration: &Registration) -> Result<Self, Error> {
            let authority =
                AkAuthority::named("keyvouch emulated Hello Root CA", "EUS-IFX-KEYID-0123456789ABCDEF")?;
            let ak = Ak::new("hello", KeyKind::P256)?;
            let mut statement = Statement::new(&registration.key, ak, &authority)?;
            statement.nonce = sha256(&registration.message());
            statement.form = SignatureForm::Bare;
            Ok(Self { statement, authority, version: "2.0".to_owned(), alg: -7, public: None })
        }

        /// The statement.
        ///
        /// # Errors
        /// Those of [`Key::sign`].
        pub fn statement(&self) -> Result<Vec<u8>, Error> {
            let signed = self.statement.sign()?;
            let x5c: Vec<Vec<u8>> =
                signed.ak_certificate.iter().chain(&signed.chain).map(|der| cbor::bytes(der)).collect();
            Ok(cbor::map(&[
                ("alg", cbor::int(self.alg)),
                ("sig", cbor::bytes(&signed.signature)),
                ("ver", cbor::text(&self.version)),
                ("x5c", cbor::array(&x5c)),
                ("pubArea", cbor::bytes(self.public.as_deref().unwrap_or(&signed.public))),
                ("certInfo", cbor::bytes(&signed.attest)),
            ]))
        }
    }
}

/// An android-key statement: the credential key signs, and a chain of Android's says where it is.
///
/// # Errors
/// As [`Key::sign`].
pub fn android_key(registration: &Registration, chain: &crate::android::Chain) -> Result<Vec<u8>, Error> {
    let key = &registration.key;
    let signature = key.sign(key.default_alg(), &registration.message())?;
    let x5c: Vec<Vec<u8>> = chain.sign()?.iter().map(|der| cbor::bytes(der)).collect();
    Ok(cbor::map(&[
        ("alg", cbor::int(cose_alg(key.kind()))),
        ("sig", cbor::bytes(&signature)),
        ("x5c", cbor::array(&x5c)),
    ]))
}

/// What Android says of a credential key.
pub fn android_description(registration: &Registration) -> crate::android::KeyDescription {
    let mut said = crate::android::KeyDescription::of(&registration.key, crate::android::Level::Tee);
    said.challenge = sha256(&registration.client_data);
    said
}

/// A compound statement of these members.
pub fn compound(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let of = |(format, statement): &(&str, Vec<u8>)| {
        cbor::map(&[("fmt", cbor::text(format)), ("attStmt", statement.clone())])
    };
    cbor::array(&members.iter().map(of).collect::<Vec<_>>())
}
