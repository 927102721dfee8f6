//! PEM, the strict textual encoding of RFC 7468.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One block: 64 characters a line, a line feed after every line.
pub fn encode(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(character);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

/// A certificate.
pub fn certificate(der: &[u8]) -> String {
    encode("CERTIFICATE", der)
}

/// Certificates one after another, as in a chain file.
pub fn certificates<D: AsRef<[u8]>>(ders: &[D]) -> String {
    ders.iter().map(|der| certificate(der.as_ref())).collect()
}

/// A PKCS#10 certification request.
pub fn request(der: &[u8]) -> String {
    encode("CERTIFICATE REQUEST", der)
}

/// A SubjectPublicKeyInfo.
pub fn public_key(der: &[u8]) -> String {
    encode("PUBLIC KEY", der)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_64_characters() {
        let text = certificate(&[0; 60]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "-----BEGIN CERTIFICATE-----");
        assert_eq!((lines[1].len(), lines[2].len()), (64, 16));
        assert_eq!(lines[3], "-----END CERTIFICATE-----");
        assert!(text.ends_with("-----\n"));
        // A full last line is not followed by an empty one.
        assert_eq!(certificate(&[0; 48]).lines().count(), 3);
    }
}
