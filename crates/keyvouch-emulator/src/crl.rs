//! Certificate revocation lists (RFC 5280, section 5) as templates: every field can be spoilt before signing.

use crate::key::{Key, SignAlg};
use crate::x509::Extension;
use crate::{Error, der};

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Content octets of the serial number.
    pub serial: Vec<u8>,
    /// Since when, RFC 3339.
    pub since: String,
    /// Extensions of the entry; none at all writes no field.
    pub extensions: Vec<Extension>,
}

/// A list that is not yet signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Issuer, DER Name.
    pub issuer: Vec<u8>,
    /// When it is issued, RFC 3339.
    pub this_update: String,
    /// When the next one is due, RFC 3339.
    pub next_update: Option<String>,
    /// The entries; none at all writes no field.
    pub entries: Vec<Entry>,
    /// Extensions of the list; none at all writes no field.
    pub extensions: Vec<Extension>,
}

impl RevocationList {
    /// An empty list.
    pub fn new(issuer: Vec<u8>, this_update: &str, next_update: &str) -> Self {
        Self {
            issuer,
            this_update: this_update.to_owned(),
            next_update: Some(next_update.to_owned()),
            entries: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// Add an entry.
    #[must_use]
    pub fn with(mut self, serial: &[u8], since: &str) -> Self {
        self.entries.push(Entry { serial: serial.to_vec(), since: since.to_owned(), extensions: Vec::new() });
        self
    }

    /// Sign: DER CertificateList, version 2.
    ///
    /// # Errors
    /// [`Error::Oid`] or [`Error::Time`] when a field was set to what is none, and those of [`Key::sign`].
    pub fn sign(&self, key: &Key, alg: SignAlg) -> Result<Vec<u8>, Error> {
        let algorithm = alg.algorithm_identifier()?;
        let next_update = self.next_update.as_deref().map(der::time).transpose()?.unwrap_or_default();
        let entries: Vec<_> = self.entries.iter().map(entry).collect::<Result<_, _>>()?;
        let entries = if entries.is_empty() { Vec::new() } else { der::sequence(&entries) };
        let extensions = extensions(&self.extensions)?;
        let extensions = if extensions.is_empty() { extensions } else { der::explicit(0, &extensions) };
        let tbs = der::sequence(&[
            der::integer(&[1]),
            algorithm.clone(),
            self.issuer.clone(),
            der::time(&self.this_update)?,
            next_update,
            entries,
            extensions,
        ]);
        let signature = key.sign(alg, &tbs)?;
        Ok(der::sequence(&[tbs, algorithm, der::bit_string(&signature)]))
    }
}

fn entry(entry: &Entry) -> Result<Vec<u8>, Error> {
    Ok(der::sequence(&[
        der::tlv(0x02, &entry.serial),
        der::time(&entry.since)?,
        extensions(&entry.extensions)?,
    ]))
}

fn extensions(all: &[Extension]) -> Result<Vec<u8>, Error> {
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let each: Vec<_> = all.iter().map(Extension::der).collect::<Result<_, _>>()?;
    Ok(der::sequence(&each))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn absent_parts_are_not_written() {
        let key = Key::shared("test", KeyKind::P256).unwrap();
        let name = crate::x509::common_name("A").unwrap();
        let empty = RevocationList::new(name, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z");
        let bare = RevocationList { next_update: None, ..empty.clone() };
        let length = |list: &RevocationList| {
            let der = list.sign(&key, SignAlg::EcdsaSha256).unwrap();
            // Length of the signed part: a SEQUENCE of less than 128 octets.
            usize::from(der[4])
        };
        assert_eq!(length(&empty), length(&bare) + 15);
        assert_eq!(length(&bare), 3 + 12 + 14 + 15);
    }
}
