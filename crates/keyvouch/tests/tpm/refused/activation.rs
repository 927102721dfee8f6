//! Attestation keys that were activated for an endorsement key, and what an attestation key must be.

use keyvouch::Authenticity::{NotAuthentic, Undecided};
use keyvouch::File;
use keyvouch_emulator::key::{KeyKind, roca_modulus, rsa_spki};
use keyvouch_emulator::tpm::{AkAuthority, Creation, Maker, Public, Scheme, attribute, hierarchy, tpm2b};
use keyvouch_emulator::x509::{self, usage};

use crate::bench::{Bench, ak, altered, anchor_toml, fails, hex, key, with_option};
use crate::refused::{Ids, gather};
use crate::support::judging::failed;

/// A statement whose attestation key was activated for an endorsement key.
pub(crate) struct Activated {
    pub(crate) bench: Bench,
    maker: Maker,
    ek: x509::Certificate,
    pub(crate) record: serde_json::Value,
}

impl Activated {
    pub(crate) fn new() -> Self {
        let maker = Maker::new().unwrap();
        let ek_key = key("EK", KeyKind::Rsa2048);
        let ek = maker.certificate(&ek_key).unwrap();
        let mut bench = Bench::new();
        bench.statement.ak_certificate = None;
        bench.distrust();
        for anchor in maker.anchors() {
            bench.reference.load_operator_certificates(&anchor.name, &anchor.bytes).unwrap();
        }
        bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
        let record = serde_json::json!({
            "ek_spki_sha256": hex(&keyvouch::crypto::sha256(&ek.spki)),
            "ak_name": hex(&bench.statement.ak.public.name()),
            "expires": "2026-06-01T01:00:00Z",
        });
        Self { bench, maker, ek, record }
    }

    pub(crate) fn bench(mut self) -> Bench {
        let ek = self.maker.sign(&self.ek).unwrap();
        self.bench.statement.chain = vec![ek, self.maker.issuer.der.clone()];
        with_option(self.bench, "activation", self.record)
    }

    fn recording(mut self, member: &str, value: &str) -> Bench {
        self.record[member] = value.into();
        self.bench()
    }

    fn ek(mut self, change: impl FnOnce(&mut x509::Certificate)) -> Bench {
        change(&mut self.ek);
        self.record["ek_spki_sha256"] = hex(&keyvouch::crypto::sha256(&self.ek.spki)).into();
        self.bench()
    }
}

/// The certificate names STMicroelectronics, and its root is known as one of Infineon's.
fn below_another_makers_root() -> Bench {
    let activated = Activated::new();
    let anchor = anchor_toml(&activated.maker.root, "discrete")
        .replace("emulated-discrete", "tpm-infineon-emulated")
        .replace("['tpm']", "['tpm-ek']");
    let mut bench = activated.bench();
    bench.distrust();
    bench.reference.load_operator_file("anchors.toml", &anchor).unwrap();
    bench
}

pub(crate) fn activation() -> Ids {
    let no_public = || {
        let mut bench = Activated::new().bench();
        bench.extra.clear();
        bench
    };
    let usages = |bits: &'static [u8]| {
        Activated::new().ek(|c| *c.extension_mut("2.5.29.15").unwrap() = x509::key_usage(bits))
    };
    gather(vec![
        fails(Activated::new().recording("ak_name", "000b00"), Undecided, &["activation"]),
        fails(Activated::new().recording("ek_spki_sha256", &"00".repeat(32)), Undecided, &["activation"]),
        fails(Activated::new().recording("expires", "2026-05-31T23:59:59Z"), Undecided, &["activation"]),
        fails(Activated::new().recording("expires", "soon"), Undecided, &["activation"]),
        // Without the public area, the name is not known: and the key is not there either.
        fails(no_public(), Undecided, &["ak-unknown"]),
        // A record that is not for this evidence is never silent, even where a certificate would do.
        fails(with_option(Bench::new(), "activation", Activated::new().record), Undecided, &["activation"]),
        fails(
            {
                let mut bench = Activated::new().bench();
                bench.distrust();
                bench
            },
            Undecided,
            &["anchor-unknown"],
        ),
        fails(below_another_makers_root(), NotAuthentic, &["ek-maker-mismatch"]),
        // ek-usage: may sign; lacks its purpose; is an authority
        fails(usages(&[usage::KEY_ENCIPHERMENT, usage::DIGITAL_SIGNATURE]), NotAuthentic, &["ek-usage"]),
        fails(usages(&[usage::KEY_CERT_SIGN]), NotAuthentic, &["ek-usage"]),
        fails(Activated::new().ek(|c| c.remove_extension("2.5.29.37")), NotAuthentic, &["ek-usage"]),
        fails(
            Activated::new()
                .ek(|c| *c.extension_mut("2.5.29.19").unwrap() = x509::basic_constraints(true, None)),
            NotAuthentic,
            &["ek-usage"],
        ),
        fails(Activated::new().ek(|c| c.remove_extension("2.5.29.17")), NotAuthentic, &["ek-san"]),
        // ek-key-strength: ROCA
        fails(
            Activated::new().ek(|c| c.spki = rsa_spki(&roca_modulus(256), &[1, 0, 1]).unwrap()),
            NotAuthentic,
            &["ek-key-strength"],
        ),
        // An unrestricted key, activated: it is in the TPM and signs anything.
        fails(
            {
                let mut activated = Activated::new();
                let ak = &mut activated.bench.statement.ak;
                ak.public.attributes = keyvouch_emulator::tpm::SUBJECT_KEY;
                activated.record["ak_name"] = hex(&ak.public.name()).into();
                activated.bench.extra = vec![File::new("ak.pub", tpm2b(&ak.public.bytes()))];
                activated.bench()
            },
            NotAuthentic,
            &["ak-not-restricted"],
        ),
    ])
}

