//! The store on SQLite, and on PostgreSQL where `KEYVOUCH_TEST_POSTGRES` names a database server: the same tests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod support;

use std::collections::BTreeSet;

use keyvouch::{File, Reference};
use keyvouch_record::log::{Checkpoint, LogKey};
use keyvouch_record::{Answer, Bundle, TrustData, recheck};
use keyvouch_store::{Filter, Location, MIN_RETENTION_DAYS, Outcome, Record, Role, Store, StoreError, Used};
use support::{DAY, NOW, bundle, on_each, record};

#[test]
fn a_record_comes_back_as_it_was() {
    on_each(async |place| {
        let store = place.open().await;
        let bundle = bundle("yubikey-piv", 0);
        let written = Record::new(bundle.clone(), "alice", NOW).unwrap();
        let id = written.id().to_owned();
        let receipt = store.append(written).await.unwrap();
        assert_eq!((receipt.leaf, &receipt.id), (0, &id));
        let read = store.bundle(&id).await.unwrap();
        assert_eq!(read.report, bundle.report);
        assert_eq!(read.case.submission, bundle.case.submission);
        assert_eq!(read.labels["submitter"], "alice");
        assert_eq!(read.labels["id"], id);
        assert_eq!(recheck(&read).unwrap().answer, Answer::Identical);
        assert!(matches!(store.bundle("nobody").await, Err(StoreError::NoRecord(_))));
    });
}

#[test]
fn every_record_is_in_the_log_and_can_be_proved() {
    on_each(async |place| {
        let store = place.open().await;
        let (key, _) = LogKey::generate("keyvouch.example/log").unwrap();
        let mut ids = Vec::new();
        for n in 0..21 {
            ids.push(store.append(record(n)).await.unwrap().id);
            let state = store.log().await.unwrap();
            assert_eq!(state.size, n + 1);
        }
        for (leaf, id) in (0..).zip(&ids) {
            let stored = store.stored(id).await.unwrap();
            assert_eq!(stored.leaf, leaf);
            let proof = store.prove(leaf, &key).await.unwrap();
            let checkpoint = proof.verify(&stored.manifest.unwrap(), key.public()).unwrap();
            assert_eq!(checkpoint, store.log().await.unwrap());
        }
        assert!(store.audit(&[], |_, _| {}).await.unwrap().is_whole());
    });
}

#[test]
fn many_at_once_lose_nothing() {
    on_each(async |place| {
        let store = place.open().await;
        // Another node of the same store.
        let other = place.open_again().await;
        let mut tasks = Vec::new();
        for n in 0..120 {
            let store = if n % 2 == 0 { store.clone() } else { other.clone() };
            tasks.push(tokio::spawn(async move { store.append(record(n)).await.unwrap() }));
        }
        let mut leaves = BTreeSet::new();
        for task in tasks {
            let receipt = task.await.unwrap();
            assert!(leaves.insert(receipt.leaf));
            assert_eq!(store.stored(&receipt.id).await.unwrap().leaf, receipt.leaf);
        }
        assert_eq!(leaves, (0..120).collect());
        let audit = store.audit(&[], |_, _| {}).await.unwrap();
        assert!(audit.is_whole(), "{audit:?}");
        assert_eq!(audit.records, 120);
        assert_eq!(audit.root, hex::encode(store.log().await.unwrap().root));
    });
}

