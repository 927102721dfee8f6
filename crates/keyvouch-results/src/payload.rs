//! The claims set of a result, read strictly: its profile first, because names depend on it.

use std::collections::BTreeMap;

use keyvouch::Time;
use keyvouch::crypto::PublicKey;
use keyvouch::input::parse_json;
use keyvouch::wire::cbor;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ear::Profile;
use crate::labels;
use crate::token::Form;
use crate::vector::{CLAIMS, Tier};

/// How many submodules are looked at.
const MAX_SUBMODS: usize = 64;

/// A claims set in its JSON form, members not looked at.
pub(crate) fn open(form: Form, payload: &[u8]) -> Result<Map<String, Value>, String> {
    let value = match form {
        Form::Jwt => parse_json(payload).map_err(|e| e.to_string())?,
        Form::Cwt => labels::decode(&cbor::read(payload).map_err(|e| e.to_string())?)?,
    };
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("it is no object".to_owned()),
    }
}

/// The profile; the error says what stands there.
pub(crate) fn profile(claims: &Map<String, Value>) -> Result<Profile, String> {
    let uri = claims.get("eat_profile").ok_or("it has none")?;
    let uri = uri.as_str().ok_or("it is not text")?;
    Profile::of_uri(uri).ok_or_else(|| format!("{uri:?} is not one of them"))
}

/// What every result has, and some have.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) issued: Time,
    pub(crate) not_before: Option<Time>,
    pub(crate) expires: Option<Time>,
    pub(crate) nonces: Vec<Vec<u8>>,
    pub(crate) verifier: VerifierId,
    pub(crate) status: Option<Tier>,
}

/// Who made the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifierId {
    /// Who runs or develops the verifier.
    pub developer: String,
    /// Its build.
    pub build: String,
}

/// An appraisal of a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Name of the submodule.
    pub name: String,
    /// How far it can be relied on: the worst of what it says and what its vector says.
    pub status: Tier,
    /// The trustworthiness vector. Names that this verifier does not know are kept and count.
    pub vector: BTreeMap<String, i8>,
    /// The policies it was judged by.
    pub policies: Vec<String>,
    /// SHA-256 of the SubjectPublicKeyInfo that it attests, hexadecimal.
    pub key_spki_sha256: Option<String>,
    /// Everything else in it, not looked at.
    pub claims: Map<String, Value>,
    /// The attested key.
    #[serde(skip)]
    pub(crate) key: AttestedKey,
}

/// The key that a submodule attests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AttestedKey {
    None,
    /// Something stands there that is no key.
    Unreadable,
    Key(PublicKey),
}

/// The names of a profile, in the JSON form.
struct Names {
    status: &'static str,
    vector: &'static str,
    policies: &'static str,
    verifier: &'static str,
    evidence: &'static str,
    key: &'static str,
}

const UNDERSCORES: Names = Names {
    status: "ear_status",
    vector: "ear_trustworthiness_vector",
    policies: "ear_appraisal_policy_ids",
    verifier: "ear_verifier_id",
    evidence: "ear_raw_evidence",
    key: "ear_veraison_key_attestation",
};

const DOTS: Names = Names {
    status: "ear.status",
    vector: "ear.trustworthiness-vector",
    policies: "ear.appraisal-policy-id",
    verifier: "ear.verifier-id",
    evidence: "ear.raw-evidence",
    key: "ear.veraison.key-attestation",
};

impl Names {
    /// In CBOR there are numbers, whatever the profile.
    fn of(profile: Profile, form: Form) -> &'static Self {
        if profile.dotted() && form == Form::Jwt { &DOTS } else { &UNDERSCORES }
    }
}

/// Reads what every result has. The error names a claim that is missing or of another type.
pub(crate) fn base(claims: &Map<String, Value>, profile: Profile, form: Form) -> Result<Base, String> {
    let names = Names::of(profile, form);
    let verifier = claims.get(names.verifier).ok_or_else(|| missing(names.verifier))?;
    let text = |name| {
        let text = verifier.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
        text.map(str::to_owned).ok_or_else(|| wrong(names.verifier))
    };
    let nonces = match claims.get("eat_nonce") {
        None => Vec::new(),
        Some(Value::Array(several)) if several.len() > 1 => {
            several.iter().map(nonce).collect::<Result<_, _>>()?
        }
        Some(one) => vec![nonce(one)?],
    };
    if let Some(evidence) = claims.get(names.evidence)
        && !is_evidence(evidence, profile)
    {
        return Err(wrong(names.evidence));
    }
    let status = claims.get(names.status).map(|s| tier(s, names.status)).transpose()?;
    Ok(Base {
        issued: time(claims, "iat")?.ok_or_else(|| missing("iat"))?,
        not_before: time(claims, "nbf")?,
        expires: time(claims, "exp")?,
        nonces,
        verifier: VerifierId { developer: text("developer")?, build: text("build")? },
        status,
    })
}

