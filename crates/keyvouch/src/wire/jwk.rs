//! Public keys as JSON Web Keys (RFC 7517), with the key types of Azure Key Vault besides the registered ones.

use serde_json::{Map, Value};

use crate::crypto::{Curve, PublicKey};
use crate::input::decode_base64;

/// The key pair's public key that a JWK holds. Whether its type is one of an HSM is for the format to look at.
pub(crate) fn key(jwk: &Map<String, Value>) -> Result<PublicKey, String> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| {
        decode_base64(text(name).as_bytes())
            .ok_or_else(|| format!("its member {name} is no base64url number"))
    };
    match text("kty") {
        "RSA" | "RSA-HSM" => PublicKey::rsa(&number("n")?, &number("e")?).map_err(|e| e.to_string()),
        "EC" | "EC-HSM" => {
            let name = text("crv");
            let curve = curve(name).ok_or_else(|| format!("its curve {name:?} is not known"))?;
            let mut point = vec![4];
            for name in ["x", "y"] {
                point.extend(padded(&number(name)?, curve.field_len()).ok_or("a coordinate is too long")?);
            }
            PublicKey::ec(curve, &point).map_err(|e| e.to_string())
        }
        other => Err(format!("its key type {other:?} is not that of a key pair")),
    }
}

/// The same, of a key whose type says that it is kept in an HSM.
pub(crate) fn hsm_key(jwk: &Map<String, Value>) -> Result<PublicKey, String> {
    let kind = jwk.get("kty").and_then(Value::as_str).unwrap_or_default();
    if !kind.ends_with("-HSM") {
        return Err(format!("its key type {kind:?} is not that of a key pair in an HSM"));
    }
    key(jwk)
}

fn curve(name: &str) -> Option<Curve> {
    match name {
        "P-256" => Some(Curve::P256),
        "P-384" => Some(Curve::P384),
        "P-521" => Some(Curve::P521),
        // The service's name for it, and the registered one (RFC 8812).
        "P-256K" | "secp256k1" => Some(Curve::Secp256k1),
        _ => None,
    }
}

/// A number at the length of the field, whether or not its leading zeros were written.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let start = number.iter().position(|b| *b != 0).unwrap_or(number.len());
    let digits = number.get(start..)?;
    let mut out = vec![0; length.checked_sub(digits.len())?];
    out.extend(digits);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{hsm_key, key, padded};
    use serde_json::{Value, json};

    fn algorithm(jwk: &Value) -> Result<String, String> {
        key(jwk.as_object().unwrap()).map(|k| k.algorithm())
    }

    #[test]
    fn coordinates_are_numbers() {
        assert_eq!(padded(&[0, 0, 7], 2), Some(vec![0, 7]));
        assert_eq!(padded(&[7], 2), Some(vec![0, 7]));
        assert_eq!(padded(&[1, 0, 0], 2), None);
    }

    #[test]
    fn only_key_pairs() {
        let ec = json!({"kty": "EC-HSM", "crv": "P-256K", "x": "Ag", "y": "Aw"});
        assert_eq!(algorithm(&ec), Ok("EC-secp256k1".to_owned()));
        let software = json!({"kty": "EC", "crv": "P-256", "x": "Ag", "y": "Aw"});
        assert_eq!(algorithm(&software), Ok("EC-P256".to_owned()));
        assert!(hsm_key(software.as_object().unwrap()).is_err() && hsm_key(ec.as_object().unwrap()).is_ok());
        for jwk in [
            json!({"kty": "EC-HSM", "crv": "P-255", "x": "Ag", "y": "Aw"}),
            json!({"kty": "RSA-HSM", "n": "AQAB"}),
            json!({"kty": "oct-HSM"}),
            json!({}),
        ] {
            assert!(algorithm(&jwk).is_err(), "{jwk}");
        }
    }
}
