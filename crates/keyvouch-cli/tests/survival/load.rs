//! Clients that post appraisals without a pause and remember every one that was acknowledged.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyvouch_record::log::Proof;
use keyvouch_record::{Answer as Again, Bundle, recheck};

use super::client;
use super::site::{self, Running, Site};

/// Records of a run that are judged again at the end; all are read again.
const JUDGED_AGAIN: usize = 12;

/// An answer 200 that was read to its last byte.
struct Acknowledged {
    id: String,
    leaf: u64,
    answer: Vec<u8>,
}

#[derive(Default)]
struct Seen {
    /// Where the nodes are now.
    nodes: Mutex<Vec<SocketAddr>>,
    stop: AtomicBool,
    asked: AtomicU64,
    count: AtomicU64,
    /// Connections that were refused or broke off: nothing is known of their records.
    broken: AtomicU64,
    /// Answers 503.
    unavailable: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
    checkpoints: Mutex<Vec<Vec<u8>>>,
    /// Answers that nobody should get.
    faults: Mutex<Vec<String>>,
}

/// The clients.
pub(crate) struct Load {
    seen: Arc<Seen>,
    threads: Vec<JoinHandle<()>>,
}

/// What the clients saw.
pub(crate) struct Outcome {
    acknowledged: Vec<Acknowledged>,
    checkpoints: Vec<Vec<u8>>,
    pub(crate) asked: u64,
    pub(crate) broken: u64,
    pub(crate) unavailable: u64,
}

impl Load {
    /// So many clients, who ask these nodes in turn.
    pub(crate) fn begin(clients: usize, nodes: &[&Running]) -> Self {
        let seen = Arc::new(Seen::default());
        *seen.nodes.lock().unwrap() = nodes.iter().map(|node| node.address).collect();
        let client = |_| {
            let seen = Arc::clone(&seen);
            thread::spawn(move || seen.until_stopped(Seen::post))
        };
        let mut threads: Vec<_> = (0..clients).map(client).collect();
        let watcher = Arc::clone(&seen);
        threads.push(thread::spawn(move || {
            watcher.until_stopped(|seen| {
                seen.keep_checkpoint();
                thread::sleep(Duration::from_millis(100));
            });
        }));
        Self { seen, threads }
    }

    /// The node of this number is somewhere else now.
    pub(crate) fn node_is_at(&self, number: usize, node: &Running) {
        self.seen.nodes.lock().unwrap()[number] = node.address;
    }

    /// How many were acknowledged.
    pub(crate) fn count(&self) -> u64 {
        self.seen.count.load(Ordering::Relaxed)
    }

    /// Waits until so many more are acknowledged.
    pub(crate) fn until_more(&self, more: u64) {
        let wanted = self.count() + more;
        site::until("the service acknowledges appraisals", || {
            self.seen.no_faults();
            self.count() >= wanted
        });
    }

    /// Lets the clients end what they do.
    pub(crate) fn stop(self) -> Outcome {
        self.seen.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        self.seen.no_faults();
        Outcome {
            acknowledged: std::mem::take(&mut *self.seen.acknowledged.lock().unwrap()),
            checkpoints: std::mem::take(&mut *self.seen.checkpoints.lock().unwrap()),
            asked: self.seen.asked.load(Ordering::Relaxed),
            broken: self.seen.broken.load(Ordering::Relaxed),
            unavailable: self.seen.unavailable.load(Ordering::Relaxed),
        }
    }
}

impl Seen {
    fn until_stopped(&self, work: impl Fn(&Self)) {
        while !self.stop.load(Ordering::Relaxed) {
            work(self);
        }
    }

    fn node(&self, number: u64) -> SocketAddr {
        let nodes = self.nodes.lock().unwrap();
        nodes[usize::try_from(number).unwrap() % nodes.len()]
    }

    fn post(&self) {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let body = site::appraisal(number);
        match client::ask(self.node(number), "POST", "/v1/appraisals", Some(&body)) {
            Ok(answer) if answer.status == 200 => {
                let json = answer.json();
                let kept = Acknowledged {
                    id: json["id"].as_str().unwrap().to_owned(),
                    leaf: json["leaf"].as_u64().unwrap(),
                    answer: answer.body,
                };
                self.acknowledged.lock().unwrap().push(kept);
                self.count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) if answer.status == 503 => {
                self.unavailable.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(20));
            }
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                self.faults.lock().unwrap().push(format!("{}: {body:.500}", answer.status));
            }
            Err(_) => {
                self.broken.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn keep_checkpoint(&self) {
        let number = site::random_below(1_000);
        if let Ok(answer) = client::get(self.node(number), "/v1/log/checkpoint")
            && answer.status == 200
        {
            self.checkpoints.lock().unwrap().push(answer.body);
        }
    }

    #[track_caller]
    fn no_faults(&self) {
        let faults = self.faults.lock().unwrap();
        assert!(faults.is_empty(), "{} answers: {:#?}", faults.len(), faults.first());
    }
}

impl Outcome {
    pub(crate) fn records(&self) -> usize {
        self.acknowledged.len()
    }

    /// Sees to it that every acknowledged appraisal is on record as it was answered, each at its own place in the log;
    /// and, when the node has ended, that the log is whole and goes on from every checkpoint that was seen.
    pub(crate) fn is_on_record(&self, site: &Site, node: Running) {
        let places: BTreeMap<u64, &str> = self.acknowledged.iter().map(|a| (a.leaf, a.id.as_str())).collect();
        assert_eq!(places.len(), self.records(), "two records have one place");
        let half = self.records().div_ceil(2).max(1);
        thread::scope(|scope| {
            for some in self.acknowledged.chunks(half) {
                let node = &node;
                scope.spawn(move || some.iter().for_each(|kept| kept.is_there(node)));
            }
        });
        let step = (self.records() / JUDGED_AGAIN).max(1);
        for kept in self.acknowledged.iter().step_by(step) {
            kept.bundle_verifies(site, &node);
        }
        node.tell_to_stop();
        assert!(node.wait().success(), "told to stop, it ends well");
        let records = site.verify_log(&self.checkpoints);
        assert!(places.last_key_value().is_none_or(|(last, _)| *last < records));
        eprintln!(
            "{} asked, {} acknowledged and found, {} unavailable, {} broken off; {records} in the log, {} checkpoints",
            self.asked,
            self.records(),
            self.unavailable,
            self.broken,
            self.checkpoints.len()
        );
    }
}

impl Acknowledged {
    fn is_there(&self, node: &Running) {
        let found = node.get(&format!("/v1/appraisals/{}", self.id));
        assert_eq!(found.status, 200, "{} at {}: {found:?}", self.id, self.leaf);
        assert!(found.body == self.answer, "{} is not on record as it was answered", self.id);
    }

    /// Its bundle is proved to be in the log, and gets the same report again.
    fn bundle_verifies(&self, site: &Site, node: &Running) {
        let zip = node.get(&format!("/v1/appraisals/{}/bundle", self.id));
        assert_eq!(zip.status, 200, "{zip:?}");
        let bundle = Bundle::read(&zip.body).unwrap();
        let proof = bundle.proofs.iter().find(|file| file.name == "proof.tlog-proof").unwrap();
        let proof = Proof::read(&proof.bytes).unwrap();
        assert_eq!(proof.index, self.leaf);
        proof.verify(&Bundle::manifest(&zip.body).unwrap(), &site.log_key).unwrap();
        assert_eq!(recheck(&bundle).unwrap().answer, Again::Identical);
    }
}
