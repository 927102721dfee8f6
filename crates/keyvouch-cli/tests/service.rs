//! The service and the commands about its record, as one process each.

// Helpers of tests may panic as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod service {
    pub(crate) mod support;
}

use std::fs;
use std::path::Path;

use serde_json::Value;
use service::support::{Record, appraisal, keyvouch, printed, text};

#[test]
fn the_first_start_makes_what_it_needs_and_the_second_keeps_it() {
    let record = Record::new();
    let check = record.run(&["serve", "--check"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    assert!(text(&check.stdout).contains("log.key (would be made)"), "{}", text(&check.stdout));
    assert!(!record.folder().exists(), "a check makes nothing");

    let served = record.serve(&[]);
    drop(served);
    let key = fs::read_to_string(record.folder().join("log.key")).unwrap();
    assert!(key.starts_with("PRIVATE+KEY+keyvouch.local/log+"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&record.folder()), 0o700);
        assert_eq!(mode(&record.folder().join("log.key")), 0o600);
        assert_eq!(mode(&record.folder().join("result.key")), 0o600);
    }

    drop(record.serve(&[]));
    assert_eq!(fs::read_to_string(record.folder().join("log.key")).unwrap(), key);
    let public = record.run(&["log", "public"]);
    assert!(text(&public.stdout).starts_with("keyvouch.local/log+"), "{}", text(&public.stderr));
    assert!(!text(&public.stdout).contains("PRIVATE"));
}

#[test]
fn a_key_that_signed_the_log_is_not_made_anew() {
    let record = Record::with(1);
    fs::remove_file(record.folder().join("log.key")).unwrap();
    let refused = record.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("put it back from your backup"), "{}", text(&refused.stderr));
    assert!(!record.folder().join("log.key").exists());
}

#[test]
fn evidence_is_judged_over_http_and_recorded() {
    let record = Record::trusting();
    let secret = record.run(&["token", "create", "ra-1", "--role", "read"]);
    let secret = text(&secret.stdout).trim().to_owned();
    let serving = record.serve(&["--access", "tokens"]);
    assert_eq!(serving.ask("GET", "/healthz", None, "").0, 200);
    assert_eq!(serving.ask("POST", "/v1/appraisals", None, &appraisal()).0, 401);
    let (status, answer) = serving.ask("POST", "/v1/appraisals", Some(&secret), &appraisal());
    let answer = text(&answer);
    assert!([200, 201].contains(&status), "{answer}");
    assert!(answer.contains("\"accept\""), "{answer}");

    let list = printed(&record.run(&["token", "list", "--output", "json"]));
    let id = list["tokens"][0]["id"].as_str().unwrap();
    assert!(record.run(&["token", "revoke", id]).status.success());
    #[cfg(unix)]
    assert!(serving.stop(), "told to stop, it ends well");

    let status = printed(&record.run(&["store", "status", "--output", "json"]));
    assert_eq!(status["records"], 1, "{status:#}");
    assert!(record.run(&["log", "verify"]).status.success());
    let again = record.run(&["reappraise", "--output", "json", "--all"]);
    let again = printed(&again);
    assert_eq!(again["records"][0]["answer"], "same", "{again:#}");
}

#[test]
fn a_token_is_shown_once_and_can_be_revoked() {
    let record = Record::new();
    let made = record.run(&["token", "create", "ra-1", "--role", "submit", "--expires", "90d"]);
    let secret = text(&made.stdout).trim().to_owned();
    assert!(made.status.success() && secret.starts_with("kv_"), "{}", text(&made.stderr));
    let list = printed(&record.run(&["token", "list", "--output", "json"]));
    let token = &list["tokens"][0];
    assert_eq!((token["name"].as_str(), token["role"].as_str()), (Some("ra-1"), Some("submit")));
    assert_eq!(token["in_force"], true);
    assert!(!list.to_string().contains(&secret));
    let database = fs::read(record.folder().join("record.db")).unwrap();
    assert!(!database.windows(secret.len()).any(|w| w == secret.as_bytes()), "only its hash is kept");

    let id = token["id"].as_str().unwrap();
    assert!(record.run(&["token", "revoke", id]).status.success());
    let list = printed(&record.run(&["token", "list", "--output", "json"]));
    assert_eq!(list["tokens"][0]["in_force"], false);
    let again = record.run(&["token", "revoke", id]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("in force"));
}

