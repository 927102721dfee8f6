//! Entrust nShield: the JSON bundle of `nfkmattest` about one key, under a warrant.
//!
//! ```text
//! root → warrant (delegation, module) → KLF2 → module state → KML  → key generation certificate
//!                                                  └─ hash of KNSO → KNSO → keys of the Security World
//! ```
//!
//! Source: Entrust, nShield application notes "Key Attestation Format", "Wire format", "Warrants", "nCore key hash" and
//! "Dynamically Defined Data Structures".

pub mod acl;
mod dsa;
pub mod marshal;
mod samples;
mod signer;

pub use dsa::DsaKey;
pub use samples::samples;
pub use signer::{Signer, key_data, key_hash};

use acl::{Action, Blob, Group, permission};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use marshal::{D3s, bignum, key_hash_ex, text, vector, word};
use serde_json::{Map, Value};

use crate::key::{Key, SignAlg, derived};
use crate::{Error, File, pem};

/// Format id.
pub const FORMAT: &str = "nshield";
/// Name of the root, which the real one has too: a warrant of another name is of no use.
pub const ROOT: &str = "KWARN-1";

/// A module, its makers, and the Security World that it is in.
#[derive(Debug, Clone)]
pub struct Module {
    /// The key at the top.
    pub root: Signer,
    /// The keys to which it delegates, one below the other.
    pub delegates: Vec<Signer>,
    /// Long-term key.
    pub klf2: Signer,
    /// Module signing key.
    pub kml: Signer,
    /// Security Officer's key.
    pub knso: Signer,
    /// Electronic serial number.
    pub esn: String,
    /// Whether the long-term key came by a field upgrade.
    pub field_upgrade: bool,
    /// Whether the world is one of FIPS 140 level 3.
    pub fips: bool,
    /// Whether the world has recovery keys.
    pub recovery: bool,
    /// Name of the cipher suite.
    pub suite: String,
}

