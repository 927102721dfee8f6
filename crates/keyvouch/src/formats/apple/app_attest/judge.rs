//! The judgement of one attestation object, with the assertions and receipts of its key.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::checks as ck;
use super::gather::{Assertion, Attestation, Found, Object, Piece, SignedData};
use super::receipt::{self, Expected};
use super::{FORMAT, claims, leaf, second_key};
use crate::appraisal::Freshness;
use crate::checks::{Checks, OnFail};
use crate::crypto::{Curve, Hash, PublicKey, Scheme, sha256};
use crate::formats::apple::chain::{Above, Family};
use crate::formats::apple::leaf as shared;
use crate::formats::{Context, Statement};
use crate::input::decode_base64;
use crate::pki::Certificate;
use crate::wire::authenticator_data::AuthenticatorData;
use crate::wire::cose::CoseKey;

const FAMILY: Family =
    Family { format: FORMAT, role: Some("attestation"), intermediates: &["Apple App Attestation CA 1"] };

/// Flags of a new key: attested credential data follow, and nothing else is said.
const FLAGS: u8 = 0x40;
/// Length of the authenticator data.
const AUTH_DATA: usize = 164;

/// Where a key was attested, by the AAGUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    Production,
    Development,
}

impl Environment {
    fn of(aaguid: &[u8; 16]) -> Option<Self> {
        match aaguid {
            b"appattest\0\0\0\0\0\0\0" => Some(Self::Production),
            b"appattestdevelop" => Some(Self::Development),
            _ => None,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// What receipts call it.
    const fn in_receipts(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "sandbox",
        }
    }
}

/// What the authenticator data say.
#[derive(Debug, Clone)]
pub(super) struct AuthData {
    pub(super) rp_id_hash: Vec<u8>,
    counter: u32,
    aaguid: [u8; 16],
    credential_id: Vec<u8>,
    key: PublicKey,
}

impl AuthData {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() != AUTH_DATA {
            return Err(format!("authData has {} bytes, not {AUTH_DATA}", bytes.len()));
        }
        let data = AuthenticatorData::read(bytes).map_err(|e| e.to_string())?;
        let credential =
            data.credential.filter(|_| data.flags.0 == FLAGS).ok_or("authData has other flags than 0x40")?;
        if credential.id.len() != 32 {
            return Err("the credential id has not 32 bytes".to_owned());
        }
        let key = CoseKey::read(&credential.key).map_err(|e| e.to_string())?;
        Ok(Self {
            rp_id_hash: data.rp_id_hash.to_vec(),
            counter: data.sign_count,
            aaguid: credential.aaguid,
            credential_id: credential.id.to_vec(),
            key: key.key,
        })
    }

    pub(super) fn environment(&self) -> Option<Environment> {
        Environment::of(&self.aaguid)
    }
}

/// What the app let be attested.
pub(super) struct ClientData<'a> {
    /// The data, where they and not only their hash are known.
    pub(super) data: Option<&'a [u8]>,
    /// Every value that may have been given to the API: of the data, and what the operator says it was.
    hashes: Vec<Vec<u8>>,
    /// The value as it was given, for challenges that were not hashed.
    raw: Option<Vec<u8>>,
}

impl<'a> ClientData<'a> {
    fn of(attestation: &'a Attestation<'_>, cx: &'a Context<'_>) -> Result<Self, &'static str> {
        let data = cx.options.file("client_data").or(attestation.client_data.as_deref());
        let raw = match cx.options.text("client_data_hash") {
            None => None,
            Some(text) => Some(hex::decode(text).map_err(|_| "client_data_hash is not hexadecimal")?),
        };
        let hashes = data.map(|d| sha256(d).to_vec()).into_iter().chain(raw.clone()).collect();
        Ok(Self { data, hashes, raw })
    }
}

