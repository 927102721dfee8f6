//! What a statement says, and the policy of the cluster whose authority signed it.

use der::asn1::ObjectIdentifier;
use der::{Decode, Tag};
use serde_json::{Value, json};

use super::STATEMENT_CN;
use crate::crypto::PublicKey;
use crate::pki::{Certificate, name};
use crate::time::Time;
use crate::wire::der::{content, sequence};

/// Object identifiers below Fortanix's arc 1.3.6.1.4.1.49690.
pub(super) mod oid {
    use der::asn1::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(in super::super) const KEY_ID: ObjectIdentifier = oid("1.3.6.1.4.1.49690.1.2.2");
    pub(in super::super) const GENERATED: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.4.1.1");
    pub(in super::super) const NEVER_EXPORTABLE: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.4.1.2");
    pub(in super::super) const CLUSTER_POLICY: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.5");
    pub(super) const MINIMUM_PROTECTION: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.5.1");
    pub(super) const FX2200: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.5.1.1");
    pub(super) const SITE_OPERATOR_APPROVAL: ObjectIdentifier = oid("1.3.6.1.4.1.49690.2.5.2");
    pub(in super::super) const KEY_ATTESTATION_POLICY: ObjectIdentifier = oid("1.3.6.1.4.1.49690.6.1.2");
    pub(in super::super) const KEY_ATTESTATION_PURPOSE: ObjectIdentifier = oid("1.3.6.1.4.1.49690.8.1");
    pub(super) const KEY_USAGE: ObjectIdentifier = oid("2.5.29.15");
    pub(super) const AUTHORITY_KEY_IDENTIFIER: ObjectIdentifier = oid("2.5.29.35");
}

const MAX_POLICY_ITEMS: usize = 32;

/// What a statement says.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) key: PublicKey,
    /// UUID of the key in DSM.
    pub(super) key_id: String,
    /// When it was signed.
    pub(super) at: Time,
    pub(super) purposes: Vec<&'static str>,
    pub(super) generated: bool,
    pub(super) never_exportable: bool,
    /// Extensions that this reader does not know; none of them critical.
    pub(super) others: Vec<String>,
}

impl Statement {
    /// Reads a certificate as a statement; an error says why it cannot be one.
    pub(super) fn read(certificate: &Certificate) -> Result<Self, String> {
        let said = |why: &str| why.to_owned();
        if certificate.version() != 3 {
            return Err(said("it is not an X.509 v3 certificate"));
        }
        if certificate.common_name() != Some(STATEMENT_CN) {
            return Err(format!("its subject is not that of a statement ({STATEMENT_CN})"));
        }
        let key_id =
            key_id(certificate).ok_or_else(|| said("its subject does not hold the UUID of one DSM key"))?;
        let key = certificate.key().map_err(|_| said("its public key is not in a form that can be used"))?;
        if certificate.basic_constraints().is_some_and(|c| c.map_or(true, |c| c.ca)) {
            return Err(said("it is a CA certificate"));
        }
        let known = [oid::KEY_USAGE, oid::GENERATED, oid::NEVER_EXPORTABLE, oid::AUTHORITY_KEY_IDENTIFIER];
        let unknown: Vec<_> = certificate.extensions().filter(|e| !known.contains(&e.oid)).collect();
        if let Some(critical) = unknown.iter().find(|e| e.critical) {
            return Err(format!("its critical extension {} is not known", critical.oid));
        }
        Ok(Self {
            key: key.clone(),
            key_id,
            at: certificate.not_before(),
            purposes: purposes(certificate)?,
            generated: flag(certificate, oid::GENERATED)?,
            never_exportable: flag(certificate, oid::NEVER_EXPORTABLE)?,
            others: unknown.iter().map(|e| e.oid.to_string()).collect(),
        })
    }

    pub(super) fn view(&self) -> Value {
        json!({
            "key_id": self.key_id, "signed_at": self.at.to_string(), "key": self.key.algorithm(),
            "purposes": self.purposes, "generated_in_dsm": self.generated,
            "never_exportable": self.never_exportable, "other_extensions": self.others,
        })
    }
}

/// The subject is the common name and the key's UUID, nothing else.
fn key_id(certificate: &Certificate) -> Option<String> {
    let attributes = name::attributes(certificate.subject());
    let mut ids = attributes.iter().filter(|a| a.oid == oid::KEY_ID);
    let id = ids.next()?.text?;
    (attributes.len() == 2 && ids.next().is_none() && is_uuid(id)).then(|| id.to_owned())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The key usage holds the operations that DSM allows the key.
fn purposes(certificate: &Certificate) -> Result<Vec<&'static str>, String> {
    let usage = match certificate.key_usage() {
        None => return Err("it has no keyUsage".to_owned()),
        Some(Err(())) => return Err("its keyUsage cannot be read".to_owned()),
        Some(Ok(usage)) => usage,
    };
    let forbidden = [
        (usage.content_commitment, "nonRepudiation"),
        (usage.key_cert_sign, "keyCertSign"),
        (usage.crl_sign, "cRLSign"),
        (usage.encipher_only, "encipherOnly"),
        (usage.decipher_only, "decipherOnly"),
    ];
    if let Some((_, name)) = forbidden.iter().find(|(set, _)| *set) {
        return Err(format!("its keyUsage has {name}, which no statement has"));
    }
    let allowed = [
        (usage.digital_signature, "sign"),
        (usage.data_encipherment, "decrypt"),
        (usage.key_agreement, "agree"),
        (usage.key_encipherment, "wrap"),
    ];
    Ok(allowed.into_iter().filter(|(set, _)| *set).map(|(_, purpose)| purpose).collect())
}

