//! A bundle decoded for people. Nothing here is authentic.

use serde_json::{Value, json};

use super::acl::Acl;
use super::bundle::Bundle;
use super::keygen::KeyGen;
use super::keys::{KeyData, KeyHash};
use super::state::State;
use super::warrant::Warrant;

pub(super) fn of(place: &str, bundle: Result<&Bundle, &Vec<String>>) -> Value {
    let bundle = match bundle {
        Ok(bundle) => bundle,
        Err(faults) => return json!({ "where": place, "fault": faults.join("; ") }),
    };
    let state = State::read(&bundle.state);
    let hknso = state.as_ref().map(|s| s.hknso).unwrap_or_default();
    let hash = |hash: &Option<KeyHash>| hash.map(hex::encode);
    json!({
        "where": place,
        "root": bundle.root,
        "key": key(&bundle.key),
        "warrant": warrant(&bundle.warrant),
        "module_state": state.map_or_else(|fault| json!({ "fault": fault }), |state| module_state(&state)),
        "key_generation": KeyGen::read(&bundle.key_certificate).map_or_else(
            |fault| json!({ "fault": fault.to_string() }),
            |generation| json!({ "parameters": generation.describe(), "acl": acl(&generation, &hknso) }),
        ),
        "world": {
            "security_officer": bundle.knso.as_deref().map(key),
            "hkm": hash(&bundle.hkm),
            "hkmc": hash(&bundle.hkmc),
            "hkfips": hash(&bundle.hkfips),
            "hkre": hash(&bundle.hkre),
            "hkra": hash(&bundle.hkra),
            "cipher_suite": bundle.suite,
            "bindings": {
                "CertKMaKMCbKNSO": bundle.binding.is_some(),
                "CertKMaKMCaKFIPSbKNSO": bundle.fips_binding.is_some(),
                "CertKREaKRAbKNSO": bundle.recovery_binding.is_some(),
            },
        },
    })
}

fn key(bytes: &[u8]) -> Value {
    match KeyData::from_bytes(bytes) {
        Err(fault) => json!({ "fault": fault.to_string() }),
        Ok(key) => json!({ "algorithm": key.describe(), "hash": key.hash().ok().map(hex::encode) }),
    }
}

fn warrant(bytes: &[u8]) -> Value {
    match Warrant::read(bytes) {
        Err(fault) => json!({ "fault": fault }),
        Ok(warrant) => {
            let certificates: Vec<String> = warrant.certificates.iter().map(|c| c.describe()).collect();
            json!({ "root": warrant.root, "certificates": certificates })
        }
    }
}

fn module_state(state: &State) -> Value {
    json!({
        "serial": state.esn,
        "security_officer": hex::encode(state.hknso),
        "module_keys": state.module_keys.iter().map(hex::encode).collect::<Vec<_>>(),
    })
}

fn acl(generation: &KeyGen, hknso: &KeyHash) -> Value {
    match &generation.acl {
        Err(fault) => json!({ "fault": fault.to_string() }),
        Ok(Acl { groups }) => groups.iter().map(|group| group.describe(hknso)).collect(),
    }
}
