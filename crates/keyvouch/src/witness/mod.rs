//! Witness statements: what people say, over their signature, of a key that was made before their eyes.
//!
//! For devices that sign no statement of their own. The statement is JSON (`docs/witness.schema.json`); here are its
//! vocabulary, the [`template`] to fill in, and the [signing](sign) of it without a private key: the bytes to be signed go
//! out, the signature comes in. It is verified by the format `witness-statement`, and it never becomes attestation.

pub mod sign;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::crypto::PublicKey;

/// The member `schema` of a statement.
pub const SCHEMA: &str = "keyvouch.witness/1";

/// What it begins with in every version.
pub(crate) const SCHEMA_NAME: &str = "keyvouch.witness/";

/// Values of `device.class`.
pub const CLASSES: &[&str] = &["hsm", "cloud-hsm", "token", "secure-element", "tpm"];
/// Values of `key.exportable`.
pub const EXPORTABLE: &[&str] = &["never", "vendor-boundary", "wrapped", "yes"];
/// Values of `key.purposes`.
pub const PURPOSES: &[&str] = &["sign", "decrypt", "agree", "wrap", "attest"];

/// A statement to be filled in. With a key, what follows from it is filled in; with a device, its name.
///
/// Every place in angle brackets must be filled in, and what is not a text says the worst: a template that somebody signs
/// unread is refused.
#[must_use]
pub fn template(key: Option<&PublicKey>, device: Option<&str>) -> Value {
    let text = |what: &str| Value::from(format!("<{what}>"));
    let of_key = |what: &str, read: &dyn Fn(&PublicKey) -> String| {
        key.map_or_else(|| text(what), |key| read(key).into())
    };
    json!({
        "schema": SCHEMA,
        "ceremony": {
            "started": text("when the ceremony began, such as 2026-05-20T09:00:00Z"),
            "ended": text("when it ended"),
            "place": text("where; may be left out"),
            "report": text("number or title of the report that describes the ceremony"),
            "report_sha256": text("SHA-256 of that report, hexadecimal; may be left out"),
        },
        "subscriber": text("whose key it is; may be left out"),
        "witnesses": [{
            "name": text("name of the witness, as the certificate says it"),
            "organisation": text("organisation; may be left out"),
            "role": text("such as: auditor"),
            "qualification": text("such as: CISA 1234567; may be left out"),
        }],
        "device": {
            "vendor": text("maker of the device"),
            "model": device.map_or_else(|| text("model, as the maker and the certification name it"), Value::from),
            "serial": text("serial number, read from the device"),
            "firmware": text("firmware version, read from the device"),
            "class": text(&CLASSES.join(" | ")),
            "fips_mode": false,
            "mode": text("mode as the device shows it; may be left out"),
            "certification": text("number of the certificate, such as FIPS 140-2 #1234; may be left out"),
        },
        "key": {
            "spki": of_key("SubjectPublicKeyInfo of the key, DER in base64", &|key| STANDARD.encode(key.spki_der())),
            "spki_sha256": of_key("its SHA-256, hexadecimal", &|key| hex::encode(key.spki_sha256())),
            "algorithm": of_key("such as RSA-3072", &PublicKey::algorithm),
            "label": text("label of the key in the device; may be left out"),
            "generated_in_device": false,
            "exportable": "yes",
            "ever_exportable": true,
            "purposes": PURPOSES,
            "created_at": text("when the key was generated; may be left out"),
        },
        "remarks": text("anything else; may be left out"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_key_is_filled_in() {
        let key =
            keyvouch_emulator::key::Key::shared("witness template", keyvouch_emulator::key::KeyKind::P256)
                .unwrap();
        let key = PublicKey::from_spki_der(&key.spki_der().unwrap()).unwrap();
        let filled = template(Some(&key), Some("Model 7"));
        assert_eq!(filled["key"]["algorithm"], "EC-P256");
        assert_eq!(filled["key"]["spki_sha256"], hex::encode(key.spki_sha256()));
        assert_eq!(filled["device"]["model"], "Model 7");
        assert!(template(None, None)["key"]["spki"].as_str().unwrap().starts_with('<'));
    }
}
