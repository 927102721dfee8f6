//! A TPM in software (swtpm), the commands of `docs/devices/tpm.md`, and what must be refused.
//!
//! Needs swtpm, swtpm_setup, tpm2-tools, tpm2-openssl and bash; without them it says loudly that it tries nothing, and
//! fails where `KEYVOUCH_NEEDS_TPM` is set.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "tpm_device/software.rs"]
mod software;

use std::path::Path;

use self::software::{Tpm, has_everything};

const PAGE: &str = include_str!("../../../docs/devices/tpm.md");

/// Two neighbouring ports for each TPM, which nothing else is likely to use.
const PORTS: [u16; 2] = [28_421, 28_431];

#[test]
fn a_tpm_in_software() {
    if !has_everything() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let tpm = Tpm::start(&dir.path().join("a"), PORTS[0], "");
    tpm.run(&commands());
    judged_as_the_page_says(&tpm);
    refused_evidence(&tpm);
    refused_forgeries(&tpm);
    mixed_up_keys(&tpm);
    challenges(&tpm);
    of_another_tpm(&tpm, dir.path());
}

/// The commands of the page. The kernel's resource manager keeps the few slots of a TPM free; here `f` does, except
/// within a session.
fn commands() -> String {
    let (_, section) = PAGE.split_once("## Command by command").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut script = String::new();
    for block in section.split("```sh\n").skip(1) {
        for line in block.split_once("```").unwrap().0.lines() {
            // Judged below.
            if line.starts_with("keyvouch verify ") {
                continue;
            }
            let in_session =
                line.starts_with("tpm2_startauthsession") || line.starts_with("tpm2_policysecret");
            script.push_str(line);
            script.push_str(if in_session || !line.starts_with("tpm2_") { "\n" } else { "; f\n" });
        }
    }
    script + "echo $NONCE > nonce\n"
}

/// The arguments of the page's `keyvouch verify` that begin so.
fn verified(begin: &str) -> String {
    let (_, rest) = PAGE.split_once(&format!("\nkeyvouch verify {begin}")).unwrap();
    format!("{begin}{}", rest.split_once('\n').unwrap().0.replace("$NONCE", "$(cat nonce)"))
}

/// RSA, by activation.
fn rsa() -> String {
    verified("key.pub key.attest key.sig key.cdata")
}

/// ECC, by activation; with the attestation key's own statement.
fn ecc() -> String {
    verified("key-ecc.pub key-ecc.attest key-ecc.sig key-ecc.cdata")
}

#[track_caller]
fn authentic(tpm: &Tpm, args: &str) {
    assert_eq!(tpm.verify(args), ("authentic".to_owned(), vec![]), "{args}");
}

#[track_caller]
fn fails(tpm: &Tpm, args: &str, authenticity: &str, ids: &[&str]) {
    let (got, failed) = tpm.verify(args);
    assert_eq!(
        (got.as_str(), failed.iter().map(String::as_str).collect()),
        (authenticity, ids.to_vec()),
        "{args}"
    );
}

fn judged_as_the_page_says(tpm: &Tpm) {
    authentic(tpm, &rsa());
    authentic(tpm, &ecc());
    // By the certificate of an authority, and the attestation key as what is asked for.
    authentic(tpm, &verified("key-ecc.pub key-ecc.attest key-ecc.sig ak-ecc.crt"));
    authentic(tpm, &verified("ak-ecc.pub ak-ecc.attest ak-ecc.sig ak-ecc.cdata"));
    // By a pin.
    authentic(
        tpm,
        "key-ecc.pub key-ecc.attest key-ecc.sig --option ak_pinned=ak-ecc.pub --request key-ecc.csr",
    );
    // It is software, so the policy for hardware refuses it.
    tpm.refuses(&format!(
        "keyvouch verify --anchors ca/swtpm-localca-rootca-cert.pem --anchors ca/issuercert.pem {}",
        rsa()
    ));
}

/// What makes the ECC attestation key trusted.
const ACTIVATED: &str = "ak-ecc.pub ek-ecc.crt.der --option activation=activation-ecc.json";

