//! Memory stays as it is, however much comes in.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use super::client::head;
use super::proof_time;
use super::site::{Running, Site, appraisal};

/// Clients at once.
const CLIENTS: u64 = 8;
/// What a service may take more after its start than after a while: buffers of the database, and what the allocator
/// keeps for later.
const BOUND: u64 = 48 << 20;

/// Posts until the time is over, each client from ever new addresses. How many appraisals were recorded.
fn work(node: &Running, from: u64, seconds: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    let address = node.address;
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(async move {
                let mut done = 0;
                while began.elapsed().as_secs() < seconds {
                    let number = from + done * CLIENTS + client;
                    let [_, a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
                    let own = Ipv4Addr::new(127, 1 + a % 200, b, c);
                    assert_eq!(post(own, address, &appraisal(number)).await, 200);
                    done += 1;
                }
                done
            });
        }
        clients.join_all().await.into_iter().sum()
    })
}

/// Posts from this address; the status of the answer.
async fn post(own: Ipv4Addr, address: SocketAddr, body: &str) -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((own, 0))).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let head = head("POST", "/v1/appraisals", Some(body.len()), "");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn memory_does_not_grow_with_what_was_done() {
    let site = Site::sqlite();
    let node = site.start();
    let seconds = proof_time().as_secs();
    let warm = work(&node, 0, (seconds / 2).max(4));
    let before = node.memory();
    let mut done = 0;
    let mut most = before;
    for round in 1..=3 {
        done += work(&node, round * 4_000_000, (seconds / 3).max(2));
        most = most.max(node.memory());
    }
    eprintln!("{} MiB after {warm} appraisals, at most {} MiB in {done} more", before >> 20, most >> 20);
    assert!(done > 20, "it did nothing: {done}");
    assert!(most < before + BOUND, "from {before} to {most} bytes in {done} appraisals");
}
