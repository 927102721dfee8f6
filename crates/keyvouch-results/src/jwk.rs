//! JSON Web Keys (RFC 7517, RFC 7518, RFC 8037), strictly: numbers of the right length, nothing for another use.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyvouch::crypto::{Curve, Material, PublicKey, sha256};
use serde_json::{Map, Value, json};

use crate::keys::{Algorithm, KeyError, VerificationKey};

/// AlgorithmIdentifier and BIT STRING header of an Ed25519 SubjectPublicKeyInfo (RFC 8410, 4).
const ED25519_SPKI: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// Reads a public JWK.
pub(crate) fn public(jwk: &Value) -> Result<VerificationKey, KeyError> {
    let members = jwk.as_object().ok_or(KeyError::NotAKey)?;
    // "d" is the private part of every type but symmetric keys, whose only part is "k".
    if members.contains_key("d") || members.contains_key("k") {
        return Err(KeyError::Private);
    }
    let key = VerificationKey::new(numbers(members)?, text(members, "kid")?)?;
    if !is_for(members, "verify", key.algorithm) {
        return Err(KeyError::Use);
    }
    Ok(key)
}

/// The private part of a JWK.
pub(crate) enum Secret {
    /// The number of an EC key, or the seed of an Ed25519 key.
    Scalar(Vec<u8>),
    /// The numbers of an RSA key: d, p, q, dp, dq, qi.
    Rsa([Vec<u8>; 6]),
}

/// Reads a private JWK: the key, its identifier, and the secret.
pub(crate) fn private(jwk: &Value) -> Result<(VerificationKey, Secret), KeyError> {
    let members = jwk.as_object().ok_or(KeyError::NotAPrivateKey)?;
    let key = VerificationKey::new(numbers(members)?, text(members, "kid")?)?;
    if !is_for(members, "sign", key.algorithm) {
        return Err(KeyError::Use);
    }
    let secret = match key.key.material() {
        Material::Rsa { .. } => {
            let [d, p, q, dp, dq, qi] = ["d", "p", "q", "dp", "dq", "qi"].map(|name| bytes(members, name));
            Secret::Rsa([d?, p?, q?, dp?, dq?, qi?])
        }
        Material::Ec { curve, .. } => Secret::Scalar(sized(members, "d", curve.field_len())?),
        _ => Secret::Scalar(sized(members, "d", 32)?),
    };
    Ok((key, secret))
}

/// The public JWK of a key, with its use, algorithm and identifier.
pub(crate) fn write(key: &PublicKey, algorithm: Algorithm, id: &str) -> Value {
    let mut jwk = required(key).unwrap_or_default();
    jwk.insert("use".to_owned(), "sig".into());
    jwk.insert("alg".to_owned(), algorithm.as_str().into());
    jwk.insert("kid".to_owned(), id.into());
    Value::Object(jwk)
}

/// The thumbprint (RFC 7638) with SHA-256, in base64url. `None` for keys that have no JWK here.
pub(crate) fn thumbprint(key: &PublicKey) -> Option<String> {
    let members: std::collections::BTreeMap<String, Value> = required(key)?.into_iter().collect();
    let text = serde_json::to_string(&members).ok()?;
    Some(URL_SAFE_NO_PAD.encode(sha256(text.as_bytes())))
}