#[test]
fn records_are_found_by_what_they_say() {
    on_each(async |place| {
        let store = place.open().await;
        let mut ids = Vec::new();
        for (format, now) in [("yubikey-piv", NOW), ("securosys", NOW + DAY), ("yubihsm2", NOW + 2 * DAY)] {
            let bundle = bundle(format, 0);
            ids.push(store.append(Record::new(bundle, "x", now).unwrap()).await.unwrap().id);
        }
        let find = async |filter: Filter| -> Vec<usize> {
            let page = store.search(&filter, None, 10).await.unwrap();
            assert_eq!(page.next, None);
            page.records.iter().map(|r| ids.iter().position(|id| *id == r.id).unwrap()).collect()
        };
        let all = store.search(&Filter::default(), None, 10).await.unwrap();
        assert_eq!(find(Filter::default()).await, [2, 1, 0], "the newest first");
        let piv = &all.records[2];
        let statement = piv.statements[0].clone();
        assert_eq!(
            (statement.format.as_str(), statement.authenticity.as_str()),
            ("yubikey-piv", "authentic")
        );
        let some = |text: &str| Some(text.to_owned());
        let time = |ms: i64| Some(keyvouch::Time::from_unix(ms / 1000));
        for (filter, wanted) in [
            (Filter { spki_sha256: statement.spki_sha256.clone(), ..Filter::default() }, vec![0]),
            (Filter { request_sha256: piv.request_sha256.clone(), ..Filter::default() }, vec![0]),
            (
                Filter { serial: statement.serial.clone(), vendor: some("Yubico"), ..Filter::default() },
                vec![0],
            ),
            (Filter { vendor: some("Yubico"), ..Filter::default() }, vec![2, 0]),
            (Filter { vendor: some("yubico' OR 1=1 --"), ..Filter::default() }, vec![]),
            (Filter { model: statement.model.clone(), ..Filter::default() }, vec![0]),
            (Filter { format: some("securosys"), ..Filter::default() }, vec![1]),
            (Filter { authenticity: some("authentic"), ..Filter::default() }, vec![2, 1, 0]),
            (Filter { authenticity: some("undecided"), ..Filter::default() }, vec![]),
            (Filter { verdict: some("accept"), format: some("yubikey-piv"), ..Filter::default() }, vec![0]),
            (Filter { policy: some("hardware-key"), ..Filter::default() }, vec![2, 1, 0]),
            (Filter { policy: some("hardware"), ..Filter::default() }, vec![]),
            (Filter { policy: some("%"), ..Filter::default() }, vec![]),
            (Filter { since: time(NOW + DAY), ..Filter::default() }, vec![2, 1]),
            (Filter { until: time(NOW + DAY), ..Filter::default() }, vec![0]),
        ] {
            assert_eq!(find(filter.clone()).await, wanted, "{filter:?}");
        }
        // Firmware 5.7.4.
        let firmware = async |from: Option<&str>, to: Option<&str>| {
            let own = |t: Option<&str>| t.map(str::to_owned);
            let filter = Filter {
                firmware_from: own(from),
                firmware_to: own(to),
                format: some("yubikey-piv"),
                ..Filter::default()
            };
            find(filter).await == [0]
        };
        assert_eq!(statement.firmware.as_deref(), Some("5.7.4"));
        for (from, to, within) in [
            (Some("5.7.4"), None, true),
            (Some("5.7"), Some("5.7"), true),
            (Some("5.7.5"), None, false),
            (None, Some("5.7.4"), true),
            (None, Some("5.7.3"), false),
            (None, Some("5.10"), true),
            (Some("5.10"), None, false),
        ] {
            assert_eq!(firmware(from, to).await, within, "{from:?} to {to:?}");
        }
        // Pages.
        let first = store.search(&Filter::default(), None, 2).await.unwrap();
        assert_eq!((first.records.len(), first.next), (2, Some(1)));
        let last = store.search(&Filter::default(), first.next, 2).await.unwrap();
        assert_eq!((last.records.len(), last.next), (1, None));
    });
}

