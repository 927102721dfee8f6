//! Killed at any moment: no acknowledged record is lost.

use std::thread;
use std::time::{Duration, Instant};

use super::load::Load;
use super::postgres::{self, Cluster};
use super::proof_time;
use super::site::{Running, Site, end, random_below};

const CLIENTS: usize = 6;

/// Kills a node at a moment that nobody knows before, and starts it again. Now and then also while it starts.
fn killed_and_started(site: &Site, node: Running) -> (Running, u32) {
    node.kill();
    let mut kills = 1;
    if random_below(4) == 0 {
        let child = site.begin();
        thread::sleep(Duration::from_millis(random_below(800)));
        end(child);
        kills += 1;
    }
    (site.start(), kills)
}

/// Kills these many nodes in turn while clients post, and looks what is on record.
fn in_a_loop(site: &Site, nodes: usize) {
    let mut running: Vec<Running> = (0..nodes).map(|_| site.start()).collect();
    let load = Load::begin(CLIENTS, &running.iter().collect::<Vec<_>>());
    let (began, mut kills) = (Instant::now(), 0);
    while began.elapsed() < proof_time() || kills < 3 {
        load.until_more(1 + random_below(20));
        thread::sleep(Duration::from_millis(random_below(100)));
        let number = usize::try_from(random_below(100)).unwrap() % nodes;
        let (node, more) = killed_and_started(site, running.swap_remove(number));
        // The last one took the place.
        running.push(node);
        running.swap(number, nodes - 1);
        load.node_is_at(number, &running[number]);
        kills += more;
    }
    load.until_more(1);
    let outcome = load.stop();
    eprintln!("{nodes} nodes, {kills} kills in {:.1} s", began.elapsed().as_secs_f64());
    let last = running.swap_remove(0);
    // What one node acknowledged, another has.
    running.into_iter().for_each(Running::kill);
    outcome.is_on_record(site, last);
    assert!(outcome.broken > 0, "nobody was hit");
}

#[test]
fn a_killed_service_on_sqlite_has_all_that_it_acknowledged() {
    in_a_loop(&Site::sqlite(), 1);
}

#[test]
fn killed_nodes_on_postgresql_have_all_that_they_acknowledged() {
    if let Some(database) = postgres::database() {
        in_a_loop(&Site::new(&database), 2);
    }
}

#[test]
fn all_that_was_acknowledged_is_there_when_postgresql_was_killed() {
    let Some(cluster) = Cluster::start() else { return };
    let site = Site::new(&cluster.database());
    let nodes = [site.start(), site.start()];
    let load = Load::begin(CLIENTS, &[&nodes[0], &nodes[1]]);
    let (began, mut kills) = (Instant::now(), 0);
    while began.elapsed() < proof_time() || kills < 3 {
        load.until_more(1 + random_below(20));
        thread::sleep(Duration::from_millis(random_below(100)));
        cluster.kill();
        kills += 1;
        cluster.go_on();
    }
    // The nodes come back to it by themselves.
    load.until_more(10);
    let outcome = load.stop();
    eprintln!("2 nodes, PostgreSQL killed {kills} times in {:.1} s", began.elapsed().as_secs_f64());
    let [last, other] = nodes;
    drop(other);
    outcome.is_on_record(&site, last);
}
