//! base64 and base64url text, with or without padding, with line breaks and surrounding white space.

use std::borrow::Cow;

use ::base64::Engine as _;
use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT_PADDING);
const URL_ENGINE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT_PADDING);

/// Decodes base64 or base64url text. `None` when any character is of neither alphabet, or both are mixed.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    // What is not UTF-8 is of neither alphabet.
    decode_text(std::str::from_utf8(text).ok()?)
}

/// The same of a text, whose lines are found far quicker than those of bytes.
pub(super) fn decode_text(text: &str) -> Option<Vec<u8>> {
    let text = if has(text, |b| b.is_ascii_whitespace()) {
        without_white_space(text).into()
    } else {
        Cow::Borrowed(text)
    };
    if text.is_empty() {
        return None;
    }
    let url = has(&text, |b| matches!(b, b'-' | b'_'));
    if url { URL_ENGINE.decode(&*text) } else { STANDARD_ENGINE.decode(&*text) }.ok()
}

/// Whether there is such a byte. All are looked at: that is quicker than to stop at the first.
fn has(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, b| found | is(b))
}

fn without_white_space(text: &str) -> String {
    let mut joined = String::with_capacity(text.len());
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if has(line, |b| b.is_ascii_whitespace()) {
            joined.extend(line.split(|c: char| c.is_ascii_whitespace()));
        } else {
            joined.push_str(line);
        }
    }
    joined
}

/// Decodes base64url as JOSE has it (RFC 7515, 2): no padding, no white space, no spare bits. One text for each value.
#[must_use]
pub fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_url};

    #[test]
    fn base64url_of_jose_has_one_form() {
        assert_eq!(decode_url("-_8"), Some(vec![0xfb, 0xff]));
        assert_eq!(decode_url(""), Some(Vec::new()));
        for text in ["+/8", "-_8=", "-_ 8", "-_9", "a"] {
            assert_eq!(decode_url(text), None, "{text}");
        }
    }

    #[test]
    fn both_alphabets_with_and_without_padding_and_breaks() {
        for text in ["+/8=", "+/8", "-_8", "-_8=", " +/\r\n8=\n", "+\n\n/\t8 =", "+/\r8", "\x0c+ / 8 = \r\n"]
        {
            assert_eq!(decode(text.as_bytes()), Some(vec![0xfb, 0xff]), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for text in ["", "  ", "+/8_", "a b c !", "abcde", "=abc", "+/\u{a0}8", "+/8\u{b}", "+/8é"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode(b"+/8\xff"), None);
    }
}