fn refused_evidence(tpm: &Tpm) {
    let ecc = ecc();
    // Another nonce; none, where one is asked for (tpm2_certify before 5.8 writes a constant).
    fails(tpm, &ecc.replace("$(cat nonce)", &"00".repeat(32)), "authentic", &["nonce-mismatch"]);
    tpm.run("tpm2_certify -c key-ecc.ctx -C ak-ecc.ctx -g sha256 -o stale.attest -s stale.sig -f tss; f");
    let stale = format!("key-ecc.pub stale.attest stale.sig {ACTIVATED}");
    authentic(tpm, &stale);
    fails(tpm, &format!("{stale} --nonce $(cat nonce)"), "authentic", &["nonce-mismatch"]);
    // The record of another attestation key; none at all; the public area of another attestation key.
    fails(tpm, &ecc.replace("activation-ecc.json", "activation.json"), "undecided", &["activation"]);
    let none = ecc.replace("--option activation=activation-ecc.json", "");
    fails(tpm, &none, "undecided", &["ak-unknown"]);
    let other =
        "key-ecc.pub key-ecc.attest key-ecc.sig ak.pub ek.crt.der --option activation=activation.json";
    fails(tpm, other, "not-authentic", &["attest-signature", "sig-alg"]);
    // A key that may be duplicated, and one that was imported.
    tpm.run(
        "tpm2_create -C 0x81000001 -G ecc256:ecdsa-sha256:null -g sha256 -a 'sensitivedataorigin|userwithauth|sign' -u dup.pub -r dup.priv -d dup.chash -t dup.ctick; f
tpm2_load -C 0x81000001 -u dup.pub -r dup.priv -c dup.ctx; f
tpm2_certifycreation -C ak-ecc.ctx -c dup.ctx -d dup.chash -t dup.ctick -g sha256 -q $(cat nonce) --attestation dup.attest -o dup.sig -f tss; f
openssl ecparam -name prime256v1 -genkey -noout -out soft.pem
tpm2_import -C 0x81000001 -G ecc -i soft.pem -u imp.pub -r imp.priv -a 'userwithauth|sign'; f
tpm2_load -C 0x81000001 -u imp.pub -r imp.priv -c imp.ctx; f
tpm2_certify -c imp.ctx -C ak-ecc.ctx -g sha256 -o imp.attest -s imp.sig -f tss; f
openssl req -new -key soft.pem -subj /CN=soft -out soft.csr",
    );
    fails(tpm, &format!("dup.pub dup.attest dup.sig {ACTIVATED}"), "authentic", &["key-not-tpm-bound"]);
    fails(
        tpm,
        &format!("imp.pub imp.attest imp.sig {ACTIVATED} --request soft.csr"),
        "authentic",
        &["key-not-tpm-bound", "key-origin"],
    );
    // The TPM imports no key that claims to have been made in it.
    tpm.refuses(
        "tpm2_import -C 0x81000001 -G ecc -i soft.pem -u never.pub -r never.priv -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'",
    );
    // A request of a key in software, with the statement of one in the TPM.
    fails(tpm, &ecc.replace("key-ecc.csr", "soft.csr"), "authentic", &["csr-key-mismatch"]);
    // The public area of another key than the one attested.
    fails(
        tpm,
        &format!("imp.pub key-ecc.attest key-ecc.sig {ACTIVATED}"),
        "not-authentic",
        &["key-not-tpm-bound", "key-origin", "name-mismatch"],
    );
}

/// A key in software with a statement that has the form of a TPM's: its public area claims everything, the attestation
/// has the magic, the name and a true creation hash. `point` is the key's, as two coordinates.
const FORGE: &str = "point() { openssl ec -in $1 -pubout -outform der 2> /dev/null | tail -c 64; }
public() { head -c -68 $1; printf '\\0\\040'; point $2 | head -c 32; printf '\\0\\040'; point $2 | tail -c 32; }
public key-ecc.pub soft.pem > soft.pub
{ head -c -68 key-ecc.attest; printf '\\0\\013'; tail -c +3 soft.pub | openssl dgst -sha256 -binary; tail -c 34 key-ecc.attest; } > soft.attest
";