/// An extension that says something by being there, with an empty SEQUENCE as value.
fn flag(certificate: &Certificate, oid: ObjectIdentifier) -> Result<bool, String> {
    match certificate.empty_sequence(oid) {
        None => Ok(false),
        Some(true) => Ok(true),
        Some(false) => Err(format!("its extension {oid} is not an empty SEQUENCE")),
    }
}

/// ClusterNodeEnrollmentPolicy: which machines the cluster takes in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cluster {
    /// Item and qualifier, dotted.
    items: Vec<(String, Option<String>)>,
    /// Why it does not stand for hardware with physical protection.
    fault: Option<String>,
}

impl Cluster {
    /// Reads the policy of the cluster from the certificate of its authority.
    pub(super) fn read(authority: &Certificate) -> Self {
        let Some(extension) = authority.extension(oid::CLUSTER_POLICY) else {
            return Self::faulty("the authority's certificate has no node enrolment policy");
        };
        match read_items(extension.value) {
            Some(items) => Self { fault: items_fault(&items).map(str::to_owned), items: in_words(&items) },
            None => Self::faulty("the node enrolment policy cannot be read"),
        }
    }

    fn faulty(why: &str) -> Self {
        Self { items: Vec::new(), fault: Some(why.to_owned()) }
    }

    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    pub(super) fn is_fx2200(&self) -> bool {
        self.fault.is_none()
    }

    pub(super) fn view(&self) -> Value {
        json!({ "items": self.items.iter().map(|(item, qualifier)| json!({ "item": item, "qualifier": qualifier }))
            .collect::<Vec<_>>(), "fault": self.fault })
    }

    pub(super) fn words(&self) -> String {
        let words = |(item, qualifier): &(String, Option<String>)| match qualifier {
            Some(qualifier) => format!("{item} ({qualifier})"),
            None => item.clone(),
        };
        self.items.iter().map(words).collect::<Vec<_>>().join(", ")
    }
}

type Item<'a> = (ObjectIdentifier, Option<&'a [u8]>);

/// SEQUENCE OF SEQUENCE { policyItem OBJECT IDENTIFIER, qualifiers ANY OPTIONAL }, not empty.
fn read_items(value: &[u8]) -> Option<Vec<Item<'_>>> {
    let items: Option<Vec<Item<'_>>> = sequence(value, MAX_POLICY_ITEMS)?
        .into_iter()
        .map(|item| {
            let members = sequence(item, 2)?;
            Some((ObjectIdentifier::from_der(members.first()?).ok()?, members.get(1).copied()))
        })
        .collect();
    items.filter(|items| !items.is_empty())
}

/// One minimum protection profile, FX2200, and approval by the site's operator. Further items only narrow what
/// the cluster takes in.
fn items_fault(items: &[Item<'_>]) -> Option<&'static str> {
    let profiles: Vec<_> = items.iter().filter(|(item, _)| *item == oid::MINIMUM_PROTECTION).collect();
    let [(_, profile)] = profiles.as_slice() else {
        return Some("the node enrolment policy does not name one minimum protection profile");
    };
    let profile = profile.and_then(|p| ObjectIdentifier::from_der(p).ok());
    if profile != Some(oid::FX2200) {
        return Some("the minimum protection profile is not that of the FX2200 appliance");
    }
    let approved =
        items.iter().any(|(item, qualifier)| *item == oid::SITE_OPERATOR_APPROVAL && qualifier.is_none());
    if approved { None } else { Some("the cluster takes in nodes without approval of the site's operator") }
}

fn in_words(items: &[Item<'_>]) -> Vec<(String, Option<String>)> {
    let word = |oid: ObjectIdentifier| match oid {
        oid::MINIMUM_PROTECTION => "minimum protection profile".to_owned(),
        oid::FX2200 => "Fortanix FX2200".to_owned(),
        oid::SITE_OPERATOR_APPROVAL => "site operator approval required".to_owned(),
        other => other.to_string(),
    };
    let qualifier = |der: &[u8]| match ObjectIdentifier::from_der(der) {
        Ok(oid) => word(oid),
        Err(_) => match content(der, Tag::Utf8String).and_then(|t| std::str::from_utf8(t).ok()) {
            Some(text) => text.to_owned(),
            None => hex::encode(der),
        },
    };
    items.iter().map(|(item, value)| (word(*item), value.map(qualifier))).collect()
}
