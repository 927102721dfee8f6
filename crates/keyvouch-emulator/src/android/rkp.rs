//! The request of a device to Google's provisioning server, version 3: DICE chain, device information, keys.
//!
//! Source: Android Open Source Project, `generateCertificateRequestV2.cddl`; Open Profile for DICE.

use crate::Error;
use crate::key::{Key, KeyKind, SignAlg};
use std::sync::Arc;

/// CBOR, as far as these requests use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cbor {
    /// An integer.
    Int(i64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// An array.
    Array(Vec<Cbor>),
    /// A map, in this order.
    Map(Vec<(Cbor, Cbor)>),
    /// null.
    Null,
}

impl Cbor {
    /// Text.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// The encoding in the fewest bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Int(n) if *n < 0 => head(1, n.unsigned_abs() - 1),
            Self::Int(n) => head(0, n.unsigned_abs()),
            Self::Bytes(bytes) => [head(2, length(bytes.len())), bytes.clone()].concat(),
            Self::Text(text) => [head(3, length(text.len())), text.as_bytes().to_vec()].concat(),
            Self::Array(items) => {
                let mut out = head(4, length(items.len()));
                items.iter().for_each(|i| out.extend(i.encode()));
                out
            }
            Self::Map(entries) => {
                let mut out = head(5, length(entries.len()));
                for (key, value) in entries {
                    out.extend(key.encode());
                    out.extend(value.encode());
                }
                out
            }
            Self::Null => vec![0xf6],
        }
    }

    /// The entries of a map, to be changed.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<(Self, Self)>> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }
}

fn length(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn head(major: u8, value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let (info, tail): (u8, &[u8]) = match value {
        0..=23 => (bytes[7], &[]),
        24..=0xff => (24, &bytes[7..]),
        0x100..=0xffff => (25, &bytes[6..]),
        0x1_0000..=0xffff_ffff => (26, &bytes[4..]),
        _ => (27, &bytes[..]),
    };
    [&[major << 5 | info], tail].concat()
}

fn algorithm(key: &Key) -> (i64, SignAlg) {
    match key.kind() {
        KeyKind::P384 => (-35, SignAlg::EcdsaSha384Raw),
        KeyKind::Ed25519 => (-8, SignAlg::Ed25519),
        _ => (-7, SignAlg::EcdsaSha256Raw),
    }
}

/// COSE_Key of a public key.
pub fn cose_key(key: &Key) -> Cbor {
    let (algorithm, _) = algorithm(key);
    let point = key.point().unwrap_or_default();
    let int = |n: i64, v: i64| (Cbor::Int(n), Cbor::Int(v));
    let bytes = |n: i64, v: &[u8]| (Cbor::Int(n), Cbor::Bytes(v.to_vec()));
    Cbor::Map(match key.kind() {
        KeyKind::Ed25519 => vec![int(1, 1), int(3, algorithm), int(-1, 6), bytes(-2, point)],
        kind => {
            let (x, y) = point[1..].split_at((point.len() - 1) / 2);
            let curve = if kind == KeyKind::P384 { 2 } else { 1 };
            vec![int(1, 2), int(3, algorithm), int(-1, curve), bytes(-2, x), bytes(-3, y)]
        }
    })
}

/// COSE_Sign1 of a payload.
///
/// # Errors
/// As [`Key::sign`].
pub fn sign1(key: &Key, payload: &[u8]) -> Result<Cbor, Error> {
    let (number, alg) = algorithm(key);
    let protected = Cbor::Map(vec![(Cbor::Int(1), Cbor::Int(number))]).encode();
    let signed = Cbor::Array(vec![
        Cbor::text("Signature1"),
        Cbor::Bytes(protected.clone()),
        Cbor::Bytes(Vec::new()),
        Cbor::Bytes(payload.to_vec()),
    ]);
    let signature = key.sign(alg, &signed.encode())?;
    Ok(Cbor::Array(vec![
        Cbor::Bytes(protected),
        Cbor::Map(Vec::new()),
        Cbor::Bytes(payload.to_vec()),
        Cbor::Bytes(signature),
    ]))
}

/// A stage of the boot.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Name of the stage before it.
    pub issuer: String,
    /// Its own name.
    pub subject: String,
    /// 1 normal, 2 debug.
    pub mode: u8,
    /// Its key.
    pub key: Arc<Key>,
    /// Content of the key usage: keyCertSign is 0x20.
    pub usage: Vec<u8>,
    /// Whether its configuration has the marker of the RKP VM.
    pub rkp_vm: bool,
    /// More members.
    pub more: Vec<(Cbor, Cbor)>,
}

