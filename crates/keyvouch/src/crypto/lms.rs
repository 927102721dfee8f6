//! HSS/LMS hash-based signatures with SHA-256 (RFC 8554): verification only.
//!
//! Written here because aws-lc-rs has no HSS/LMS, and of the crates that have it none had a release: RustCrypto's
//! `lms-signature` was a release candidate without HSS, `hbs-lms` an alpha version. The code follows the algorithms of
//! the RFC by number. Everything it handles is public, so nothing has to run in constant time.

#[cfg(test)]
mod tests;

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of a digest (n and m of the RFC), and of the key identifier I.
const N: usize = 32;
const ID: usize = 16;
/// Bytes of an LMS public key: two type codes, I, T[1].
const LMS_KEY: usize = 56;
/// Levels that a hierarchy can have (RFC 8554, 6).
const MAX_LEVELS: u32 = 8;

/// Domain separation: D_PBLK, D_MESG, D_LEAF, D_INTR.
const PBLK: [u8; 2] = [0x80, 0x80];
const MESG: [u8; 2] = [0x81, 0x81];
const LEAF: [u8; 2] = [0x82, 0x82];
const INTR: [u8; 2] = [0x83, 0x83];

type Digest = [u8; N];

/// Whether `signature` is one of the HSS key `public_key` over `message` (RFC 8554, algorithm 6.3). `None`: it is
/// not, or one of the two is malformed, or has parameters other than those of the RFC.
pub(super) fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let mut key = Reader(public_key);
    let levels = key.u32().filter(|levels| (1..=MAX_LEVELS).contains(levels))?;
    let mut key = key.take(LMS_KEY).filter(|_| key.is_empty())?;
    let mut rest = Reader(signature);
    if rest.u32()?.checked_add(1)? != levels {
        return None;
    }
    for _ in 1..levels {
        let public = LmsKey::read(key)?;
        let signature = LmsSignature::read(&public, &mut rest)?;
        key = rest.take(LMS_KEY)?;
        public.verify(key, &signature)?;
    }
    let public = LmsKey::read(key)?;
    let signature = LmsSignature::read(&public, &mut rest)?;
    if rest.is_empty() { public.verify(message, &signature) } else { None }
}

/// LM-OTS parameters (RFC 8554, table 1).
#[derive(Clone, Copy)]
struct Ots {
    code: u32,
    /// Bits of a digit.
    w: u8,
    /// Digits of a digest with its checksum.
    p: usize,
    /// Left shift of the checksum.
    shift: u32,
}

const OTS: [Ots; 4] = [
    Ots { code: 1, w: 1, p: 265, shift: 7 },
    Ots { code: 2, w: 2, p: 133, shift: 6 },
    Ots { code: 3, w: 4, p: 67, shift: 4 },
    Ots { code: 4, w: 8, p: 34, shift: 0 },
];

/// LMS type codes, and the heights of their trees (RFC 8554, table 2).
const HEIGHTS: [(u32, u32); 5] = [(5, 5), (6, 10), (7, 15), (8, 20), (9, 25)];

struct LmsKey<'a> {
    code: u32,
    height: u32,
    ots: Ots,
    id: &'a [u8],
    root: &'a [u8],
}

struct LmsSignature<'a> {
    q: u32,
    /// C, the randomiser of the message.
    c: &'a [u8],
    /// y[0] to y[p-1].
    y: &'a [u8],
    /// From the leaf's sibling up.
    path: &'a [u8],
}

