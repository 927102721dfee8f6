//! The checks of nShield key attestation, in the order in which they are made.

use crate::checks::Check;

const AGAIN: &str = "Make the bundle again on the host that holds the key's files (`nfkmattest bundle APPNAME IDENT`) and hand over the .att file unchanged.";
const VERIFY: &str = "Look whether `nfkmattest verify FILE.att` accepts the bundle on the host where it was made. If it does, hand over that file unchanged; if not, make it again with `nfkmattest bundle APPNAME IDENT`.";
const NEW_KEY: &str = "What a key may ever do is fixed when it is generated, so this key cannot be mended. Generate a new one with `generatekey`, with recovery turned off (parameter `recovery`) and without changing its access control list, and attest that one.";
const UNREAD: &str = "This verifier refuses an access control list that it cannot read to its end. Generate the key with `generatekey`, whose lists it knows, or report the bundle to the makers of this verifier.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "bundle-malformed",
    "the bundle is a JSON object with every member that it needs, each in its form",
    AGAIN,
);
pub(super) const ANCHOR_UNKNOWN: Check = Check::completeness(
    "anchor-unknown",
    "a key that signs warrants is configured",
    "The operator must configure Entrust's root key KWARN-1, which is built in unless the default anchors were turned off, or give a key of his own (--anchors FILE.pem with a P-521 PUBLIC KEY).",
);
pub(super) const UNTRUSTED_ROOT: Check = Check::completeness(
    "untrusted-root",
    "the bundle and its warrant name KWARN-1 as their root",
    "Every warrant of Entrust has the root KWARN-1. Get the module's warrant from Entrust (nShield support, \"Getting a missing warrant\") and make the bundle again with it.",
);
pub(super) const WARRANT: Check = Check::authenticity(
    "warrant-invalid",
    "the warrant is signed under KWARN-1 and vouches for a module",
    "Get the warrant of this module from Entrust again (folder /opt/nfast/kmdata/warrants, file named after the module's ESN), and make the bundle anew: `nfkmattest bundle --warrants DIR APPNAME IDENT`.",
);
pub(super) const FIELD_UPGRADE: Check = Check::authenticity(
    "field-upgrade-warrant",
    "the module got its long-term key in the factory",
    "This module got its long-term key later, vouched for by its former DSA-1024 key. An operator who does not accept that sets allow_field_upgrade_warrant=false; a subscriber can use a module that has the key from the factory.",
);
pub(super) const STATE_SIGNATURE: Check = Check::authenticity(
    "module-state-signature",
    "the state of the module is signed by the long-term key of its warrant",
    VERIFY,
);
pub(super) const STATE: Check = Check::authenticity(
    "module-state-invalid",
    "the state of the module is complete and speaks of the module of the warrant",
    VERIFY,
);
pub(super) const KNSO: Check = Check::authenticity(
    "knso-mismatch",
    "the Security Officer's key is that of the world in which the module is",
    "Make the bundle on a module that belongs to the Security World of the key.",
);
pub(super) const MODULE_KEY: Check = Check::authenticity(
    "module-key-unknown",
    "the module holds the module key of the bundle",
    "Make the bundle on a module that belongs to the Security World of the key.",
);
pub(super) const WORLD: Check = Check::authenticity(
    "world-binding-invalid",
    "the Security Officer's key has signed the keys of the world",
    VERIFY,
);
pub(super) const RECOVERY: Check = Check::authenticity(
    "recovery-binding-invalid",
    "the Security Officer's key has signed the recovery keys of the world, where the bundle has them",
    VERIFY,
);
pub(super) const KEY_SIGNATURE: Check = Check::authenticity(
    "key-certificate-signature",
    "the key generation certificate is signed by the module",
    VERIFY,
);
pub(super) const KEY_HASH: Check = Check::authenticity(
    "key-hash-mismatch",
    "the public key is the one that the key generation certificate speaks of",
    AGAIN,
);
pub(super) const UNKNOWN_ACTION: Check = Check::completeness(
    "acl-unknown-action",
    "every action, limit and condition of the access control list is known to this verifier",
    UNREAD,
);
pub(super) const UNKNOWN_PERMISSION: Check = Check::completeness(
    "acl-unknown-permission",
    "every permission of the access control list is known to this verifier",
    UNREAD,
);
pub(super) const FOREIGN_CERTIFIER: Check = Check::fitness(
    "acl-foreign-certifier",
    "only the Security Officer of the world can authorise what the access control list reserves",
    NEW_KEY,
);
pub(super) const FORBIDDEN_PERMISSION: Check = Check::fitness(
    "acl-forbidden-permission",
    "no permission lets the private key out or lets the access control list be widened",
    NEW_KEY,
);
pub(super) const UNSAFE_BLOB: Check = Check::fitness(
    "acl-unsafe-blob",
    "key blobs can be made only under the module key of the world",
    NEW_KEY,
);
pub(super) const ARCHIVE: Check = Check::fitness(
    "acl-archive-to-unknown-key",
    "archive blobs can be made only under the recovery key of the world",
    NEW_KEY,
);
pub(super) const UNSAFE_DERIVATION: Check = Check::fitness(
    "acl-unsafe-derivation",
    "nothing can be derived from the private key but its public key",
    NEW_KEY,
);
pub(super) const RECOVERABLE: Check = Check::fitness(
    "recoverable-by-administrators",
    "no quorum of the Administrator Card Set can take the private key out",
    "Where the key must not be exportable, generate a new one with recovery turned off (`generatekey`, parameter `recovery`), and attest that one; or the operator takes the card quorum for part of the device (accept_recoverable=true).",
);

/// All of them.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &ANCHOR_UNKNOWN,
    &UNTRUSTED_ROOT,
    &WARRANT,
    &FIELD_UPGRADE,
    &STATE_SIGNATURE,
    &STATE,
    &KNSO,
    &MODULE_KEY,
    &WORLD,
    &RECOVERY,
    &KEY_SIGNATURE,
    &KEY_HASH,
    &UNKNOWN_ACTION,
    &UNKNOWN_PERMISSION,
    &FOREIGN_CERTIFIER,
    &FORBIDDEN_PERMISSION,
    &UNSAFE_BLOB,
    &ARCHIVE,
    &UNSAFE_DERIVATION,
    &RECOVERABLE,
];
