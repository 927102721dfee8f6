//! DSA (FIPS 186-4), which aws-lc-rs does not verify. Security Worlds of nShield modules sign with it.
//!
//! Verification works on public numbers only, so it need not run in constant time. The `dsa` crate's does, with
//! exponents padded to the length of p, which takes ten times as long.

// Big integers do not overflow, and no divisor is zero: p and q have full length.
#![allow(clippy::arithmetic_side_effects)]

use num_bigint::BigUint;

/// A DSA public key ready to verify.
pub(super) struct Verifier {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    y: BigUint,
    q_len: usize,
}

impl Verifier {
    /// From numbers that are within range ([`in_range`]). `None` unless g and y are of order q modulo p.
    pub(super) fn new(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Option<Self> {
        let q_len = q.len();
        let [p, q, g, y] = [p, q, g, y].map(BigUint::from_bytes_be);
        let one = BigUint::from(1_u8);
        let of_order_q = |n: &BigUint| n.modpow(&q, &p) == one;
        (p.bit(0) && of_order_q(&g) && of_order_q(&y)).then_some(Self { p, q, g, y, q_len })
    }

    /// Whether `signature`, r ‖ s, is one over this digest, which is not longer than q (FIPS 186-4, 4.7).
    pub(super) fn verify(&self, digest: &[u8], signature: &[u8]) -> bool {
        let Self { p, q, g, y, q_len } = self;
        let Some((r, s)) = signature.split_at_checked(*q_len).filter(|(_, s)| s.len() == *q_len) else {
            return false;
        };
        let [r, s, z] = [r, s, digest].map(BigUint::from_bytes_be);
        let zero = BigUint::ZERO;
        if digest.len() > *q_len || r == zero || r >= *q || s == zero || s >= *q {
            return false;
        }
        // None when q is not prime and shares a factor with s.
        let Some(w) = s.modinv(q) else { return false };
        let (u1, u2) = (z * &w % q, &r * w % q);
        g.modpow(&u1, p) * y.modpow(&u2, p) % p % q == r
    }
}

/// Whether 1 < n < p; both big-endian without leading zeros.
pub(super) fn in_range(p: &[u8], n: &[u8]) -> bool {
    n != [1] && !n.is_empty() && (n.len(), n) < (p.len(), p)
}

#[cfg(test)]
mod tests {
    use crate::crypto::{Hash, KeyError, PublicKey, Scheme, SignatureError};

    // A key and a signature over "message" that OpenSSL 3.0 made for this test.
    const P: &str = "\
    8a7f270350e0d675308fc68068c09e2409a473e4845d6b7f61f2c71daf59bdf69a73330c11574086f62eed7d625abd74\
    e0880bca7475786cf32e0428e21e54c6bd4d5dafa8ee5491479ac6a130a1f08cdd48b1045b7f054c503f983658a51dd6\
    47a3a144d656add4d91fb61c601e71d5fcaf94e0aad7c2a543db5f42398352b20c02749e75be6befdc84752d152ec433\
    c998e0bc313ab4167602e62b6d0c450e9dc73050f087c14f37604a7a8be0ebced9944c937dc07480483c195661ea3d2e\
    efc555c2fb1ffb227afae85a92daaeaef7cfa2e68f29d476ac9884dd5aed27f9ad1e2c34d98a0413541254f7212a8e06\
    3079555c57cb7b82bc8434093915341b";
    const Q: &str = "\
    d438215e250715b28b03f5a500ea065d987bb8652ae405d8aba5cf5f516813ff";
    const G: &str = "\
    5be71375e01f4025b3b10dd1b5eda3b5dc5cf94e044c070522fe86dae5bd3e8fd3484e9b21a65f25ddd525b2905b96ec\
    cf154564d86c9b2d6929fb0af9dde0f6a3e86d468a6e223e02082b7a59bb89209dcc27660f820599ea629c6a6b1db946\
    a44ec263195725593b93ae570236de0d56cc7c2762f5f17d3534b865a4c0e794ab82e32e29c9886592d2cfb1d4879193\
    4ca191639def8e358fbf8d31a19d3dadd3119766b36786e41bcb4118e9290050c9ee03535596db69909e260453d387df\
    7dec61e331e3f5a8e897403221c0e2a96abfab6de3f964000380340f32f0dc784ae9433e227c3afd8605b2a8f3b95c75\
    1af620047cb3889adf65deea4bc4d854";
    const Y: &str = "\
    45b0713ca3af2843da71e574c183c7ccbdb986164b2795175bc541be4a730705edcb7664ddb6680b6a2e181f40089a59\
    f1361e8b00a1f4044f98330a4b0e51aa7aadb8d704eab55dddee2cec83169fba7188640c6f5455638d4fae3ec962c98b\
    a9636a926dc48812e1d917c56e885440611f6b2dfb1d0c1c8016a380c61ff47a77076318f18a92e30ec553158502d7f7\
    62b6badf3183475875eb76e0cfa430f2bc009d17a37eacd15cb5f60adfd783dca2334d69520ea917e860c93f1f0183ad\
    898a12a1914fcf4d71a4140523a4f1dce601767234ded780740a5df32560d2e206e6c38f503bf2548d3a772124f10cf4\
    c9686e95f77160f1a197f19ef99f3dd1";
    const SIGNATURE: &str = "\
    54e479b88e89549094940551f4139e237a7e69d95b00b1ec2f1d4fbd6f95101c1580023c592a971f7691647bdced41fd\
    3f9d9afed02290cc6ed733ea2c8a48dd";