#[test]
fn a_challenge_is_used_once_also_in_a_race() {
    on_each(async |place| {
        let store = place.open().await;
        let other = place.open_again().await;
        store.issue("nonce", "aa", NOW, NOW + 1000, "state").await.unwrap();
        let mut tasks = Vec::new();
        for n in 0..20 {
            let store = if n % 2 == 0 { store.clone() } else { other.clone() };
            tasks.push(tokio::spawn(async move { store.use_once("nonce", "aa", NOW + 10).await.unwrap() }));
        }
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|a| **a == Used::Now("state".to_owned())).count(), 1);
        assert_eq!(answers.iter().filter(|a| **a == Used::Before).count(), 19);
        store.issue("nonce", "bb", NOW, NOW + 1000, "").await.unwrap();
        assert!(store.issue("nonce", "bb", NOW, NOW + 1000, "").await.is_err(), "given out twice");
        assert_eq!(store.use_once("tpm", "bb", NOW).await.unwrap(), Used::Unknown);
        assert_eq!(store.use_once("nonce", "bb", NOW + 1000).await.unwrap(), Used::Expired);
        assert_eq!(store.use_once("nonce", "cc", NOW).await.unwrap(), Used::Unknown);
        assert_eq!(store.forget_challenges(NOW + 1001).await.unwrap(), 2);
        assert_eq!(store.use_once("nonce", "bb", NOW).await.unwrap(), Used::Unknown);
    });
}

#[test]
fn tokens_are_known_by_their_secret_until_they_end() {
    on_each(async |place| {
        let store = place.open().await;
        let made = store.create_token("ra", Role::Submit, NOW, Some(NOW + 1000)).await.unwrap();
        assert!(!format!("{made:?}").contains(&made.secret));
        let known =
            async |secret: &str, now: i64| store.authenticate(secret, now).await.unwrap().map(|t| t.id);
        assert_eq!(known(&made.secret, NOW).await, Some(made.token.id.clone()));
        assert_eq!(known(&made.secret, NOW + 1000).await, None, "it ended");
        assert_eq!(known("kv_x", NOW).await, None);
        assert_eq!(known("", NOW).await, None);
        let forever = store.create_token("auditor", Role::Read, NOW, None).await.unwrap();
        assert!(store.revoke_token(&forever.token.id, NOW).await.unwrap());
        assert!(!store.revoke_token(&forever.token.id, NOW).await.unwrap());
        assert_eq!(known(&forever.secret, NOW).await, None, "it was revoked");
        let names: Vec<(String, Role)> =
            store.tokens().await.unwrap().into_iter().map(|t| (t.name, t.role)).collect();
        assert_eq!(names, [("ra".to_owned(), Role::Submit), ("auditor".to_owned(), Role::Read)]);
        assert!(Role::Submit < Role::Read && Role::Read < Role::Admin);
    });
}

#[test]
fn what_is_pruned_leaves_its_place_in_the_log() {
    on_each(async |place| {
        let store = place.open().await;
        let mut ids = Vec::new();
        let bundle = bundle("yubikey-piv", 0);
        for n in 0..4_i64 {
            let at = NOW + n * 400 * DAY;
            ids.push(store.append(Record::new(bundle.clone(), "x", at).unwrap()).await.unwrap().id);
        }
        let before = store.log().await.unwrap();
        let now = NOW + 1200 * DAY;
        assert!(matches!(store.prune(730, false, now).await, Err(StoreError::TooYoung { minimum: 731 })));
        let pruned = store.prune(MIN_RETENTION_DAYS, false, now).await.unwrap();
        assert_eq!((pruned.records, pruned.contents), (2, 0), "the contents are needed by the others");
        assert!(matches!(store.bundle(&ids[1]).await, Err(StoreError::Pruned(_))));
        assert!(store.bundle(&ids[2]).await.is_ok());
        let forced = store.prune(0, true, now + 1).await.unwrap();
        assert_eq!(forced.records, 2);
        assert!(forced.contents > 0);
        assert_eq!(store.log().await.unwrap(), before);
        let audit = store.audit(&[before], |_, _| {}).await.unwrap();
        assert!(audit.is_whole() && audit.pruned == 4, "{audit:?}");
        let page = store.search(&Filter::default(), None, 10).await.unwrap();
        assert!(page.records.iter().all(|r| r.pruned && r.verdict == "accept"));
    });
}

