//! Can the key leave? The access control list at generation is an upper bound of what was ever possible with the
//! key: it can only be reduced afterwards, unless it allows ExpandACL.

use super::acl::{self, Acl, Action, Blob, Group, Token, permission};
use super::checks as ck;
use super::keys::KeyHash;
use crate::checks::Check;

/// DeriveMech_PublicFromPrivate: the only derivation that reveals nothing of the private key.
const PUBLIC_FROM_PRIVATE: u32 = 29;

/// Permissions that let the key out, with what each of them allows.
const FORBIDDEN: [(u32, &str); 5] = [
    (permission::EXPORT_AS_PLAIN, "the private key can be exported in plain text"),
    (permission::SET_APP_DATA, "the application data stored with the key can be exchanged"),
    (permission::EXPAND_ACL, "the list can be widened at any time, up to exporting the key"),
    (permission::USE_AS_KM, "the key can be made a module key, under which other keys leave the module"),
    (permission::USE_AS_LOADER_KEY, "the key can serve as a loader key of the module"),
];

/// The keys of the world that blobs may be made under; `None` where the bundle proves none.
#[derive(Debug, Clone, Copy)]
pub(super) struct WorldKeys {
    pub(super) hknso: KeyHash,
    pub(super) hkm: Option<KeyHash>,
    pub(super) hkre: Option<KeyHash>,
}

/// How the key is protected while it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    /// Nothing but the module is needed.
    Module,
    Softcard(Token),
    Cardset(Token),
    /// It is not stored: no blob can be made.
    NonPersistent,
    /// Blobs can be made, none of them safe.
    Unsafe,
}

/// What the list lets happen to the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exposure {
    /// Failed checks, with what exactly refuses the key.
    pub(super) faults: Vec<(&'static Check, String)>,
    /// By which ways a quorum of administrators can take the key out.
    pub(super) quorum: Vec<String>,
    /// Whether one of them needs no recovery key: export as it is.
    quorum_exports: bool,
    /// Whether there is a Security Officer group or a recovery blob.
    pub(super) recovery: bool,
    pub(super) protection: Protection,
    /// Permissions that need no authorisation, of all groups together.
    permissions: u32,
}

impl Exposure {
    pub(super) fn of(acl: &Acl, keys: &WorldKeys) -> Self {
        let mut found = Self {
            faults: Vec::new(),
            quorum: Vec::new(),
            quorum_exports: false,
            recovery: false,
            protection: Protection::NonPersistent,
            permissions: 0,
        };
        for (number, group) in (1_usize..).zip(&acl.groups) {
            let at = |text: String| format!("group {number} ({}): {text}", group.describe(&keys.hknso));
            if group.certifiers.is_empty() {
                found.always(group, keys, &at);
            } else if group.certifiers.iter().all(|certifier| *certifier == keys.hknso) {
                found.by_security_officer(group, keys, &at);
            } else {
                let detail = at("authorised by a key that is not the Security Officer's".to_owned());
                found.faults.push((&ck::FOREIGN_CERTIFIER, detail));
            }
        }
        found
    }

    /// A group whose actions need nobody's word.
    fn always(&mut self, group: &Group, keys: &WorldKeys, at: &dyn Fn(String) -> String) {
        for action in &group.actions {
            match action {
                Action::Permissions(bits) => {
                    self.permissions |= bits;
                    self.unknown(*bits, at);
                    let names: Vec<String> = FORBIDDEN
                        .iter()
                        .filter(|(bit, _)| bits & bit != 0)
                        .map(|(bit, why)| format!("{} is allowed: {why}", acl::names(*bit)))
                        .collect();
                    if !names.is_empty() {
                        self.faults.push((&ck::FORBIDDEN_PERMISSION, at(names.join("; "))));
                    }
                }
                Action::MakeBlob(blob) => match unsafe_blob(blob, keys) {
                    Some(why) => {
                        self.faults.push((&ck::UNSAFE_BLOB, at(why.to_owned())));
                        if self.protection == Protection::NonPersistent {
                            self.protection = Protection::Unsafe;
                        }
                    }
                    None => self.protection = weaker(self.protection, protection(blob)),
                },
                Action::MakeArchiveBlob { key } if key.is_some() && *key == keys.hkre => {
                    self.recovery = true;
                    self.quorum.push(at("archive blobs under the recovery key of the world".to_owned()));
                }
                Action::MakeArchiveBlob { key } => {
                    let why = match key {
                        Some(_) => {
                            "archive blobs under a key that is not proved to be the world's recovery key"
                        }
                        None => "archive blobs under any key that somebody chooses",
                    };
                    self.faults.push((&ck::ARCHIVE, at(why.to_owned())));
                }
                Action::Derive { mechanism: PUBLIC_FROM_PRIVATE } => {}
                Action::Derive { mechanism } => {
                    let why = format!("derivation with mechanism {mechanism} may reveal the private key");
                    self.faults.push((&ck::UNSAFE_DERIVATION, at(why)));
                }
            }
        }
    }

