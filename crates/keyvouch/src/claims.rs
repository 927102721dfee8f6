//! What evidence says about a key and its device: one vocabulary for every format.
//!
//! A [`Claim`] is a value with its [`Basis`] and the place it was read from. The claims of a statement are
//! gathered by [`ClaimSet::of`], which takes an [`Authentic`] value: without authenticated bytes there is no
//! way to write down that something is *attested*.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::authentic::{Authentic, Fetched};
use crate::checks::Text;

macro_rules! claim_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The name of a claim. The text form is the stable contract of reports and policies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ClaimName { $($(#[$doc])* $variant,)* }

        impl ClaimName {
            /// Every claim name, in the order of reports.
            pub const ALL: &'static [ClaimName] = &[$(ClaimName::$variant,)*];

            /// The text form, such as `key.exportable`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(ClaimName::$variant => $text,)* }
            }
        }
    };
}

claim_names! {
    /// PIN policy of the key: `never`, `once`, `always`, …
    AuthPin = "auth.pin",
    /// Touch policy of the key: `never`, `always`, `cached`, …
    AuthTouch = "auth.touch",
    /// How the user is verified by the device.
    AuthUserVerification = "auth.user_verification",
    /// `hsm`, `cloud-hsm`, `token`, `secure-element`, `tpm`, `tee` or `software`.
    DeviceClass = "device.class",
    /// Firmware version of the device, dotted.
    DeviceFirmware = "device.firmware",
    /// Whether the device was in its FIPS-approved mode.
    DeviceFipsMode = "device.fips_mode",
    /// Model of the device, in the maker's words.
    DeviceModel = "device.model",
    /// Serial number of the device, as the maker prints it.
    DeviceSerial = "device.serial",
    /// Maker of the device.
    DeviceVendor = "device.vendor",
    /// Key type and size, such as `RSA-3072` or `EC-P256`.
    KeyAlgorithm = "key.algorithm",
    /// When the key was created, RFC 3339.
    KeyCreatedAt = "key.created_at",
    /// Whether the key was exportable at any time of its life.
    KeyEverExportable = "key.ever_exportable",
    /// `never`, `vendor-boundary`, `wrapped` or `yes`.
    KeyExportable = "key.exportable",
    /// Whether the key was generated inside the device.
    KeyGeneratedInDevice = "key.generated_in_device",
    /// What the device lets the key do: `sign`, `decrypt`, `agree`, `wrap`, `attest`.
    KeyPurposes = "key.purposes",
    /// SHA-256 of the DER SubjectPublicKeyInfo, hexadecimal.
    KeySpkiSha256 = "key.spki_sha256",
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ClaimName {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

/// The value of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nobody proved it. Serialised as the text `unknown`.
    Unknown,
    /// Yes or no.
    Bool(bool),
    /// One word or text.
    Text(String),
    /// A set of words, in the order of the vocabulary.
    Set(Vec<&'static str>),
}

impl Value {
    /// Whether the value is [`Value::Unknown`].
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The text, where the value is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Text(t) => f.write_str(t),
            Self::Set(words) => f.write_str(&words.join(", ")),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => s.serialize_str("unknown"),
            Self::Bool(b) => s.serialize_bool(*b),
            Self::Text(t) => s.serialize_str(t),
            Self::Set(words) => s.collect_seq(words),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}
impl From<&str> for Value {
    fn from(t: &str) -> Self {
        Self::Text(t.to_owned())
    }
}
impl From<String> for Value {
    fn from(t: String) -> Self {
        Self::Text(t)
    }
}
impl From<Vec<&'static str>> for Value {
    fn from(words: Vec<&'static str>) -> Self {
        Self::Set(words)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

/// Why a claim is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Inside bytes signed by the device or its maker.
    Attested,
    /// Guaranteed by the documented behaviour of the device, given authentic evidence.
    Implied,
    /// Unsigned, or said by the subscriber.
    Declared,
    /// Configured by the operator of the verifier.
    Operator,
    /// Said over their signature by people who saw it, whom the operator trusts; `from` names them.
    Witnessed,
    /// Not established.
    Unknown,
}

/// A value, why it is believed, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The value.
    pub value: Value,
    /// Why it is believed.
    pub basis: Basis,
    /// Field of the evidence, document that guarantees it, or who says so.
    pub from: Text,
}

/// The claims of one statement.
///
/// `named` holds the vocabulary that policies use; `details` holds what the format can say beyond it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimSet {
    named: BTreeMap<ClaimName, Claim>,
    details: BTreeMap<&'static str, Claim>,
}

