//! CV certificates and authenticated requests (BSI TR-03110-3, appendix C and D) as templates.

use crate::Error;
use crate::der;
use crate::key::{Key, KeyKind, SignAlg};

/// An object with a tag of one or two octets.
pub fn tlv(tag: u16, content: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = tag.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
    // Length and content are those of DER.
    out.extend(&der::tlv(0, content)[1..]);
    out
}

/// Octets of an object identifier without tag and length.
fn oid(dotted: &str) -> Result<Vec<u8>, Error> {
    Ok(der::oid(dotted)?[2..].to_vec())
}

/// id-TA of TR-03110-3, A.6.1: the algorithm with which a key of this kind signs.
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn algorithm(kind: KeyKind) -> Result<(&'static str, SignAlg), Error> {
    Ok(match kind {
        KeyKind::Rsa1024
        | KeyKind::Rsa2048
        | KeyKind::Rsa2048Exponent3
        | KeyKind::Rsa3072
        | KeyKind::Rsa4096 => ("0.4.0.127.0.7.2.2.2.1.2", SignAlg::RsaPkcs1Sha256),
        KeyKind::P256 | KeyKind::Secp256k1 | KeyKind::BrainpoolP256r1 => {
            ("0.4.0.127.0.7.2.2.2.2.3", SignAlg::EcdsaSha256Raw)
        }
        KeyKind::P384 => ("0.4.0.127.0.7.2.2.2.2.4", SignAlg::EcdsaSha384Raw),
        KeyKind::P521 => ("0.4.0.127.0.7.2.2.2.2.5", SignAlg::EcdsaSha512Raw),
        other => return Err(Error::UnfitKey("CV certificate", other)),
    })
}

