//! Types that make unauthenticated claims impossible to express.
//!
//! The road from bytes to claims has three gates, each a type with no public constructor:
//!
//! 1. [`SignatureValid`] – these bytes carry a valid signature of this key. Made only by
//!    [`PublicKey::verify`](crate::crypto::PublicKey::verify).
//! 2. [`TrustedKey`] – this key is vouched for by a pinned anchor. Made only by the path validator in
//!    [`pki::path`](crate::pki::path), from a pinned bare key, or from a key that an authentic statement
//!    delegates to.
//! 3. [`Authentic`] – both together: bytes signed by a trusted key, and whatever is parsed from them; or a
//!    certificate on a validated path.
//!
//! Claims ([`ClaimSet::of`](crate::claims::ClaimSet::of)) take only the third.
//!
//! Apart from this road there is [`Fetched`], for devices that attest nothing: what the operator of the verifier asked
//! the device's provider himself. It can never become [`Authentic`], and its claims
//! ([`ClaimSet::told`](crate::claims::ClaimSet::told)) are of basis `operator` only.

use crate::appraisal::{AnchorRef, Trust};
use crate::crypto::PublicKey;
use crate::reference::anchors::{Anchor, AnchorKind};
use crate::submission::Options;

/// Proof that `message` carries a valid signature of `key`. Says nothing about whether `key` is trusted.
#[derive(Debug)]
#[must_use]
pub struct SignatureValid<'m> {
    message: &'m [u8],
    key: PublicKey,
}

impl<'m> SignatureValid<'m> {
    /// Only for the signature verification in `crypto`, after the check succeeded.
    pub(crate) fn new(message: &'m [u8], key: PublicKey) -> Self {
        Self { message, key }
    }
}

/// A key that a pinned anchor vouches for, and how.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    key: PublicKey,
    trust: Trust,
}

impl TrustedKey {
    /// Only for the path validator, after every check of the path succeeded, and for the ways below.
    pub(crate) fn new(key: PublicKey, trust: Trust) -> Self {
        Self { key, trust }
    }

    /// A pinned bare key; `None` for anchors that are certificates, which need a path, and for distrusted ones.
    #[must_use]
    pub fn pinned(anchor: &Anchor) -> Option<Self> {
        let trust = || Trust::new(AnchorRef::of(anchor), vec![anchor.name.clone()]);
        (anchor.kind == AnchorKind::Key).then(|| Self::new(anchor.key.clone(), trust()))
    }

    /// The trusted key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The anchor and the path from it to this key.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The signed bytes, now authentic; `None` when another key made the signature.
    #[must_use]
    pub fn authenticate<'m>(&self, proof: SignatureValid<'m>) -> Option<Authentic<&'m [u8]>> {
        (proof.key == self.key).then(|| Authentic { value: proof.message, trust: self.trust.clone() })
    }
}

/// A value read from bytes that were signed by a key under a pinned anchor.
#[derive(Debug, Clone)]
pub struct Authentic<T> {
    value: T,
    trust: Trust,
}

impl<T> Authentic<T> {
    /// Only for the path validator: a certificate on a path in which every check succeeded.
    pub(crate) fn vouched(value: T, trust: Trust) -> Self {
        Self { value, trust }
    }

    /// Parses the authentic value further. The closure must read nothing but its argument.
    ///
    /// # Errors
    /// Whatever the parser says.
    pub fn parse<U, E>(self, parse: impl FnOnce(T) -> Result<U, E>) -> Result<Authentic<U>, E> {
        let trust = self.trust;
        parse(self.value).map(|value| Authentic { value, trust })
    }

    /// Two values authenticated under the same anchor and path, as one.
    #[must_use]
    pub fn join<U>(self, other: Authentic<U>) -> Option<Authentic<(T, U)>> {
        (self.trust == other.trust)
            .then_some(Authentic { value: (self.value, other.value), trust: self.trust })
    }

    /// Two values authenticated under the same anchor by keys on different branches below it. The trust that is
    /// kept is that of the first. Whether both speak of the same device is for the format to check.
    #[must_use]
    pub(crate) fn beside<U>(self, other: Authentic<U>) -> Option<Authentic<(T, U)>> {
        (self.trust.anchor() == other.trust.anchor())
            .then_some(Authentic { value: (self.value, other.value), trust: self.trust })
    }

    /// A value that this one names by a digest: as authentic as this one when `names` finds its digest here.
    #[must_use]
    pub(crate) fn endorse<U>(&self, value: U, names: impl FnOnce(&T, &U) -> bool) -> Option<Authentic<U>> {
        names(&self.value, &value).then(|| Authentic { value, trust: self.trust.clone() })
    }

    /// The key that this value delegates to, under the name it has in reports: for statements whose format says
    /// that the key may sign in its turn. `None` when there is none.
    #[must_use]
    pub(crate) fn delegate(
        &self,
        name: impl Into<String>,
        key: impl FnOnce(&T) -> Option<PublicKey>,
    ) -> Option<TrustedKey> {
        let mut path = self.trust.path().to_vec();
        path.push(name.into());
        let trust = Trust::new(self.trust.anchor().clone(), path);
        key(&self.value).map(|key| TrustedKey::new(key, trust))
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The anchor and the path to the key that signed it.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.trust
    }
}

/// The operator switch behind [`Fetched`].
pub const PROVIDER_FETCHED: &str = "provider_fetched";

/// What the operator says he fetched himself from the provider of a device, over his own connection. Nobody signed
/// it: it is worth what the operator's word and his connection are worth.
#[derive(Debug, Clone)]
pub struct Fetched<T>(T);

impl<T> Fetched<T> {
    /// The value as fetched; `None` unless the operator said so (`provider_fetched`): then it is text of whoever
    /// handed it in.
    #[must_use]
    pub fn by_operator(value: T, options: &Options) -> Option<Self> {
        options.is_on(PROVIDER_FETCHED).then_some(Self(value))
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }
}
