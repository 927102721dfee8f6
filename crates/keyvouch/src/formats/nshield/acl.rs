//! The access control list (M_ACL) that a key got when it was generated: parsing, and words for people.
//!
//! Actions of unknown type have an unknown length, so nothing after one can be read. Such a list is not malformed:
//! it is *unread*, and nobody can say what it allows.

use super::keys::{self, KeyHash};
use crate::wire::ncore::{NcoreError, Reader};

/// Bits of OpPermissions, lowest first.
const PERMISSIONS: [&str; 16] = [
    "DuplicateHandle",
    "UseAsCertificate",
    "ExportAsPlain",
    "GetAppData",
    "SetAppData",
    "ReduceACL",
    "ExpandACL",
    "Encrypt",
    "Decrypt",
    "Verify",
    "UseAsBlobKey",
    "UseAsKM",
    "Sign",
    "GetACL",
    "UseAsLoaderKey",
    "SignModuleCert",
];

/// OpPermissions.
pub(super) mod permission {
    pub(in super::super) const EXPORT_AS_PLAIN: u32 = 0x4;
    pub(in super::super) const SET_APP_DATA: u32 = 0x10;
    pub(in super::super) const EXPAND_ACL: u32 = 0x40;
    pub(in super::super) const DECRYPT: u32 = 0x100;
    pub(in super::super) const USE_AS_BLOB_KEY: u32 = 0x400;
    pub(in super::super) const USE_AS_KM: u32 = 0x800;
    pub(in super::super) const SIGN: u32 = 0x1000;
    pub(in super::super) const USE_AS_LOADER_KEY: u32 = 0x4000;
    /// Every bit that has a name.
    pub(in super::super) const KNOWN: u32 = 0xffff;
}

/// Bit 0x4 of the flags of a token: it belongs to a softcard.
const SOFTCARD: u32 = 0x4;

/// The list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acl {
    pub(super) groups: Vec<Group>,
}

/// Why a list was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AclFault {
    /// Not the marshalled form of a list.
    #[error("the access control list is malformed: {0}")]
    Malformed(#[from] NcoreError),
    /// Something that this verifier does not know, where it does not know what follows.
    #[error("{0}")]
    Unread(String),
}

/// Actions, and what they need.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// Hashes of the keys that must authorise the actions, however the list says so.
    pub(super) certifiers: Vec<KeyHash>,
    pub(super) limits: Vec<Limit>,
    pub(super) actions: Vec<Action>,
    /// The one module on which the actions are possible.
    pub(super) module: Option<String>,
}

/// How often, or how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Limit {
    Uses(u32),
    Seconds(u32),
    UsesPerAuthorisation(u32),
}

/// What the group allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    Permissions(u32),
    MakeBlob(Blob),
    /// The recovery key, where the action names one.
    MakeArchiveBlob {
        key: Option<KeyHash>,
    },
    /// Deriving another key; without parameters and further keys, or the list would be unread.
    Derive {
        mechanism: u32,
    },
}

/// Key blobs that can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) module_protection: bool,
    pub(super) null_token: bool,
    pub(super) module_key: Option<KeyHash>,
    /// Protection by a token: both its key and its parameters are given.
    pub(super) token: Option<Token>,
}

/// The cards or softcard that protect blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    flags: u32,
    needed: u32,
    total: u32,
    seconds: u32,
}

impl Acl {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, AclFault> {
        let mut reader = Reader::new(bytes);
        // A group has at least flags and two counts.
        let count = reader.count(12)?;
        let groups = (1..=count).map(|n| Group::read(&mut reader, n)).collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { groups })
    }
}