fn refused_forgeries(tpm: &Tpm) {
    let wanted = "--request soft.csr --nonce $(cat nonce)";
    // Signed by an ordinary key of the TPM, which signs whatever it is given. Handed over as the attestation key, with
    // the record of the true one; or pinned.
    tpm.run(&format!("{FORGE}tpm2_sign -c key-ecc.ctx -g sha256 -f tss -o soft.sig soft.attest; f"));
    fails(
        tpm,
        &format!("soft.pub soft.attest soft.sig key-ecc.pub {ACTIVATED} {wanted}"),
        "not-authentic",
        &["activation", "ak-not-restricted"],
    );
    fails(
        tpm,
        &format!("soft.pub soft.attest soft.sig --option ak_pinned=key-ecc.pub {wanted}"),
        "not-authentic",
        &["ak-not-restricted"],
    );
    // The attestation key does not sign it: not as data, and not by its digest.
    tpm.refuses("tpm2_sign -c ak-ecc.ctx -g sha256 -f tss -o never.sig soft.attest");
    tpm.run("tpm2_hash -C o -g sha256 -t never.ticket -o never.hash soft.attest; f");
    tpm.refuses("tpm2_sign -c ak-ecc.ctx -g sha256 -f tss -t never.ticket -d -o never.sig never.hash");

    // Signed by an attestation key in software, whose public area claims everything too.
    tpm.run(&format!(
        "{FORGE}openssl ecparam -name prime256v1 -genkey -noout -out soft-ak.pem
public ak-ecc.pub soft-ak.pem > soft-ak.pub
openssl dgst -sha256 -sign soft-ak.pem -out soft.sig soft.attest"
    ));
    let forged = format!("soft.pub soft.attest soft.sig soft-ak.pub ek-ecc.crt.der {wanted}");
    fails(tpm, &forged, "undecided", &["ak-unknown"]);
    fails(tpm, &format!("{forged} --option activation=activation-ecc.json"), "undecided", &["activation"]);
    // No TPM activates it: its private part is not there, and cannot come in with these attributes.
    tpm.run("keyvouch tpm challenge --ek ek-ecc.crt.der --ak soft-ak.pub --credential cs --state ss");
    tpm.run("tpm2_loadexternal -C n -u soft-ak.pub -c soft-ak.ctx; f");
    tpm.refuses("tpm2_activatecredential -c soft-ak.ctx -C 0x81010016 -i cs -o never.bin");
    tpm.refuses(
        "tpm2_loadexternal -C n -G ecc -r soft-ak.pem -a 'userwithauth|restricted|sign' -c never.ctx",
    );
}

/// Restricted keys where ordinary ones belong, and the other way round.
fn mixed_up_keys(tpm: &Tpm) {
    // The attestation key as a subscriber's key.
    let of_ak = "ak-ecc.pub ak-ecc.attest ak-ecc.sig ek-ecc.crt.der --option activation=activation-ecc.json";
    fails(tpm, of_ak, "authentic", &["key-restricted"]);
    // An ordinary key as the attestation key that is asked for.
    let as_ak =
        format!("key-ecc.pub key-ecc.attest key-ecc.sig {ACTIVATED} --option subject=attestation-key");
    fails(tpm, &as_ak, "not-authentic", &["ak-not-restricted"]);
    // An ordinary key that attests another, as a TPM lets it: nobody makes a challenge for it, and it is no pin.
    tpm.run("tpm2_certify -c dup.ctx -C key-ecc.ctx -g sha256 -o by-key.attest -s by-key.sig -f tss; f");
    tpm.refuses("keyvouch tpm challenge --ek ek-ecc.crt.der --ak key-ecc.pub --credential c3 --state s3");
    fails(
        tpm,
        "dup.pub by-key.attest by-key.sig --option ak_pinned=key-ecc.pub",
        "not-authentic",
        &["ak-not-restricted", "key-not-tpm-bound"],
    );
    // A storage key is neither.
    tpm.run(
        "tpm2_readpublic -c 0x81000001 -o srk.pub; f
tpm2_certify -c 0x81000001 -C ak-ecc.ctx -g sha256 -o srk.attest -s srk.sig -f tss; f",
    );
    tpm.refuses("keyvouch tpm challenge --ek ek-ecc.crt.der --ak srk.pub --credential c4 --state s4");
    fails(tpm, &format!("srk.pub srk.attest srk.sig {ACTIVATED}"), "authentic", &["key-restricted"]);
    // An endorsement key is read as one by its public area too; another key is none.
    tpm.refuses("keyvouch tpm challenge --ek key-ecc.pub --ak ak-ecc.pub --credential c5 --state s5");
}

