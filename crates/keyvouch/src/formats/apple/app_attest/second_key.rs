//! The request's key, which is never the attested one: whether the attested app names it.
//!
//! Two ways are in use: the app puts the key into the client data that it lets be attested, or signs the key by an
//! assertion. Both say no more than that a genuine, unmodified app claims something of this key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::checks as ck;
use crate::checks::Checks;
use crate::crypto::{Material, PublicKey};

/// `client_data` and `asserted` were attested and signed.
pub(super) fn check(
    key: &PublicKey,
    client_data: Option<&[u8]>,
    asserted: Option<&[u8]>,
    place: &str,
    checks: &mut Checks,
) {
    let mut forms = vec![key.spki_der()];
    if let Material::Ec { point, .. } = key.material() {
        forms.push(point);
    }
    let how = if client_data.is_some_and(|data| forms.iter().any(|form| holds(data, form))) {
        Some("in the client data that were attested")
    } else if asserted.is_some_and(|data| forms.contains(&data)) {
        Some("by an assertion")
    } else {
        None
    };
    match how {
        Some(how) => {
            checks.pass(&ck::SECOND_KEY_UNBOUND, place.to_owned(), format!("the app names the key {how}"));
            let detail = format!(
                "the request's key is not attested: the app names it {how}. Whether it is in the Secure Enclave rests on the app alone"
            );
            checks.warn(&ck::SECOND_KEY_APP_CLAIMED, place.to_owned(), detail);
        }
        None => {
            let detail = "the request's key is neither attested nor named in the client data or an assertion";
            checks.fail(&ck::SECOND_KEY_UNBOUND, place.to_owned(), detail);
        }
    }
}

/// Whether the data hold this form of the key: as it is, or as base64 or base64url text.
fn holds(data: &[u8], form: &[u8]) -> bool {
    let texts = [STANDARD_NO_PAD.encode(form), URL_SAFE_NO_PAD.encode(form)];
    let within = |wanted: &[u8]| data.windows(wanted.len()).any(|window| window == wanted);
    within(form) || texts.iter().any(|text| within(text.as_bytes()))
}