impl Group {
    fn read(reader: &mut Reader<'_>, number: u32) -> Result<Self, AclFault> {
        let unread =
            |what: String| AclFault::Unread(format!("group {number} of the access control list has {what}"));
        let flags = reader.word()?;
        // Certifier 0x1, FreshCerts 0x2, its mechanism 0x4, module 0x8, logging 0x20, certifier with mechanism 0x40.
        if flags & !0x6f != 0 {
            return Err(unread(format!("flags {flags:#x}, not all of which are known")));
        }
        let mut group = Self::default();
        for _ in 0..reader.count(8)? {
            group.limits.push(
                Limit::read(reader)?.map_err(|kind| unread(format!("a limit of unknown type {kind}")))?,
            );
        }
        for _ in 0..reader.count(8)? {
            group.actions.push(Action::read(reader)?.map_err(&unread)?);
        }
        if flags & 0x1 != 0 {
            group.certifiers.push(reader.hash()?);
        }
        if flags & 0x4 != 0 {
            group.certifiers.push(reader.hash()?);
            let _mechanism = reader.word()?;
        }
        if flags & 0x8 != 0 {
            group.module = Some(reader.text()?.to_owned());
        }
        if flags & 0x40 != 0 {
            let hash = keys::read_hash_ex(reader)?;
            group.certifiers.push(hash.map_err(|m| unread(format!("a certifier with hash mechanism {m}")))?);
            let _mechanism = reader.word()?;
        }
        Ok(group)
    }
}

impl Limit {
    /// The inner error is the type that is not known.
    fn read(reader: &mut Reader<'_>) -> Result<Result<Self, u32>, NcoreError> {
        Ok(Ok(match reader.word()? {
            1 => {
                let _id = reader.hash()?;
                Self::Uses(reader.word()?)
            }
            3 => Self::Seconds(reader.word()?),
            6 => {
                let _id = reader.hash()?;
                Self::UsesPerAuthorisation(reader.word()?)
            }
            other => return Ok(Err(other)),
        }))
    }
}

impl Action {
    /// The inner error says what is not known.
    fn read(reader: &mut Reader<'_>) -> Result<Result<Self, String>, NcoreError> {
        match reader.word()? {
            1 => Ok(Ok(Self::Permissions(reader.word()?))),
            2 => Blob::read(reader).map(|blob| blob.map(Self::MakeBlob)),
            3 => Self::read_archive(reader),
            5 | 47 => Self::read_derive(reader),
            other => Ok(Err(format!("an action of unknown type {other}"))),
        }
    }

    fn read_archive(reader: &mut Reader<'_>) -> Result<Result<Self, String>, NcoreError> {
        let flags = reader.word()?;
        if flags & !0x3 != 0 {
            return Ok(Err(format!("a MakeArchiveBlob with unknown flags {flags:#x}")));
        }
        let _mechanism = reader.word()?;
        let key = if flags & 0x1 != 0 { Some(reader.hash()?) } else { None };
        if flags & 0x2 != 0
            && let Err(why) = skip_blob_file(reader)?
        {
            return Ok(Err(why));
        }
        Ok(Ok(Self::MakeArchiveBlob { key }))
    }

    fn read_derive(reader: &mut Reader<'_>) -> Result<Result<Self, String>, NcoreError> {
        let (flags, _role, mechanism, others) =
            (reader.word()?, reader.word()?, reader.word()?, reader.word()?);
        if flags != 0 || others != 0 {
            let why = format!("a DeriveKey (mechanism {mechanism}) with parameters or other keys");
            return Ok(Err(why));
        }
        Ok(Ok(Self::Derive { mechanism }))
    }
}

impl Blob {
    fn read(reader: &mut Reader<'_>) -> Result<Result<Self, String>, NcoreError> {
        let flags = reader.word()?;
        if flags & !0x7f != 0 {
            return Ok(Err(format!("a MakeBlob with unknown flags {flags:#x}")));
        }
        let has = |bit: u32| flags & bit != 0;
        let module_key = if has(0x4) { Some(reader.hash()?) } else { None };
        let token_key = if has(0x8) { Some(reader.hash()?) } else { None };
        let parameters = if has(0x10) { Some(Token::read(reader)?) } else { None };
        if has(0x40)
            && let Err(why) = skip_blob_file(reader)?
        {
            return Ok(Err(why));
        }
        Ok(Ok(Self {
            module_protection: has(0x1),
            null_token: has(0x20),
            module_key,
            token: token_key.and(parameters),
        }))
    }
}