#[test]
fn a_backup_is_the_whole_record_at_one_moment() {
    on_each(async |place| {
        let store = place.open().await;
        for n in 0..3 {
            store.append(record(n)).await.unwrap();
        }
        let before = store.status().await.unwrap();
        assert_eq!((before.records, before.pruned), (3, 0));
        assert_eq!((before.oldest, before.newest), (Some(NOW), Some(NOW + 2)));
        assert!(before.bytes > 0 && before.contents > 0);
        assert_eq!(before.root, hex::encode(store.log().await.unwrap().root));
        assert_eq!(store.prunable(1, NOW + DAY + 2).await.unwrap(), 2);

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("backup.db");
        let copied = store.backup(&file).await;
        if before.database == "postgresql" {
            assert!(matches!(copied, Err(StoreError::NotSqlite)) && !file.exists());
            return;
        }
        copied.unwrap();
        // What comes later is not in it.
        store.append(record(3)).await.unwrap();
        assert!(store.backup(&file).await.is_err(), "what is there is not written over");
        let backup = Store::open(&Location::Sqlite(file)).await.unwrap();
        let status = backup.status().await.unwrap();
        assert_eq!((status.records, &status.root, status.contents), (3, &before.root, before.contents));
        assert!(backup.audit(&[], |_, _| {}).await.unwrap().is_whole());
        // It can take the place of the record.
        assert_eq!(backup.append(record(3)).await.unwrap().leaf, 3);
        backup.close().await;
    });
}

#[test]
fn a_record_is_given_out_with_the_manifest_that_was_logged() {
    on_each(async |place| {
        let store = place.open().await;
        let written = Record::new(bundle("yubikey-piv", 0), "x", NOW).unwrap();
        let id = store.append(written).await.unwrap().id;
        let parts = store.parts(&id).await.unwrap();
        assert_eq!(Some(&parts.manifest), store.stored(&id).await.unwrap().manifest.as_ref());
        let zip = store.bundle(&id).await.unwrap().write_parts(&parts).unwrap();
        assert_eq!(Bundle::manifest(&zip).unwrap(), parts.manifest);
        assert_eq!(recheck(&Bundle::read(&zip).unwrap()).unwrap().answer, Answer::Identical);
        assert!(matches!(store.parts("nobody").await, Err(StoreError::NoRecord(_))));
    });
}

#[test]
fn a_reappraisal_is_shared_resumed_and_finished_once() {
    on_each(async |place| {
        let store = place.open().await;
        let other = place.open_again().await;
        for n in 0..40 {
            store.append(record(n)).await.unwrap();
        }
        let filter = Filter { verdict: Some("accept".to_owned()), ..Filter::default() };
        let job = store.start_reappraisal(&filter, "test", NOW).await.unwrap();
        assert_eq!(store.reappraisal_progress(&job.id).await.unwrap().total, 40);
        let judge = |bundle: Bundle| match recheck(&bundle).unwrap().answer {
            Answer::Identical => {
                Outcome { answer: "same", verdict: Some("accept".into()), detail: String::new() }
            }
            _ => Outcome { answer: "changed", verdict: None, detail: String::new() },
        };
        // A worker that claims and dies: what it had can be claimed again when its time is over.
        let (begun, begins) = std::sync::mpsc::channel();
        let (lives, ends) = std::sync::mpsc::channel::<()>();
        let ends = std::sync::Mutex::new(ends);
        let dying = {
            let (store, job) = (store.clone(), job.id.clone());
            tokio::spawn(async move {
                let wait = move |_: Bundle| {
                    begun.send(()).unwrap();
                    let _ = ends.lock().unwrap().recv();
                    Outcome { answer: "changed", verdict: None, detail: "from the dead".into() }
                };
                store.reappraise_some(&job, NOW, wait).await
            })
        };
        tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
        dying.abort();
        assert!(dying.await.unwrap_err().is_cancelled());
        drop(lives);
        let mut done = 0;
        loop {
            let (a, b) = tokio::join!(
                store.reappraise_some(&job.id, NOW, judge),
                other.reappraise_some(&job.id, NOW, judge)
            );
            let both = a.unwrap() + b.unwrap();
            done += both;
            if both == 0 {
                break;
            }
        }
        assert_eq!(done, 24, "sixteen are in the hands of the dead");
        let later = NOW + 61_000;
        while store.reappraise_some(&job.id, later, judge).await.unwrap() > 0 {}
        let progress = store.reappraisal_progress(&job.id).await.unwrap();
        assert_eq!((progress.total, progress.done), (40, 40));
        let items = store.reappraisal_items(&job.id, None, 100).await.unwrap();
        assert!(items.iter().all(|i| i.answer.as_deref() == Some("same")), "{items:?}");
        let after = store.reappraisal_items(&job.id, Some(37), 100).await.unwrap();
        assert_eq!(after.iter().map(|i| i.leaf).collect::<Vec<_>>(), [38, 39]);
        assert_eq!(store.reappraisals().await.unwrap(), [job]);
    });
}

