//! AWS Signature Version 4 of one POST to `/` with every header signed (AWS General Reference, "Create a signed AWS API
//! request").

use aws_lc_rs::{digest, hmac};

use crate::Secret;

/// What is signed.
pub(crate) struct ToSign<'a> {
    /// In lower case, without Authorization.
    pub(crate) headers: Vec<(&'a str, &'a str)>,
    pub(crate) body: &'a str,
    /// `20260302T101500Z`
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// The value of the header Authorization.
pub(crate) fn authorization(to_sign: &ToSign<'_>, access_key_id: &str, secret: &Secret) -> String {
    let ToSign { body, date, region, service, .. } = to_sign;
    let mut headers = to_sign.headers.clone();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", sha256_hex(body.as_bytes()));
    let day = date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex::encode(mac(&scope_key(secret, day, region, service), text.as_bytes()));
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
}

fn scope_key(secret: &Secret, day: &str, region: &str, service: &str) -> Vec<u8> {
    let first = format!("AWS4{}", secret.expose()).into_bytes();
    [day, region, service, "aws4_request"].iter().fold(first, |key, part| mac(&key, part.as_bytes()))
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of key derivation in AWS's documentation.
    #[test]
    fn the_key_of_a_scope_is_derived_as_documented() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert_eq!(
            hex::encode(scope_key(&secret, "20150830", "us-east-1", "iam")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
    }
}