/// Judges one attestation object with what belongs to its key.
pub(super) fn judge(attestation: &Attestation<'_>, found: &Found<'_>, cx: &Context<'_>) -> Statement {
    let mut statement = start(found);
    statement.labels.push((attestation.object.id, "attestation object".into()));
    let place = attestation.object.place.as_str();
    let checks = &mut statement.checks;
    let read = match attestation.fault {
        Some(fault) => Err(fault.to_owned()),
        None => Object::read(&attestation.object.bytes)
            .and_then(|object| Ok((AuthData::read(object.auth_data)?, object))),
    };
    let (auth_data, object) = match read {
        Ok(read) => read,
        Err(why) => {
            checks.fail(&ck::MALFORMED, place.to_owned(), why);
            return statement;
        }
    };
    checks.pass(&ck::MALFORMED, place.to_owned(), "the attestation object is well-formed");
    statement.certificates.push(object.leaf.clone());
    let key = shared::check(&object.leaf, &[Curve::P256], place, checks);
    let above = Above { certificates: &object.above, in_order: true };
    let path = FAMILY.check(&object.leaf, &above, place, cx, checks, &mut statement.certificates);
    let client_data = match ClientData::of(attestation, cx) {
        Ok(client_data) => client_data,
        Err(why) => {
            checks.fail(&ck::CLIENT_DATA_MISSING, "option client_data_hash", why);
            return statement;
        }
    };
    let named = check_nonce(&object, &client_data, place, checks);
    let challenge = check_challenge(&client_data, place, cx, checks);
    check_key_id(&object.leaf, &auth_data, place, cx, checks);
    checks.test(
        &ck::KEY_MISMATCH,
        place.to_owned(),
        object.leaf.key().is_ok_and(|key| *key == auth_data.key),
        "the authenticator data hold the leaf's key",
        || "the authenticator data hold another key than the leaf".into(),
    );
    check_app(&object.leaf, &auth_data.rp_id_hash, place, cx, checks);
    checks.test(
        &ck::COUNTER_NOT_ZERO,
        place.to_owned(),
        auth_data.counter == 0,
        "the counter is zero",
        || {
            format!("the counter is {}: this is not the authenticator data of a new key", auth_data.counter)
                .into()
        },
    );
    check_environment(&auth_data, place, cx, checks);
    check_receipts(&object, &auth_data, &client_data, place, found, cx, checks);
    let asserted = check_assertions(&object.leaf, found, cx, checks);
    let stands = checks.worst().is_none_or(|worst| worst == OnFail::Unfit);
    if let Some(request) = cx.request.filter(|_| stands) {
        second_key::check(request.key(), client_data.data, asserted, place, checks);
    }
    // Bytes that nobody authenticated answer no nonce.
    statement.freshness = challenge.filter(|f| stands || *f != Freshness::NonceMatched);
    if let (Some(path), Some(_), true) = (path, key, named) {
        statement.attested = claims::attest(path, object.auth_data, &client_data);
    }
    statement
}

/// A statement with the labels of everything of this format, and the faults of assertions.
pub(super) fn start(found: &Found<'_>) -> Statement {
    // The key signs assertions of its app and nothing else; what the app says of a request's key is said by checks of
    // this format.
    let mut statement = Statement { unbindable: true, ..Statement::default() };
    for Assertion { id, place, read } in &found.assertions {
        statement.labels.push((*id, "assertion".into()));
        if let Err(why) = read {
            statement.checks.fail(&ck::MALFORMED, place.clone(), format!("assertion: {why}"));
        }
    }
    statement.labels.extend(found.receipts.iter().map(|receipt| (receipt.id, "receipt".into())));
    statement
}

/// Whether the leaf names these authenticator data with these client data.
pub(super) fn is_named(leaf: &Certificate, auth_data: &[u8], client_data: &ClientData<'_>) -> bool {
    let Some(nonce) = leaf::nonce(leaf) else { return false };
    let is = |hash: &Vec<u8>| {
        verify_slices_are_equal(&sha256(&[auth_data, hash.as_slice()].concat()), nonce).is_ok()
    };
    !client_data.hashes.is_empty() && client_data.hashes.iter().all(is)
}

fn check_nonce(object: &Object<'_>, client_data: &ClientData<'_>, place: &str, checks: &mut Checks) -> bool {
    let place = place.to_owned();
    if client_data.hashes.is_empty() {
        let detail = "neither the client data nor their hash is given: what was attested cannot be checked";
        checks.fail(&ck::CLIENT_DATA_MISSING, place, detail);
        return false;
    }
    checks.pass(&ck::CLIENT_DATA_MISSING, place.clone(), "what was attested is known");
    let named = is_named(&object.leaf, object.auth_data, client_data);
    let right = "the leaf names these authenticator data and client data";
    checks.test(&ck::NONCE_MISMATCH, place, named, right, || {
        match leaf::nonce(&object.leaf) {
            None => "the leaf has no nonce (8.2) in its exact form",
            Some(_) => "the leaf names other authenticator data, or other client data",
        }
        .into()
    })
}

fn check_challenge(
    client_data: &ClientData<'_>,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) -> Option<Freshness> {
    let asked = cx.nonce?;
    if client_data.hashes.is_empty() {
        return None;
    }
    let is = |value: &[u8]| verify_slices_are_equal(value, asked).is_ok();
    let answered = client_data.data.is_some_and(is) || client_data.raw.as_deref().is_some_and(is);
    let right = "the client data are the nonce";
    checks.test(&ck::CHALLENGE_MISMATCH, place.to_owned(), answered, right, || {
        "the client data are not the nonce that was given out".into()
    });
    Some(if answered { Freshness::NonceMatched } else { Freshness::NonceMismatch })
}