impl Module {
    /// A module from the factory in a world with DSA keys, as most are.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            root: Signer::ecdsa("root")?,
            delegates: vec![Signer::ecdsa("delegate")?],
            klf2: Signer::ecdsa("KLF2")?,
            kml: Signer::dsa("KML")?,
            knso: Signer::dsa("KNSO")?,
            esn: "EA57-0C0D-E001".to_owned(),
            field_upgrade: false,
            fips: false,
            recovery: true,
            suite: "DLf3072s256mAEScSP800131Ar1".to_owned(),
        })
    }

    /// The same in a FIPS world with ECDSA keys.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new_ecdsa_fips() -> Result<Self, Error> {
        Ok(Self {
            kml: Signer::ecdsa("KML")?,
            knso: Signer::ecdsa("KNSO")?,
            fips: true,
            suite: "ECp521mAES".to_owned(),
            ..Self::new()?
        })
    }

    /// The root key as an operator would configure it.
    ///
    /// # Errors
    /// [`Error::UnfitKey`] when it is no ECDSA key.
    pub fn anchor(&self) -> Result<File, Error> {
        match &self.root {
            Signer::Ecdsa(key) => Ok(File::new("warranting-root.pem", pem::public_key(&key.spki_der()?))),
            Signer::Dsa(_) => Err(Error::Crypto("the root of warrants is an ECDSA key")),
        }
    }

    /// Hash of the module key, of KMC, of KFIPS, of the recovery key and of the recovery authorisation key.
    pub fn hashes(&self) -> [Vec<u8>; 5] {
        ["KM", "KMC", "KFIPS", "KRE", "KRA"].map(|name| derived(&format!("nshield: {name}"), 20))
    }

    /// Attest a key that was generated with these groups.
    ///
    /// # Errors
    /// As [`key_data`].
    pub fn attest(&self, key: &Key, groups: Vec<Group>) -> Result<Attestation, Error> {
        let [hkm, hkmc, hkfips, hkre, hkra] = self.hashes();
        let hknso = self.knso.hash()?;
        Ok(Attestation {
            warrant: self.warrant()?,
            warrant_signers: std::iter::once(self.root.clone()).chain(self.delegates.clone()).collect(),
            state: State { flags: 0, attributes: self.attributes(&hkm)?, signer: self.klf2.clone() },
            generation: Generation {
                flags: 0,
                parameters: parameters(key)?,
                groups,
                hash: key_hash(key, true)?,
                signer: self.kml.clone(),
            },
            key_data: key_data(key, true)?,
            world: Some(World {
                signer: self.knso.clone(),
                knso: self.knso.key_data()?,
                fips: self.fips,
                suite: self.suite.clone(),
                hknso,
                hkm,
                hkmc,
                hkfips,
                recovery: self.recovery.then_some([hkre, hkra]),
            }),
        })
    }

    /// Groups of a key made by `generatekey` with module protection.
    pub fn usual_groups(&self, permissions: u32) -> Vec<Group> {
        let [hkm, ..] = self.hashes();
        vec![
            Group::of(Action::Permissions(permissions)),
            Group::of(Action::MakeBlob(Blob::module(&hkm))).once(),
        ]
    }

    /// The groups that a recoverable key has besides: what the Security Officer may do, and a recovery blob.
    ///
    /// # Errors
    /// As [`key_data`].
    pub fn recovery_groups(&self) -> Result<Vec<Group>, Error> {
        let [_, _, _, hkre, _] = self.hashes();
        let by_officer = Group {
            flags: 0x2,
            certifier: Some(self.knso.hash()?),
            actions: vec![
                Action::Permissions(0x207d),
                Action::MakeBlob(Blob { flags: 0x23, ..Blob::default() }),
                Action::MakeArchiveBlob { mechanism: 0, key: None, blob_file: false },
            ],
            ..Group::default()
        };
        let archive = Action::MakeArchiveBlob { mechanism: 225, key: Some(hkre), blob_file: false };
        Ok(vec![by_officer, Group::of(archive).once()])
    }

    fn warrant(&self) -> Result<Vec<D3s>, Error> {
        let mut payloads = Vec::new();
        for delegate in &self.delegates {
            payloads.push(D3s::Map(vec![
                ("DelegateKey".to_owned(), d3s_key(delegate)?),
                ("SigMech".to_owned(), mechanism()),
                ("WarrantCertificateType".to_owned(), D3s::symbol("Delegation")),
            ]));
        }
        let kind = if self.field_upgrade { "FieldUpgradeModuleInformation" } else { "ModuleInformation" };
        let approval = D3s::List(vec![
            D3s::symbol("FIPS140"),
            D3s::Small(2),
            D3s::Small(3),
            D3s::symbol("MultiChipEmbedded"),
        ]);
        payloads.push(D3s::Map(vec![
            ("ElectronicSerialNumber".to_owned(), D3s::text(&self.esn)),
            ("PhysicalSerialNumber".to_owned(), D3s::text("00-E00001")),
            ("Approvals".to_owned(), D3s::List(vec![approval])),
            ("WarrantCertificateType".to_owned(), D3s::symbol(kind)),
            ("KLF2pub".to_owned(), d3s_key(&self.klf2)?),
            ("KLF2mech".to_owned(), mechanism()),
        ]));
        Ok(payloads)
    }

    fn attributes(&self, hkm: &[u8]) -> Result<Vec<Attribute>, Error> {
        let signer = |s: &Signer| Ok::<_, Error>([s.hash()?, s.key_data()?, word(s.mechanism())].concat());
        let module_key = |hash: &[u8]| [hash.to_vec(), word(137), word(73)].concat();
        let module_keys = [module_key(&derived("nshield: KM0", 20)), module_key(hkm)];
        Ok(vec![
            Attribute(2, text(&self.esn)),
            Attribute(3, signer(&self.kml)?),
            Attribute(13, signer(&self.klf2)?),
            Attribute(5, [self.knso.hash()?, word(0x4e4f)].concat()),
            Attribute(6, vector(&module_keys)),
        ])
    }
}

/// [ECDSA, [EMSA1, SHA512]]
fn mechanism() -> D3s {
    D3s::List(vec![D3s::symbol("ECDSA"), D3s::List(vec![D3s::symbol("EMSA1"), D3s::symbol("SHA512")])])
}

