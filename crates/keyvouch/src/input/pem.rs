//! PEM blocks (RFC 7468, lax): any text around them, CRLF, white space at line ends.

use super::base64;
use crate::wire::bytes::contains;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A PEM block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'t> {
    /// The label, such as `CERTIFICATE`.
    pub label: &'t str,
    /// The decoded content; `None` when the block has no beginning or no end, or is not base64.
    pub der: Option<Vec<u8>>,
}

/// Whether there is a PEM block in the bytes.
#[must_use]
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    contains(bytes, BEGIN.as_bytes())
}

/// The PEM blocks of a text, in order.
#[must_use]
pub fn find(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((between, after)) = split_at(rest, BEGIN) {
        found.extend(ends(between));
        rest = after;
        let Some((label, body)) = split_at(after, DASHES) else { break };
        // A label that runs over a line end is no label.
        if label.contains(['\n', '\r']) {
            continue;
        }
        let end = place_of(body, END);
        let inner = end.and_then(|at| body.get(..at)).map(without_headers);
        let closed = end.and_then(|at| body.get(at..)).is_some_and(|tail| {
            tail.strip_prefix(END).and_then(|t| t.strip_prefix(label)).is_some_and(|t| t.starts_with(DASHES))
        });
        let inner =
            inner.map(|inner| if label.starts_with("PGP ") { without_checksum(inner) } else { inner });
        let der = inner.filter(|_| closed).and_then(base64::decode_text);
        found.push(Block { label, der });
        rest = end.and_then(|at| body.get(at..)).unwrap_or("");
        // Past "-----END ": what follows is text until the next BEGIN.
        rest = rest.strip_prefix(END).unwrap_or(rest);
    }
    found.extend(ends(rest));
    found
}

/// Where a marker, which begins with a dash, is first. Between markers there is seldom a dash, and to look for one
/// character is far quicker than for a text.
fn place_of(text: &str, marker: &str) -> Option<usize> {
    text.match_indices('-')
        .map(|(at, _)| at)
        .find(|at| text.get(*at..).is_some_and(|t| t.starts_with(marker)))
}

/// What is before the first such marker, and what is after it.
fn split_at<'t>(text: &'t str, marker: &str) -> Option<(&'t str, &'t str)> {
    let (before, from) = text.split_at_checked(place_of(text, marker)?)?;
    Some((before, from.strip_prefix(marker)?))
}

/// Blocks that end in a text where none begins: what they begin with was damaged. To pass over them as over any other
/// text would change what the rest says, such as of which key a chain of certificates speaks.
fn ends(text: &str) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    let texts = std::iter::from_fn(move || {
        (_, rest) = split_at(rest, END)?;
        Some(split_at(rest, END).map_or(rest, |(this, _)| this))
    });
    texts.filter_map(|after| {
        let (label, _) = split_at(after, DASHES)?;
        (!label.contains(['\n', '\r'])).then_some(Block { label, der: None })
    })
}

/// Encapsulated headers (RFC 1421) end with an empty line.
fn without_headers(body: &str) -> &str {
    if !body.contains(':') {
        return body;
    }
    let blank = ["\n\n", "\r\n\r\n"].iter().find_map(|gap| body.split_once(gap));
    blank.map_or(body, |(_, rest)| rest)
}

/// The last line of OpenPGP armor may be a checksum that protects nothing and is to be ignored (RFC 9580, 6.1).
fn without_checksum(body: &str) -> &str {
    let text = body.trim_end();
    match text.rsplit_once('\n') {
        Some((before, last)) if last.starts_with('=') && last.len() == 5 => before,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_blocks_between_text_with_any_line_ends() {
        let text = "subject=x\r\n-----BEGIN CERTIFICATE-----\r\nAQI=  \r\n-----END CERTIFICATE-----\r\nmore\n\
                    -----BEGIN NEW CERTIFICATE REQUEST-----\nAwQ=\n-----END NEW CERTIFICATE REQUEST-----";
        let blocks = find(text);
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0], Block { label: "CERTIFICATE", der: Some(vec![1, 2]) });
        assert_eq!(blocks[1], Block { label: "NEW CERTIFICATE REQUEST", der: Some(vec![3, 4]) });
    }

    #[test]
    fn markers_are_found_where_texts_are() {
        for text in [
            "",
            "-",
            "------BEGIN X",
            "a-----BEGI-----BEGIN -----BEGIN ",
            "---é--BEGIN -----BEGIN",
            "-----END ",
        ] {
            for marker in [BEGIN, END, DASHES] {
                assert_eq!(place_of(text, marker), text.find(marker), "{text}");
                assert_eq!(split_at(text, marker), text.split_once(marker), "{text}");
            }
        }
    }

    #[test]
    fn openpgp_armor_has_headers_and_a_checksum() {
        for text in [
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: x\n\nAQI=\n=/ZSN\n-----END PGP PUBLIC KEY BLOCK-----\n",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n\r\nAQI=\r\n-----END PGP PUBLIC KEY BLOCK-----\r\n",
        ] {
            assert_eq!(
                find(text),
                [Block { label: "PGP PUBLIC KEY BLOCK", der: Some(vec![1, 2]) }],
                "{text}"
            );
        }
    }

    #[test]
    fn unclosed_or_mislabelled_blocks_have_no_content() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nAQI=\n",
            "-----BEGIN CERTIFICATE-----\nAQI=\n-----END OTHER-----\n",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
            "~----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n",
            "-----BEGIM CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(find(text), [Block { label: "CERTIFICATE", der: None }], "{text}");
        }
        assert!(find("-----BEGIN CERT\nIFICATE-----").is_empty());
        assert!(find("-----END CERT\nIFICATE-----").is_empty());
        let good = "-----BEGIN CERTIFICATE-----\nAQI=\n-----END CERTIFICATE-----\n";
        for (text, good_at) in [(format!("x{}{good}", &good[1..]), 1), (format!("{good}x{}", &good[1..]), 0)]
        {
            let blocks = find(&text);
            assert_eq!(blocks.iter().position(|b| b.der.is_some()), Some(good_at), "{text}");
            assert_eq!(blocks.len(), 2);
        }
    }
}
