//! HSS/LMS hash-based signatures with SHA-256 (RFC 8554): key generation and signing.
//!
//! One-time keys are used again when a tree is exhausted. That would give a real key away; these are thrown away anyhow.

use crate::Error;
use crate::key::{derived, sha256};
use std::sync::atomic::{AtomicU32, Ordering};

/// LMS type codes (RFC 8554, table 2).
pub mod lms_type {
    /// LMS_SHA256_M32_H5.
    pub const H5: u32 = 5;
    /// LMS_SHA256_M32_H10.
    pub const H10: u32 = 6;
}

/// LM-OTS type codes (RFC 8554, table 1).
pub mod ots_type {
    /// LMOTS_SHA256_N32_W1.
    pub const W1: u32 = 1;
    /// LMOTS_SHA256_N32_W2.
    pub const W2: u32 = 2;
    /// LMOTS_SHA256_N32_W4.
    pub const W4: u32 = 3;
    /// LMOTS_SHA256_N32_W8.
    pub const W8: u32 = 4;
}

/// A hierarchy of trees: each signs the one below, the last signs messages.
#[derive(Debug)]
pub struct HssKey {
    trees: Vec<Tree>,
    /// Signatures of the trees below the first, each by the one above, with the public key that was signed.
    chain: Vec<u8>,
    used: AtomicU32,
}

#[derive(Debug)]
struct Tree {
    lms: u32,
    ots: u32,
    id: Vec<u8>,
    seed: Vec<u8>,
    /// Node r at index r, from 1; leaves in the second half.
    nodes: Vec<Vec<u8>>,
}

impl HssKey {
    /// A key that hangs on the label only, with a tree of these types (LMS, LM-OTS) for each level.
    ///
    /// # Errors
    /// [`Error::Crypto`] for a type that is not emulated.
    pub fn new(label: &str, levels: &[(u32, u32)]) -> Result<Self, Error> {
        let tree =
            |(number, (lms, ots)): (usize, &(u32, u32))| Tree::grow(&format!("{label} {number}"), *lms, *ots);
        let trees: Vec<Tree> = levels.iter().enumerate().map(tree).collect::<Result<_, _>>()?;
        let mut chain = Vec::new();
        for pair in trees.windows(2) {
            let public = pair[1].public_key();
            chain.extend(pair[0].sign(0, &public)?);
            chain.extend(public);
        }
        Ok(Self { trees, chain, used: AtomicU32::new(0) })
    }

    /// The public key (RFC 8554, 6.1): number of levels, public key of the first tree.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn public_key(&self) -> Result<Vec<u8>, Error> {
        let top = self.trees.first().ok_or(Error::Crypto("HSS key without levels"))?;
        Ok([&count(self.trees.len())?.to_be_bytes()[..], &top.public_key()].concat())
    }

    /// Sign a message (RFC 8554, 6.2), with the next leaf of the last tree.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let last = self.trees.last().ok_or(Error::Crypto("HSS key without levels"))?;
        let q = self.used.fetch_add(1, Ordering::Relaxed) % count(last.nodes.len() / 2)?;
        let signed_keys = count(self.trees.len() - 1)?.to_be_bytes();
        Ok([&signed_keys[..], &self.chain, &last.sign(q, message)?].concat())
    }
}

fn count(number: usize) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::TooLarge("HSS"))
}

/// Bits of a digit, digits of a digest with its checksum, shift of the checksum.
fn ots_parameters(ots: u32) -> Result<(u32, u16, u32), Error> {
    match ots {
        ots_type::W1 => Ok((1, 265, 7)),
        ots_type::W2 => Ok((2, 133, 6)),
        ots_type::W4 => Ok((4, 67, 4)),
        ots_type::W8 => Ok((8, 34, 0)),
        _ => Err(Error::Crypto("LM-OTS type")),
    }
}

/// The digest as digits, its checksum behind it (RFC 8554, 3.1.3 and 4.4).
fn digits(ots: u32, digest: &[u8]) -> Result<Vec<u8>, Error> {
    let (w, p, shift) = ots_parameters(ots)?;
    let top = (1u16 << w) - 1;
    let coefficient = |bytes: &[u8], index: usize| {
        let bit = index * usize::try_from(w).unwrap_or(1);
        let from_right = 8 - w - u32::try_from(bit % 8).unwrap_or(0);
        (u16::from(bytes[bit / 8]) >> from_right) & top
    };
    let of_digest = digest.len() * 8 / usize::try_from(w).unwrap_or(1);
    let sum: u16 = (0..of_digest).map(|index| top - coefficient(digest, index)).sum();
    let all = [digest, &(sum << shift).to_be_bytes()].concat();
    Ok((0..usize::from(p)).map(|index| coefficient(&all, index).to_be_bytes()[1]).collect())
}

