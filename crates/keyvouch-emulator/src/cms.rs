//! CMS bundles of certificates (RFC 5652, 5; the `.p7b` and SCEP "certs-only" form), and signed messages.

mod signed;

pub use signed::{Attribute, SignedData, Signer, issuer_and_serial, key_id};

use crate::{Error, der};

/// id-signedData.
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
/// id-data.
const DATA: &str = "1.2.840.113549.1.7.1";

/// ContentInfo with a SignedData that holds certificates, in this order, and nothing that is signed.
///
/// # Errors
/// None in practice: the identifiers are constants.
pub fn certs_only<D: AsRef<[u8]>>(certificates: &[D]) -> Result<Vec<u8>, Error> {
    let nothing: [&[u8]; 0] = [];
    let signed_data = der::sequence(&[
        der::integer(&[1]),
        der::set(&nothing),
        der::sequence(&[der::oid(DATA)?]),
        der::explicit(0, &der::join(certificates)),
        der::set(&nothing),
    ]);
    Ok(der::sequence(&[der::oid(SIGNED_DATA)?, der::explicit(0, &signed_data)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bytes() {
        assert_eq!(
            hex::encode(certs_only(&[der::null()]).unwrap()),
            ["302706092a864886f70d010702a01a3018", "0201013100300b06092a864886f70d010701a00205003100"]
                .concat()
                .replace(' ', "")
        );
    }
}