impl ClaimSet {
    /// Starts the claims of an authenticated statement.
    pub fn of<T>(statement: &Authentic<T>) -> Claims<'_, T> {
        Claims { statement: statement.get(), set: Self::default() }
    }

    /// Starts the claims of what the operator fetched from a provider. All of them have the basis `operator`.
    pub fn told<T>(answer: &Fetched<T>) -> Told<'_, T> {
        Told { answer: answer.get(), set: Self::default() }
    }

    /// Every claim, and each of them unknown: of a device that attests nothing, while nobody is believed.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default().completed()
    }

    /// Starts the claims of what people witnessed and signed. All of them have the basis `witnessed`; `signers` names who
    /// says so, in every claim.
    pub fn witnessed<T>(statement: &Authentic<T>, signers: impl Into<String>) -> Witnessed<'_, T> {
        Witnessed { statement: statement.get(), signers: signers.into(), set: Self::default() }
    }

    /// The claim of that name.
    #[must_use]
    pub fn get(&self, name: ClaimName) -> Option<&Claim> {
        self.named.get(&name)
    }

    /// The value of that name; [`Value::Unknown`] where there is no claim.
    #[must_use]
    pub fn value(&self, name: ClaimName) -> &Value {
        self.named.get(&name).map_or(&Value::Unknown, |c| &c.value)
    }

    /// The text of that name, where it is known and a text.
    #[must_use]
    pub fn text(&self, name: ClaimName) -> Option<&str> {
        self.value(name).as_text()
    }

    /// The claims of the common vocabulary, by name.
    pub fn named(&self) -> impl Iterator<Item = (ClaimName, &Claim)> {
        self.named.iter().map(|(n, c)| (*n, c))
    }

    /// The claims that only this format makes, by name.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &Claim)> {
        self.details.iter().map(|(n, c)| (*n, c))
    }

    /// Puts a worse value in the place of a claim: what other signed bytes, which the statement's own are joined to,
    /// say against it.
    pub(crate) fn overrule(&mut self, name: ClaimName, worse: impl Into<Value>, from: &'static str) {
        self.named.insert(name, Claim { value: worse.into(), basis: Basis::Attested, from: from.into() });
    }

    /// Whether there is no claim at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.details.is_empty()
    }
}

/// Gathers the claims of an authenticated statement; see [`ClaimSet::of`].
#[must_use]
pub struct Claims<'s, T> {
    statement: &'s T,
    set: ClaimSet,
}

impl<T> Claims<'_, T> {
    /// A value read from the authenticated statement. `from` names the field.
    pub fn attested<V: Into<Value>>(
        mut self,
        name: ClaimName,
        from: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.statement).into();
        self.put(name, value, Basis::Attested, from);
        self
    }

    /// A value that the device's documented behaviour guarantees. `from` cites the document.
    pub fn implied(mut self, name: ClaimName, from: &'static str, value: impl Into<Value>) -> Self {
        self.put(name, value.into(), Basis::Implied, from);
        self
    }

    /// A value that rests on what the operator configured, and not on signatures alone.
    pub fn operator<V: Into<Value>>(
        mut self,
        name: ClaimName,
        from: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.statement).into();
        self.put(name, value, Basis::Operator, from);
        self
    }

    /// Says that this kind of evidence does not establish the claim.
    pub fn unknown(mut self, name: ClaimName, why: &'static str) -> Self {
        self.put(name, Value::Unknown, Basis::Unknown, why);
        self
    }

    /// A value of the authenticated statement beyond the common vocabulary.
    pub fn detail<V: Into<Value>>(
        mut self,
        name: &'static str,
        from: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.statement).into();
        let basis = if value.is_unknown() { Basis::Unknown } else { Basis::Attested };
        self.set.details.insert(name, Claim { value, basis, from: from.into() });
        self
    }

    /// A value beyond the common vocabulary that nobody signed, or that its subject says of itself.
    pub fn declared(mut self, name: &'static str, from: &'static str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let basis = if value.is_unknown() { Basis::Unknown } else { Basis::Declared };
        self.set.details.insert(name, Claim { value, basis, from: from.into() });
        self
    }

    /// The finished set. Names that were not spoken of are added as unknown.
    #[must_use]
    pub fn finish(self) -> ClaimSet {
        self.set.completed()
    }

    fn put(&mut self, name: ClaimName, value: Value, basis: Basis, from: &'static str) {
        self.set.put(name, value, basis, from.into());
    }
}