impl Token {
    fn read(reader: &mut Reader<'_>) -> Result<Self, NcoreError> {
        let (flags, needed, total) = (reader.word()?, reader.word()?, reader.word()?);
        Ok(Self { flags, needed, total, seconds: reader.word()? })
    }

    pub(super) fn is_softcard(self) -> bool {
        self.flags & SOFTCARD != 0
    }

    /// `1 of 1`, with the time limit where there is one.
    pub(super) fn quorum(self) -> String {
        let Self { needed, total, seconds, .. } = self;
        let limit = if seconds == 0 { String::new() } else { format!(", for {seconds} s") };
        format!("{needed} of {total}{limit}")
    }
}

/// Where the blob may be stored: it takes nothing from, and adds nothing to, who can open it.
fn skip_blob_file(reader: &mut Reader<'_>) -> Result<Result<(), String>, NcoreError> {
    let flags = reader.word()?;
    if flags & !0x3 != 0 {
        return Ok(Err(format!("a blob file with unknown flags {flags:#x}")));
    }
    if flags & 0x1 != 0 {
        let _devices = reader.word()?;
    }
    if flags & 0x2 != 0 {
        let _acl = reader.hash()?;
    }
    Ok(Ok(()))
}

/// The names of the permissions.
pub(super) fn names(permissions: u32) -> String {
    let named =
        (0_u32..).zip(PERMISSIONS).filter(|(bit, _)| permissions >> bit & 1 == 1).map(|(_, name)| name);
    let mut names: Vec<String> = named.map(str::to_owned).collect();
    let unknown = permissions & !permission::KNOWN;
    if unknown != 0 {
        names.push(format!("{unknown:#x}"));
    }
    names.join("+")
}

impl Group {
    /// One clause for people: the condition, then the actions.
    pub(super) fn describe(&self, hknso: &KeyHash) -> String {
        let mut when: Vec<String> = Vec::new();
        for certifier in &self.certifiers {
            when.push(match certifier == hknso {
                true => "with a quorum of the Administrator Card Set".to_owned(),
                false => format!("authorised by key {}", hex::encode(certifier)),
            });
        }
        when.extend(self.module.iter().map(|esn| format!("on module {esn:?}")));
        when.extend(self.limits.iter().map(|limit| match limit {
            Limit::Uses(n) => format!("at most {n} times"),
            Limit::UsesPerAuthorisation(n) => format!("at most {n} times per authorisation"),
            Limit::Seconds(n) => format!("within {n} s"),
        }));
        let actions: Vec<String> = self.actions.iter().map(Action::describe).collect();
        let when = if when.is_empty() { "always".to_owned() } else { when.join(", ") };
        format!("{when}: {}", actions.join(", "))
    }
}

impl Action {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Permissions(bits) => format!("OpPermissions {bits:#x} ({})", names(*bits)),
            Self::MakeBlob(blob) => {
                let under = blob
                    .module_key
                    .map_or("any module key".to_owned(), |k| format!("module key {}", hex::encode(k)));
                let mut by = Vec::new();
                if blob.module_protection {
                    by.push("module".to_owned());
                }
                if let Some(token) = blob.token {
                    by.push(format!(
                        "{} {}",
                        if token.is_softcard() { "softcard" } else { "cardset" },
                        token.quorum()
                    ));
                }
                if blob.null_token {
                    by.push("no module key at all".to_owned());
                }
                format!("MakeBlob under {under} (protection: {})", by.join(" or "))
            }
            Self::MakeArchiveBlob { key: Some(key) } => {
                format!("MakeArchiveBlob under key {}", hex::encode(key))
            }
            Self::MakeArchiveBlob { key: None } => "MakeArchiveBlob under any key".to_owned(),
            Self::Derive { mechanism } => format!("DeriveKey with mechanism {mechanism}"),
        }
    }
}