impl<'a> LmsKey<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let (code, ots) = (reader.u32()?, reader.u32()?);
        let (_, height) = HEIGHTS.into_iter().find(|(c, _)| *c == code)?;
        let ots = OTS.into_iter().find(|o| o.code == ots)?;
        let key = Self { code, height, ots, id: reader.take(ID)?, root: reader.take(N)? };
        reader.is_empty().then_some(key)
    }

    /// Algorithm 6: the root that the signature leads to is the key's.
    fn verify(&self, message: &[u8], signature: &LmsSignature<'_>) -> Option<()> {
        let mut node = 1_u32.checked_shl(self.height)?.checked_add(signature.q)?;
        let ots_key = self.ots_candidate(message, signature)?;
        let mut value = self.hash(&node.to_be_bytes(), &[&LEAF, &ots_key]);
        for sibling in signature.path.chunks_exact(N) {
            let parent = node >> 1;
            let pair: [&[u8]; 2] = if node & 1 == 1 { [sibling, &value] } else { [&value, sibling] };
            let [left, right] = pair;
            value = self.hash(&parent.to_be_bytes(), &[&INTR, left, right]);
            node = parent;
        }
        (node == 1 && value == self.root).then_some(())
    }

    /// Algorithm 4b: the one-time key that the signature leads to.
    fn ots_candidate(&self, message: &[u8], signature: &LmsSignature<'_>) -> Option<Digest> {
        let q = signature.q.to_be_bytes();
        let digest = self.hash(&q, &[&MESG, signature.c, message]);
        let digits = self.ots.digits(&digest)?;
        let top = self.ots.top();
        let mut key = Context::new(&SHA256);
        for part in [self.id, &q, &PBLK] {
            key.update(part);
        }
        for (index, (y, digit)) in (0_u16..).zip(signature.y.chunks_exact(N).zip(digits)) {
            let mut value: Digest = y.try_into().ok()?;
            for step in digit..top {
                value = self.hash(&q, &[&index.to_be_bytes(), &[step], &value]);
            }
            key.update(&value);
        }
        finish(key)
    }

    /// H(I ‖ number ‖ parts).
    fn hash(&self, number: &[u8; 4], parts: &[&[u8]]) -> Digest {
        let mut context = Context::new(&SHA256);
        context.update(self.id);
        context.update(number);
        for part in parts {
            context.update(part);
        }
        // A SHA-256 digest has 32 bytes.
        finish(context).unwrap_or_default()
    }
}

impl<'a> LmsSignature<'a> {
    /// As algorithm 6a takes it apart, for the types of this key.
    fn read(key: &LmsKey<'_>, reader: &mut Reader<'a>) -> Option<Self> {
        let q = reader.u32().filter(|q| 1_u32.checked_shl(key.height).is_some_and(|leaves| *q < leaves))?;
        reader.u32().filter(|code| *code == key.ots.code)?;
        let c = reader.take(N)?;
        let y = reader.take(key.ots.p.checked_mul(N)?)?;
        reader.u32().filter(|code| *code == key.code)?;
        let path = reader.take(usize::try_from(key.height).ok()?.checked_mul(N)?)?;
        Some(Self { q, c, y, path })
    }
}

impl Ots {
    /// The largest digit, 2^w − 1.
    fn top(self) -> u8 {
        u8::MAX.checked_shr(8_u32.saturating_sub(u32::from(self.w))).unwrap_or(0)
    }

    /// The digits of a digest and of its checksum (algorithms 1 and 2).
    fn digits(self, digest: &Digest) -> Option<Vec<u8>> {
        let mut digits = self.split(digest);
        let top = u16::from(self.top());
        let missing = digits.iter().map(|digit| top.saturating_sub(u16::from(*digit)));
        let sum = missing.fold(0_u16, u16::saturating_add);
        digits.extend(self.split(&sum.checked_shl(self.shift)?.to_be_bytes()));
        digits.truncate(self.p);
        (digits.len() == self.p).then_some(digits)
    }

    /// Bytes in digits of w bits, the upper ones of each byte first.
    fn split(self, bytes: &[u8]) -> Vec<u8> {
        let shifts = (0..8_u8).step_by(usize::from(self.w)).map(u32::from).rev();
        let digits = |byte: &u8| {
            let byte = *byte;
            shifts.clone().map(move |shift| byte.checked_shr(shift).unwrap_or(0) & self.top())
        };
        bytes.iter().flat_map(digits).collect()
    }
}

fn finish(context: Context) -> Option<Digest> {
    context.finish().as_ref().try_into().ok()
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