#[test]
fn one_that_cannot_be_judged_keeps_no_other_from_it() {
    on_each(async |place| {
        let store = place.open().await;
        for n in 0..3 {
            store.append(record(n)).await.unwrap();
        }
        let job = store.start_reappraisal(&Filter::default(), "test", NOW).await.unwrap();
        let judge = |bundle: Bundle| {
            assert_ne!(bundle.labels["submitter"], "client 1", "no\0 such client");
            Outcome { answer: "same", verdict: None, detail: "a\0b".into() }
        };
        assert_eq!(store.reappraise_some(&job.id, NOW, judge).await.unwrap(), 3);
        let items = store.reappraisal_items(&job.id, None, 9).await.unwrap();
        let answers: Vec<_> = items.iter().map(|i| i.answer.as_deref().unwrap()).collect();
        assert_eq!(answers, ["same", "failed", "same"]);
    });
}

#[test]
fn what_waits_is_written_before_the_store_is_closed() {
    on_each(async |place| {
        let store = place.open().await;
        let mut tasks = Vec::new();
        for n in 0..100 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { store.append(record(n)).await }));
        }
        tokio::task::yield_now().await;
        store.close().await;
        let (mut kept, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => kept += 1,
                Err(StoreError::Closed) => refused += 1,
                Err(other) => panic!("neither kept nor refused: {other}"),
            }
        }
        assert!(matches!(store.append(record(100)).await, Err(StoreError::Closed)));
        let store = place.open().await;
        let audit = store.audit(&[], |_, _| {}).await.unwrap();
        assert!(audit.is_whole());
        assert_eq!((audit.records, kept + refused), (kept, 100));
    });
}

/// Text that a database has no room for comes from hostile evidence, or from whoever is called so.
#[test]
fn text_that_a_database_cannot_keep_is_no_reason_to_keep_no_record() {
    on_each(async |place| {
        let store = place.open().await;
        let odd = |name: &str, serial: &str| {
            let mut bundle = bundle("yubikey-piv", 0);
            let mut report: serde_json::Value = serde_json::from_slice(&bundle.report).unwrap();
            report["appraisals"][0]["claims"]["device.serial"]["value"] = serial.into();
            bundle.report = serde_json::to_vec(&report).unwrap();
            Record::new(bundle, name, NOW).unwrap()
        };
        // No two characters of it are alike, or the database would make it short.
        let long: String = (0x4e00..0x4e00 + 5_000).filter_map(char::from_u32).collect();
        let nul = store.append(odd("a\0b", "1\u{0}2")).await.unwrap();
        let long_one = store.append(odd(&long, &long)).await.unwrap();
        for (serial, id) in [("1\u{0}2", nul.id), (&long, long_one.id)] {
            let filter = Filter { serial: Some(serial.to_owned()), ..Filter::default() };
            let page = store.search(&filter, None, 10).await.unwrap();
            assert_eq!(page.records.iter().map(|r| &r.id).collect::<Vec<_>>(), [&id]);
        }
        let audit = store.audit(&[], |_, _| {}).await.unwrap();
        assert!(audit.is_whole(), "{audit:?}");
    });
}

