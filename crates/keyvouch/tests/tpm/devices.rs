//! What is known of the TPM that the certificate names: certifications, advisories.

use keyvouch::ClaimName;
use keyvouch::appraisal::Appraisal;
use keyvouch_emulator::key::KeyKind;
use keyvouch_emulator::tpm::san;

use crate::bench::{Bench, certified};
use crate::support::judging::text;

fn named(bench: Bench, maker: &str, model: &str, version: &str) -> Appraisal {
    let mut bench = bench;
    let (certificate, _) = bench.statement.ak_certificate.as_mut().unwrap();
    *certificate.extension_mut("2.5.29.17").unwrap() = san(maker, model, version).unwrap();
    bench.judge()
}

fn ids(appraisal: &Appraisal) -> Vec<&str> {
    appraisal.advisories.iter().map(|a| a.id.as_str()).collect()
}

const INFINEON: &str = "id:49465800";
const ST: &str = "id:53544D20";

#[test]
fn advisories_by_firmware_at_manufacture() {
    let rsa = || Bench::of(KeyKind::Rsa2048, KeyKind::P256);
    let old = named(rsa(), INFINEON, "SLB 9670 TPM2.0", "id:073D");
    assert_eq!((text(&old, ClaimName::DeviceFirmware), ids(&old)), ("7.61".to_owned(), vec!["roca-tpm"]));
    let new = named(rsa(), INFINEON, "SLB 9670 TPM2.0", "id:0755");
    assert_eq!((text(&new, ClaimName::DeviceFirmware), ids(&new)), ("7.85".to_owned(), vec![]));
    // A version that cannot be read may be an affected one, and that is told.
    let unread = named(rsa(), INFINEON, "SLB 9670 TPM2.0", "7-61");
    assert_eq!(ids(&unread), ["roca-tpm"]);
    assert!(unread.advisories[0].detail.contains("depends on what the evidence does not say"));

    let ec = named(Bench::new(), INFINEON, "SLB 9672 TPM2.0", "id:0F15");
    assert_eq!(ids(&ec), ["eucleak-tpm", "tpm-crypt-hmac-sign-read"]);
    assert_eq!(ids(&named(Bench::new(), ST, "ST33TPHF2ESPI", "id:00470004")), ["tpm-fail"]);
    assert_eq!(ids(&named(Bench::new(), ST, "ST33TPHF2ESPI", "id:00470010")), Vec::<&str>::new());
    assert_eq!(ids(&named(rsa(), ST, "ST33TPHF2ESPI", "id:00470004")), Vec::<&str>::new());
    assert_eq!(ids(&named(Bench::new(), "id:414D4400", "AMD", "id:00030001")), ["faultpm"]);
}

#[test]
fn certifications_by_model() {
    let of = |maker, model, version| {
        let appraisal = named(Bench::new(), maker, model, version);
        let found = appraisal.certifications.iter();
        found.map(|c| format!("{} level {} {} by {}", c.id, c.level, c.status, c.matched)).collect::<Vec<_>>()
    };
    assert_eq!(
        of(ST, "ST33KTPM2A", "id:00000001"),
        ["4737 level 1 active by model", "5103 level 2 active by model"]
    );
    let nuvoton = of("id:4E544300", "NPCT75x", "id:00070002");
    assert!(nuvoton.contains(&"5057 level 1 active by model".to_owned()), "{nuvoton:?}");
    assert!(nuvoton.contains(&"3933 level 2 historical by model".to_owned()), "{nuvoton:?}");
    assert!(
        of(INFINEON, "SLB 9672 TPM2.0", "id:1018")
            .contains(&"4467 level 2 active by model-and-firmware".to_owned())
    );
    // A maker's name alone inherits nothing.
    assert_eq!(of(ST, "ST33HTPHAHB4", "id:00470004"), Vec::<String>::new());
    assert_eq!(
        text(&certified(|_| {}).judge(), ClaimName::DeviceClass),
        "tpm",
        "and a TPM is a device of its own class"
    );
}
