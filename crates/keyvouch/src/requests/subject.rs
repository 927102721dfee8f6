//! Subjects as people write them: `CN=Example, O=Example Corporation, C=NL`.

use der::Encode as _;
use der::Tag;
use der::asn1::ObjectIdentifier;

use super::{EmbedError, encode};

/// Short names of attributes, their identifiers, and the string type that their values have.
const ATTRIBUTES: &[(&str, &str, Tag)] = &[
    ("CN", "2.5.4.3", Tag::Utf8String),
    ("SERIALNUMBER", "2.5.4.5", Tag::PrintableString),
    ("C", "2.5.4.6", Tag::PrintableString),
    ("L", "2.5.4.7", Tag::Utf8String),
    ("ST", "2.5.4.8", Tag::Utf8String),
    ("STREET", "2.5.4.9", Tag::Utf8String),
    ("O", "2.5.4.10", Tag::Utf8String),
    ("OU", "2.5.4.11", Tag::Utf8String),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97", Tag::Utf8String),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1", Tag::Ia5String),
    ("DC", "0.9.2342.19200300.100.1.25", Tag::Ia5String),
    ("UID", "0.9.2342.19200300.100.1.1", Tag::Utf8String),
];

/// DER Name of attributes in the order in which they are written, each an RDN of its own. A comma or backslash in a
/// value has a backslash before it.
///
/// # Errors
/// [`EmbedError::Subject`].
pub fn name(text: &str) -> Result<Vec<u8>, EmbedError> {
    let mut rdns = Vec::new();
    for part in split(text)? {
        let Some((kind, value)) = part.split_once('=') else {
            return fault(format!("{part:?} is not written as NAME=VALUE"));
        };
        let (kind, value) = (kind.trim(), unescape(value.trim())?);
        let known = ATTRIBUTES.iter().find(|(name, ..)| name.eq_ignore_ascii_case(kind));
        let (oid, tag) = match known {
            Some((_, oid, tag)) => (*oid, *tag),
            None => (kind, Tag::Utf8String),
        };
        let Ok(oid) = ObjectIdentifier::new(oid) else {
            let names: Vec<&str> = ATTRIBUTES.iter().map(|(name, ..)| *name).collect();
            let names = names.join(", ");
            return fault(format!("{kind:?} is no attribute; there are {names}, and object identifiers"));
        };
        check(kind, &value, tag)?;
        let oid = oid.to_der().map_err(|_| EmbedError::Encoding)?;
        let pair = encode::sequence(&[oid, encode::tlv(tag, value.as_bytes())?])?;
        rdns.push(encode::tlv(Tag::Set, &pair)?);
    }
    encode::sequence(&rdns)
}

fn fault<T>(why: String) -> Result<T, EmbedError> {
    Err(EmbedError::Subject(why))
}

/// The parts between commas.
fn split(text: &str) -> Result<Vec<String>, EmbedError> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for letter in text.chars() {
        if letter == ',' && !escaped {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
        escaped = letter == '\\' && !escaped;
    }
    if escaped {
        return fault("it ends with a backslash that stands before nothing".to_owned());
    }
    Ok(parts)
}

fn unescape(value: &str) -> Result<String, EmbedError> {
    let mut plain = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == '\\') {
            (_, true) => match letters.next() {
                Some(next @ (',' | '\\' | '=' | '+' | '"' | ';')) => plain.push(next),
                _ => return fault(format!("{value:?}: a backslash stands only before , and \\")),
            },
            (letter, false) => plain.push(letter),
        }
    }
    Ok(plain)
}

fn check(kind: &str, value: &str, tag: Tag) -> Result<(), EmbedError> {
    let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    if value.is_empty() || value.len() > 256 {
        return fault(format!("{kind} is empty or longer than 256 bytes"));
    }
    if kind.eq_ignore_ascii_case("C") && (value.len() != 2 || !value.chars().all(|c| c.is_ascii_uppercase()))
    {
        return fault(format!("C is the two capital letters of a country, not {value:?}"));
    }
    let fits = match tag {
        Tag::PrintableString => value.chars().all(printable),
        Tag::Ia5String => value.is_ascii(),
        _ => !value.chars().any(char::is_control),
    };
    if fits { Ok(()) } else { fault(format!("{kind} has letters that it cannot have: {value:?}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        crate::pki::name::display(&name(text).unwrap())
    }

    #[test]
    fn names_are_written_in_order() {
        let der = name("CN=A\\, B, O=Ω, C=NL, 2.5.4.12=x").unwrap();
        let values: Vec<_> = crate::pki::name::attributes(&der).iter().map(|a| a.text.unwrap()).collect();
        assert_eq!(values, ["A, B", "Ω", "NL", "x"]);
        assert!(shown("cn=a").contains('a'));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in
            ["", "CN", "CN=", "XX=1", "C=nl", "C=NLD", "CN=a\\", "CN=a\\b", "emailAddress=é@x", "CN=a,,O=b"]
        {
            assert!(matches!(name(text), Err(EmbedError::Subject(_))), "{text}");
        }
    }
}
