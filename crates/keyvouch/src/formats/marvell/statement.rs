//! What an authenticated attestation says.

use super::attributes as attribute;
use super::chain::Trusted;
use super::judge::{Judged, Profile};
use super::layout::Layout;
use super::names::DeviceName;
use super::object::Object;
use super::semantics::{Objects, key_of};
use crate::authentic::Authentic;
use crate::claims::{ClaimName, ClaimSet, Claims, Value};
use crate::crypto::PublicKey;
use crate::formats::Attested;
use crate::pki::Certificate;

/// The objects, as the partition signed them, and the partition's certificate, as its card signed it.
#[derive(Debug)]
pub(super) struct Statement<'b> {
    pub(super) objects: Objects<'b>,
    partition: Certificate,
}

/// Claims of the shared part of a statement.
pub(super) type Gathering<'s, 'b> = Claims<'s, Statement<'b>>;

/// Reads the statement anew, from authenticated bytes only, and makes its claims; `more` adds those of the source.
pub(super) fn attest<'b>(
    judged: &mut Judged<'b>,
    profile: &Profile,
    more: impl for<'s> FnOnce(Gathering<'s, 'b>) -> Gathering<'s, 'b>,
) {
    let Some(trusted) = judged.trusted.take() else { return };
    let Some(layout) = judged.layout.filter(|layout| *layout != Layout::V1) else { return };
    let Some(statement) = authenticate(judged, &trusted, layout) else { return };
    let claims = more(claims(&statement, &trusted, profile)).finish();
    judged.statement.attested = Some(Attested::new(&statement, |s| s.key(), claims));
}

fn authenticate<'b>(
    judged: &mut Judged<'b>,
    trusted: &Trusted,
    layout: Layout,
) -> Option<Authentic<Statement<'b>>> {
    let mut signed = judged.signed.drain(..);
    let first = trusted.key.authenticate(signed.next()?)?;
    let objects = match (signed.next(), signed.next()) {
        (None, _) => first.parse(|bytes| Objects::new(layout.read(bytes)?)).ok()?,
        // The halves of a pair, each signed on its own, by the same key under the same anchor.
        (Some(second), None) => {
            let both = first.join(trusted.key.authenticate(second)?)?;
            let read = both.parse(|(first, second)| {
                let mut objects = layout.read(first)?;
                objects.extend(layout.read(second)?);
                Objects::new(objects)
            });
            read.ok()?
        }
        (Some(_), Some(_)) => return None,
    };
    let both = objects.join(trusted.partition.clone())?;
    both.parse(|(objects, partition)| Ok::<_, ()>(Statement { objects, partition })).ok()
}

impl<'b> Statement<'b> {
    fn private(&self) -> Option<&Object<'b>> {
        self.objects.private()
    }

    /// The key whose private half is attested.
    fn key(&self) -> Option<PublicKey> {
        key_of(self.private()?).ok()
    }

    fn flag(&self, number: u32) -> Option<bool> {
        self.private()?.flag(number)
    }

    fn partition(&self) -> Option<DeviceName<'_>> {
        DeviceName::subject(&self.partition)
    }

    /// The name of the card is that of the partition's issuer.
    fn card(&self) -> Option<DeviceName<'_>> {
        DeviceName::issuer(&self.partition)
    }

    fn exportable(&self) -> Option<&'static str> {
        let flags = (
            self.flag(attribute::SENSITIVE),
            self.flag(attribute::EXTRACTABLE),
            self.flag(attribute::SPLITTABLE),
            self.flag(attribute::IS_SPLIT),
        );
        match flags {
            (Some(false), ..) => Some("yes"),
            (_, Some(true), ..) => Some("wrapped"),
            // Backup and cloning of a partition among the maker's modules lie outside EXTRACTABLE.
            (Some(true), Some(false), Some(false), Some(false)) => Some("vendor-boundary"),
            // Split, or not stated.
            _ => None,
        }
    }

    fn ever_exportable(&self) -> Option<bool> {
        match (self.flag(attribute::NEVER_EXTRACTABLE), self.flag(attribute::ALWAYS_SENSITIVE)) {
            (Some(false), _) | (_, Some(false)) => Some(true),
            (Some(true), Some(true)) => Some(false),
            _ => None,
        }
    }

    /// Nothing is said of a key for which one of the uses is not stated.
    fn purposes(&self) -> Option<Vec<&'static str>> {
        const USES: [(u32, &str); 4] = [
            (attribute::SIGN, "sign"),
            (attribute::DECRYPT, "decrypt"),
            (attribute::DERIVE, "agree"),
            (attribute::UNWRAP, "wrap"),
        ];
        let mut purposes = Vec::new();
        for (number, purpose) in USES {
            if self.flag(number)? {
                purposes.push(purpose);
            }
        }
        Some(purposes)
    }
}

