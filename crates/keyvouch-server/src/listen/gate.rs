//! The door: so many connections at once, and none on which nothing happens.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::{AddrListener, Address};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::Peer;
use crate::config::Limits;

/// Open files that are not connections of clients: the database, and what is read now and then.
const FOR_THE_RECORD: usize = 128;

/// Takes connections while there is a place for them. Others wait in the system, which refuses them when these are too
/// many.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    quiet: Duration,
}

impl Gate {
    pub(super) fn new(listener: std::net::TcpListener, limits: &Limits) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // While a request is answered nothing moves.
        let quiet = limits.request_seconds.saturating_add(limits.header_seconds);
        Ok(Self {
            listener: TcpListener::from_std(listener)?,
            places: Arc::new(Semaphore::new(places(limits))),
            quiet: Duration::from_secs(quiet),
        })
    }
}

/// Connections at once: no more than the process may have open, with some left for the record.
fn places(limits: &Limits) -> usize {
    // Linux tells; elsewhere there is no way without unsafe code.
    let text = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = open_files(&text).map_or(Semaphore::MAX_PERMITS, |files| files.saturating_sub(FOR_THE_RECORD));
    if most < limits.connections {
        tracing::warn!(
            "the process may open so few files (`ulimit -n`) that only {most} connections are taken at once, \
             and not {} (`limits.connections`)",
            limits.connections
        );
    }
    limits.connections.min(most).clamp(1, Semaphore::MAX_PERMITS)
}

/// The most open files of a process, from what Linux says of its limits.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

impl Address for Peer {
    type Stream = Line;
    type Listener = Gate;
}

impl AddrListener<Line, Peer> for Gate {
    async fn bind_to(_: Peer) -> io::Result<Self> {
        // The port is bound before, so that its owner can say why it is not.
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn accept_stream(&self) -> io::Result<(Line, Peer)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = self.listener.accept().await?;
        // Answers are written whole.
        stream.set_nodelay(true)?;
        let alarm = Box::pin(sleep(self.quiet));
        Ok((Line { stream, quiet: self.quiet, moved: Instant::now(), alarm, _place: place }, Peer(peer)))
    }

    fn get_local_addr(&self) -> io::Result<Peer> {
        self.listener.local_addr().map(Peer)
    }
}

/// A connection. It breaks when for long nothing was read and nothing could be written: its other end is gone, or holds
/// its place without using it.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TcpStream,
    quiet: Duration,
    moved: Instant,
    alarm: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Line {
    /// What to do after the stream was asked.
    fn watched<T>(&mut self, asked: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if asked.is_ready() {
            self.moved = Instant::now();
            return asked;
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            let end = self.moved.checked_add(self.quiet);
            match end.filter(|end| *end > Instant::now()) {
                Some(end) => self.alarm.as_mut().reset(end),
                None => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            }
        }
        Poll::Pending
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let asked = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.watched(asked, cx)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let asked = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(asked, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let asked = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.watched(asked, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Both ends of a connection that may be quiet for a second.
    async fn line() -> (Line, TcpStream) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let limits = Limits { request_seconds: 0, header_seconds: 1, ..Limits::default() };
        let gate = Gate::new(listener, &limits).unwrap();
        let client = TcpStream::connect(gate.get_local_addr().unwrap().0).await.unwrap();
        (gate.accept_stream().await.unwrap().0, client)
    }

    #[test]
    fn the_system_says_how_many_files_may_be_open() {
        let text = "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096  files\n";
        assert_eq!(open_files(text), Some(1_024));
        assert_eq!(open_files("Max open files  unlimited  unlimited  files"), None);
        assert_eq!(open_files(""), None);
    }

    #[tokio::test]
    async fn who_does_not_read_the_answer_loses_the_connection() {
        let (mut line, _client) = line().await;
        let more_than_the_system_keeps = vec![0; 64 << 20];
        let why = line.write_all(&more_than_the_system_keeps).await.unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_sends_now_and_then_keeps_it() {
        let (mut line, mut client) = line().await;
        let sender = tokio::spawn(async move {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                client.write_all(b"a").await.unwrap();
            }
            client
        });
        let mut four = [0; 4];
        line.read_exact(&mut four).await.unwrap();
        let _open = sender.await.unwrap();
        let why = line.read_u8().await.unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    }
}
