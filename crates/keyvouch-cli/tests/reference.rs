//! `keyvouch reference`, and what verify and record do with the folder.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use keyvouch_emulator::webauthn::mds::{Blob, entry};
use keyvouch_emulator::webauthn::{AAGUID, Batch};
use serde_json::{Value, json};
use tempfile::TempDir;

const AT: &str = "2026-06-01T00:00:00Z";

/// A folder with files to import, and the reference folder `reference`.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { dir: tempfile::tempdir().unwrap() };
        let blob = blob(1000);
        desk.file("blob.jwt", blob.sign().unwrap());
        desk.file("roots.pem", blob.roots());
        desk.file("status.json", status(&["a1", "b2"]));
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyvouch"));
        command.current_dir(self.dir.path()).env_remove("KEYVOUCH_REFERENCE").args(words).output().unwrap()
    }

    /// Imports at [`AT`] into `reference`.
    fn update(&self, words: &str) -> Output {
        let line = format!("reference update --reference reference --at {AT} {words}");
        self.run(&line.split(' ').collect::<Vec<_>>())
    }

    /// The same, with the root of the emulated metadata service.
    fn update_rooted(&self, words: &str) -> Output {
        self.update(&format!("--metadata-roots roots.pem {words}"))
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("reference/reference.json")).unwrap()).unwrap()
    }

    /// The report about emulated evidence.
    fn report(&self, sample: &str, words: &[&str]) -> (Value, String) {
        let anchors = format!("{sample}/anchors");
        let start = ["verify", sample, "--anchors", anchors.as_str(), "--at", AT, "--output", "json"];
        let made = self.run(&[&start, words].concat());
        let note = text(&made.stderr).to_owned();
        let report = serde_json::from_slice(&made.stdout);
        (report.unwrap_or_else(|why| panic!("{why}: {note}")), note)
    }

    fn emulate(&self, format: &str) {
        done(&self.run(&["emulate", format, format]));
    }
}

fn blob(number: u64) -> Blob {
    let mut blob = Blob::new().unwrap();
    let batch = Batch::new("packed").unwrap();
    blob.number = number;
    blob.entries = vec![entry(&batch, Some(&AAGUID), &["basic_full"], &["hardware", "secure_element"])];
    blob
}

