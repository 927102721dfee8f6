//! Access control lists (M_ACL).

use super::marshal::{key_hash_ex, text, vector, word};

/// Bits of OpPermissions.
#[allow(missing_docs, reason = "named as in nCore")]
pub mod permission {
    pub const DUPLICATE_HANDLE: u32 = 0x1;
    pub const EXPORT_AS_PLAIN: u32 = 0x4;
    pub const GET_APP_DATA: u32 = 0x8;
    pub const SET_APP_DATA: u32 = 0x10;
    pub const REDUCE_ACL: u32 = 0x20;
    pub const EXPAND_ACL: u32 = 0x40;
    pub const DECRYPT: u32 = 0x100;
    pub const USE_AS_BLOB_KEY: u32 = 0x400;
    pub const USE_AS_KM: u32 = 0x800;
    pub const SIGN: u32 = 0x1000;
    pub const GET_ACL: u32 = 0x2000;
    pub const USE_AS_LOADER_KEY: u32 = 0x4000;
}

/// M_PermissionGroup.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// Flags beside those of the optional fields below.
    pub flags: u32,
    /// Limits.
    pub limits: Vec<Limit>,
    /// Actions.
    pub actions: Vec<Action>,
    /// The key that must authorise the actions.
    pub certifier: Option<Vec<u8>>,
    /// The same with a mechanism.
    pub certifier_mechanism: Option<(Vec<u8>, u32)>,
    /// Serial number of the one module.
    pub module: Option<String>,
    /// The same as `certifier_mechanism`, with a hash that names its mechanism.
    pub certifier_ex: Option<(Vec<u8>, u32)>,
}

impl Group {
    /// A group of one action, without conditions.
    pub fn of(action: Action) -> Self {
        Self { actions: vec![action], ..Self::default() }
    }

    /// The same, for one use.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.limits.push(Limit::Global { id: crate::key::derived("limit", 20), max: 1 });
        self
    }

    fn encode(&self) -> Vec<u8> {
        let flag = |there: bool, bit: u32| if there { bit } else { 0 };
        let flags = self.flags
            | flag(self.certifier.is_some(), 0x1)
            | flag(self.certifier_mechanism.is_some(), 0x4)
            | flag(self.module.is_some(), 0x8)
            | flag(self.certifier_ex.is_some(), 0x40);
        let limits: Vec<_> = self.limits.iter().map(Limit::encode).collect();
        let actions: Vec<_> = self.actions.iter().map(Action::encode).collect();
        let mut out = [word(flags), vector(&limits), vector(&actions)].concat();
        out.extend(self.certifier.iter().flatten());
        if let Some((hash, mechanism)) = &self.certifier_mechanism {
            out.extend([hash.clone(), word(*mechanism)].concat());
        }
        out.extend(self.module.iter().flat_map(|esn| text(esn)));
        if let Some((hash, mechanism)) = &self.certifier_ex {
            out.extend([key_hash_ex(hash), word(*mechanism)].concat());
        }
        out
    }
}

/// M_UseLimit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// So many uses in all.
    Global {
        /// Name of the counter.
        id: Vec<u8>,
        /// How many.
        max: u32,
    },
    /// For so many seconds.
    Time(u32),
    /// So many uses for an authorisation.
    Auth {
        /// Name of the counter.
        id: Vec<u8>,
        /// How many.
        max: u32,
    },
    /// Octets as they are.
    Raw(Vec<u8>),
}

impl Limit {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Global { id, max } => [word(1), id.clone(), word(*max)].concat(),
            Self::Time(seconds) => [word(3), word(*seconds)].concat(),
            Self::Auth { id, max } => [word(6), id.clone(), word(*max)].concat(),
            Self::Raw(octets) => octets.clone(),
        }
    }
}

/// M_Action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// OpPermissions.
    Permissions(u32),
    /// MakeBlob.
    MakeBlob(Blob),
    /// MakeArchiveBlob with a mechanism, perhaps under a given key, perhaps with a blob file.
    MakeArchiveBlob {
        /// Mechanism.
        mechanism: u32,
        /// Hash of the key.
        key: Option<Vec<u8>>,
        /// Flags of a blob file without further data.
        blob_file: bool,
    },
    /// DeriveKey.
    DeriveKey {
        /// 5, or 47 for DeriveKeyEx.
        kind: u32,
        /// Flags; no parameters follow.
        flags: u32,
        /// Mechanism.
        mechanism: u32,
        /// Number of other keys that is announced; none follow.
        others: u32,
    },
    /// Octets as they are.
    Raw(Vec<u8>),
}

/// MakeBlob.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blob {
    /// AllowKmOnly 0x1, AllowNonKm0 0x2, AllowNullKmToken 0x20, and whatever else is not said below.
    pub flags: u32,
    /// Hash of the module key.
    pub module_key: Option<Vec<u8>>,
    /// Hash of the token's key.
    pub token_key: Option<Vec<u8>>,
    /// Flags of the token, shares needed, shares in all, time limit.
    pub token: Option<[u32; 4]>,
    /// A blob file with devices and the hash of a list.
    pub blob_file: Option<(u32, Vec<u8>)>,
}

impl Blob {
    /// Module protection under a module key.
    pub fn module(key: &[u8]) -> Self {
        Self { flags: 0x3, module_key: Some(key.to_vec()), ..Self::default() }
    }

    /// Protection by a softcard (token flags 7) or a card set (3) under a module key.
    pub fn token(key: &[u8], token: [u32; 4]) -> Self {
        Self {
            flags: 0x2,
            module_key: Some(key.to_vec()),
            token_key: Some(crate::key::derived("token", 20)),
            token: Some(token),
            blob_file: None,
        }
    }

    fn encode(&self) -> Vec<u8> {
        let flag = |there: bool, bit: u32| if there { bit } else { 0 };
        let flags = self.flags
            | flag(self.module_key.is_some(), 0x4)
            | flag(self.token_key.is_some(), 0x8)
            | flag(self.token.is_some(), 0x10)
            | flag(self.blob_file.is_some(), 0x40);
        let mut out = [word(2), word(flags)].concat();
        out.extend(self.module_key.iter().flatten());
        out.extend(self.token_key.iter().flatten());
        out.extend(self.token.iter().flatten().flat_map(|value| word(*value)));
        if let Some((devices, acl)) = &self.blob_file {
            out.extend([word(0x3), word(*devices), acl.clone()].concat());
        }
        out
    }
}

impl Action {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Permissions(bits) => [word(1), word(*bits)].concat(),
            Self::MakeBlob(blob) => blob.encode(),
            Self::MakeArchiveBlob { mechanism, key, blob_file } => {
                let flags = u32::from(key.is_some()) | u32::from(*blob_file) << 1;
                let mut out = [word(3), word(flags), word(*mechanism)].concat();
                out.extend(key.iter().flatten());
                out.extend(blob_file.then(|| word(0)).into_iter().flatten());
                out
            }
            Self::DeriveKey { kind, flags, mechanism, others } => {
                [word(*kind), word(*flags), word(0), word(*mechanism), word(*others)].concat()
            }
            Self::Raw(octets) => octets.clone(),
        }
    }
}

/// The list.
pub fn encode(groups: &[Group]) -> Vec<u8> {
    let groups: Vec<_> = groups.iter().map(Group::encode).collect();
    vector(&groups)
}
