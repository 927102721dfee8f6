//! Tokens, looked up in the record, and remembered for a moment.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use keyvouch_store::Store;

use super::Caller;
use crate::problem::Problem;
use crate::service::now_ms;

/// How long a token is believed without looking it up again: it is in force that much longer after it was revoked.
const BELIEVED: Duration = Duration::from_secs(5);
/// Tokens remembered at once.
const REMEMBERED: usize = 1_024;
/// No token of this service is longer; what is need not be looked up.
const LONGEST: usize = 128;

/// Tokens that were in force a moment ago, by their SHA-256: what is in memory opens nothing.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<[u8; 32], Held>>);

#[derive(Debug, Clone)]
struct Held {
    caller: Caller,
    until: Instant,
}

impl Known {
    /// Who bears the token, if it is in force.
    pub(super) async fn find(&self, store: &Store, token: &str) -> Result<Option<Caller>, Problem> {
        if token.is_empty() || token.len() > LONGEST {
            return Ok(None);
        }
        let digest = digest::digest(&digest::SHA256, token.as_bytes());
        let Ok(digest) = <[u8; 32]>::try_from(digest.as_ref()) else { return Ok(None) };
        if let Some(caller) = self.remembered(&digest) {
            return Ok(Some(caller));
        }
        let now = now_ms()?;
        let Some(token) = store.authenticate(token, now).await? else { return Ok(None) };
        let left = token.expires_at.map_or(BELIEVED, |end| {
            Duration::from_millis(u64::try_from(end.saturating_sub(now)).unwrap_or_default()).min(BELIEVED)
        });
        let caller = Caller { name: token.name, role: token.role };
        self.remember(digest, caller.clone(), left);
        Ok(Some(caller))
    }

    fn remembered(&self, digest: &[u8; 32]) -> Option<Caller> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(digest).filter(|held| held.until > Instant::now()).map(|held| held.caller.clone())
    }

    fn remember(&self, digest: [u8; 32], caller: Caller, left: Duration) {
        let now = Instant::now();
        let Some(until) = now.checked_add(left) else { return };
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= REMEMBERED {
            held.retain(|_, held| held.until > now);
        }
        if held.len() < REMEMBERED {
            held.insert(digest, Held { caller, until });
        }
    }
}
