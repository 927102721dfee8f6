//! What the objects of a statement are to each other, and whether the private key is as a CA wants it.

use super::attributes as attribute;
use super::checks as ck;
use super::layout::{self, Fault, Layout};
use super::object::{EC, Object, PRIVATE, PUBLIC, RSA};
use crate::checks::Checks;
use crate::crypto::{Curve, Material, PublicKey, sha1, sha256};

/// The one or two objects of a statement.
#[derive(Debug, Clone)]
pub(super) struct Objects<'b>(Vec<Object<'b>>);

/// What a statement speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'o, 'b> {
    Pair {
        private: &'o Object<'b>,
        public: &'o Object<'b>,
    },
    Private(&'o Object<'b>),
    Public(&'o Object<'b>),
    /// A secret key, or no key at all.
    Other(&'o Object<'b>),
    /// Two objects that are not the halves of a pair, or none.
    NoPair,
}

impl<'b> Objects<'b> {
    pub(super) fn new(objects: Vec<Object<'b>>) -> Result<Self, Fault> {
        layout::distinct_handles(&objects)?;
        Ok(Self(objects))
    }

    pub(super) fn subject(&self) -> Subject<'_, 'b> {
        match self.0.as_slice() {
            [one] => match one.class() {
                Some(PRIVATE) => Subject::Private(one),
                Some(PUBLIC) => Subject::Public(one),
                _ => Subject::Other(one),
            },
            [a, b] => match (a.class(), b.class()) {
                (Some(PUBLIC), Some(PRIVATE)) => Subject::Pair { private: b, public: a },
                (Some(PRIVATE), Some(PUBLIC)) => Subject::Pair { private: a, public: b },
                _ => Subject::NoPair,
            },
            _ => Subject::NoPair,
        }
    }

    /// The private key object. A public object never stands in for it.
    pub(super) fn private(&self) -> Option<&Object<'b>> {
        match self.subject() {
            Subject::Pair { private, .. } | Subject::Private(private) => Some(private),
            _ => None,
        }
    }

    /// Any of the objects: all are of one key.
    pub(super) fn any(&self) -> Option<&Object<'b>> {
        self.private().or_else(|| self.0.first())
    }
}

/// What the halves of a pair have in common.
const COMMON: [u32; 8] = [
    attribute::KEY_TYPE,
    attribute::MODULUS,
    attribute::MODULUS_BITS,
    attribute::PUBLIC_EXPONENT,
    attribute::ID,
    attribute::LABEL,
    attribute::KCV,
    attribute::EKCV,
];

/// Makes the checks on the objects.
pub(super) fn check(objects: &Objects<'_>, layout: Layout, place: &str, checks: &mut Checks) {
    let at = || place.to_owned();
    match objects.subject() {
        Subject::Pair { private, public } => {
            let differs = COMMON.into_iter().find(|n| private.value(*n) != public.value(*n));
            checks.test(
                &ck::PAIR_MISMATCH,
                at(),
                differs.is_none(),
                "the objects are the halves of one key pair",
                || {
                    let what = differs.map(attribute::name).unwrap_or_default();
                    format!("private and public object differ in {what}").into()
                },
            );
            check_key(private, layout, "private object", place, checks);
            check_key(public, layout, "public object", place, checks);
        }
        Subject::Private(private) => {
            checks.skip(&ck::PAIR_MISMATCH, at(), "only the private object: it holds the public values too");
            check_key(private, layout, "private object", place, checks);
        }
        Subject::Public(public) => {
            checks.fail(&ck::NO_PRIVATE_OBJECT, at(), "only the public half of the key is attested");
            check_key(public, layout, "public object", place, checks);
        }
        Subject::Other(object) => {
            let class = object.class().unwrap_or(u8::MAX);
            let kind = object.key_type().map(|k| format!(" ({})", attribute::key_type_name(k)));
            let detail =
                format!("the attested object: {}{}", attribute::class_name(class), kind.unwrap_or_default());
            checks.fail(&ck::NOT_ASYMMETRIC, at(), detail);
        }
        Subject::NoPair => {
            checks.fail(&ck::PAIR_MISMATCH, at(), "the objects are not one private and one public key");
        }
    }
    if let Some(private) = objects.private() {
        checks.pass(&ck::NOT_ASYMMETRIC, at(), "the attested object is a private key");
        checks.pass(&ck::NO_PRIVATE_OBJECT, at(), "the private key is attested");
        check_attributes(private, place, checks);
    }
}