fn check_key_id(
    leaf: &Certificate,
    auth_data: &AuthData,
    place: &str,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let own = leaf.key().ok().and_then(shared::point_sha256);
    let stated = cx.options.text("key_id").map(|text| decode_base64(text.as_bytes()));
    let fault = if own.is_none_or(|own| own != *auth_data.credential_id) {
        Some("the credential id is not the hash of the leaf's key")
    } else {
        match stated {
            Some(None) => Some("the key id of the app (option key_id) is not base64"),
            Some(Some(stated)) if stated != auth_data.credential_id => {
                Some("the key id that the app stated is another one")
            }
            _ => None,
        }
    };
    let right = "the credential id is the hash of the leaf's key";
    checks.test(&ck::KEY_ID_MISMATCH, place.to_owned(), fault.is_none(), right, || {
        fault.unwrap_or_default().into()
    });
}

fn check_app(leaf: &Certificate, rp_id_hash: &[u8], place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let place = place.to_owned();
    let Some(named) = leaf::app_id(leaf) else {
        checks.fail(&ck::APP_ID_MISMATCH, place, "the leaf names no app (8.5, member 1204)");
        return;
    };
    if rp_id_hash != sha256(named.as_bytes()) {
        let detail = format!("the leaf names app {named:?}, the authenticator data are of another");
        checks.fail(&ck::APP_ID_MISMATCH, place, detail);
        return;
    }
    match cx.options.text("app_id") {
        None => checks.skip(&ck::APP_ID_MISMATCH, place, format!("no app is demanded; it is {named:?}")),
        Some(wanted) if wanted == named => {
            checks.pass(&ck::APP_ID_MISMATCH, place, format!("it is for {named:?}"));
        }
        Some(wanted) => {
            let detail = format!("it was made for app {named:?}, demanded is {wanted:?}");
            checks.fail(&ck::APP_ID_MISMATCH, place, detail);
        }
    }
}

fn check_environment(auth_data: &AuthData, place: &str, cx: &Context<'_>, checks: &mut Checks) {
    let wanted = cx.options.text("environment").unwrap_or("production");
    let is = auth_data.environment().map(Environment::text);
    let right = is.is_some_and(|is| is == wanted || wanted == "any");
    checks.test(&ck::WRONG_ENVIRONMENT, place.to_owned(), right, is.unwrap_or_default(), || match is {
        Some(is) => format!("it was made in {is}, demanded is {wanted}").into(),
        None => format!("AAGUID {} is of no environment", hex::encode(auth_data.aaguid)).into(),
    });
}

fn check_receipts(
    object: &Object<'_>,
    auth_data: &AuthData,
    client_data: &ClientData<'_>,
    place: &str,
    found: &Found<'_>,
    cx: &Context<'_>,
    checks: &mut Checks,
) {
    let expected = Expected {
        leaf: &object.leaf,
        app_id: leaf::app_id(&object.leaf),
        environment: auth_data.environment().map(Environment::in_receipts),
        client_data_hash: client_data.hashes.first().map(Vec::as_slice),
        first: true,
    };
    let mut record = |place: &str, judged: Result<String, String>| match judged {
        Ok(said) => checks.pass(&ck::RECEIPT_INVALID, place.to_owned(), said),
        Err(why) => checks.warn(&ck::RECEIPT_INVALID, place.to_owned(), format!("receipt: {why}")),
    };
    record(place, receipt::judge(object.receipt, &expected, cx));
    for Piece { place, bytes, .. } in &found.receipts {
        record(place, receipt::judge(bytes, &Expected { first: false, ..expected }, cx));
    }
}

/// Checks every assertion; gives the client data of those that hold.
fn check_assertions<'a>(
    leaf: &Certificate,
    found: &Found<'_>,
    cx: &Context<'a>,
    checks: &mut Checks,
) -> Option<&'a [u8]> {
    let mut asserted = None;
    for Assertion { place, read, .. } in &found.assertions {
        let Ok(signed) = read else { continue };
        let Some(data) = cx.options.file("assertion_client_data") else {
            let detail = "the client data of the assertion are not given";
            checks.fail(&ck::CLIENT_DATA_MISSING, place.clone(), detail);
            continue;
        };
        check_app(leaf, signed.rp_id_hash(), place, cx, checks);
        let holds = is_signed(leaf, signed, data);
        let right = "the assertion is signed by the attested key";
        checks.test(&ck::ASSERTION_SIGNATURE, place.clone(), holds, right, || {
            "the assertion is not signed by the attested key over these client data".into()
        });
        let (counter, stored) = (signed.counter(), cx.options.number("stored_counter").unwrap_or(0));
        let right = format!("the counter is {counter}");
        let newer =
            checks.test(&ck::ASSERTION_COUNTER, place.clone(), u64::from(counter) > stored, right, || {
                format!("the counter is {counter}, {stored} was seen before").into()
            });
        if holds && newer {
            asserted = Some(data);
        }
    }
    asserted
}

/// The nonce of an assertion is signed as a message, so it is hashed once more.
fn is_signed(leaf: &Certificate, signed: &SignedData, client_data: &[u8]) -> bool {
    let nonce = sha256(&[signed.authenticator_data.as_slice(), &sha256(client_data)].concat());
    leaf.key().is_ok_and(|key| key.verify(Scheme::Ecdsa(Hash::Sha256), &nonce, &signed.signature).is_ok())
}