/// Reads the submodules. The error says what is wrong with one.
pub(crate) fn statements(
    claims: &Map<String, Value>,
    profile: Profile,
    form: Form,
) -> Result<Vec<Statement>, String> {
    let submods = claims.get("submods").ok_or_else(|| missing("submods"))?;
    let submods = submods.as_object().ok_or_else(|| wrong("submods"))?;
    if submods.is_empty() {
        return Err("there is no submodule".to_owned());
    }
    if submods.len() > MAX_SUBMODS {
        return Err(format!("there are more than {MAX_SUBMODS} submodules"));
    }
    submods
        .iter()
        .map(|(name, claims)| {
            statement(name, claims, profile, form).map_err(|why| format!("submodule {name:?}: {why}"))
        })
        .collect()
}

fn statement(name: &str, claims: &Value, profile: Profile, form: Form) -> Result<Statement, String> {
    let names = Names::of(profile, form);
    let mut claims = claims.as_object().ok_or("it is no object")?.clone();
    let mut take = |name: &str| claims.remove(name);
    let status = tier(&take(names.status).ok_or_else(|| missing(names.status))?, names.status)?;
    let vector = match take(names.vector) {
        None => BTreeMap::new(),
        Some(Value::Object(members)) if !members.is_empty() => members
            .into_iter()
            .map(|(name, value)| {
                let number = value.as_i64().and_then(|n| i8::try_from(n).ok());
                Ok((name, number.ok_or("a value of the vector is not a whole number from -128 to 127")?))
            })
            .collect::<Result<_, String>>()?,
        Some(_) => return Err(format!("{} is empty or of another type", names.vector)),
    };
    let policies = match take(names.policies) {
        None => Vec::new(),
        // One text: how it was before -03.
        Some(Value::String(one)) if profile.dotted() => vec![one],
        Some(Value::Array(several)) if !several.is_empty() => several
            .iter()
            .map(|p| p.as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(names.policies))?,
        Some(_) => return Err(wrong(names.policies)),
    };
    let key = match take(names.key) {
        None => AttestedKey::None,
        Some(claim) => {
            let spki = claim.get("akpub").ok_or_else(|| wrong(names.key))?;
            let spki = labels::bytes_of(spki);
            match spki.and_then(|spki| PublicKey::from_spki_der(&spki).ok()) {
                Some(key) => AttestedKey::Key(key),
                None => AttestedKey::Unreadable,
            }
        }
    };
    let key_spki_sha256 = match &key {
        AttestedKey::Key(key) => Some(hexadecimal(&key.spki_sha256())),
        _ => None,
    };
    Ok(Statement { name: name.to_owned(), status, vector, policies, key_spki_sha256, claims, key })
}

impl Statement {
    /// The worst tier of the vector, where one says something.
    pub(crate) fn vector_tier(&self) -> Option<Tier> {
        let said = self.vector.values().map(|v| Tier::of_value(*v)).filter(|t| *t != Tier::None);
        said.max()
    }

    /// The claims of the vector that AR4SI does not have.
    pub(crate) fn unknown_claims(&self) -> impl Iterator<Item = &str> {
        self.vector.keys().map(String::as_str).filter(|name| !CLAIMS.contains(name))
    }
}

fn tier(value: &Value, name: &str) -> Result<Tier, String> {
    value.as_str().and_then(Tier::of_word).ok_or_else(|| format!("{name} is not one of the four tiers"))
}

fn nonce(value: &Value) -> Result<Vec<u8>, String> {
    let nonce = labels::bytes_of(value).filter(|n| (8..=64).contains(&n.len()));
    nonce.ok_or_else(|| "eat_nonce is not base64url of 8 to 64 bytes".to_owned())
}

/// A time in whole seconds: a number with a fraction or an exponent is none.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Time>, String> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = value.as_i64().filter(|s| (0..=253_402_300_799).contains(s));
    seconds
        .map(|s| Some(Time::from_unix(s)))
        .ok_or_else(|| format!("{name} is not in whole seconds since 1970"))
}

/// Bytes; from -04 on a wrapper (CMW) of them.
fn is_evidence(value: &Value, profile: Profile) -> bool {
    match (profile, value) {
        (Profile::V04, Value::Array(record)) => {
            matches!(record.len(), 2 | 3) && record.get(1).is_some_and(|v| labels::bytes_of(v).is_some())
        }
        (Profile::V04, _) => false,
        (_, value) => labels::bytes_of(value).is_some(),
    }
}

fn missing(name: &str) -> String {
    format!("{name} is missing")
}

fn wrong(name: &str) -> String {
    format!("{name} is of another type")
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
