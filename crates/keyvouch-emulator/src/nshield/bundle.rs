//! A bundle before and after it is signed.

use super::acl::{self, Group};
use super::marshal::{D3s, key_hash_ex, vector, word};
use super::{ROOT, Signer};
use crate::key::SignAlg;
use crate::{Error, File};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value};

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