/// [ECDSA, Public, NISTP521, [x, y]]
fn d3s_key(signer: &Signer) -> Result<D3s, Error> {
    let Signer::Ecdsa(key) = signer else { return Err(Error::Crypto("keys in warrants are ECDSA keys")) };
    let point = key.point().unwrap_or_default();
    let numbers = point.get(1..).unwrap_or_default().chunks(66);
    let numbers = numbers.map(|n| D3s::Big(n.iter().skip_while(|octet| **octet == 0).copied().collect()));
    Ok(D3s::List(vec![
        D3s::symbol("ECDSA"),
        D3s::symbol("Public"),
        D3s::symbol("NISTP521"),
        D3s::List(numbers.collect()),
    ]))
}

/// M_KeyGenParams of a key: RSA with strong primes, or an ECDSA curve.
///
/// # Errors
/// As [`key_data`].
pub fn parameters(key: &Key) -> Result<Vec<u8>, Error> {
    if let Some((modulus, _)) = key.rsa_public() {
        let bits = u32::try_from(modulus.len() * 8).map_err(|_| Error::TooLarge("RSA modulus"))?;
        return Ok([word(2), word(0x4), word(bits)].concat());
    }
    // The curve's number is the second word of the key data.
    let data = key_data(key, true)?;
    Ok([word(47), data.get(4..8).unwrap_or_default().to_vec()].concat())
}

/// RSA parameters with everything in them: the exponent is given, the number of tests too.
pub fn rsa_parameters_in_full(bits: u32, exponent: &[u8]) -> Vec<u8> {
    [word(2), word(0x7), word(bits), bignum(exponent), word(64)].concat()
}

/// An attribute of the module state: its tag and marshalled value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute(pub u32, pub Vec<u8>);

/// The module state certificate before it is signed.
#[derive(Debug, Clone)]
pub struct State {
    /// Flags.
    pub flags: u32,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// Who signs.
    pub signer: Signer,
}

/// The key generation certificate before it is signed.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Flags.
    pub flags: u32,
    /// M_KeyGenParams.
    pub parameters: Vec<u8>,
    /// The access control list.
    pub groups: Vec<Group>,
    /// Hash of the key.
    pub hash: Vec<u8>,
    /// Who signs.
    pub signer: Signer,
}

/// What binds the key to its world, before it is signed.
#[derive(Debug, Clone)]
pub struct World {
    /// Who signs.
    pub signer: Signer,
    /// M_KeyData of the Security Officer's key.
    pub knso: Vec<u8>,
    /// Which binding.
    pub fips: bool,
    /// Cipher suite.
    pub suite: String,
    /// Hash of the Security Officer's key, as signed.
    pub hknso: Vec<u8>,
    /// Hash of the module key.
    pub hkm: Vec<u8>,
    /// Hash of KMC.
    pub hkmc: Vec<u8>,
    /// Hash of KFIPS, for FIPS worlds.
    pub hkfips: Vec<u8>,
    /// Hashes of the recovery key and the recovery authorisation key.
    pub recovery: Option<[Vec<u8>; 2]>,
}

/// A bundle before its parts are signed: change what the test is about, then [`Attestation::sign`].
#[derive(Debug, Clone)]
pub struct Attestation {
    /// Payloads of the warrant's certificates, topmost first.
    pub warrant: Vec<D3s>,
    /// Who signs each of them.
    pub warrant_signers: Vec<Signer>,
    /// The module state.
    pub state: State,
    /// The key generation.
    pub generation: Generation,
    /// M_KeyData of the attested key.
    pub key_data: Vec<u8>,
    /// The world; none for a session key.
    pub world: Option<World>,
}

impl Attestation {
    /// Sign everything.
    ///
    /// # Errors
    /// Those of signing.
    pub fn sign(&self) -> Result<Bundle, Error> {
        let mut bundle = Bundle { members: Map::new() };
        bundle.set("pubkeydata", &self.key_data);
        let generation = self.generation.encode();
        bundle.set("kcmsg", &generation);
        bundle.set("kcsig", &self.generation.signer.sign(&generation)?);
        let state = self.state.encode();
        bundle.set("modstatemsg", &state);
        bundle.set("modstatesig", &self.state.signer.sign(&state)?);
        bundle.set("warrant", &self.signed_warrant()?.encode());
        bundle.set_text("root", ROOT);
        if let Some(world) = &self.world {
            world.write(&mut bundle)?;
        }
        Ok(bundle)
    }

