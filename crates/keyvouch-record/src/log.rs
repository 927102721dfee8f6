//! Proof that a record is in an append-only log, and what the log was at the time.
//!
//! The log is a Merkle tree (RFC 9162, section 2.1) whose leaves are the manifests of records. Its state is a signed
//! checkpoint ([C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint), a
//! [signed note](https://c2sp.org/signed-note)); a [`Proof`] shows that a leaf is below a checkpoint
//! ([C2SP tlog-proof](https://c2sp.org/tlog-proof)).

use std::fmt;

use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use signed_note::{Note, Signer as _, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint as Head, Hash};

/// First line of a proof.
const PROOF: &str = "c2sp.org/tlog-proof@v1";
/// The most bytes of a proof: a tree of 2⁶⁴ leaves has paths of 64 hashes.
const MAX_PROOF: usize = 64 << 10;
/// The algorithm byte of Ed25519 in the keys of signed notes.
const ED25519: u8 = 1;

/// Why something about the log does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The text is no key.
    #[error("not a key of a signed note: it is one line, {0}")]
    Key(&'static str),
    /// The name cannot be that of a log.
    #[error("{0:?} cannot name a log: a name has no spaces and no +, as in keyvouch.example/log")]
    Name(String),
    /// There are no random bytes.
    #[error("this machine gives no random bytes")]
    Random,
    /// The text is no checkpoint.
    #[error("not a signed checkpoint (C2SP tlog-checkpoint)")]
    Malformed,
    /// The text is no proof.
    #[error("not a proof (C2SP tlog-proof): line {0}")]
    MalformedProof(usize),
    /// No signature of the key is there, or a wrong one.
    #[error("the checkpoint is not signed by {0}")]
    Signature(String),
    /// Another log signed it.
    #[error("the checkpoint is of the log {found:?}, not of {wanted:?}")]
    Origin {
        /// What the checkpoint names.
        found: String,
        /// The name of the key.
        wanted: String,
    },
    /// The path does not lead from the leaf to the root.
    #[error("the record is not in the log at this place, or it is not the record that was logged")]
    NotIncluded,
}

/// The key that signs checkpoints (Ed25519), as text: `PRIVATE+KEY+name+id+key`.
#[derive(Clone)]
pub struct LogKey(StandardSigner, String);

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKey").field(&self.name()).finish()
    }
}

impl LogKey {
    /// A new key for the log of that name, and its text, which is secret.
    ///
    /// # Errors
    /// When the name cannot be one, or there are no random bytes.
    pub fn generate(name: &str) -> Result<(Self, String), LogError> {
        if !signed_note::is_key_name_valid(name) {
            return Err(LogError::Name(name.to_owned()));
        }
        let mut seed = [0; 32];
        rand::fill(&mut seed).map_err(|_| LogError::Random)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| LogError::Random)?;
        let public = [&[ED25519], pair.public_key().as_ref()].concat();
        let private = BASE64_STANDARD.encode([&[ED25519][..], &seed].concat());
        let text = format!("PRIVATE+KEY+{name}+{:08x}+{private}", signed_note::key_id(name, &public));
        Ok((Self::read(&text)?, text))
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, LogError> {
        const FORM: &str = "PRIVATE+KEY+name+id+key";
        let fault = |_| LogError::Key(FORM);
        let signer = StandardSigner::new(text.trim()).map_err(fault)?;
        // The key is base64, which has plus signs of its own.
        let key = text.trim().splitn(5, '+').last().and_then(|key| BASE64_STANDARD.decode(key).ok());
        let seed = key.as_deref().and_then(|key| key.strip_prefix(&[ED25519])).ok_or(LogError::Key(FORM))?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| LogError::Key(FORM))?;
        let public = [&[ED25519], pair.public_key().as_ref()].concat();
        let verifier =
            format!("{}+{:08x}+{}", signer.name(), signer.key_id(), BASE64_STANDARD.encode(public));
        Ok(Self(signer, verifier))
    }

    /// The name of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The public key, as text: `name+id+key`.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.1
    }

    /// Signs the state of the log.
    ///
    /// # Errors
    /// Never with a key that was read; the signatures are those of the library.
    pub fn sign(&self, state: &Checkpoint) -> Result<Vec<u8>, LogError> {
        let fault = |()| LogError::Malformed;
        let head = Head::new(self.name(), state.size, Hash(state.root), "").map_err(|_| fault(()))?;
        let mut note = Note::new(&head.to_bytes(), &[]).map_err(|_| fault(()))?;
        note.add_sigs(&[&self.0]).map_err(|_| fault(()))?;
        Ok(note.to_bytes())
    }
}