fn status(serials: &[&str]) -> String {
    let entries: serde_json::Map<String, Value> = serials
        .iter()
        .map(|serial| ((*serial).to_owned(), json!({"status": "REVOKED", "reason": "KEY_COMPROMISE"})))
        .collect();
    json!({ "entries": entries }).to_string()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn done(output: &Output) -> &str {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// It ended with 2 and says this.
fn refused(output: &Output, why: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{}{said}", text(&output.stdout));
    assert!(said.contains(why), "{why}: {said}");
}

/// Outcome and detail of a check.
fn check(report: &Value, id: &str) -> (String, String) {
    let appraisals = report["appraisals"].as_array().unwrap();
    let mut checks = appraisals.iter().flat_map(|a| a["checks"].as_array().unwrap());
    let check = checks.find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}"));
    let word = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
    (word("outcome"), word("detail"))
}

#[test]
fn both_are_imported_listed_and_shown() {
    let desk = Desk::new();
    let made = desk.update_rooted("--from status.json --from blob.jwt --retrieved 2026-05-31T19:00:00Z");
    let said = done(&made);
    for words in ["Google does not sign", "5 hours ago", "2 for KEY_COMPROMISE", "payload 1000", "2030-01-01"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    let manifest = desk.manifest();
    assert_eq!(manifest["schema"], "keyvouch.reference/1");
    let files: Vec<&str> =
        manifest["files"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["android-status.json", "fido-metadata.jwt", "fido-metadata-roots.crt"]);
    for (kept, from) in [(files[0], "status.json"), (files[1], "blob.jwt"), (files[2], "roots.pem")] {
        assert_eq!(fs::read(desk.path("reference").join(kept)).unwrap(), fs::read(desk.path(from)).unwrap());
    }

    let view = |words: &[&str]| desk.run(&[words, &["--reference", "reference"]].concat());
    let made = view(&["reference", "list", "--at", "2026-06-03T00:00:00Z"]);
    assert!(done(&made).contains("retrieved 2026-05-31T19:00:00Z, 2 days ago"), "{}", text(&made.stdout));
    let made = view(&["reference", "list", "--output", "json", "--at", "2030-01-03T23:59:59Z"]);
    let list: Value = serde_json::from_str(done(&made)).unwrap();
    assert_eq!(list[1]["overdue_seconds"], 2 * 86_400);
    assert_eq!((&list[0]["entries"], &list[1]["number"]), (&json!(2), &json!(1000)));
    let made = view(&["reference", "show", "--at", AT]);
    for words in ["signed by the metadata service", "REVOKED", "the operator vouches"] {
        assert!(done(&made).contains(words), "{words}: {}", text(&made.stdout));
    }
}

#[test]
fn the_folder_can_be_named_by_the_environment_only_when_it_is() {
    let desk = Desk::new();
    refused(&desk.run(&["reference", "update", "--from", "status.json"]), "--reference DIR");
    refused(&desk.run(&["reference", "list"]), "KEYVOUCH_REFERENCE");
    let with = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyvouch"));
        command.current_dir(desk.dir.path()).env("KEYVOUCH_REFERENCE", "named").args(words).output().unwrap()
    };
    done(&with(&["reference", "update", "--from", "status.json"]));
    assert!(desk.path("named/reference.json").is_file());
    assert!(done(&with(&["reference", "list"])).contains("android-status.json"));
    // Not there: whoever names a folder is not judged for without it.
    refused(&with(&["reference", "list", "--reference", "other"]), "no reference folder");
    desk.emulate("yubikey-piv");
    refused(&desk.run(&["verify", "yubikey-piv", "--reference", "other"]), "no reference folder");
}

#[test]
fn metadata_that_are_not_signed_as_they_must_be_are_refused() {
    let desk = Desk::new();
    // Below another root than the built-in one, and than the one that is named.
    refused(&desk.update("--from blob.jwt"), "no path to a root");
    desk.file("other.pem", &Batch::new("packed").unwrap().anchors()[0].bytes);
    refused(&desk.update("--from blob.jwt --metadata-roots other.pem"), "signer");
    refused(&desk.update("--from blob.jwt --metadata-roots status.json"), "roots of the metadata BLOB");

    // Another payload below the same signature.
    let signed = fs::read_to_string(desk.path("blob.jwt")).unwrap();
    let other = String::from_utf8(blob(1001).sign().unwrap()).unwrap();
    let parts = |jws: &str| jws.split('.').map(str::to_owned).collect::<Vec<_>>();
    let (signed, other) = (parts(&signed), parts(&other));
    desk.file("tampered.jwt", format!("{}.{}.{}", signed[0], other[1], signed[2]));
    refused(&desk.update_rooted("--from tampered.jwt"), "tampered.jwt: metadata BLOB");

    // Signed, and not of the service's shape.
    let mut shapeless = blob(1000);
    shapeless.next_update = "soon".to_owned();
    desk.file("shapeless.jwt", shapeless.sign().unwrap());
    refused(&desk.update_rooted("--from shapeless.jwt"), "nextUpdate");

    // The payload alone.
    desk.file("payload.json", r#"{"no": 1000, "nextUpdate": "2030-01-01", "entries": []}"#);
    refused(&desk.update_rooted("--from payload.json"), "without its signature");
    assert!(!desk.path("reference").exists(), "nothing was written");
}

#[test]
fn a_list_out_of_form_is_refused_and_so_are_other_files() {
    let desk = Desk::new();
    for bad in [
        "{",
        r#"{"entries": []}"#,
        r#"{"entries": {"0a": {"status": "REVOKED"}}}"#,
        r#"{"entries": {"a1": {}}}"#,
        r#"{"entries": {"a1": {"status": "REVOKED"}, "a1": {"status": "SUSPENDED"}}}"#,
    ] {
        desk.file("bad.json", bad);
        refused(&desk.update("--from bad.json"), "not Google's attestation status list");
    }
    desk.file("page.html", "<html>503</html>");
    refused(&desk.update("--from page.html"), "neither");
    refused(&desk.update("--from status.json --retrieved 2026-06-01T00:00:01Z"), "later than now");
    refused(&desk.update("--from status.json --from status.json"), "the second");
    refused(&desk.update_rooted("--from blob.jwt --retrieved now"), "--retrieved is about");
    refused(&desk.update_rooted("--from status.json"), "--metadata-roots is about");
    // All or nothing.
    desk.file("bad.json", "{}");
    refused(&desk.update_rooted("--from blob.jwt --from bad.json"), "bad.json");
    assert!(!desk.path("reference").exists(), "nothing was written");
}

#[test]
fn a_list_is_as_old_as_its_file_unless_the_operator_says() {
    let desk = Desk::new();
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_750_000_000);
    fs::File::options().write(true).open(desk.path("status.json")).unwrap().set_modified(long_ago).unwrap();
    done(&desk.update("--from status.json"));
    assert_eq!(desk.manifest()["files"][0]["retrieved_at"], "2025-06-15T15:06:40Z");
    done(&desk.update("--from status.json --retrieved now"));
    assert_eq!(desk.manifest()["files"][0]["retrieved_at"], AT);
    refused(&desk.update("--from status.json"), "earlier than");
    done(&desk.update("--from status.json --allow-older"));
    // A file that says to be from the future is not newer than now.
    let later = std::time::UNIX_EPOCH + std::time::Duration::from_secs(4_000_000_000);
    fs::File::options().write(true).open(desk.path("status.json")).unwrap().set_modified(later).unwrap();
    done(&desk.update("--from status.json"));
    assert_eq!(desk.manifest()["files"][0]["retrieved_at"], AT);
}

#[test]
fn older_metadata_are_refused() {
    let desk = Desk::new();
    done(&desk.update_rooted("--from blob.jwt"));
    done(&desk.update_rooted("--from blob.jwt"));
    desk.file("old.jwt", blob(999).sign().unwrap());
    refused(&desk.update_rooted("--from old.jwt"), "payload 999 is older than payload 1000");
    assert_eq!(desk.manifest()["files"][0]["number"], 1000);
    done(&desk.update_rooted("--from old.jwt --allow-older"));
    assert_eq!(desk.manifest()["files"][0]["number"], 999);
    desk.file("status.json", status(&["b2", "c3", "d4"]));
    done(&desk.update("--from status.json"));
    desk.file("status.json", status(&["b2"]));
    let made = desk.update("--from status.json");
    assert!(done(&made).contains("3 entries: 0 added, 2 taken off"), "{}", text(&made.stdout));
    assert_eq!(desk.manifest()["files"].as_array().unwrap().len(), 3);
}

#[test]
fn an_altered_folder_is_an_error_and_can_be_mended() {
    let desk = Desk::new();
    done(&desk.update("--from status.json"));
    desk.emulate("yubikey-piv");
    let verify = || {
        let words = ["verify", "yubikey-piv", "--anchors", "yubikey-piv/anchors", "--reference", "reference"];
        desk.run(&words)
    };
    assert_eq!(verify().status.code(), Some(0), "{}", text(&verify().stderr));
    let stored = desk.path("reference/android-status.json");
    fs::write(&stored, status(&["a1"])).unwrap();
    refused(&verify(), "its SHA-256 is not that in reference.json");
    refused(&desk.run(&["reference", "list", "--reference", "reference"]), "SHA-256");
    fs::remove_file(&stored).unwrap();
    refused(&verify(), "android-status.json: cannot be read");
    done(&desk.update("--from status.json"));
    assert_eq!(verify().status.code(), Some(0));
    fs::write(desk.path("reference/reference.json"), "{}").unwrap();
    refused(&verify(), "reference.json: damaged");
    refused(&desk.update("--from status.json"), "reference.json: damaged");
}

#[test]
fn webauthn_is_judged_by_the_stored_metadata() {
    let desk = Desk::new();
    done(&desk.update_rooted("--from blob.jwt"));
    desk.emulate("webauthn");
    let (without, note) = desk.report("webauthn", &[]);
    assert_eq!(check(&without, "model-unknown").0, "warning");
    assert!(!note.contains("reference data"), "{note}");

    let (with, note) = desk.report("webauthn", &["--reference", "reference"]);
    assert_eq!(check(&with, "mds-signature").0, "pass");
    assert_eq!(check(&with, "model-unknown"), ("pass".into(), "keyvouch emulated authenticator".into()));
    assert!(
        note.contains("reference data in reference: FIDO metadata BLOB, payload 1000, 1 entry"),
        "{note}"
    );

    // A file that the command line names counts, without the stored roots.
    let words = ["--reference", "reference", "--option", "metadata=blob.jwt"];
    let (own, note) = desk.report("webauthn", &words);
    assert_eq!(check(&own, "mds-signature").0, "fail");
    assert!(note.contains("FIDO metadata BLOB not used, because option metadata is set"), "{note}");

    // When its signer has expired, that is told.
    let made = desk.run(&["reference", "show", "--reference", "reference", "--at", "2050-01-01T00:00:00Z"]);
    assert!(done(&made).contains("no: metadata BLOB"), "{}", text(&made.stdout));
}

#[test]
fn phones_are_judged_by_the_stored_list_and_its_age() {
    let desk = Desk::new();
    done(&desk.update("--from status.json --retrieved 2026-05-30T00:00:00Z"));
    desk.emulate("android");
    assert_eq!(check(&desk.report("android", &[]).0, "status-unavailable").0, "fail");
    let stored = ["--reference", "reference", "--option"];
    let (report, note) = desk.report("android", &[&stored[..], &["android_status_max_age=48"]].concat());
    let (outcome, detail) = check(&report, "status-unavailable");
    assert_eq!(outcome, "pass", "{detail}");
    assert!(note.contains("retrieved 2026-05-30T00:00:00Z, 2 days ago"), "{note}");
    // Past the operator's limit nothing is decided.
    let (report, _) = desk.report("android", &[&stored[..], &["android_status_max_age=47"]].concat());
    assert_eq!(check(&report, "status-unavailable").0, "fail");
    assert_eq!(report["verdict"], "cannot-decide");
    // What the command line says counts.
    let words = ["android_status_max_age=47", "--option", "android_status_time=2026-05-31T00:00:00Z"];
    let (report, _) = desk.report("android", &[&stored[..], &words].concat());
    assert_eq!(check(&report, "status-unavailable").0, "pass");
}

#[test]
fn records_hold_what_was_used() {
    let desk = Desk::new();
    done(&desk.update("--from status.json"));
    desk.emulate("android");
    let words = "record export android --anchors android/anchors --reference reference --to record.zip --at";
    let made = desk.run(&[&words.split(' ').collect::<Vec<_>>()[..], &[AT]].concat());
    assert!(text(&made.stderr).contains("reference data in reference"), "{}", text(&made.stderr));
    // The folder is not needed any more.
    fs::remove_dir_all(desk.path("reference")).unwrap();
    assert!(done(&desk.run(&["record", "verify", "record.zip"])).contains("byte for byte"));
}
