//! The answer to GET key: a KeyBundle. Nothing in it is signed.

use serde_json::{Map, Value};

use super::super::provider::Members;
use super::kid::Kid;
use crate::crypto::PublicKey;
use crate::time::Time;
use crate::wire::jwk;

/// Members of a JWK that only a private or symmetric key has. The service never shows them.
const SECRET: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

/// By which platform the key is kept (`hsmPlatform`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Platform {
    /// `0`: software, FIPS 140-2 level 1.
    Software,
    /// `1`: HSMs of FIPS 140-2 level 2.
    Old,
    /// `2`: HSMs of FIPS 140-3 level 3.
    Current,
    /// Not said.
    Absent,
    /// Another word.
    Other(String),
}

/// What is of interest in an answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) kid: String,
    pub(super) kty: String,
    /// None for symmetric keys.
    pub(super) key: Option<PublicKey>,
    pub(super) platform: Platform,
    pub(super) exportable: bool,
    pub(super) release_policy: bool,
    pub(super) enabled: Option<bool>,
    pub(super) created: Option<Time>,
    pub(super) recovery_level: Option<String>,
    pub(super) managed: bool,
}

impl Answer {
    /// Whether JSON is such an answer, and not one of a Managed HSM.
    pub(super) fn is(value: &Value) -> bool {
        let member = |path: &str| value.pointer(path).filter(|v| !v.is_null());
        let of_pool = member("/key/kid").and_then(Value::as_str).is_some_and(Kid::is_of_pool);
        member("/key/kid").is_some()
            && member("/key/kty").is_some()
            && member("/attributes/attestation").is_none()
            && !of_pool
    }

    /// Whether text that is no strict JSON was to be one.
    pub(super) fn was_meant(text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        let has = |words: &str| text.contains(words);
        text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
            && has("\"kid\"")
            && has("\"kty\"")
            && !has("\"attestation\"")
            && !has(".managedhsm.")
    }

    /// Reads the answer; every member that is looked at has the documented type.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let mut bundle = Members::of(value.as_object().ok_or("it is no object")?);
        let key = bundle.object("key");
        let attributes = bundle.object("attributes");
        // The second name is that of Azure's command line.
        let policy = [bundle.object("release_policy"), bundle.object("releasePolicy")];
        let managed = bundle.flag("managed");
        bundle.fault()?;
        let empty = Map::new();
        let mut attributes = Members::of(attributes.unwrap_or(&empty));
        let platform = match attributes.text("hsmPlatform") {
            None => Platform::Absent,
            Some("0") => Platform::Software,
            Some("1") => Platform::Old,
            Some("2") => Platform::Current,
            Some(other) => Platform::Other(other.chars().filter(|c| !c.is_control()).take(32).collect()),
        };
        let (exportable, enabled) = (attributes.flag("exportable"), attributes.flag("enabled"));
        let (created, _) = (attributes.time("created"), attributes.time("updated"));
        let recovery_level = attributes.text("recoveryLevel").map(str::to_owned);
        attributes.fault()?;
        let members = key.ok_or("it has no member key")?;
        let (kid, kty, key) = read_key(members)?;
        Ok(Self {
            kid,
            kty,
            key,
            platform,
            exportable: exportable.unwrap_or(false),
            release_policy: policy.iter().any(Option::is_some),
            enabled,
            created,
            recovery_level,
            managed: managed.unwrap_or(false),
        })
    }

    /// Whether the key type is one of an HSM.
    pub(super) fn is_hsm_type(&self) -> bool {
        self.kty.ends_with("-HSM")
    }

    /// Whether the key is symmetric.
    pub(super) fn is_symmetric(&self) -> bool {
        self.kty.starts_with("oct")
    }
}

fn read_key(members: &Map<String, Value>) -> Result<(String, String, Option<PublicKey>), String> {
    let mut jwk = Members::of(members);
    let (kid, kty) = (jwk.text("kid"), jwk.text("kty"));
    for name in ["n", "e", "crv", "x", "y"] {
        jwk.text(name);
    }
    jwk.texts("key_ops");
    jwk.texts("keyOps");
    jwk.fault()?;
    if let Some(secret) = SECRET.iter().find(|name| members.get(**name).is_some_and(|v| !v.is_null())) {
        return Err(format!("its key has the member {secret}, which only a secret key has"));
    }
    let (kid, kty) = (kid.ok_or("its key has no kid")?, kty.ok_or("its key has no kty")?);
    let key = if kty.starts_with("oct") { None } else { Some(jwk::key(members)?) };
    if key.as_ref().and_then(PublicKey::is_on_curve) == Some(false) {
        return Err("its public key is no point of its curve".to_owned());
    }
    Ok((kid.to_owned(), kty.to_owned(), key))
}
