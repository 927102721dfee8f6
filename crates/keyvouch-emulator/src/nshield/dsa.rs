//! DSA keys (FIPS 186-4, 3072 and 256 bits): what most modules sign with.

use crate::Error;
use crate::key::Random;
use ::dsa::signature::Signer;
use ::dsa::{BoxedUint, Components, SigningKey};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

// A group that OpenSSL 3.0 generated for this emulator; generation takes a while, and a group is no secret.
const P: &str = "\
    cba4f9ce28293f47feda952a04f6554f689cdcc629375e33328740bc1d07aabb19b4bdb1b0c4a8618629b7c99c975657\
    d085be2b3a55ca656498ff5d69469bbf19f1e7256e150d634b41f5cc911cd476cc61cffd1eed436839f5d729f65a4efd\
    40ccf680c9496168233123aad4e9aff424520b076a3d56a393f104f409d01fca2b8d629e16c79273a1cca4eba7a43f19\
    fb9cca39250e3850b8a5f301199ccf609f3f3b03518dfac5dceea5e429ea70493f887c8247dfd73d5cb5080bcf392bd9\
    49a63068781353db29a82539cefb6e5b90a8b9129640c9c8cc4681262be31c26bd2220b6c9a39d997d2a96ec2edb0ba7\
    da25f66f02f42decf05d24f95e98d7dff6204b367c9825bc46fe85ee5a1aa2e98c26a2cde0eef549f55ffbcdb6618ada\
    08eafc7afdb5d7895608d5ffce92b7f8536a1b7b80adf201596d68cff9f190965026627668286330a71d3bcd1a428064\
    c3391d5fff988da73b73c5ff6e65b2c7939cc19e6f483b2239910ef952adf0fcf1fa7b97e77c3f8b9280ae1130e7b56d";
const Q: &str = "\
    9becd49ab1ee899aad74ef3b22b218a1445a2f6e1b22633de5ad0c3e9491636b";
const G: &str = "\
    95bb04c9adb56119d4e31bf66a5b5a5f2f2f84704661ac89c53167f0f92121825195e92f6b47205ba3cf8c6655b26b2e\
    ec7e0c12bb64f4193fd31b8f6bc753358338d81e4bcdd04188add0e2893a0a54bacadec83bc8a4e8cc9f202c2666d104\
    9d09fe924ad5902a394e0a52231289090b94f4a4122ccccb11b6b7a44e5fd0a9de58b8af97657db3d3201e4a6861466f\
    32f75c2add3b373e8b326e1bad0fd78aeb52616d4329ce7997dcdab2b7f0e423fa0e5add853a25fc2a8a381a4718c251\
    f72ce33f778a76a1f1e274c7016cc923112d63b628423a67083d47e019321b2f443bd1e9353187111524c27b95b7ac27\
    435e60ab01fe97436107f81d066585b1b9ddaa1687d5b4d11f4eed115741c852aecb0c0f16c99f02c5b2490eaaa3d477\
    381edcdfbc8a7663ea2f46254a12dfdaf670d63dd093362f178291ae2c70856369c29a7277f5c5a727a5d7660b8072fc\
    258c167320b0ce8f65a9fac2ce69a38c28ad4eb43f0362b717094d61817a0db21b056d02e79c1aecf1e96aed7a1246a3";

/// A DSA key pair of the emulator's group.
#[derive(Debug)]
pub struct DsaKey {
    signing: SigningKey,
    /// By message: signing is slow here, and deterministic (RFC 6979).
    signatures: Mutex<BTreeMap<Vec<u8>, [Vec<u8>; 2]>>,
}

impl DsaKey {
    /// The key of this name, generated once in the life of the process.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn shared(label: &str) -> Result<Arc<Self>, Error> {
        static KEYS: Mutex<BTreeMap<String, Arc<DsaKey>>> = Mutex::new(BTreeMap::new());
        let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(label) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(Self::generate()?);
        keys.insert(label.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    fn generate() -> Result<Self, Error> {
        let failed = Error::Crypto("DSA key generation");
        let number = |text: &str, bits| {
            let bytes = hex::decode(text).map_err(|_| Error::Crypto("DSA group"))?;
            BoxedUint::from_be_slice(&bytes, bits).map_err(|_| Error::Crypto("DSA group"))
        };
        let group = Components::from_components(number(P, 3072)?, number(Q, 256)?, number(G, 3072)?)
            .map_err(|_| Error::Crypto("DSA group"))?;
        let signing =
            SigningKey::try_generate_from_rng_with_components(&mut Random, group).map_err(|_| failed)?;
        Ok(Self { signing, signatures: Mutex::default() })
    }

    /// p, q, g and the public value y, big-endian.
    pub fn numbers(&self) -> [Vec<u8>; 4] {
        let key = self.signing.verifying_key();
        let group = key.components();
        [
            group.p().to_be_bytes().into(),
            group.q().to_be_bytes().into(),
            group.g().to_be_bytes().into(),
            key.y().to_be_bytes().into(),
        ]
    }

    /// r and s over the SHA-256 digest of a message, big-endian.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn sign(&self, message: &[u8]) -> Result<[Vec<u8>; 2], Error> {
        let mut known = self.signatures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signature) = known.get(message) {
            return Ok(signature.clone());
        }
        let made = self.signing.try_sign(message).map_err(|_| Error::Crypto("DSA signature"))?;
        let signature = [made.r().to_be_bytes().into(), made.s().to_be_bytes().into()];
        known.insert(message.to_vec(), signature.clone());
        Ok(signature)
    }
}
