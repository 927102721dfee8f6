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
mod bundle;
mod dsa;
pub mod marshal;
mod samples;
mod signer;

pub use bundle::{Attestation, Attribute, Bundle, Generation, State, World};
pub use dsa::DsaKey;
pub use samples::samples;
pub use signer::{Signer, key_data, key_hash};

use acl::{Action, Blob, Group, permission};
use marshal::{D3s, bignum, text, vector, word};

use crate::key::{Key, derived};
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

/// Permissions of a signing key made by `generatekey`.
pub const SIGNING: u32 = permission::DUPLICATE_HANDLE
    | 0x2
    | permission::GET_APP_DATA
    | permission::REDUCE_ACL
    | permission::SIGN
    | permission::GET_ACL
    | 0x8000;
