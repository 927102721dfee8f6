//! A small DER writer (ITU-T X.690, clauses 8, 10 and 11). It writes; it never reads.
//!
//! Each function returns one complete TLV, so that structures are written the way their ASN.1 reads.

use crate::Error;
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// One TLV with the given identifier octet.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    out.extend(length(content.len()));
    out.extend_from_slice(content);
    out
}

/// Definite length in the fewest octets (X.690, 8.1.3 and 10.1).
fn length(length: usize) -> Vec<u8> {
    let octets = length.to_be_bytes();
    let significant: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
    match significant[..] {
        [] => vec![0],
        [short] if short < 0x80 => vec![short],
        _ => {
            // At most eight octets, as `usize` has no more.
            let count = u8::try_from(significant.len()).unwrap_or(8);
            [&[0x80 | count], &significant[..]].concat()
        }
    }
}

/// SEQUENCE of the parts, in this order.
pub fn sequence<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x30, &join(parts))
}

/// SET of the parts, in this order. Devices do not all sort; [`set_of`] does.
pub fn set<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x31, &join(parts))
}

/// SET OF, sorted as DER demands (X.690, 11.6).
pub fn set_of<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(0x31, &sorted(parts))
}

/// The parts one after another.
pub fn join<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect()
}

/// The parts one after another in the order of a DER SET OF.
pub fn sorted<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
    parts.sort_unstable();
    parts.concat()
}

/// Content octets of the INTEGER that has this unsigned big-endian value: no leading zeros, and one zero octet before
/// a set top bit.
pub fn unsigned(value: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = value.iter().copied().skip_while(|octet| *octet == 0).collect();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    content
}

/// INTEGER of an unsigned big-endian value.
pub fn integer(value: &[u8]) -> Vec<u8> {
    tlv(0x02, &unsigned(value))
}

/// INTEGER of a small unsigned value.
pub fn integer_u32(value: u32) -> Vec<u8> {
    integer(&value.to_be_bytes())
}

/// OBJECT IDENTIFIER from dotted decimal.
///
/// # Errors
/// [`Error::Oid`].
pub fn oid(dotted: &str) -> Result<Vec<u8>, Error> {
    let bad = || Error::Oid(dotted.to_owned());
    let arcs: Vec<u64> =
        dotted.split('.').map(|arc| arc.parse().map_err(|_| bad())).collect::<Result<_, _>>()?;
    let [first, second, rest @ ..] = &arcs[..] else { return Err(bad()) };
    if *first > 2 || (*first < 2 && *second > 39) || *second > u64::from(u32::MAX) {
        return Err(bad());
    }
    let mut content = base128(first * 40 + second);
    rest.iter().for_each(|arc| content.extend(base128(*arc)));
    Ok(tlv(0x06, &content))
}

/// OBJECT IDENTIFIER 2.25.uuid.number (X.667).
pub fn oid_below_uuid(uuid: u128, number: u32) -> Vec<u8> {
    tlv(0x06, &[base128(105_u32), base128(uuid), base128(number)].concat())
}

/// Seven bits an octet, most significant first, top bit set in all but the last (X.690, 8.19.2).
fn base128(value: impl Into<u128>) -> Vec<u8> {
    let mut value: u128 = value.into();
    let mut octets = Vec::new();
    let mut more = 0;
    loop {
        octets.push((value.to_be_bytes()[15] & 0x7f) | more);
        value >>= 7;
        more = 0x80;
        if value == 0 {
            break;
        }
    }
    octets.reverse();
    octets
}

/// OCTET STRING.
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(0x04, content)
}

/// BIT STRING of whole octets.
pub fn bit_string(content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], content].concat())
}