#[test]
fn a_log_that_was_tampered_with_is_found() {
    let record = Record::with(5);
    let whole = record.run(&["log", "verify"]);
    assert!(whole.status.success(), "{}{}", text(&whole.stdout), text(&whole.stderr));
    assert!(text(&whole.stdout).starts_with("WHOLE"));
    let checkpoint = record.dir().join("kept.checkpoint");
    let checkpoint = checkpoint.to_str().unwrap();
    assert!(record.run(&["log", "checkpoint", "--out", checkpoint]).status.success());
    let key = text(&record.run(&["log", "public"]).stdout).trim().to_owned();
    let kept = printed(&record.run(&[
        "log",
        "verify",
        "--checkpoint",
        checkpoint,
        "--log-key",
        &key,
        "--output",
        "json",
    ]));
    assert_eq!(
        (&kept["whole"], &kept["records"], &kept["checkpoints"]),
        (&true.into(), &5.into(), &1.into())
    );

    for (sql, leaf, what) in [
        ("UPDATE records SET verdict = 'accept ' WHERE leaf = 2", Some(2), "verdict"),
        ("UPDATE records SET submitter = 'mallory' WHERE leaf = 0", Some(0), "submitter"),
        (
            "UPDATE records SET manifest = CAST('{}' AS BLOB) WHERE leaf = 1",
            Some(1),
            "not the one that was logged",
        ),
        (
            "UPDATE blobs SET bytes = CAST('x' AS BLOB) WHERE sha256 = (SELECT sha256 FROM record_blobs WHERE leaf = 3 LIMIT 1)",
            Some(3),
            "altered",
        ),
        ("DELETE FROM records WHERE leaf = 4", Some(4), "missing"),
        ("UPDATE log SET size = 4", None, "checkpoint was signed for 5"),
    ] {
        let copy = record.copy();
        copy.sql(sql);
        let found = copy.run(&["log", "verify", "--checkpoint", checkpoint, "--output", "json"]);
        assert_eq!(found.status.code(), Some(1), "{sql}: {}", text(&found.stderr));
        let found = printed(&found);
        let named = |f: &Value| f["leaf"].as_u64() == leaf && f["what"].as_str().unwrap().contains(what);
        assert!(found["faults"].as_array().unwrap().iter().any(named), "{sql}: {found:#}");
    }

    // A log made anew is whole in itself. Only the checkpoint shows it.
    let other = Record::with(5);
    assert!(other.run(&["log", "verify"]).status.success());
    let anew = other.run(&["log", "verify", "--checkpoint", checkpoint, "--log-key", &key]);
    assert_eq!(anew.status.code(), Some(1), "{}", text(&anew.stdout));
    assert!(text(&anew.stdout).contains("not those that a checkpoint was signed for"));
    let stranger = other.run(&["log", "verify", "--checkpoint", checkpoint]);
    assert_eq!(stranger.status.code(), Some(2), "signed by another log");
    assert!(text(&stranger.stderr).contains("kept.checkpoint"), "{}", text(&stranger.stderr));
}

