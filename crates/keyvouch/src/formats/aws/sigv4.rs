//! The visible parts of an AWS Signature Version 4: times, and the Authorization header.

use crate::time::Time;

/// `20260302T101500Z`
pub(super) fn time(text: &str) -> Option<Time> {
    let digits = |from: usize, to: usize| {
        let part = text.get(from..to)?;
        part.bytes().all(|c| c.is_ascii_digit()).then_some(part)
    };
    if text.len() != 16 || text.get(8..9) != Some("T") || text.get(15..) != Some("Z") {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(4, 6)?, digits(6, 8)?);
    let (hour, minute, second) = (digits(9, 11)?, digits(11, 13)?, digits(13, 15)?);
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// `AWS4-HMAC-SHA256 Credential=ID/DAY/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authorization<'a> {
    /// Names the signer; the secret behind it is nowhere here.
    pub(super) access_key_id: &'a str,
    pub(super) day: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// Sorted, each once, in lower case.
    pub(super) signed: Vec<&'a str>,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let parts: Vec<&str> = rest.split(',').map(|part| part.strip_prefix(' ').unwrap_or(part)).collect();
        let [credential, signed, signature] = parts.as_slice() else { return None };
        let credential: Vec<&str> = credential.strip_prefix("Credential=")?.split('/').collect();
        let [access_key_id, day, region, service, "aws4_request"] = credential.as_slice() else {
            return None;
        };
        let signed: Vec<&str> = signed.strip_prefix("SignedHeaders=")?.split(';').collect();
        let signature = signature.strip_prefix("Signature=")?;
        let header = |name: &&str| {
            !name.is_empty()
                && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        };
        let good = (16..=128).contains(&access_key_id.len())
            && access_key_id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
            && signed.iter().all(header)
            && signed.is_sorted_by(|a, b| a < b)
            && signature.len() == 64
            && signature.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        good.then_some(Self { access_key_id, day, region, service, signed, signature })
    }
}

#[cfg(test)]
mod tests {
    use super::{Authorization, time};

    #[test]
    fn times() {
        assert_eq!(time("20260302T101500Z").unwrap().to_string(), "2026-03-02T10:15:00Z");
        for wrong in ["", "20260302T101500", "2026-03-02T10:15:00Z", "20261302T101500Z", "+0260302T101500Z"] {
            assert_eq!(time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_form_only() {
        let with = |credential: &str, signed: &str, signature: &str| {
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}")
        };
        let (scope, signature) =
            ("AKIAIOSFODNN7EXAMPLE/20260302/eu-west-1/kms/aws4_request", "0f".repeat(32));
        let good = with(scope, "content-type;host", &signature);
        let found = Authorization::parse(&good).unwrap();
        assert_eq!(
            (found.access_key_id, found.signed),
            ("AKIAIOSFODNN7EXAMPLE", vec!["content-type", "host"])
        );
        assert!(Authorization::parse(&good.replace(", ", ",")).is_some());
        for wrong in [
            with(scope, "host;content-type", &signature),
            with(scope, "host;host", &signature),
            with(scope, "Host", &signature),
            with(scope, "", &signature),
            with(scope, "host", "0f"),
            with(&scope.replace("aws4_request", "aws5_request"), "host", &signature),
            with("x/y", "host", &signature),
            good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            format!("{good}, Signature={signature}"),
        ] {
            assert_eq!(Authorization::parse(&wrong), None, "{wrong}");
        }
    }
}
