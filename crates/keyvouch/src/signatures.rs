//! Certificate signatures that were already verified.
//!
//! That a certificate's signature verifies under a key is a fact of mathematics: it depends on nothing but the
//! certificate and the key, neither on time nor on anchors. So it may be remembered, and the same manufacturer
//! certificates come with thousands of statements. Everything else about a path is judged anew each time.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::crypto::{PublicKey, SignatureError};
use crate::pki::{Certificate, EcdsaForm};

/// SHA-256 of the certificate, SHA-256 of the issuer's SubjectPublicKeyInfo, and what was tolerated.
type Fact = ([u8; 32], [u8; 32], EcdsaForm);

/// A bounded memory of verified certificate signatures, shared by the appraisals of one verifier.
#[derive(Debug)]
pub struct IssuerCache {
    /// Facts per generation; zero turns the memory off.
    capacity: usize,
    generations: Mutex<(HashSet<Fact>, HashSet<Fact>)>,
}

impl IssuerCache {
    /// Remembers up to twice `capacity` signatures; the least recently added half is dropped when full.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, generations: Mutex::default() }
    }

    fn knows(&self, fact: &Fact) -> bool {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.0.contains(fact) || generations.1.contains(fact)
    }

    fn learn(&self, fact: Fact) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.0.len() >= self.capacity {
            generations.1 = std::mem::take(&mut generations.0);
        }
        generations.0.insert(fact);
    }
}

/// The certificate signatures of one appraisal.
#[derive(Debug)]
pub struct Signatures<'c> {
    shared: &'c IssuerCache,
    own: RefCell<Vec<Fact>>,
}

impl<'c> Signatures<'c> {
    /// With a memory shared with other appraisals.
    #[must_use]
    pub fn new(shared: &'c IssuerCache) -> Self {
        Self { shared, own: RefCell::default() }
    }

    /// Whether `certificate` is signed by `key`. Only valid signatures are remembered.
    ///
    /// # Errors
    /// When it is not, or the algorithm is not accepted.
    pub fn check(&self, certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureError> {
        self.check_with(certificate, key, EcdsaForm::Standard)
    }

    /// The same, tolerating what `form` names. What was found valid so is not taken for valid by [`check`](Self::check).
    ///
    /// # Errors
    /// When it is not, or the algorithm is not accepted.
    pub fn check_with(
        &self,
        certificate: &Certificate,
        key: &PublicKey,
        form: EcdsaForm,
    ) -> Result<(), SignatureError> {
        let fact = (*certificate.sha256(), key.spki_sha256(), form);
        let on = self.shared.capacity > 0;
        if self.own.borrow().contains(&fact) || (on && self.shared.knows(&fact)) {
            return Ok(());
        }
        let _valid = certificate.verify_signed_by_with(key, form)?;
        self.own.borrow_mut().push(fact);
        if on {
            self.shared.learn(fact);
        }
        Ok(())
    }
}