/// The database refuses one record of those that were to be written together.
#[test]
fn one_that_is_refused_keeps_no_other_out() {
    on_each(async |place| {
        let store = place.open().await;
        place.refuse_records_of("client 13").await;
        let mut tasks = Vec::new();
        for n in 0..40 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { store.append(record(n)).await }));
        }
        for (n, task) in (0..).zip(tasks) {
            match task.await.unwrap() {
                Ok(_) => assert_ne!(n, 13),
                Err(error) => assert!(n == 13 && !error.is_temporary(), "{n}: {error}"),
            }
        }
        let audit = store.audit(&[], |_, _| {}).await.unwrap();
        assert!(audit.is_whole(), "{audit:?}");
        assert_eq!(audit.records, 39);
    });
}

/// Somebody who can write to the database changes it behind the log's back.
#[test]
fn whatever_is_altered_dropped_or_reordered_is_found() {
    on_each(async |place| {
        let store = place.open().await;
        for n in 0..10 {
            store.append(record(n)).await.unwrap();
        }
        let signed = store.log().await.unwrap();
        let finds = async |sql: &[&str], leaf: Option<u64>, what: &str| {
            place.save().await;
            for sql in sql {
                place.run(sql).await;
            }
            let audit = store.audit(&[signed], |_, _| {}).await.unwrap();
            place.restore().await;
            assert!(
                audit.faults.iter().any(|f| f.leaf == leaf && f.what.contains(what)),
                "{sql:?}: {:?}",
                audit.faults
            );
        };
        finds(
            &["UPDATE records SET manifest = substr(manifest, 2) WHERE leaf = 3"],
            Some(3),
            "is not the one that was logged",
        )
        .await;
        finds(&["UPDATE blobs SET bytes = substr(bytes, 2)"], Some(0), "was altered").await;
        finds(&["DELETE FROM record_blobs WHERE leaf = 4"], Some(4), "is missing").await;
        finds(
            &[
                "DELETE FROM record_blobs WHERE leaf = 9",
                "DELETE FROM statements WHERE leaf = 9",
                "DELETE FROM records WHERE leaf = 9",
            ],
            Some(9),
            "the record is missing",
        )
        .await;
        finds(&["UPDATE records SET verdict = 'refuse' WHERE leaf = 5"], Some(5), "the verdict of record")
            .await;
        finds(
            &["UPDATE records SET submitter = 'mallory' WHERE leaf = 5"],
            Some(5),
            "the submitter of record",
        )
        .await;
        finds(&["UPDATE records SET recorded_at = 0 WHERE leaf = 5"], Some(5), "the time of record").await;
        finds(&["UPDATE records SET policies = '' WHERE leaf = 5"], Some(5), "the policies of record").await;
        finds(&["UPDATE records SET request_sha256 = NULL WHERE leaf = 5"], Some(5), "the request of record")
            .await;
        finds(&["UPDATE statements SET serial = '1' WHERE leaf = 5"], Some(5), "the statements of record")
            .await;
        finds(&["DELETE FROM statements WHERE leaf = 5"], Some(5), "the statements of record").await;
        finds(&["UPDATE records SET id = 'other' WHERE leaf = 6"], Some(6), "the id of record").await;
        finds(&["DELETE FROM hashes WHERE place = 0"], Some(0), "the hash of this record is missing").await;
        finds(
            &["UPDATE hashes SET hash = (SELECT hash FROM hashes WHERE place = 0) WHERE place = 2"],
            Some(1),
            "hashes above this record",
        )
        .await;
        finds(&["UPDATE log SET size = 9"], None, "a checkpoint was signed for 10").await;
        finds(&["UPDATE log SET size = 9"], None, "records are there that the log does not count").await;
        // Two records change places, with their manifests.
        let swap =
            ["UPDATE records SET manifest = (SELECT manifest FROM records WHERE leaf = 8) WHERE leaf = 7"];
        finds(&swap, Some(7), "is not the one that was logged").await;
        // The hash is altered with the record: only the signed checkpoint tells.
        let forged = Checkpoint { root: [1; 32], ..signed };
        let audit = store.audit(&[forged], |_, _| {}).await.unwrap();
        assert!(audit.faults[0].what.contains("are not those that a checkpoint was signed for"));
        let earlier = Checkpoint { size: 4, root: [1; 32] };
        let audit = store.audit(&[earlier], |_, _| {}).await.unwrap();
        assert_eq!(
            audit.faults[0].what,
            "the first 4 records are not those that a checkpoint was signed for"
        );
        assert!(store.audit(&[signed], |_, _| {}).await.unwrap().is_whole());
    });
}