/// Why the public values of an object are not a key.
pub(super) enum KeyFault {
    /// A key type or curve that is not in the table.
    Unknown(String),
    /// Numbers that contradict each other or are no key.
    Values(&'static str),
}

/// The public key from the values in an object, private or public.
pub(super) fn key_of(object: &Object<'_>) -> Result<PublicKey, KeyFault> {
    let value = object.value(attribute::MODULUS).ok_or(KeyFault::Values("no public value"))?;
    let bits = object.word(attribute::MODULUS_BITS).ok_or(KeyFault::Values("no size"))?;
    match object.key_type() {
        Some(RSA) => rsa_key(value, bits, object.value(attribute::PUBLIC_EXPONENT).unwrap_or_default()),
        Some(EC) => {
            let curve = curve(bits).ok_or_else(|| KeyFault::Unknown(format!("curve number {bits}")))?;
            let key = PublicKey::ec(curve, value)
                .map_err(|_| KeyFault::Values("the point does not have the form of its curve"))?;
            if key.is_on_curve() == Some(true) {
                Ok(key)
            } else {
                Err(KeyFault::Values("the point is not on its curve"))
            }
        }
        other => {
            let number = other.unwrap_or(u8::MAX);
            Err(KeyFault::Unknown(format!("key type {number:#04x} ({})", attribute::key_type_name(number))))
        }
    }
}

fn rsa_key(modulus: &[u8], bits: u32, exponent: &[u8]) -> Result<PublicKey, KeyFault> {
    use KeyFault::Values;
    let key =
        PublicKey::rsa(modulus, exponent).map_err(|_| Values("modulus or exponent is zero or too long"))?;
    if key.rsa_bits() != usize::try_from(bits).ok() || modulus.first() == Some(&0) {
        return Err(Values("the modulus has not the size that is stated"));
    }
    let Material::Rsa { n, e } = key.material() else { return Err(Values("not an RSA key")) };
    let odd = |number: &[u8]| number.last().is_some_and(|low| low & 1 == 1);
    if !odd(n) || !odd(e) {
        return Err(Values("modulus or exponent is even"));
    }
    // 65537 is the smallest odd number of three bytes with a first byte that is not zero.
    if e.len() < 3 {
        return Err(Values("the exponent is smaller than 65537"));
    }
    Ok(key)
}

/// For EC keys the size is OpenSSL's number of the curve (NID).
fn curve(nid: u32) -> Option<Curve> {
    match nid {
        415 => Some(Curve::P256),
        714 => Some(Curve::Secp256k1),
        715 => Some(Curve::P384),
        716 => Some(Curve::P521),
        _ => None,
    }
}

/// The numbers of an object, and the values by which the device shows that it means this very key.
fn check_key(object: &Object<'_>, layout: Layout, what: &str, place: &str, checks: &mut Checks) {
    let at = || place.to_owned();
    let key = match key_of(object) {
        Ok(key) => key,
        Err(KeyFault::Unknown(kind)) => {
            return checks.fail(&ck::CURVE_UNKNOWN, at(), format!("{what}: {kind} is not known here"));
        }
        Err(KeyFault::Values(why)) => {
            checks.pass(&ck::CURVE_UNKNOWN, at(), format!("{what}: key type and curve are known"));
            return checks.fail(&ck::KEY_VALUES, at(), format!("{what}: {why}"));
        }
    };
    checks.pass(&ck::CURVE_UNKNOWN, at(), format!("{what}: key type and curve are known"));
    checks.pass(&ck::KEY_VALUES, at(), format!("{what}: the values are those of a key, {}", key.algorithm()));
    let short = sha1(key.spki_der());
    let long = sha256(key.spki_der());
    let good = object.value(attribute::KCV) == short.get(..3)
        && (layout != Layout::Fw3 || object.value(attribute::EKCV) == Some(&long));
    checks.test(&ck::KCV, at(), good, format!("{what}: the check values are those of the key"), || {
        format!("{what}: the check values are not those of the public key beside them").into()
    });
}

/// What the private key must be, and what it means when it is not.
const DEMANDS: [(u32, bool, &str); 8] = [
    (attribute::LOCAL, true, "it was imported or unwrapped, not generated in the device"),
    (attribute::EXTRACTABLE, false, "it can be wrapped out of the device"),
    (attribute::NEVER_EXTRACTABLE, true, "it was extractable at some time, or came from outside"),
    (attribute::SENSITIVE, true, "its value can be read in the clear"),
    (attribute::ALWAYS_SENSITIVE, true, "its value could be read at some time, or came from outside"),
    (attribute::SIGN, true, "it cannot sign"),
    (attribute::IS_SPLIT, false, "it is split"),
    (attribute::SPLITTABLE, false, "it may be split"),
];

fn check_attributes(private: &Object<'_>, place: &str, checks: &mut Checks) {
    let mut offences: Vec<String> = Vec::new();
    for (number, wanted, meaning) in DEMANDS {
        let name = attribute::name(number);
        match private.flag(number) {
            Some(value) if value == wanted => {}
            Some(value) => offences.push(format!("{name} is {}: {meaning}", u8::from(value))),
            None => offences.push(format!("{name} is not stated")),
        }
    }
    match private.is_persistent() {
        Some(true) => {}
        Some(false) => offences.push("TOKEN is 0: it ends with its session".to_owned()),
        None => offences.push("TOKEN is not stated".to_owned()),
    }
    checks.test(
        &ck::PRIVATE_KEY_ATTRIBUTES,
        place.to_owned(),
        offences.is_empty(),
        "generated in the device, never extractable, always sensitive, persistent, not split, may sign",
        || format!("the private key: {}", offences.join("; ")).into(),
    );
}
