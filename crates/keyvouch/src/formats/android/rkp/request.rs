//! AuthenticatedRequest, version 3.

use super::super::checks as ck;
use super::super::rules;
use super::cose::{self, KeyFault, Sign1};
use super::device::DeviceInfo;
use super::{dice, trust, uds};
use crate::appraisal::Freshness;
use crate::checks::Checks;
use crate::formats::{Context, Statement};
use crate::wire::cbor::{self, Item};

/// More keys than one request asks for.
const MAX_KEYS: usize = 256;
/// The longest challenge.
const MAX_CHALLENGE: usize = 64;

pub(super) fn judge(items: &[Item<'_>], place: &str, cx: &Context<'_>, statement: &mut Statement) {
    let checks = &mut statement.checks;
    let (Some(Item::Int(1)), Some(Item::Map(certificates)), Some(Item::Array(chain)), Some(signed)) =
        (items.first(), items.get(1), items.get(2), items.get(3))
    else {
        checks.fail(&ck::RKP_FORMAT, place.to_owned(), "not an AuthenticatedRequest of version 1");
        return;
    };
    if items.len() > 5 || items.get(4).is_some_and(|info| info.as_map().is_none()) {
        checks.fail(&ck::RKP_FORMAT, place.to_owned(), "something else follows the signed data");
        return;
    }
    let Some(chain) = dice::check(chain, place, checks) else { return };
    let uds = uds::check(certificates, &chain.root.key, place, cx, checks);
    statement.certificates.extend(uds.iter().flatten().cloned());
    let root = trust::root_key(&chain.root.key, Some(&uds), place, cx, checks);
    let signed = Sign1::read(signed);
    let signed = match signed.filter(|s| s.is_signed_by(chain.last_key())) {
        Some(signed) => signed,
        None => {
            let detail = "the request is not signed by the last key of the DICE chain";
            checks.fail(&ck::RKP_SIGNED_DATA_SIGNATURE, place.to_owned(), detail);
            return;
        }
    };
    let detail = "the last key of the DICE chain signed the request";
    checks.pass(&ck::RKP_SIGNED_DATA_SIGNATURE, place.to_owned(), detail);
    let content = match Content::read(signed.payload) {
        Ok(content) => content,
        Err(why) => {
            checks.fail(&ck::RKP_FORMAT, place.to_owned(), why);
            return;
        }
    };
    let vm = chain.entries.iter().map(|e| e.is_rkp_vm);
    if !markers_fit(vm, content.kind == "rkp-vm") {
        let detail =
            format!("the RKP VM markers of the chain do not fit a request of type {:?}", content.kind);
        checks.fail(&ck::RKP_FORMAT, place.to_owned(), detail);
        return;
    }
    checks.pass(&ck::RKP_FORMAT, place.to_owned(), format!("a request of type {:?}", content.kind));
    content.device.check(place, checks);
    let disclosed = content.disclosed;
    checks.test(&ck::RKP_PRIVATE_KEY_DISCLOSED, place.to_owned(), disclosed == 0, "public keys only", || {
        format!("{disclosed} keys to be certified have their private part in the request").into()
    });
    statement.freshness = challenge(&content.challenge, place, cx, checks);
    statement.attested = root.and_then(|root| trust::attest_request(&chain, &signed, root));
}

fn challenge(found: &[u8], place: &str, cx: &Context<'_>, checks: &mut Checks) -> Option<Freshness> {
    rules::compare_challenge(found, cx.nonce, MAX_CHALLENGE, place, checks)
}

/// The markers of the RKP VM: at least two stages, unbroken up to the last, in its requests and in no others.
fn markers_fit(markers: impl DoubleEndedIterator<Item = bool> + Clone, wanted: bool) -> bool {
    let last = markers.clone().rev().take_while(|m| *m).count();
    let all = markers.filter(|m| *m).count();
    if wanted { last >= 2 && last == all } else { last < 2 }
}

/// What is signed.
#[derive(Debug, Clone)]
pub(super) struct Content {
    challenge: Vec<u8>,
    pub(super) kind: String,
    pub(super) device: DeviceInfo,
    /// How many keys have their private part in the request.
    disclosed: usize,
}

impl Content {
    /// [challenge, bstr .cbor [3, type, DeviceInfo, [keys]]]
    pub(super) fn read(payload: &[u8]) -> Result<Self, String> {
        let outer = cbor::read(payload).map_err(|e| format!("the signed data: {e}"))?;
        let Some([Item::Bytes(challenge), Item::Bytes(content)]) = outer.as_array() else {
            return Err("the signed data is not a challenge and a payload".to_owned());
        };
        if challenge.len() > MAX_CHALLENGE {
            return Err("the challenge is too long".to_owned());
        }
        let content = cbor::read(content).map_err(|e| format!("the payload: {e}"))?;
        let Some([Item::Int(3), Item::Text(kind), Item::Map(device), Item::Array(keys)]) = content.as_array()
        else {
            return Err("the payload is not one of version 3".to_owned());
        };
        if keys.len() > MAX_KEYS {
            return Err("too many keys to be certified".to_owned());
        }
        let mut disclosed = 0_usize;
        for key in keys {
            let map = key.as_map().ok_or("a key to be certified is not a map")?;
            match cose::key(map, &[cose::PRIVATE, cose::TEST_KEY]) {
                Ok(_) if map.int_key(cose::PRIVATE).is_some() => disclosed = disclosed.saturating_add(1),
                Ok(_) => {}
                Err(KeyFault::Label(label)) => {
                    return Err(format!("a key to be certified has label {label}"));
                }
                Err(KeyFault::Form) => return Err("a key to be certified is no COSE key".to_owned()),
            }
        }
        Ok(Self {
            challenge: challenge.to_vec(),
            kind: (*kind).to_owned(),
            device: DeviceInfo::read(device)?,
            disclosed,
        })
    }
}
