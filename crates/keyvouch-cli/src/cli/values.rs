//! Values of options.

use keyvouch::Time;

/// A time to judge at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    /// What the clock says.
    Now,
    /// This one.
    Time(Time),
}

/// A nonce.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(pub(crate) Vec<u8>);

/// A name and its value.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A span of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds(pub(crate) i64);

/// A number of days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Days(pub(crate) u32);

/// When to judge again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// At the record's own time.
    Recorded,
    /// At this time.
    At(At),
}

pub(super) fn days(text: &str) -> Result<Days, String> {
    let days = text.strip_suffix('d').and_then(|number| number.parse().ok());
    days.map(Days).ok_or_else(|| "write a number of days and d, as in 1000d".to_owned())
}

pub(super) fn moment(text: &str) -> Result<Moment, String> {
    if text == "recorded" { Ok(Moment::Recorded) } else { at(text).map(Moment::At) }
}

pub(super) fn duration(text: &str) -> Result<Seconds, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) if text.ends_with('m') => (number, 60),
        Some(number) if text.ends_with('h') => (number, 3_600),
        Some(number) if text.ends_with('d') => (number, 86_400),
        Some(number) => (number, 1),
        None => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|n| i64::from(n).checked_mul(unit));
    seconds
        .map(Seconds)
        .ok_or_else(|| "write a number and s, m, h or d, as in 90s, 30m, 24h or 7d".to_owned())
}

pub(super) fn at(text: &str) -> Result<At, String> {
    match text {
        "now" => Ok(At::Now),
        _ => text
            .parse()
            .map(At::Time)
            .map_err(|_| "write date, time and zone as in 2026-06-01T00:00:00Z, or \"now\"".to_owned()),
    }
}

pub(super) fn nonce(text: &str) -> Result<Nonce, String> {
    match hex::decode(text) {
        Ok(bytes) if !bytes.is_empty() => Ok(Nonce(bytes)),
        Ok(_) => Err("it is empty; leave --nonce out when no nonce was given out".to_owned()),
        Err(hex::FromHexError::OddLength) => {
            Err("it has an odd number of digits; write two hexadecimal digits for each byte".to_owned())
        }
        Err(_) => Err("write hexadecimal digits only, such as 00ff12".to_owned()),
    }
}

pub(super) fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok(Pair { key: key.trim().to_owned(), value: value.to_owned() })
        }
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_letter() {
        assert_eq!(days("1000d").unwrap().0, 1000);
        for wrong in ["", "d", "1000", "-1d", "1y", "99999999999d"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values() {
        assert_eq!(nonce("00fF").unwrap().0, [0, 255]);
        for wrong in ["", "0", "0g", "0x00", "00:11"] {
            assert!(nonce(wrong).is_err(), "{wrong}");
        }
        assert!(matches!(at("now"), Ok(At::Now)));
        assert!(at("2026-06-01").is_err());
        let found = pair("deny_serials=[\"a=b\"]").unwrap();
        assert_eq!((found.key.as_str(), found.value.as_str()), ("deny_serials", "[\"a=b\"]"));
        assert!(pair("=x").is_err() && pair("x").is_err());
    }
}