/// The state of the log: how many records, and the root over all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many records there are.
    pub size: u64,
    /// The root of the Merkle tree.
    pub root: [u8; 32],
}

impl Checkpoint {
    /// Opens a signed checkpoint: of the log that the public key (`name+id+key`) names, signed by that key.
    ///
    /// # Errors
    /// When it is no checkpoint, or of another log, or not signed by the key.
    pub fn open(note: &[u8], key: &str) -> Result<Self, LogError> {
        let verifier = StandardVerifier::new(key.trim()).map_err(|_| LogError::Key("name+id+key"))?;
        let name = key.split('+').next().unwrap_or_default().trim().to_owned();
        let note = Note::from_bytes(note).map_err(|_| LogError::Malformed)?;
        let known = VerifierList::new(vec![Box::new(verifier)]);
        note.verify(&known).map_err(|_| LogError::Signature(key.trim().to_owned()))?;
        let head = Head::from_bytes(note.text()).map_err(|_| LogError::Malformed)?;
        if head.origin() != name {
            return Err(LogError::Origin { found: head.origin().to_owned(), wanted: name });
        }
        Ok(Self { size: head.size(), root: head.hash().0 })
    }
}

/// The hash of a leaf: of the manifest of a record.
#[must_use]
pub fn leaf_hash(manifest: &[u8]) -> [u8; 32] {
    tlog_tiles::record_hash(manifest).0
}

/// Proof that a record is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Place of the record, from 0.
    pub index: u64,
    /// The hashes beside the way from the leaf to the root.
    pub path: Vec<[u8; 32]>,
    /// The signed checkpoint.
    pub checkpoint: Vec<u8>,
}

impl Proof {
    /// Its text.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut text = format!("{PROOF}\nindex {}\n", self.index);
        for hash in &self.path {
            text.push_str(&BASE64_STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.checkpoint);
        bytes
    }