    fn bytes(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    fn key() -> PublicKey {
        PublicKey::dsa(&bytes(P), &bytes(Q), &bytes(G), &bytes(Y)).unwrap()
    }

    #[test]
    fn a_signature_of_openssl_verifies() {
        let (key, signature) = (key(), bytes(SIGNATURE));
        assert_eq!(key.algorithm(), "DSA-2048");
        let scheme = Scheme::DsaFixed(Hash::Sha256);
        assert!(key.verify(scheme, b"message", &signature).is_ok());
        assert_eq!(key.verify(scheme, b"massage", &signature).unwrap_err(), SignatureError::Invalid);
        for at in [0, 31, 32, 63] {
            let mut other = signature.clone();
            other[at] ^= 1;
            assert_eq!(key.verify(scheme, b"message", &other).unwrap_err(), SignatureError::Invalid);
        }
    }

    #[test]
    fn r_and_s_lie_between_zero_and_q() {
        let (r, s) = (&bytes(SIGNATURE)[..32], &bytes(SIGNATURE)[32..]);
        let zero = [0; 32];
        let q = bytes(Q);
        for signature in [
            [&zero, s].concat(),
            [r, &zero].concat(),
            [q.as_slice(), s].concat(),
            [r, &q].concat(),
            [r, s, &[0]].concat(),
            r.to_vec(),
            Vec::new(),
        ] {
            let refused = key().verify(Scheme::DsaFixed(Hash::Sha256), b"message", &signature);
            assert_eq!(refused.unwrap_err(), SignatureError::Invalid);
        }
    }

    #[test]
    fn other_schemes_and_keys_do_not_mix() {
        for scheme in [Scheme::DsaFixed(Hash::Sha512), Scheme::Ecdsa(Hash::Sha256)] {
            let refused = key().verify(scheme, b"message", &bytes(SIGNATURE)).unwrap_err();
            assert!(matches!(refused, SignatureError::WrongKeyType { .. }), "{refused}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_key() {
        let [p, q, g, y] = [P, Q, G, Y].map(bytes);
        for (p, q, g, y) in [
            (&p[1..], &q[..], &g[..], &y[..]),
            (&p, &q[1..], &g, &y),
            (&p, &q, &[1], &y),
            (&p, &q, &p, &y),
            (&p, &q, &g, &[]),
            (&p, &q, &g, &p),
        ] {
            assert_eq!(PublicKey::dsa(p, q, g, y).unwrap_err(), KeyError::DsaNumbers);
        }
        // In range and not of order q: no signature verifies.
        let odd = PublicKey::dsa(&p, &q, &[2], &y).unwrap();
        assert!(odd.verify(Scheme::DsaFixed(Hash::Sha256), b"message", &bytes(SIGNATURE)).is_err());
    }

    #[test]
    fn the_spki_is_that_of_openssl() {
        // SHA-256 of what `openssl pkey -pubout -outform DER` writes.
        assert_eq!(
            hex::encode(key().spki_sha256()),
            "2250db8a3f80ec364f679e3614f95818dfee1e3fb8fab8287822760102248e44"
        );
    }
}