    /// The warrant: name of the root, then the certificates.
    ///
    /// # Errors
    /// Those of signing.
    pub fn signed_warrant(&self) -> Result<D3s, Error> {
        let mut items = vec![D3s::symbol(ROOT)];
        for (payload, signer) in self.warrant.iter().zip(&self.warrant_signers) {
            let payload = payload.encode();
            let Signer::Ecdsa(key) = signer else {
                return Err(Error::Crypto("warrants are signed with ECDSA"));
            };
            let signature = key.sign(SignAlg::EcdsaSha512Raw, &payload)?;
            items.push(D3s::Map(vec![
                ("Payload".to_owned(), D3s::Bytes(payload)),
                ("Signature".to_owned(), D3s::Bytes(signature)),
            ]));
        }
        Ok(D3s::List(items))
    }
}

impl State {
    fn encode(&self) -> Vec<u8> {
        let attributes: Vec<_> = self
            .attributes
            .iter()
            .map(|Attribute(tag, value)| [word(*tag), value.clone()].concat())
            .collect();
        [word(4), word(self.flags), vector(&attributes)].concat()
    }
}

impl Generation {
    fn encode(&self) -> Vec<u8> {
        [word(2), word(self.flags), self.parameters.clone(), acl::encode(&self.groups), self.hash.clone()]
            .concat()
    }
}

impl World {
    fn write(&self, bundle: &mut Bundle) -> Result<(), Error> {
        bundle.set("knsopub", &self.knso);
        bundle.set("hkm", &key_hash_ex(&self.hkm));
        bundle.set("hkmc", &key_hash_ex(&self.hkmc));
        bundle.set_text("ciphersuite", &self.suite);
        let (name, start) = match self.fips {
            true => ("CertKMaKMCaKFIPSbKNSO", "Module setup, FIPS3; suite = "),
            false => ("CertKMaKMCbKNSO", "Module keys: suite = "),
        };
        let mut message = format!("{start}{}\0", self.suite).into_bytes();
        message.extend([self.hknso.clone(), self.hkm.clone(), self.hkmc.clone()].concat());
        if self.fips {
            bundle.set("hkfips", &key_hash_ex(&self.hkfips));
            message.extend(&self.hkfips);
        }
        bundle.set(name, &self.signer.sign(&message)?);
        if let Some([hkre, hkra]) = &self.recovery {
            bundle.set("hkre", &key_hash_ex(hkre));
            bundle.set("hkra", &key_hash_ex(hkra));
            let message =
                [b"Card Recovery\0".to_vec(), self.hknso.clone(), hkre.clone(), hkra.clone()].concat();
            bundle.set("CertKREaKRAbKNSO", &self.signer.sign(&message)?);
        }
        Ok(())
    }
}

/// A signed bundle; its members can still be exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Members as they stand in the file.
    pub members: Map<String, Value>,
}

impl Bundle {
    /// Set a binary member.
    pub fn set(&mut self, name: &str, octets: &[u8]) {
        self.set_text(name, &URL_SAFE.encode(octets));
    }

    /// Set a text member.
    pub fn set_text(&mut self, name: &str, text: &str) {
        self.members.insert(name.to_owned(), Value::from(text));
    }

    /// The octets of a binary member; empty when there is none.
    pub fn get(&self, name: &str) -> Vec<u8> {
        let text = self.members.get(name).and_then(Value::as_str).unwrap_or_default();
        URL_SAFE.decode(text).unwrap_or_default()
    }

    /// The file of `nfkmattest`.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn json(&self) -> Result<Vec<u8>, Error> {
        Ok(serde_json::to_vec(&self.members)?)
    }

    /// The file under its usual name.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn file(&self) -> Result<File, Error> {
        Ok(File::new("key_pkcs11_ua0123456789abcdef.att", self.json()?))
    }
}

/// Permissions of a signing key made by `generatekey`.
pub const SIGNING: u32 = permission::DUPLICATE_HANDLE
    | 0x2
    | permission::GET_APP_DATA
    | permission::REDUCE_ACL
    | permission::SIGN
    | permission::GET_ACL
    | 0x8000;