    /// Reads the text.
    ///
    /// # Errors
    /// Names the line that is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self, LogError> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_PROOF);
        let (head, checkpoint) =
            text.and_then(|t| t.split_once("\n\n")).ok_or(LogError::MalformedProof(1))?;
        let mut lines = (1_usize..).zip(head.split('\n')).peekable();
        if lines.next().map(|(_, line)| line) != Some(PROOF) {
            return Err(LogError::MalformedProof(1));
        }
        // What the prover adds of his own.
        lines.next_if(|(_, line)| line.starts_with("extra "));
        let index = lines.next().and_then(|(_, line)| {
            let digits = line.strip_prefix("index ")?;
            digits.parse::<u64>().ok().filter(|n| n.to_string() == digits)
        });
        let index = index.ok_or(LogError::MalformedProof(2))?;
        let path = lines.map(|(number, line)| {
            let hash = BASE64_STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
            hash.ok_or(LogError::MalformedProof(number))
        });
        Ok(Self { index, path: path.collect::<Result<_, _>>()?, checkpoint: checkpoint.as_bytes().to_vec() })
    }

    /// The checkpoint, when it is signed by the key and has the record with this manifest at the place.
    ///
    /// # Errors
    /// When the checkpoint is not the log's, or the record not below it.
    pub fn verify(&self, manifest: &[u8], key: &str) -> Result<Checkpoint, LogError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let path = self.path.iter().map(|hash| Hash(*hash)).collect();
        let leaf = Hash(leaf_hash(manifest));
        tlog_tiles::check_record(&path, checkpoint.size, Hash(checkpoint.root), self.index, leaf)
            .map_err(|_| LogError::NotIncluded)?;
        Ok(checkpoint)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    const NAME: &str = "keyvouch.example/log";

    /// A log of two records.
    fn two() -> (LogKey, [Vec<u8>; 2], Proof) {
        let (key, _) = LogKey::generate(NAME).unwrap();
        let leaves = [b"first".to_vec(), b"second".to_vec()];
        let [a, b] = [leaf_hash(&leaves[0]), leaf_hash(&leaves[1])];
        let root = tlog_tiles::node_hash(Hash(a), Hash(b)).0;
        let checkpoint = key.sign(&Checkpoint { size: 2, root }).unwrap();
        (key, leaves, Proof { index: 1, path: vec![a], checkpoint })
    }

    #[test]
    fn leaves_are_hashed_as_in_rfc_9162() {
        // Of the empty leaf: SHA-256 of a single zero byte.
        let empty = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex::encode(leaf_hash(b"")), empty);
    }

    #[test]
    fn keys_are_what_they_were() {
        let (key, text) = LogKey::generate(NAME).unwrap();
        let read = LogKey::read(&format!("{text}\n")).unwrap();
        assert_eq!((read.name(), read.public()), (NAME, key.public()));
        assert!(!format!("{key:?}").contains("PRIVATE") && !key.public().contains("PRIVATE"));
        assert!(matches!(LogKey::generate("a b"), Err(LogError::Name(_))));
        for wrong in ["", "PRIVATE+KEY+x", key.public(), &text[..text.len() - 5]] {
            assert!(matches!(LogKey::read(wrong), Err(LogError::Key(_))), "{wrong}");
        }
    }

    #[test]
    fn a_checkpoint_is_that_of_the_log_or_refused() {
        let state = Checkpoint { size: 7, root: [9; 32] };
        let (key, _) = LogKey::generate(NAME).unwrap();
        let note = key.sign(&state).unwrap();
        assert!(String::from_utf8_lossy(&note).starts_with("keyvouch.example/log\n7\nCQkJ"));
        assert_eq!(Checkpoint::open(&note, key.public()), Ok(state));
        let (other, _) = LogKey::generate(NAME).unwrap();
        assert!(matches!(Checkpoint::open(&note, other.public()), Err(LogError::Signature(_))));
        let (stranger, _) = LogKey::generate("another.example/log").unwrap();
        assert!(matches!(Checkpoint::open(&note, stranger.public()), Err(LogError::Signature(_))));
        let forged = String::from_utf8(note.clone()).unwrap().replace("\n7\n", "\n8\n");
        assert!(matches!(Checkpoint::open(forged.as_bytes(), key.public()), Err(LogError::Signature(_))));
        assert_eq!(Checkpoint::open(b"x", key.public()), Err(LogError::Malformed));
        assert!(matches!(Checkpoint::open(&note, "x"), Err(LogError::Key(_))));
        // Signed by the key, and of another log.
        let head = Head::new("another.example/log", 7, Hash([9; 32]), "").unwrap();
        let mut foreign = Note::new(&head.to_bytes(), &[]).unwrap();
        foreign.add_sigs(&[&key.0]).unwrap();
        let wrong = Checkpoint::open(&foreign.to_bytes(), key.public());
        assert!(matches!(wrong, Err(LogError::Origin { .. })));
    }

    #[test]
    fn a_proof_holds_for_its_record_and_place_only() {
        let (key, leaves, proof) = two();
        let read = Proof::read(&proof.write()).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.verify(&leaves[1], key.public()).unwrap().size, 2);
        let wrong = Err(LogError::NotIncluded);
        assert_eq!(proof.verify(&leaves[0], key.public()), wrong);
        assert_eq!(proof.verify(b"secons", key.public()), wrong);
        for index in [0, 2, u64::MAX] {
            assert_eq!(Proof { index, ..proof.clone() }.verify(&leaves[1], key.public()), wrong);
        }
        for path in [vec![], vec![[0; 32]], vec![proof.path[0]; 2], vec![proof.path[0]; 70]] {
            assert_eq!(Proof { path, ..proof.clone() }.verify(&leaves[1], key.public()), wrong);
        }
    }

    #[test]
    fn proofs_are_read_strictly() {
        let (_, _, proof) = two();
        let text = String::from_utf8(proof.write()).unwrap();
        let with = |from: &str, to: &str| Proof::read(text.replacen(from, to, 1).as_bytes());
        assert_eq!(with("index", "extra YQ==\nindex").unwrap(), proof);
        for (from, to, line) in [
            (PROOF, "c2sp.org/tlog-proof@v2", 1),
            ("index 1", "index 01", 2),
            ("index 1", "index -1", 2),
            ("index 1", "at 1", 2),
            ("\n\n", "\nYQ==\n\n", 4),
            ("\n\n", "\n", 4),
        ] {
            assert_eq!(with(from, to), Err(LogError::MalformedProof(line)), "{to}");
        }
        assert!(Proof::read(&vec![b'\n'; MAX_PROOF + 1]).is_err());
        assert!(Proof::read(&[0xff]).is_err());
    }
}