/// Prime, coefficients, base point and order of a curve, each as long as the field (FIPS 186-4, SEC 2, RFC 5639).
///
/// # Errors
/// [`Error::UnfitKey`].
pub fn parameters(kind: KeyKind) -> Result<[&'static str; 5], Error> {
    Ok(match kind {
        KeyKind::P256 => [
            "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
            "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
            "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
            "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        ],
        KeyKind::P384 => [
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        ],
        KeyKind::P521 => [
            "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffc",
            "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
            "0400c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        ],
        KeyKind::Secp256k1 => [
            "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000007",
            "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        ],
        KeyKind::BrainpoolP256r1 => [
            "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
            "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
            "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
            "048bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
            "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
        ],
        other => return Err(Error::UnfitKey("curve parameters", other)),
    })
}

/// The public key object 7F49: algorithm and numbers, as they are to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Algorithm, dotted.
    pub algorithm: String,
    /// Tags and values in this order.
    pub parts: Vec<(u16, Vec<u8>)>,
}

impl PublicKey {
    /// Of a key; an EC key with or without the parameters of its curve.
    ///
    /// # Errors
    /// [`Error::UnfitKey`].
    pub fn of(key: &Key, with_parameters: bool) -> Result<Self, Error> {
        let (algorithm, _) = algorithm(key.kind())?;
        let parts = match (key.rsa_public(), key.point()) {
            (Some((modulus, exponent)), _) => vec![(0x81, modulus.to_vec()), (0x82, exponent.to_vec())],
            (None, Some(point)) if with_parameters => {
                let [p, a, b, g, n] =
                    parameters(key.kind())?.map(|number| hex::decode(number).unwrap_or_default());
                vec![
                    (0x81, p),
                    (0x82, a),
                    (0x83, b),
                    (0x84, g),
                    (0x85, n),
                    (0x86, point.to_vec()),
                    (0x87, vec![1]),
                ]
            }
            (None, point) => vec![(0x86, point.unwrap_or_default().to_vec())],
        };
        Ok(Self { algorithm: algorithm.to_owned(), parts })
    }

    /// Give the part with this tag another value.
    pub fn set(&mut self, tag: u16, value: impl Into<Vec<u8>>) {
        let value = value.into();
        self.parts.iter_mut().filter(|(t, _)| *t == tag).for_each(|(_, v)| v.clone_from(&value));
    }

    fn encode(&self) -> Result<Vec<u8>, Error> {
        let mut body = tlv(0x06, &oid(&self.algorithm)?);
        body.extend(self.parts.iter().flat_map(|(tag, value)| tlv(*tag, value)));
        Ok(tlv(0x7f49, &body))
    }
}

/// A certificate, or the certificate in a request, not yet signed. Fields that are none are not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// 5F29.
    pub profile: Vec<u8>,
    /// 42: certification authority reference.
    pub authority: Option<String>,
    /// 7F49.
    pub key: PublicKey,
    /// 5F20: certificate holder reference.
    pub holder: String,
    /// 7F4C: scheme, dotted, and role.
    pub role: Option<(String, Vec<u8>)>,
    /// 5F25 and 5F24: six digits each.
    pub dates: Option<([u8; 6], [u8; 6])>,
    /// Content of 65.
    pub extensions: Option<Vec<u8>>,
    /// Whatever else is written at the end of the body.
    pub more: Vec<u8>,
}

impl Certificate {
    /// 7F4E.
    ///
    /// # Errors
    /// [`Error::Oid`].
    pub fn body(&self) -> Result<Vec<u8>, Error> {
        let mut body = tlv(0x5f29, &self.profile);
        body.extend(self.authority.iter().flat_map(|text| tlv(0x42, text.as_bytes())));
        body.extend(self.key.encode()?);
        body.extend(tlv(0x5f20, self.holder.as_bytes()));
        if let Some((scheme, role)) = &self.role {
            body.extend(tlv(0x7f4c, &[tlv(0x06, &oid(scheme)?), tlv(0x53, role)].concat()));
        }
        if let Some((from, to)) = &self.dates {
            body.extend(tlv(0x5f25, from));
            body.extend(tlv(0x5f24, to));
        }
        body.extend(self.extensions.iter().flat_map(|content| tlv(0x65, content)));
        body.extend(&self.more);
        Ok(tlv(0x7f4e, &body))
    }

    /// 7F21, signed in the way of the key's kind.
    ///
    /// # Errors
    /// [`Error::Oid`] and those of [`Key::sign`].
    pub fn sign(&self, key: &Key) -> Result<Vec<u8>, Error> {
        let (_, alg) = algorithm(key.kind())?;
        self.sign_with(key, alg)
    }

    /// The same with another algorithm than the key's usual one.
    ///
    /// # Errors
    /// [`Error::Oid`] and those of [`Key::sign`].
    pub fn sign_with(&self, key: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        let body = self.body()?;
        let signature = key.sign(alg, &body)?;
        Ok(tlv(0x7f21, &[body, tlv(0x5f37, &signature)].concat()))
    }
}

/// 67: a signed certificate with the name of its authority, signed by that.
///
/// # Errors
/// Those of [`Key::sign`].
pub fn authenticated_request(certificate: &[u8], authority: &str, key: &Key) -> Result<Vec<u8>, Error> {
    let (_, alg) = algorithm(key.kind())?;
    let signed = [certificate, &tlv(0x42, authority.as_bytes())].concat();
    let signature = key.sign(alg, &signed)?;
    Ok(tlv(0x67, &[signed, tlv(0x5f37, &signature)].concat()))
}

#[cfg(test)]
mod tests {
    use super::tlv;

    #[test]
    fn tags_of_one_and_two_octets() {
        assert_eq!(tlv(0x42, b"A"), [0x42, 1, b'A']);
        assert_eq!(tlv(0x7f21, &[0; 200])[..4], [0x7f, 0x21, 0x81, 200]);
        assert_eq!(tlv(0x67, &[0; 300])[..4], [0x67, 0x82, 1, 44]);
    }
}