impl Tree {
    fn grow(label: &str, lms: u32, ots: u32) -> Result<Self, Error> {
        let height = match lms {
            lms_type::H5 => 5,
            lms_type::H10 => 10,
            _ => return Err(Error::Crypto("LMS type")),
        };
        let leaves = 1u32 << height;
        let mut tree = Self {
            lms,
            ots,
            id: derived(&format!("{label} I"), 16),
            seed: derived(&format!("{label} SEED"), 32),
            nodes: vec![Vec::new(); 2 << height],
        };
        for r in (1..2 * leaves).rev() {
            let at = usize::try_from(r).unwrap_or(0);
            tree.nodes[at] = if r >= leaves {
                tree.hash(r, &[&[0x82, 0x82], &tree.one_time_key(r - leaves)?])
            } else {
                tree.hash(r, &[&[0x83, 0x83], &tree.nodes[2 * at], &tree.nodes[2 * at + 1]])
            };
        }
        Ok(tree)
    }

    fn hash(&self, number: u32, parts: &[&[u8]]) -> Vec<u8> {
        sha256(&[&self.id, &number.to_be_bytes()[..], &parts.concat()].concat())
    }

    /// x[i] of leaf q (RFC 8554, appendix A), hashed on from one step to another.
    fn chain(&self, q: u32, i: u16, steps: std::ops::Range<u8>, start: Option<Vec<u8>>) -> Vec<u8> {
        let secret = || self.hash(q, &[&i.to_be_bytes(), &[0xff], &self.seed]);
        steps.fold(start.unwrap_or_else(secret), |value, j| self.hash(q, &[&i.to_be_bytes(), &[j], &value]))
    }

    fn one_time_key(&self, q: u32) -> Result<Vec<u8>, Error> {
        let (w, p, _) = ots_parameters(self.ots)?;
        let top = u8::MAX >> (8 - w);
        let ends: Vec<Vec<u8>> = (0..p).map(|i| self.chain(q, i, 0..top, None)).collect();
        Ok(self.hash(q, &[&[0x80, 0x80], &ends.concat()]))
    }

    fn public_key(&self) -> Vec<u8> {
        [&self.lms.to_be_bytes()[..], &self.ots.to_be_bytes(), &self.id, &self.nodes[1]].concat()
    }

    fn sign(&self, q: u32, message: &[u8]) -> Result<Vec<u8>, Error> {
        let c = derived(&format!("C {q} {}", hex::encode(&self.seed)), 32);
        let digest = self.hash(q, &[&[0x81, 0x81], &c, message]);
        let digits = digits(self.ots, &digest)?;
        let mut out = [&q.to_be_bytes()[..], &self.ots.to_be_bytes(), &c].concat();
        for (i, digit) in (0u16..).zip(digits) {
            out.extend(self.chain(q, i, 0..digit, None));
        }
        out.extend(self.lms.to_be_bytes());
        let mut node = self.nodes.len() / 2 + usize::try_from(q).unwrap_or(0);
        while node > 1 {
            out.extend(&self.nodes[node ^ 1]);
            node /= 2;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_rfc() {
        let lengths = |levels: &[(u32, u32)]| {
            let key = HssKey::new("test", levels).unwrap();
            (key.public_key().unwrap().len(), key.sign(b"message").unwrap().len())
        };
        // 4 + (1292 + 56) + 1292: appendix F, test case 1.
        assert_eq!(lengths(&[(lms_type::H5, ots_type::W8), (lms_type::H5, ots_type::W8)]), (60, 2644));
        assert_eq!(lengths(&[(lms_type::H5, ots_type::W1)]), (60, 4 + 8 + 32 + 265 * 32 + 4 + 5 * 32));
    }

    #[test]
    fn digits_and_checksum() {
        // All digits 0: the largest checksum. All 1s: none.
        assert_eq!(digits(ots_type::W8, &[0; 32]).unwrap()[32..], [0x1f, 0xe0]);
        assert_eq!(digits(ots_type::W4, &[0; 32]).unwrap()[64..], [3, 0xc, 0]);
        assert_eq!(digits(ots_type::W8, &[0xff; 32]).unwrap()[32..], [0, 0]);
        assert_eq!(digits(ots_type::W2, &[0x1b; 32]).unwrap()[..4], [0, 1, 2, 3]);
    }
}
