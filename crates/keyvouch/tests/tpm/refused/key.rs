//! The attested key: its name, its attributes, and itself.

use keyvouch::Authenticity::{Authentic, NotAuthentic};
use keyvouch::File;
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::tpm::{Command, Creation, Public, Statement, alg, attribute, hierarchy};

use crate::bench::{Bench, altered, fails, finds, key, spoilt, with_option};
use crate::refused::{Ids, gather};

pub(crate) fn names() -> Ids {
    gather(vec![
        fails(altered(|s| s.public.name_alg = alg::SM3), NotAuthentic, &["name-alg"]),
        fails(altered(|s| s.public.name_alg = alg::SHA1), NotAuthentic, &["name-alg-sha1"]),
        finds(
            with_option(altered(|s| s.public.name_alg = alg::SHA1), "name_alg_sha1", "allow"),
            "name-alg-sha1",
        ),
        // name-mismatch: another public area; the same with one attribute more
        fails(
            spoilt(|s| {
                s.public = Public::of(&key("stranger", KeyKind::P256), 0x0004_0072).unwrap().bytes();
            }),
            NotAuthentic,
            &["name-mismatch"],
        ),
        fails(spoilt(|s| s.public[6] |= 0x04), NotAuthentic, &["name-mismatch"]),
        // creation-hash
        fails(
            {
                let mut bench = altered(|s| s.command = Command::CertifyCreation);
                bench.spoil = Box::new(|s| *s.creation.as_mut().unwrap().last_mut().unwrap() ^= 0);
                bench.without = vec!["key.cdata"];
                let mut other = Creation::below_storage_key();
                other.outside_info = vec![1];
                bench.extra.push(File::new("other.cdata", other.bytes()));
                bench
            },
            NotAuthentic,
            &["creation-hash"],
        ),
    ])
}

pub(crate) fn key_itself() -> Ids {
    use attribute::{
        DECRYPT, ENCRYPTED_DUPLICATION, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN,
        USER_WITH_AUTH,
    };
    let with = |attributes: u32| altered(|s| s.public.attributes = attributes);
    let good = keyvouch_emulator::tpm::SUBJECT_KEY;
    let fit = |bench: Bench, ids: &[&str]| fails(bench, Authentic, ids);
    let of_rsa = |change: fn(&mut Statement)| {
        let mut bench = Bench::of(KeyKind::Rsa2048, KeyKind::P256);
        change(&mut bench.statement);
        bench
    };
    let null = |s: &mut Statement| s.parent = hierarchy::NULL.to_be_bytes().to_vec();
    gather(vec![
        // key-attributes: what no TPM creates
        fails(with(good | 1 << 13), NotAuthentic, &["key-attributes"]),
        fails(with(good & !FIXED_PARENT), NotAuthentic, &["key-attributes", "key-not-tpm-bound"]),
        fails(with(good | ENCRYPTED_DUPLICATION), NotAuthentic, &["key-attributes"]),
        fails(with(good & !SIGN), NotAuthentic, &["key-attributes"]),
        fails(with(good | RESTRICTED | DECRYPT), NotAuthentic, &["key-attributes", "key-restricted"]),
        fails(with(good | RESTRICTED), NotAuthentic, &["key-attributes", "key-restricted"]),
        // The rest is authentic, and no policy accepts it.
        fit(with(good & !(FIXED_TPM | FIXED_PARENT)), &["key-not-tpm-bound"]),
        fit(with(good & !FIXED_TPM), &["key-not-tpm-bound"]),
        fit(with(good & !SENSITIVE_DATA_ORIGIN), &["key-origin"]),
        fit(with(SIGN | USER_WITH_AUTH), &["key-not-tpm-bound", "key-origin"]),
        finds(with_option(with(good & !SENSITIVE_DATA_ORIGIN), "derived_keys", "allow"), "key-origin"),
        // ... and no leave for what was imported
        fit(
            with_option(with(SIGN | USER_WITH_AUTH), "derived_keys", "allow"),
            &["key-not-tpm-bound", "key-origin"],
        ),
        fit(altered(|s| s.public = s.ak.public.clone()), &["key-restricted"]),
        fit(
            altered(|s| {
                s.public.kind = alg::KEYEDHASH;
                s.public.unique = vec![vec![7; 32]];
            }),
            &["key-type"],
        ),
        fit(Bench::of(KeyKind::Rsa1024, KeyKind::P256), &["key-strength", "weak-key"]),
        fit(of_rsa(|s| s.public.key_bits = 3072), &["key-strength"]),
        fit(of_rsa(|s| s.public.exponent = 2), &["key-strength", "rsa-exponent"]),
        fit(altered(|s| s.public.curve = 2), &["key-strength"]),
        fit(altered(|s| s.public.unique[0][5] ^= 1), &["key-strength", "ec-point"]),
        fit(altered(null), &["key-hierarchy"]),
        finds(with_option(altered(null), "null_hierarchy", "allow"), "key-hierarchy"),
        fit(
            altered(|s| {
                s.command = Command::CertifyCreation;
                s.creation = Creation::primary(hierarchy::NULL);
            }),
            &["key-hierarchy"],
        ),
    ])
}

pub(crate) fn findings() -> Ids {
    use attribute::{DECRYPT, NO_DA, SIGN, ST_CLEAR, USER_WITH_AUTH};
    let good = keyvouch_emulator::tpm::SUBJECT_KEY;
    let with = |attributes: u32| altered(|s| s.public.attributes = attributes);
    gather(vec![
        finds(with(good & !SIGN | DECRYPT), "key-usage"),
        finds(altered(|s| s.parent = hierarchy::PLATFORM.to_be_bytes().to_vec()), "key-platform-hierarchy"),
        finds(with(good | ST_CLEAR), "key-stclear"),
        finds(with(good | NO_DA), "key-noda"),
        finds(with(good & !USER_WITH_AUTH), "key-unusable"),
    ])
}