/// The members that make the key.
fn required(key: &PublicKey) -> Option<Map<String, Value>> {
    let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = match key.material() {
        Material::Ec { curve, point } => {
            let (x, y) = point.get(1..)?.split_at_checked(curve.field_len())?;
            json!({"kty": "EC", "crv": curve_name(*curve)?, "x": b64(x), "y": b64(y)})
        }
        Material::Ed25519(x) => json!({"kty": "OKP", "crv": "Ed25519", "x": b64(x)}),
        Material::Rsa { n, e } => json!({"kty": "RSA", "n": b64(n), "e": b64(e)}),
        _ => return None,
    };
    match jwk {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn curve_name(curve: Curve) -> Option<&'static str> {
    match curve {
        Curve::P256 => Some("P-256"),
        Curve::P384 => Some("P-384"),
        _ => None,
    }
}

fn numbers(members: &Map<String, Value>) -> Result<PublicKey, KeyError> {
    let word = |name| text(members, name);
    match (word("kty")?.as_deref(), word("crv")?.as_deref()) {
        (Some("EC"), Some(name)) => {
            let curve = [Curve::P256, Curve::P384].into_iter().find(|c| curve_name(*c) == Some(name));
            let curve = curve.ok_or(KeyError::Type)?;
            let (x, y) = (sized(members, "x", curve.field_len())?, sized(members, "y", curve.field_len())?);
            PublicKey::ec(curve, &[&[4][..], &x, &y].concat()).map_err(|_| KeyError::Numbers)
        }
        (Some("OKP"), Some("Ed25519")) => {
            let spki = [ED25519_SPKI, &sized(members, "x", 32)?].concat();
            PublicKey::from_spki_der(&spki).map_err(|_| KeyError::Numbers)
        }
        (Some("RSA"), None) => {
            let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
            // Base64urlUInt has no leading zeros (RFC 7518, 2).
            if n.first() == Some(&0) || e.first() == Some(&0) {
                return Err(KeyError::Numbers);
            }
            PublicKey::rsa(&n, &e).map_err(|_| KeyError::Numbers)
        }
        (None, _) => Err(KeyError::Member("kty")),
        _ => Err(KeyError::Type),
    }
}

/// Whether use, key_ops and alg, where there, allow this operation.
fn is_for(members: &Map<String, Value>, operation: &str, algorithm: Algorithm) -> bool {
    let is = |name: &str, value: &str| members.get(name).is_none_or(|v| v.as_str() == Some(value));
    let operations = members.get("key_ops").is_none_or(|ops| {
        ops.as_array().is_some_and(|ops| ops.iter().any(|o| o.as_str() == Some(operation)))
    });
    is("use", "sig") && is("alg", algorithm.as_str()) && operations
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(KeyError::Member(name)),
    }
}

fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = members.get(name).and_then(Value::as_str).ok_or(KeyError::Member(name))?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|b| !b.is_empty());
    bytes.ok_or(KeyError::Member(name))
}

fn sized(members: &Map<String, Value>, name: &'static str, length: usize) -> Result<Vec<u8>, KeyError> {
    let bytes = bytes(members, name)?;
    if bytes.len() == length { Ok(bytes) } else { Err(KeyError::Member(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_of_rfc_7638() {
        // The example of section 3.1.
        let jwk = json!({
            "kty": "RSA", "alg": "RS256", "e": "AQAB", "kid": "2011-04-29",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
        });
        let key = numbers(jwk.as_object().unwrap()).unwrap();
        assert_eq!(thumbprint(&key).unwrap(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert_eq!(public(&jwk).unwrap_err(), KeyError::Use, "RS256 is not PS256");
    }

    #[test]
    fn what_is_not_a_key_for_results_is_refused() {
        let good = json!({
            "kty": "EC", "crv": "P-256",
            "x": "G8fAud93NgCg8C_0bY1YqVZ5zNlkb-cNsGTQia7m0is",
            "y": "RK1gonvUKKQOCSHDwz3SiN9EijCqmXS4sDeRbc8RnL0"
        });
        assert!(public(&good).is_ok());
        for (name, value, why) in [
            ("use", json!("enc"), KeyError::Use),
            ("alg", json!("ES384"), KeyError::Use),
            ("key_ops", json!(["sign"]), KeyError::Use),
            ("kid", json!(1), KeyError::Member("kid")),
            ("d", json!("AQ"), KeyError::Private),
            ("x", json!("AQ"), KeyError::Member("x")),
            ("x", json!("G8fAud93NgCg8C_0bY1YqVZ5zNlkb-cNsGTQia7m0iv"), KeyError::Member("x")),
            ("x", json!("G8fAud93NgCg8C_0bY1YqVZ5zNlkb-cNsGTQia7m0iw"), KeyError::Numbers),
            ("crv", json!("secp256k1"), KeyError::Type),
            ("kty", json!("oct"), KeyError::Type),
        ] {
            let mut bad = good.clone();
            bad[name] = value.clone();
            assert_eq!(public(&bad).err(), Some(why), "{name}: {value}");
        }
        let x25519 = json!({"kty": "OKP", "crv": "X25519", "x": "A".repeat(43)});
        assert_eq!(public(&x25519).err(), Some(KeyError::Type));
    }
}
