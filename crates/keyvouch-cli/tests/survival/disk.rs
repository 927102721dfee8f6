//! A full disk: the service says so, and goes on when there is room again.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::postgres::is_root;
use super::site::{Running, Site, appraisal, until};
use super::skipped;

/// Posts until there is no more room. How many were acknowledged.
fn fill(node: &Running, from: u64) -> u64 {
    for number in from..from + 5_000 {
        let answer = node.post("/v1/appraisals", &appraisal(number));
        if answer.status != 200 {
            answer.is_unavailable();
            return number;
        }
    }
    panic!("the disk does not become full");
}

/// With no room left: what the service says, and that nothing is recorded by half.
fn is_full(site: &Site, node: &Running, recorded: u64) {
    for number in 0..3 {
        let answer = node.post("/v1/appraisals", &appraisal(10_000 + number));
        assert_eq!(answer.status, 503, "{}", site.faults());
        answer.is_unavailable();
    }
    node.get("/readyz").is_unavailable();
    assert_eq!(node.get("/healthz").status, 200);
    // What is on record can be read.
    assert_eq!(size(node), recorded);
    let found = node.get("/v1/appraisals?limit=1").json();
    let id = found["records"][0]["id"].as_str().unwrap_or_else(|| panic!("{found:#}"));
    assert_eq!(node.get(&format!("/v1/appraisals/{id}")).status, 200);
}

fn goes_on(site: &Site, node: Running, recorded: u64) {
    let answer = node.post("/v1/appraisals", &appraisal(20_000));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["leaf"], recorded);
    until("it is ready again", || node.get("/readyz").status == 200);
    node.tell_to_stop();
    assert!(node.wait().success());
    assert_eq!(site.verify_log(&[]), recorded + 1);
}

/// How many records the log has.
fn size(node: &Running) -> u64 {
    let checkpoint = String::from_utf8(node.get("/v1/log/checkpoint").body).unwrap();
    checkpoint.lines().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_full_disk_is_told_and_forgotten_when_there_is_room() {
    let Some(disk) = Disk::mount() else { return };
    let site = Site::new(disk.0.join("record.db").to_str().unwrap());
    let node = site.start();
    assert_eq!(node.post("/v1/appraisals", &appraisal(0)).status, 200);
    let ballast = disk.0.join("ballast");
    leave_room(&ballast, 512 << 10);
    let recorded = fill(&node, 1);
    is_full(&site, &node, recorded);
    fs::remove_file(&ballast).unwrap();
    goes_on(&site, node, recorded);
}

#[test]
fn a_file_that_may_not_grow_is_told_and_forgotten_when_it_may() {
    if !Command::new("prlimit").arg("--version").output().is_ok_and(|o| o.status.success()) {
        return skipped("A FILE THAT MAY NOT GROW", "there is no prlimit; the Debian package is util-linux");
    }
    let site = Site::sqlite();
    // The log of what comes to the file is the first that grows so large.
    let node = site.start_with_file_limit(3 << 10);
    let recorded = fill(&node, 0);
    assert!(recorded > 0);
    is_full(&site, &node, recorded);
    let mut raise = Command::new("prlimit");
    raise.args(["--fsize=unlimited:unlimited", "--pid"]).arg(node.id().to_string());
    assert!(raise.status().unwrap().success());
    goes_on(&site, node, recorded);
}

/// Fills the disk with a file but for so many bytes.
fn leave_room(ballast: &Path, room: u64) {
    let mut file = fs::File::create(ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.checked_sub(room).unwrap()).unwrap();
}

/// A small file system in memory.
struct Disk(PathBuf, Option<tempfile::TempDir>);

impl Disk {
    fn mount() -> Option<Self> {
        const WHAT: &str = "A FULL DISK";
        if !is_root() {
            skipped(WHAT, "only root can mount a small file system");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "keyvouch-test"]).arg(folder.path());
        if !mount.output().is_ok_and(|o| o.status.success()) {
            skipped(WHAT, "mounting is not allowed here");
            return None;
        }
        Some(Self(folder.path().to_owned(), Some(folder)))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0);
        drop(self.1.take());
    }
}

fn unmount(path: &Path) {
    // Whoever still has a file of it open does not keep us.
    let _done = Command::new("umount").arg("--lazy").arg(path).status();
}