#[test]
fn a_store_of_a_later_version_is_not_touched() {
    on_each(async |place| {
        place.open().await.close().await;
        place.run("UPDATE _sqlx_migrations SET checksum = checksum || checksum").await;
        assert!(matches!(place.try_open().await, Err(StoreError::Migration(_))));
    });
}

#[test]
fn a_place_that_is_none_is_told_without_its_password() {
    let secret = "mysql://root:hunter2@host/db";
    let error = Location::parse(secret).unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
    let place = Location::parse("postgres://u:hunter2@h/db").unwrap();
    assert!(!format!("{place:?}").contains("hunter2"));
    assert!(Location::parse("").is_err());
    for gone in ["sqlite:", "sqlite://", ":memory:", "sqlite::memory:", "file:a.db?mode=memory", " "] {
        assert!(Location::parse(gone).is_err(), "{gone}");
    }
    for file in ["sqlite:a.db", "sqlite://a.db", "a.db"] {
        assert_eq!(Location::parse(file).unwrap(), Location::Sqlite("a.db".into()));
    }
}

#[test]
fn a_record_comes_with_the_trust_data_that_it_was_judged_by() {
    on_each(async |place| {
        let store = place.open().await;
        store.keep_trust_data().await.unwrap();
        store.keep_trust_data().await.unwrap();
        // As if an earlier version had written here, which had one file less.
        let mut files: Vec<File> =
            Reference::builtin_data().map(|(name, text)| File::new(name, text)).collect();
        let gone = files.pop().unwrap();
        let earlier = TrustData::Files(files);
        let digest = earlier.digest().unwrap();
        place.run(&format!("DELETE FROM trust_files WHERE name = '{}'", gone.name)).await;
        place.run(&format!("UPDATE trust_files SET digest = '{digest}'")).await;
        let mut case = bundle("yubikey-piv", 0).case;
        case.trust_data = earlier;
        let recorded = Bundle::of(case).unwrap();
        let id = store.append(Record::new(recorded.clone(), "x", NOW).unwrap()).await.unwrap().id;
        let read = store.bundle(&id).await.unwrap();
        assert_eq!(read.case.trust_data, recorded.case.trust_data);
        assert_eq!(recheck(&read).unwrap().answer, Answer::Identical);
        place.run("DELETE FROM trust_files WHERE number = 0").await;
        assert!(matches!(store.bundle(&id).await, Err(StoreError::Damaged(_))));
        // This version's own is still to be kept, and what it judges comes with it.
        store.keep_trust_data().await.unwrap();
        let today = store.append(record(1)).await.unwrap().id;
        assert_eq!(store.bundle(&today).await.unwrap().case.trust_data, TrustData::BuiltIn);
    });
}