fn claims<'s, 'b>(
    statement: &'s Authentic<Statement<'b>>,
    trusted: &Trusted,
    profile: &Profile,
) -> Gathering<'s, 'b> {
    const OBJECT: &str = "private key object";
    const PUBLIC: &str = "private key object: KEY_TYPE, MODULUS, MODULUS_BITS, PUBLIC_EXPONENT";
    const CARD: &str = "common name of the card";
    const NAMES: &str = "common names of card and partition";
    ClaimSet::of(statement)
        .attested(ClaimName::KeyAlgorithm, PUBLIC, |s| s.key().map(|k| k.algorithm()))
        .attested(ClaimName::KeySpkiSha256, PUBLIC, |s| s.key().map(|k| hex::encode(k.spki_sha256())))
        .attested(ClaimName::KeyGeneratedInDevice, "private key object: LOCAL", |s| s.flag(attribute::LOCAL))
        .attested(
            ClaimName::KeyExportable,
            "private key object: SENSITIVE, EXTRACTABLE, SPLITTABLE, IS_SPLIT",
            Statement::exportable,
        )
        .attested(
            ClaimName::KeyEverExportable,
            "private key object: NEVER_EXTRACTABLE, ALWAYS_SENSITIVE",
            Statement::ever_exportable,
        )
        .attested(
            ClaimName::KeyPurposes,
            "private key object: SIGN, DECRYPT, DERIVE, UNWRAP",
            Statement::purposes,
        )
        .unknown(ClaimName::KeyCreatedAt, "the statement has no time")
        .implied(ClaimName::DeviceClass, profile.device_class_from, profile.device_class)
        .implied(ClaimName::DeviceVendor, "the manufacturer's anchor", "Marvell")
        .implied(ClaimName::DeviceModel, "the manufacturer's anchor", trusted.model)
        .attested(ClaimName::DeviceSerial, CARD, |s| Value::from(s.card().map(|c| c.serial)))
        .unknown(ClaimName::DeviceFirmware, "not in the evidence")
        .attested(ClaimName::DeviceFipsMode, NAMES, |s| s.partition().map(|p| p.fips))
        .detail("partition", "common name of the partition", |s| {
            Value::from(s.partition().and_then(|p| p.partition))
        })
        .detail("partition_since", "start of validity of the partition certificate", |s| {
            s.partition.not_before().to_string()
        })
        .detail("persistent", OBJECT, |s| s.private().and_then(Object::is_persistent))
        .detail("sensitive", OBJECT, |s| s.flag(attribute::SENSITIVE))
        .detail("always_sensitive", OBJECT, |s| s.flag(attribute::ALWAYS_SENSITIVE))
        .detail("extractable", OBJECT, |s| s.flag(attribute::EXTRACTABLE))
        .detail("never_extractable", OBJECT, |s| s.flag(attribute::NEVER_EXTRACTABLE))
        .detail("key_gen_mechanism", "private key object: KEY_GEN_MECHANISM", |s| {
            s.private().and_then(|p| p.word(attribute::KEY_GEN_MECHANISM)).map(attribute::mechanism_name)
        })
        .detail("label", "LABEL", |s| s.objects.any().and_then(|o| o.text(attribute::LABEL)))
        .detail("key_id", "ID", |s| s.objects.any().map(key_id))
}

/// The ID as text where it is text, else in hex.
pub(super) fn key_id(object: &Object<'_>) -> Value {
    match (object.text(attribute::ID), object.value(attribute::ID)) {
        (Some(text), _) => text.into(),
        (None, Some(bytes)) => hex::encode(bytes).into(),
        (None, None) => Value::Unknown,
    }
}