    /// A group whose actions need a quorum of the Administrator Card Set.
    fn by_security_officer(&mut self, group: &Group, keys: &WorldKeys, at: &dyn Fn(String) -> String) {
        self.recovery = true;
        let mut exports: Vec<String> = Vec::new();
        let mut archives: Vec<String> = Vec::new();
        for action in &group.actions {
            match action {
                Action::Permissions(bits) => {
                    self.unknown(*bits, at);
                    let forbidden = FORBIDDEN.iter().filter(|(bit, _)| bits & bit != 0);
                    exports.extend(forbidden.map(|(bit, _)| acl::names(*bit)));
                }
                Action::MakeBlob(blob) if unsafe_blob(blob, keys).is_some() => {
                    archives.push(action.describe())
                }
                // Blobs of the world that only a quorum can make: no protection of the key in use.
                Action::MakeBlob(_) => {}
                Action::MakeArchiveBlob { .. } => archives.push(action.describe()),
                Action::Derive { mechanism: PUBLIC_FROM_PRIVATE } => {}
                Action::Derive { .. } => exports.push(action.describe()),
            }
        }
        self.quorum_exports |= !exports.is_empty();
        if !exports.is_empty() || !archives.is_empty() {
            exports.append(&mut archives);
            self.quorum.push(at(format!("a quorum can use {}", exports.join(", "))));
        }
    }

    fn unknown(&mut self, bits: u32, at: &dyn Fn(String) -> String) {
        let unknown = bits & !permission::KNOWN;
        if unknown != 0 {
            self.faults.push((&ck::UNKNOWN_PERMISSION, at(format!("permission {unknown:#x} is not known"))));
        }
    }

    /// The claim `key.exportable`.
    pub(super) fn exportable(&self, accept_recoverable: bool) -> &'static str {
        match () {
            () if !self.faults.is_empty() => "yes",
            () if self.quorum.is_empty() || accept_recoverable => "vendor-boundary",
            () if self.quorum_exports => "yes",
            () => "wrapped",
        }
    }

    /// The claim `key.ever_exportable`: what a quorum could do counts, whatever the operator thinks of it.
    pub(super) fn ever_exportable(&self) -> bool {
        !self.faults.is_empty() || !self.quorum.is_empty()
    }

    /// The claim `key.purposes`.
    pub(super) fn purposes(&self) -> Vec<&'static str> {
        let named = [
            (permission::SIGN, "sign"),
            (permission::DECRYPT, "decrypt"),
            (permission::USE_AS_BLOB_KEY, "wrap"),
        ];
        named.iter().filter(|(bit, _)| self.permissions & bit != 0).map(|(_, name)| *name).collect()
    }
}

impl Protection {
    /// The word of `nfkmattest`; none where no blob is safe.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Module => Some("module"),
            Self::Softcard(_) => Some("softcard"),
            Self::Cardset(_) => Some("cardset"),
            Self::NonPersistent => Some("non-persistent"),
            Self::Unsafe => None,
        }
    }

    /// The claim `auth.pin`: what it takes to load the key.
    pub(super) fn pin(self) -> Option<&'static str> {
        match self {
            Self::Module => Some("never"),
            Self::Softcard(_) | Self::Cardset(_) => Some("once"),
            Self::NonPersistent | Self::Unsafe => None,
        }
    }

    pub(super) fn quorum(self) -> Option<String> {
        match self {
            Self::Softcard(token) | Self::Cardset(token) => Some(token.quorum()),
            Self::Module | Self::NonPersistent | Self::Unsafe => None,
        }
    }

    /// The weakest first.
    fn rank(self) -> u8 {
        match self {
            Self::Module => 0,
            Self::Softcard(_) => 1,
            Self::Cardset(_) => 2,
            Self::Unsafe => 3,
            Self::NonPersistent => 4,
        }
    }
}

fn weaker(a: Protection, b: Protection) -> Protection {
    if b.rank() < a.rank() { b } else { a }
}

/// The weakest protection that a safe blob can have.
fn protection(blob: &Blob) -> Protection {
    match blob.token {
        _ if blob.module_protection => Protection::Module,
        Some(token) if token.is_softcard() => Protection::Softcard(token),
        Some(token) => Protection::Cardset(token),
        None => Protection::Unsafe,
    }
}

/// Why blobs of this kind can be opened outside the world.
fn unsafe_blob(blob: &Blob, keys: &WorldKeys) -> Option<&'static str> {
    match blob {
        Blob { null_token: true, .. } => {
            Some("blobs can be made that no module key protects (AllowNullKmToken)")
        }
        Blob { module_key: None, .. } => {
            Some("blobs can be made under any module key, and be opened in another world")
        }
        Blob { module_key, .. } if *module_key != keys.hkm => {
            Some("blobs can be made under a module key that is not proved to be the world's")
        }
        Blob { module_protection: false, token: None, .. } => {
            Some("blobs can be made under a token whose key and parameters are left open")
        }
        _ => None,
    }
}
