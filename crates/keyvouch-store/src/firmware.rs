//! Firmware versions in an order that a database can compare as text.

/// Digits that a number of a version is filled up to.
const WIDTH: usize = 10;

/// The version with every number filled up with zeros, so that text order is version order: `5.7.4` is before
/// `5.10`, and `5.7` before `5.7.4`. Nothing when the version has a number that is longer.
pub(crate) fn order(version: &str) -> Option<String> {
    let mut ordered = String::with_capacity(version.len().saturating_mul(4));
    let mut digits = String::new();
    for c in version.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            let number = digits.trim_start_matches('0');
            if number.len() > WIDTH {
                return None;
            }
            ordered.push_str(&format!("{number:0>WIDTH$}"));
            digits.clear();
        }
        match c {
            '\0' => {}
            // Every mark that divides is one: before every letter and digit.
            '.' | '-' | '_' | ' ' | '+' | '/' => ordered.push('.'),
            other => ordered.extend(other.to_lowercase()),
        }
    }
    Some(ordered)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::order;

    #[test]
    fn text_order_is_version_order() {
        let sorted =
            ["4.3.7", "5.2", "5.2.7", "5.7.4", "5.10", "5.10.0", "6.10.9-rc1", "6.10.9-rc2", "12.0", "A1"];
        let ordered: Vec<String> = sorted.iter().map(|v| order(v).unwrap()).collect();
        assert!(ordered.is_sorted(), "{ordered:?}");
        assert_eq!(order("5.07"), order("5.7"));
        assert_eq!(order("0"), order("000"));
        assert_eq!(order("99999999999"), None);
    }
}