#[test]
fn a_backup_is_the_record_and_can_take_its_place() {
    let record = Record::with(3);
    let backup = record.dir().join("backup.db");
    // While the service runs.
    let serving = record.serve(&[]);
    let made = record.run(&["store", "backup", backup.to_str().unwrap()]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    drop(serving);
    let again = record.run(&["store", "backup", backup.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(2), "nothing is overwritten");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let before = printed(&record.run(&["store", "status", "--output", "json"]));
    for name in ["record.db", "record.db-wal", "record.db-shm"] {
        let _ = fs::remove_file(record.folder().join(name));
    }
    fs::copy(&backup, record.folder().join("record.db")).unwrap();
    let after = printed(&record.run(&["store", "status", "--output", "json"]));
    assert_eq!((&before["log"], &before["contents"]), (&after["log"], &after["contents"]));
    assert_eq!(after["records"], 3);
    assert!(record.run(&["log", "verify"]).status.success());
}

#[test]
fn records_younger_than_two_years_are_kept() {
    let record = Record::with(2);
    let refused = record.run(&["store", "prune", "--older-than", "700d"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("731 days"), "{}", text(&refused.stderr));

    let prune = |args: &[&str]| {
        let all = [&["store", "prune", "--output", "json"], args].concat();
        let done = record.run(&all);
        assert!(done.status.success(), "{}", text(&done.stderr));
        printed(&done)
    };
    assert_eq!(prune(&["--older-than", "1000d"])["records"], 0);
    record
        .sql("UPDATE records SET recorded_at = recorded_at - 1001 * CAST(86400000 AS BIGINT) WHERE leaf = 0");
    assert_eq!(prune(&["--older-than", "1000d", "--dry-run"])["records"], 1);
    assert_eq!(prune(&["--older-than", "1000d"])["records"], 1);
    assert_eq!(prune(&["--older-than", "0d", "--force-below-two-years"])["records"], 1);
    let status = printed(&record.run(&["store", "status", "--output", "json"]));
    assert_eq!(
        (&status["records"], &status["pruned"], &status["contents"]),
        (&2.into(), &2.into(), &0.into())
    );
    assert!(record.run(&["log", "verify"]).status.success());
}

#[test]
fn what_would_be_refused_now_is_listed() {
    let record = Record::with(3);
    let same = record.run(&["reappraise", "--at", "recorded"]);
    assert!(same.status.success(), "{}{}", text(&same.stdout), text(&same.stderr));
    assert!(
        text(&same.stdout).contains("3 records were judged again: 0 changed, 3 same"),
        "{}",
        text(&same.stdout)
    );

    let anchors = record.anchors();
    record.configure(&format!(
        "[trust]\nanchors = [{anchors:?}]\n[trust.options]\ndeny_serials = [\"{}\"]\n",
        record.serial()
    ));
    let changed = record.run(&["reappraise", "--at", "recorded", "--output", "json"]);
    assert_eq!(changed.status.code(), Some(1), "{}", text(&changed.stderr));
    let changed = printed(&changed);
    assert_eq!(changed["summary"]["changed"], 3, "{changed:#}");
    let first = &changed["records"][0];
    assert_eq!(
        (&first["verdict"]["recorded"], &first["verdict"]["today"]),
        (&"accept".into(), &"refuse".into())
    );
    assert_eq!(first["statements"][0]["new"]["failed"][0], "denied");

    let csv = record.run(&["reappraise", "--at", "recorded", "--output", "csv", "--verdict", "accept"]);
    assert_eq!(text(&csv.stdout).lines().count(), 4, "{}", text(&csv.stdout));
    assert!(text(&csv.stdout).lines().nth(1).unwrap().contains(",changed,accept,refuse,yubikey-piv,1,"));
    let none = record.run(&["reappraise", "--verdict", "refuse"]);
    assert!(none.status.success() && text(&none.stdout).starts_with("0 records"), "{}", text(&none.stdout));
}

#[test]
fn a_reappraisal_that_was_killed_goes_on_where_it_was() {
    let record = Record::with(200);
    let job = record.killed_reappraisal();
    let done = record.count("SELECT COUNT(done_at) FROM reappraisal_items");
    assert!(done < 200, "it was killed too late to tell: {done}");
    // What the dead one had in hand is free after a minute. Let that pass.
    record.sql("UPDATE reappraisal_items SET claimed_until = 0 WHERE done_at IS NULL");
    let before = record.count("SELECT COALESCE(MAX(done_at), 0) FROM reappraisal_items");

    let other = record
        .run_with("[policies]\nsettings = { advisories = \"refuse\" }\n", &["reappraise", "--resume", &job]);
    assert_eq!(other.status.code(), Some(2), "other policies give half another answer");
    assert!(text(&other.stderr).contains("start a new one"), "{}", text(&other.stderr));

    let resumed = record.run(&["reappraise", "--resume", &job]);
    assert!(resumed.status.success(), "{}{}", text(&resumed.stdout), text(&resumed.stderr));
    assert!(
        text(&resumed.stdout).contains("200 records were judged again: 0 changed, 200 same"),
        "{}",
        text(&resumed.stdout)
    );
    let kept = record.count(&format!("SELECT COUNT(*) FROM reappraisal_items WHERE done_at <= {before}"));
    assert_eq!(kept, done, "what was done is not done again");
    let nothing = record.run(&["reappraise", "--worker"]);
    assert!(text(&nothing.stderr).contains("no re-appraisal is waiting"), "{}", text(&nothing.stderr));
}

#[test]
fn a_configuration_that_cannot_work_is_told_where_it_is_wrong() {
    let record = Record::new();
    for (config, args, wanted) in [
        ("listen = 1", &[][..], "keyvouch.toml"),
        ("[trust.options]\nallow_everything = true", &[], "no option \"allow_everything\""),
        ("[trust.options]\nmetadata = 1", &[], "option metadata takes a file"),
        ("[trust.options]\ndeny_serials = 7", &[], "deny_serials"),
        ("[trust]\nanchors = [\"nowhere.pem\"]", &[], "nowhere.pem: cannot be read"),
        ("[policies]\ndefault = [\"none\"]", &[], "policies.default"),
        ("[policies.settings]\nadvisories = \"x\"", &[], "advisories"),
        ("[keys]\nlog = \"there/is/none.key\"", &[], "keyvouch log key NAME --out there/is/none.key"),
        ("", &["--access", "open", "--listen", "0.0.0.0:0"], "loopback"),
        ("", &["--database", "postgres://keyvouch:hunter2@localhost:1/x"], "keyvouch log key"),
    ] {
        let wrong = record.run_with(config, &[&["serve", "--check"], args].concat());
        assert_eq!(wrong.status.code(), Some(2), "{config}: {}", text(&wrong.stdout));
        assert!(text(&wrong.stderr).contains(wanted), "{config}: {}", text(&wrong.stderr));
        assert!(!text(&wrong.stderr).contains("hunter2"));
    }
    let nothing = record.run(&["log", "verify"]);
    assert!(text(&nothing.stderr).contains("there is no record"), "{}", text(&nothing.stderr));
    assert!(!record.folder().exists());
}

#[test]
fn the_example_configuration_says_what_the_defaults_are() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/keyvouch.toml"));
    let text = fs::read_to_string(path).unwrap();
    let read = |text: &str| {
        keyvouch_server::Config::read(Some((path, text)), |_| None, &std::collections::BTreeMap::new())
            .unwrap()
    };
    assert_eq!(read(&text), keyvouch_server::Config::default());
    let uncomment = |text: &str, mark: &str| {
        let begins = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
        let line = |line: &str| match line.strip_prefix(mark).filter(|rest| begins(rest)) {
            Some(rest) => format!("{rest}\n"),
            None => format!("{line}\n"),
        };
        text.lines().map(line).collect::<String>()
    };
    let defaults = uncomment(&text, "#");
    assert_ne!(defaults, text);
    assert_eq!(read(&defaults), keyvouch_server::Config::default(), "a default is told wrong");
    let all = read(&uncomment(&defaults, "##"));
    assert!(all.tls.is_some() && all.keys.log.is_some() && all.database.is_some());
}

#[test]
fn a_record_of_the_service_is_proved_to_be_in_its_log() {
    let record = Record::with(2);
    let zip = record.dir().join("bundle.zip");
    record.bundle(1, &zip);
    let zip = zip.to_str().unwrap();
    let unasked = keyvouch(&["record", "verify", zip]);
    assert!(unasked.status.success(), "{}", text(&unasked.stderr));
    assert!(text(&unasked.stdout).contains("not verified: name the public key"), "{}", text(&unasked.stdout));

    let key = text(&record.run(&["log", "public"]).stdout).trim().to_owned();
    let proved = keyvouch(&["record", "verify", zip, "--log-key", &key]);
    assert!(proved.status.success(), "{}", text(&proved.stderr));
    assert!(
        text(&proved.stdout)
            .contains("It is in the log keyvouch.local/log, at place 1; the log had 2 records")
    );
    let proved = printed(&keyvouch(&["record", "verify", zip, "--log-key", &key, "--output", "json"]));
    assert_eq!(proved["log"]["proof"], "valid");

    let other = text(&Record::with(1).run(&["log", "public"]).stdout).trim().to_owned();
    let wrong = keyvouch(&["record", "verify", zip, "--log-key", &other]);
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong.stdout));
    assert!(text(&wrong.stdout).contains("does not hold"));
    let no_key = keyvouch(&["record", "verify", zip, "--log-key", "a+b"]);
    assert_eq!(no_key.status.code(), Some(2), "{}", text(&no_key.stdout));
}