pub(crate) fn attestation_key() -> Ids {
    use attribute::{DECRYPT, FIXED_PARENT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN};
    let with_attributes = |attributes: u32| {
        let mut bench = Bench::new();
        bench.statement.ak.public.attributes = attributes;
        bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
        bench
    };
    let good = keyvouch_emulator::tpm::ATTESTATION_KEY;
    let mut groups = Vec::new();
    for lacking in [RESTRICTED, SIGN, FIXED_TPM, FIXED_PARENT, SENSITIVE_DATA_ORIGIN] {
        groups.push(fails(with_attributes(good & !lacking), NotAuthentic, &["ak-not-restricted"]));
    }
    groups.push(fails(with_attributes(good | DECRYPT), NotAuthentic, &["ak-not-restricted"]));
    groups.push(fails(
        {
            let mut bench = Bench::new();
            bench.statement.ak.public.scheme = Scheme::NONE;
            bench.extra.push(File::new("ak.pub", tpm2b(&bench.statement.ak.public.bytes())));
            bench
        },
        NotAuthentic,
        &["ak-not-restricted"],
    ));
    // ak-key-strength
    groups.push(fails(
        {
            let mut bench = Bench::with(AkAuthority::new().unwrap(), KeyKind::P256, ak(KeyKind::Rsa1024));
            bench.pin();
            bench
        },
        NotAuthentic,
        &["ak-key-strength"],
    ));
    let own_creation = |creation: Option<Creation>, parent: Vec<u8>| {
        let mut bench = Bench::new();
        let ak = bench.statement.ak.clone();
        bench.statement.ak.parent = parent;
        let made = creation.clone().unwrap_or_else(Creation::below_storage_key);
        let (attest, signature) = ak.creation_statement(&made).unwrap();
        bench.extra = vec![
            File::new("ak.pub", tpm2b(&ak.public.bytes())),
            File::new("ak.attest", attest),
            File::new("ak.sig", signature),
        ];
        bench.extra.extend(creation.map(|data| File::new("ak.cdata", tpm2b(&data.bytes()))));
        bench
    };
    let below = Creation::below_storage_key();
    let owner = hierarchy::OWNER.to_be_bytes().to_vec();
    let complete = own_creation(Some(below.clone()), below.parent_qualified_name.clone()).judge();
    assert_eq!(failed(&complete), Vec::<String>::new());
    assert!(complete.checks.iter().any(|c| c.id == "ak-creation"));
    groups.push(fails(
        own_creation(None, below.parent_qualified_name.clone()),
        NotAuthentic,
        &["ak-creation"],
    ));
    groups.push(fails(own_creation(Some(below), owner), NotAuthentic, &["qualified-signer"]));
    // An attestation key that is the subject has the same to be.
    groups.push(fails(
        with_option(
            altered(|s| s.public = Public::of(&key("subject", KeyKind::P256), 0x0004_0072).unwrap()),
            "subject",
            "attestation-key",
        ),
        NotAuthentic,
        &["ak-not-restricted"],
    ));
    gather(groups)
}
