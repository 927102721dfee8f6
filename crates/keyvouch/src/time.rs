//! Points in time, to the second, as RFC 3339 text in UTC.
//!
//! The verifier has no clock: every time it compares is an argument or comes from evidence.

use std::fmt;
use std::str::FromStr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A point in time: whole seconds since 1970-01-01T00:00:00Z.
///
/// Covers at least the years 0 to 9999, the range of RFC 3339 and of X.509 GeneralizedTime.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(i64);

/// Text that is not an RFC 3339 date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-06-01T00:00:00Z: {0:?}")]
pub struct NotATime(String);

impl Time {
    /// From seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// This time moved by `seconds`; stays at the end of the range instead of overflowing.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This time moved by `days` of 86,400 seconds.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(|t| Self(t.unix_timestamp()))
            .map_err(|_| NotATime(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match OffsetDateTime::from_unix_timestamp(self.0).map(|t| t.format(&Rfc3339)) {
            Ok(Ok(text)) => f.write_str(&text),
            // Years outside 0..9999 have no RFC 3339 form.
            _ => write!(f, "unix:{}", self.0),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let t: Time = "2026-06-01T02:00:00+02:00".parse().unwrap();
        assert_eq!(t.to_string(), "2026-06-01T00:00:00Z");
        assert_eq!(t.unix(), 1_780_272_000);
        assert_eq!("9999-12-31T23:59:59Z".parse::<Time>().unwrap().to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in ["", "2026-06-01", "yesterday", "2026-13-01T00:00:00Z"] {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }

    #[test]
    fn never_overflows() {
        assert_eq!(Time::from_unix(i64::MAX).plus_days(1).unix(), i64::MAX);
        assert_eq!(Time::from_unix(i64::MAX).to_string(), format!("unix:{}", i64::MAX));
    }
}