fn challenges(tpm: &Tpm) {
    // An answer counts once, and a wrong one ends the challenge.
    tpm.run("keyvouch tpm challenge --ek ek.crt.der --ak ak.pub --credential c1 --state s1");
    tpm.refuses("keyvouch tpm confirm --state s1 --answer answer.bin --record r1");
    tpm.run("test ! -e s1 && test ! -e r1");
    // The TPM does not answer for another attestation key.
    tpm.run("keyvouch tpm challenge --ek ek-ecc.crt.der --ak ak.pub --credential c2 --state s2");
    tpm.refuses("tpm2_activatecredential -c ak-ecc.ctx -C 0x81010016 -i c2 -o never.bin");
    // By the public area of an endorsement key, of template L-2 (P-256), which needs a policy session.
    tpm.run(
        "tpm2_createek -G ecc -c ek-p256.ctx -u ek-p256.pub; f
keyvouch tpm challenge --ek ek-p256.pub --ak ak-ecc.pub --credential c6 --state s6
tpm2_startauthsession --policy-session -S s.ctx
tpm2_policysecret -S s.ctx -c e
tpm2_activatecredential -c ak-ecc.ctx -C ek-p256.ctx -i c6 -o a6 -P session:s.ctx; f
keyvouch tpm confirm --state s6 --answer a6 --record r6",
    );
}

/// The attestation key of another TPM, whose endorsement key is of template H-6 (RSA-3072).
fn of_another_tpm(tpm: &Tpm, dir: &Path) {
    let other = Tpm::start(&dir.join("b"), PORTS[1], "--rsa-keysize 3072");
    // Its own challenge it answers.
    other.run(
        "tpm2_nvread 0x1c0001c -o ek.crt.der; f
tpm2_createprimary -C o -G ecc -c srk.ctx; f
tpm2_create -C srk.ctx -G ecc256:ecdsa-sha256:null -g sha256 -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -u ak.pub -r ak.priv; f
tpm2_load -C srk.ctx -u ak.pub -r ak.priv -c ak.ctx; f
keyvouch tpm challenge --ek ek.crt.der --ak ak.pub --credential c --state s
tpm2_activatecredential -c ak.ctx -C 0x8101001c -i c -o answer; f
keyvouch tpm confirm --state s --answer answer --record activation.json",
    );
    // A challenge for its attestation key and the endorsement key of the first: neither TPM can answer.
    other.run(
        "keyvouch tpm challenge --ek ../a/ek-ecc.crt.der --ak ak.pub --credential mixed --state mixed.json",
    );
    other.refuses("tpm2_activatecredential -c ak.ctx -C 0x81010016 -i mixed -o never.bin");
    tpm.refuses("tpm2_activatecredential -c ak-ecc.ctx -C 0x81010016 -i ../b/mixed -o never.bin");
    // Nor does its record help a statement of the first's attestation key, or the first's a statement of its own.
    let ecc = ecc();
    fails(tpm, &ecc.replace("activation-ecc.json", "../b/activation.json"), "undecided", &["activation"]);
    other.run(
        "tpm2_create -C srk.ctx -G ecc256:ecdsa-sha256:null -g sha256 -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign' -u key.pub -r key.priv; f
tpm2_load -C srk.ctx -u key.pub -r key.priv -c key.ctx; f
tpm2_certify -c key.ctx -C ak.ctx -g sha256 -o key.attest -s key.sig -f tss; f",
    );
    authentic(&other, "key.pub key.attest key.sig ak.pub ek.crt.der --option activation=activation.json");
    fails(
        &other,
        "key.pub key.attest key.sig ak.pub ../a/ek-ecc.crt.der --option activation=../a/activation-ecc.json",
        "undecided",
        &["activation"],
    );
}
