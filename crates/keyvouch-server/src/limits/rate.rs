//! How often one client may ask.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::config::Limits;
use crate::problem::{Kind, Problem};

/// Clients remembered at once. When there are more, newcomers share one rate.
const REMEMBERED: usize = 65_536;
/// After so many requests, clients that have been quiet are forgotten.
const ROUND: usize = 4_096;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    /// All with one token.
    Caller(String),
    /// All from one address.
    Address(IpAddr),
    /// All others.
    Other,
}

/// How often each client may ask.
pub(crate) struct Rates {
    limiter: Option<DefaultKeyedRateLimiter<Client>>,
    clock: DefaultClock,
    asked: AtomicUsize,
    per_minute: u32,
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").field("per_minute", &self.per_minute).finish_non_exhaustive()
    }
}

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let quota = NonZeroU32::new(limits.per_minute).map(|rate| {
            let burst = NonZeroU32::new(limits.burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(rate).allow_burst(burst)
        });
        Self {
            limiter: quota.map(RateLimiter::keyed),
            clock: DefaultClock::default(),
            asked: AtomicUsize::new(0),
            per_minute: limits.per_minute,
        }
    }

    /// The client at this address. In IPv6 a site has 2^64 of them, and all count as one.
    pub(crate) fn address(&self, ip: Option<IpAddr>) -> Client {
        let ip = ip.map(|ip| match ip.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
            v4 @ IpAddr::V4(_) => v4,
        });
        match (ip, &self.limiter) {
            (Some(ip), Some(limiter)) if limiter.len() < REMEMBERED => Client::Address(ip),
            _ => Client::Other,
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When the client has asked too often.
    pub(crate) fn check(&self, client: &Client) -> Result<(), Box<Response>> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(ROUND) {
            limiter.retain_recent();
        }
        limiter.check_key(client).map_err(|until| self.too_often(until.wait_time_from(self.clock.now())))
    }

    fn too_often(&self, wait: Duration) -> Box<Response> {
        let seconds = wait.as_secs().saturating_add(1);
        let why = format!(
            "One client may ask {} times in a minute: wait {seconds} s, then again.",
            self.per_minute
        );
        let mut response = Problem::new(Kind::TooMany, why).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        Box::new(response)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn rates(per_minute: u32) -> Rates {
        Rates::new(&Limits { per_minute, burst: 2, ..Limits::default() })
    }

    fn named(name: &str) -> Client {
        Client::Caller(name.to_owned())
    }

    #[test]
    fn clients_have_rates_of_their_own() {
        let rates = rates(1);
        for client in [named("a"), named("b"), rates.address(Some([192, 0, 2, 1].into()))] {
            assert!(rates.check(&client).is_ok() && rates.check(&client).is_ok(), "the burst");
            let refused = rates.check(&client).unwrap_err();
            let wait: u64 = refused.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((50..=61).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let rates = rates(1);
        let client = |ip: &str| rates.address(Some(ip.parse().unwrap()));
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    }

    #[test]
    fn memory_is_bounded() {
        // So slow that nobody is forgotten.
        let rates = rates(1);
        for n in 0..70_000_u32 {
            let _counted = rates.check(&rates.address(Some(IpAddr::from(n.to_be_bytes()))));
        }
        assert!(rates.limiter.as_ref().unwrap().len() <= REMEMBERED + 1);
        assert_eq!(rates.address(Some([192, 0, 2, 1].into())), Client::Other);
    }

    #[test]
    fn none_is_no_limit() {
        let rates = rates(0);
        assert!((0..1_000).all(|_| rates.check(&named("a")).is_ok()));
    }
}
