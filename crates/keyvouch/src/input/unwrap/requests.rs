//! What requests have inside: certificates in extensions, CMC messages, evidence, requests of a CMP message.

use std::borrow::Cow;

use ::der::Tag;
use ::der::asn1::ObjectIdentifier;

use super::{Hint, Position, Unwrapper, looks_like_json};
use crate::input::{InputError, Role};
use crate::pki::{CertificationRequest, attestation, cms, crmf};
use crate::wire::cmw;
use crate::wire::der::single;

impl Unwrapper<'_, '_> {
    pub(super) fn open_request(
        &mut self,
        request: &CertificationRequest,
        inside: &dyn Fn(String) -> Position,
    ) -> Result<(), InputError> {
        self.open_extensions(request.requested_extensions(), inside)?;
        for (oid, values) in request.attributes() {
            if let (attestation::ATTESTATION, [value]) = (oid, values.as_slice()) {
                self.open_attestation(value, inside)?;
            }
            for value in values {
                if let Some(held) = held_by_attribute(value)
                    && self.afford(held.len())
                {
                    self.take(Cow::Owned(held.to_vec()), inside(format!("attribute {oid}")), Hint::None)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn open_extensions(
        &mut self,
        extensions: Vec<(ObjectIdentifier, &[u8])>,
        inside: &dyn Fn(String) -> Position,
    ) -> Result<(), InputError> {
        for (oid, value) in extensions {
            let hint = match oid {
                cmw::EXTENSION => Hint::Wrapper,
                _ if self.carriers.iter().any(|c| c.oid == oid) => Hint::Announced(oid),
                _ => continue,
            };
            if self.afford(value.len()) {
                self.take(Cow::Owned(value.to_vec()), inside(format!("extension {oid}")), hint)?;
            }
        }
        Ok(())
    }

    /// Evidence inside a request of the evidence. That inside evidence which is inside already stays closed: an
    /// envelope in an envelope is nobody's evidence.
    pub(super) fn open_attestation(
        &mut self,
        value: &[u8],
        inside: &dyn Fn(String) -> Position,
    ) -> Result<(), InputError> {
        if self.role != Role::Evidence {
            return Ok(());
        }
        let Ok(found) = attestation::Attestation::read(value) else { return Ok(()) };
        let statements = (1_usize..).zip(&found.statements).flat_map(|(number, statement)| {
            let name = attestation::statement_name(number);
            statement.files().into_iter().map(move |file| (name.clone(), file, Hint::None))
        });
        let certificates = (1_usize..)
            .zip(&found.certificates)
            .map(|(number, der)| (attestation::certificate_name(number), *der, Hint::Certificate));
        self.role = Role::Enclosed;
        let mut taken = Ok(());
        for (name, bytes, hint) in statements.chain(certificates) {
            if taken.is_ok() && self.afford(bytes.len()) {
                taken = self.take(Cow::Owned(bytes.to_vec()), inside(name), hint);
            }
        }
        self.role = Role::Evidence;
        taken
    }

    pub(super) fn open_message(
        &mut self,
        bytes: &[u8],
        inside: &dyn Fn(String) -> Position,
    ) -> Result<(), InputError> {
        let message = crmf::read_message(bytes).unwrap_or_default();
        let named = |what: &str, members: Vec<&[u8]>, hint| -> Vec<(String, Vec<u8>, Hint)> {
            let name = |number: usize| format!("{what} {number}");
            (1..).zip(members).map(|(number, der)| (name(number), der.to_vec(), hint)).collect()
        };
        let all = [
            named("request", message.requests, Hint::Crmf),
            named("request", message.pkcs10, Hint::Request),
            named("message", message.nested, Hint::None),
            named("certificate", message.certificates, Hint::Certificate),
        ];
        for (name, der, hint) in all.into_iter().flatten() {
            if self.afford(der.len()) {
                self.take(Cow::Owned(der), inside(name), hint)?;
            }
        }
        Ok(())
    }
}

/// What an attribute of a request holds that is evidence by its form: CMS SignedData, bare or in an OCTET STRING, or
/// JSON text in a UTF8String.
fn held_by_attribute(value: &[u8]) -> Option<&[u8]> {
    if cms::looks_like_signed_data(value) {
        return Some(value);
    }
    match single(value)? {
        (Tag::OctetString, held) => cms::looks_like_signed_data(held).then_some(held),
        (Tag::Utf8String, text) => looks_like_json(text).then_some(text),
        _ => None,
    }
}