impl Stage {
    fn payload(&self) -> Vec<u8> {
        let int = Cbor::Int;
        let mut config = vec![(int(-70_002), Cbor::text("component"))];
        if self.rkp_vm {
            config.push((int(-70_006), Cbor::Null));
        }
        let mut members = vec![
            (int(1), Cbor::text(&self.issuer)),
            (int(2), Cbor::text(&self.subject)),
            (int(-4_670_545), Cbor::Bytes(vec![0x55; 32])),
            (int(-4_670_548), Cbor::Bytes(Cbor::Map(config).encode())),
            (int(-4_670_549), Cbor::Bytes(vec![0x66; 32])),
            (int(-4_670_551), Cbor::Bytes(vec![self.mode])),
            (int(-4_670_552), Cbor::Bytes(cose_key(&self.key).encode())),
            (int(-4_670_553), Cbor::Bytes(self.usage.clone())),
        ];
        members.extend(self.more.iter().cloned());
        Cbor::Map(members).encode()
    }
}

/// A request, not yet signed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The device's root key.
    pub root: Arc<Key>,
    /// COSE_Key of the root key.
    pub root_cose: Cbor,
    /// The stages of the boot.
    pub stages: Vec<Stage>,
    /// The maker's certificates of the root key, by signer, root first.
    pub certificates: Vec<(String, Vec<Vec<u8>>)>,
    /// The server's challenge.
    pub challenge: Vec<u8>,
    /// Type of the certificates asked for.
    pub kind: String,
    /// DeviceInfo.
    pub device: Cbor,
    /// Keys to be certified.
    pub keys: Vec<Cbor>,
}

impl Request {
    /// A request of a device with two stages.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn new() -> Result<Self, Error> {
        let key = |role: &str, kind| Key::shared(&format!("android rkp: {role}"), kind);
        let root = key("UDS", KeyKind::Ed25519)?;
        let stage = |issuer: &str, subject: &str, key| Stage {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            mode: 1,
            key,
            usage: vec![0x20],
            rkp_vm: false,
            more: Vec::new(),
        };
        let text = |name: &str, value: &str| (Cbor::text(name), Cbor::text(value));
        let int = |name: &str, value: i64| (Cbor::text(name), Cbor::Int(value));
        Ok(Self {
            root_cose: cose_key(&root),
            root,
            stages: vec![
                stage("root", "first", key("first stage", KeyKind::P384)?),
                stage("first", "second", key("second stage", KeyKind::P256)?),
            ],
            certificates: Vec::new(),
            challenge: b"server challenge".to_vec(),
            kind: "keymint".to_owned(),
            device: Cbor::Map(vec![
                text("brand", "emulated"),
                int("fused", 1),
                text("model", "Emulator 1"),
                text("device", "emu"),
                text("product", "emu"),
                text("vb_state", "green"),
                text("os_version", "16"),
                text("manufacturer", "keyvouch"),
                (Cbor::text("vbmeta_digest"), Cbor::Bytes(vec![0x11; 32])),
                text("security_level", "tee"),
                int("boot_patch_level", 20_260_505),
                text("bootloader_state", "locked"),
                int("system_patch_level", 202_605),
                int("vendor_patch_level", 20_260_505),
            ]),
            keys: vec![cose_key(&*key("to be certified", KeyKind::P256)?)],
        })
    }

    /// Set a member of DeviceInfo.
    pub fn device_member(&mut self, name: &str, value: Cbor) {
        if let Some(entries) = self.device.entries_mut() {
            entries.retain(|(key, _)| *key != Cbor::text(name));
            entries.push((Cbor::text(name), value));
        }
    }

    /// The DICE chain alone.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn chain(&self) -> Result<Cbor, Error> {
        let mut items = vec![self.root_cose.clone()];
        let mut signer = &self.root;
        for stage in &self.stages {
            items.push(sign1(signer, &stage.payload())?);
            signer = &stage.key;
        }
        Ok(Cbor::Array(items))
    }

    /// The request.
    ///
    /// # Errors
    /// As [`Key::sign`].
    pub fn sign(&self) -> Result<Cbor, Error> {
        let signer = self.stages.last().map_or(&self.root, |s| &s.key);
        let content = Cbor::Array(vec![
            Cbor::Int(3),
            Cbor::text(&self.kind),
            self.device.clone(),
            Cbor::Array(self.keys.clone()),
        ]);
        let signed = Cbor::Array(vec![Cbor::Bytes(self.challenge.clone()), Cbor::Bytes(content.encode())]);
        let certificates = self
            .certificates
            .iter()
            .map(|(name, chain)| {
                (Cbor::text(name), Cbor::Array(chain.iter().cloned().map(Cbor::Bytes).collect()))
            })
            .collect();
        Ok(Cbor::Array(vec![
            Cbor::Int(1),
            Cbor::Map(certificates),
            self.chain()?,
            sign1(signer, &signed.encode())?,
        ]))
    }
}