/// BIT STRING of named bits (bit 0 first), trailing zero bits removed (X.690, 11.2.2).
pub fn named_bits(bits: &[u8]) -> Vec<u8> {
    let Some(last) = bits.iter().max() else { return tlv(0x03, &[0]) };
    let mut octets = vec![0u8; usize::from(last / 8) + 1];
    for bit in bits {
        octets[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    octets.insert(0, 7 - last % 8);
    tlv(0x03, &octets)
}

/// UTF8String.
pub fn utf8_string(text: &str) -> Vec<u8> {
    tlv(0x0c, text.as_bytes())
}

/// PrintableString; the alphabet is not checked.
pub fn printable_string(text: &str) -> Vec<u8> {
    tlv(0x13, text.as_bytes())
}

/// BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(0x01, &[if value { 0xff } else { 0 }])
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(0x05, &[])
}

/// Explicit context tag: `[number]` around complete TLVs.
pub fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// Implicit context tag on a primitive type.
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// UTCTime before 2050 and GeneralizedTime from then on (RFC 5280, 4.1.2.5), from RFC 3339 text.
///
/// # Errors
/// [`Error::Time`].
pub fn time(rfc3339: &str) -> Result<Vec<u8>, Error> {
    let time = OffsetDateTime::parse(rfc3339, &Rfc3339)
        .map_err(|_| Error::Time(rfc3339.to_owned()))?
        .to_offset(UtcOffset::UTC);
    let year = time.year();
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    Ok(if (1950..2050).contains(&year) {
        tlv(0x17, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        tlv(0x18, format!("{year:04}{rest}").as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        hex::encode(bytes)
    }

    #[test]
    fn lengths() {
        assert_eq!(hex(&octet_string(&[])), "0400");
        assert_eq!(hex(&octet_string(&[1; 0x7f])[..2]), "047f");
        assert_eq!(hex(&octet_string(&[1; 0x80])[..3]), "048180");
        assert_eq!(hex(&octet_string(&[1; 0x100])[..4]), "04820100");
    }

    #[test]
    fn integers() {
        assert_eq!(hex(&integer(&[0])), "020100");
        assert_eq!(hex(&integer(&[])), "020100");
        assert_eq!(hex(&integer(&[0, 0, 0x7f])), "02017f");
        assert_eq!(hex(&integer(&[0x80])), "02020080");
        assert_eq!(hex(&integer_u32(15_732_500)), "020400f00f14");
        assert_eq!(hex(&integer_u32(65537)), "0203010001");
    }

    #[test]
    fn object_identifiers() {
        assert_eq!(hex(&oid("1.2.840.113549.1.1.11").unwrap()), "06092a864886f70d01010b");
        assert_eq!(hex(&oid("1.3.6.1.4.1.41482.3.11").unwrap()), "060a2b0601040182c40a030b");
        assert_eq!(hex(&oid("2.5.4.3").unwrap()), "0603550403");
        assert_eq!(hex(&oid("2.999").unwrap()), "06028837");
        assert!(oid("1").is_err() && oid("1.40.1").is_err() && oid("1.2.x").is_err() && oid("").is_err());
    }

    #[test]
    fn bits() {
        // Key usages of real certificates.
        assert_eq!(hex(&named_bits(&[5, 6])), "03020106");
        assert_eq!(hex(&named_bits(&[0, 5, 6])), "03020186");
        assert_eq!(hex(&named_bits(&[0, 2])), "030205a0");
        assert_eq!(hex(&named_bits(&[0, 1])), "030206c0");
        assert_eq!(hex(&named_bits(&[1, 5, 6])), "03020146");
        assert_eq!(hex(&named_bits(&[8])), "0303070080");
        assert_eq!(hex(&named_bits(&[])), "030100");
    }

    #[test]
    fn times() {
        assert_eq!(time("2016-03-14T00:00:00Z").unwrap(), tlv(0x17, b"160314000000Z"));
        assert_eq!(time("2049-12-31T23:59:59Z").unwrap(), tlv(0x17, b"491231235959Z"));
        assert_eq!(time("2050-01-01T00:00:00Z").unwrap(), tlv(0x18, b"20500101000000Z"));
        assert_eq!(time("9999-12-31T23:59:59Z").unwrap(), tlv(0x18, b"99991231235959Z"));
        assert_eq!(time("2020-01-01T01:00:00+01:00").unwrap(), tlv(0x17, b"200101000000Z"));
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn sets_are_sorted_only_when_asked() {
        let parts = [integer_u32(2), integer_u32(1)];
        assert_eq!(hex(&set(&parts)), "3106020102020101");
        assert_eq!(hex(&set_of(&parts)), "3106020101020102");
    }
}
