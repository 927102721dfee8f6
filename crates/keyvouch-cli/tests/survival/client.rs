//! A client that knows whether an answer came whole.

use std::io::{Error, ErrorKind, Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(n, _)| *n == name).map(|(_, value)| value.trim())
    }

    /// Sees to it that the service says that it cannot answer now, as a program understands it.
    #[track_caller]
    pub(crate) fn is_unavailable(&self) {
        assert_eq!(self.status, 503, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.head);
        assert!(self.header("retry-after").is_some_and(|s| s.parse::<u64>().is_ok()), "{}", self.head);
        assert_eq!(self.json()["type"], "urn:keyvouch:problem:unavailable");
    }
}

/// Asks, and reads the whole answer. Half an answer is an error.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: Option<&str>) -> Result<Answer> {
    let mut stream = connected(address)?;
    stream.write_all(head(method, path, body.map(str::len), "").as_bytes())?;
    stream.write_all(body.unwrap_or_default().as_bytes())?;
    answer(&mut stream)
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Result<Answer> {
    ask(address, "GET", path, None)
}

pub(crate) fn connected(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The head of a request; `more` are further headers.
pub(crate) fn head(method: &str, path: &str, length: Option<usize>, more: &str) -> String {
    let length = length.map(|n| format!("Content-Type: application/json\r\nContent-Length: {n}\r\n"));
    let length = length.unwrap_or_default();
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}{more}\r\n")
}

/// Reads an answer to its end.
pub(crate) fn answer(stream: &mut TcpStream) -> Result<Answer> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A reset after the last byte takes nothing away; `parse` sees whether it came before.
    parse(bytes).map_err(|half| read.err().unwrap_or(half))
}

fn parse(mut bytes: Vec<u8>) -> Result<Answer> {
    let half = || Error::from(ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(half)?;
    let body = bytes.split_off(end + 4);
    let head = String::from_utf8_lossy(&bytes).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(half)?;
    let answer = Answer { status, head, body };
    let length = answer.header("content-length").and_then(|n| n.parse::<usize>().ok()).ok_or_else(half)?;
    if answer.body.len() == length { Ok(answer) } else { Err(half()) }
}