impl ClaimSet {
    fn completed(mut self) -> Self {
        for name in ClaimName::ALL {
            self.named.entry(*name).or_insert(Claim {
                value: Value::Unknown,
                basis: Basis::Unknown,
                from: "not in this evidence".into(),
            });
        }
        self
    }

    fn put(&mut self, name: ClaimName, value: Value, basis: Basis, from: Text) {
        let basis = if value.is_unknown() { Basis::Unknown } else { basis };
        self.named.insert(name, Claim { value, basis, from });
    }
}

/// Gathers the claims of what people witnessed; see [`ClaimSet::witnessed`]. Nothing can be called attested here.
#[must_use]
pub struct Witnessed<'s, T> {
    statement: &'s T,
    signers: String,
    set: ClaimSet,
}

impl<T> Witnessed<'_, T> {
    /// A value that the signers say. `field` is its place in their statement.
    pub fn claim<V: Into<Value>>(
        mut self,
        name: ClaimName,
        field: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.statement).into();
        let from = self.from(field, &value);
        self.set.put(name, value, Basis::Witnessed, from);
        self
    }

    /// A value beyond the common vocabulary.
    pub fn detail<V: Into<Value>>(
        mut self,
        name: &'static str,
        field: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.statement).into();
        let basis = if value.is_unknown() { Basis::Unknown } else { Basis::Witnessed };
        let from = self.from(field, &value);
        self.set.details.insert(name, Claim { value, basis, from });
        self
    }

    /// The finished set. Names that were not spoken of are added as unknown.
    #[must_use]
    pub fn finish(self) -> ClaimSet {
        self.set.completed()
    }

    fn from(&self, field: &'static str, value: &Value) -> Text {
        if value.is_unknown() { field.into() } else { format!("{field}, signed by {}", self.signers).into() }
    }
}

/// Gathers the claims of what the operator fetched from a provider; see [`ClaimSet::told`]. Nothing can be called
/// attested here.
#[must_use]
pub struct Told<'s, T> {
    answer: &'s T,
    set: ClaimSet,
}

impl<T> Told<'_, T> {
    /// A value of the provider's answer, or one that its documents give for it. `from` names both.
    pub fn operator<V: Into<Value>>(
        mut self,
        name: ClaimName,
        from: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.answer).into();
        self.set.put(name, value, Basis::Operator, from.into());
        self
    }

    /// Says that this kind of answer does not establish the claim.
    pub fn unknown(mut self, name: ClaimName, why: &'static str) -> Self {
        self.set.put(name, Value::Unknown, Basis::Unknown, why.into());
        self
    }

    /// A value of the provider's answer beyond the common vocabulary.
    pub fn detail<V: Into<Value>>(
        mut self,
        name: &'static str,
        from: &'static str,
        read: impl FnOnce(&T) -> V,
    ) -> Self {
        let value = read(self.answer).into();
        let basis = if value.is_unknown() { Basis::Unknown } else { Basis::Operator };
        self.set.details.insert(name, Claim { value, basis, from: from.into() });
        self
    }

    /// The finished set. Names that were not spoken of are added as unknown.
    #[must_use]
    pub fn finish(self) -> ClaimSet {
        self.set.completed()
    }
}
