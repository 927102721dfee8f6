//! Texts for people.

use keyvouch::Time;

pub(super) use keyvouch_results::html::text as clean;

/// The first characters of a digest: enough to tell two apart, with the whole of it a click away.
const SHORT: usize = 16;

/// A digest, short.
pub(super) fn short(digest: &str) -> String {
    let mut short: String = clean(digest).chars().take(SHORT).collect();
    short.push('…');
    short
}

/// Milliseconds since 1970 as people write a time: `2026-06-01 08:30:00 UTC`.
pub(super) fn time(milliseconds: i64) -> String {
    readable(&Time::from_unix(milliseconds.div_euclid(1000)).to_string())
}

/// An RFC 3339 time as people write it.
pub(super) fn readable(rfc3339: &str) -> String {
    match rfc3339.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some((day, clock)) => format!("{} {} UTC", clean(day), clean(clock)),
        None => clean(rfc3339),
    }
}

/// A number of bytes.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..1_048_576 => format!("{} KiB", bytes.div_ceil(1_024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
}

/// The number with its noun.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_for_people() {
        assert_eq!(time(1_780_300_800_999), "2026-06-01 08:00:00 UTC");
        assert_eq!(readable("someday"), "someday");
    }

    #[test]
    fn sizes_are_never_less_than_they_are() {
        assert_eq!([size(1), size(10_241), size(1 << 20)], ["1 bytes", "11 KiB", "1 MiB"]);
    }
}
