//! What comes with an address, and where a form comes from.

use axum::http::{HeaderMap, header};

use crate::problem::{Kind, Problem};

/// The parameters of a query that say something, in order.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .map(|(name, value)| (name.into_owned(), value.trim().to_owned()))
        .filter(|(_, value)| !value.is_empty())
}

/// The parameter of that name.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    parameters(query).find(|(each, _)| each == name).map(|(_, value)| value)
}

/// The address with these parameters.
pub(super) fn address<'p>(path: &str, parameters: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(parameters).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Another site must not have a browser hand in something here: a service on loopback has no other guard.
///
/// # Errors
/// When the browser says that the form is of another site.
pub(super) fn must_be_of_this_site(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match (text("sec-fetch-site"), text(header::ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST.as_str())
        }
        // No browser that has forms of other sites leaves both away.
        (None, None) => true,
    };
    if is_ours {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "This form was sent from another site, and nothing was done. Open the page of this service and use its form.",
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let address = address("/a", [("x", "1 &=ä"), ("y", " ")]);
        let (path, query) = address.split_once('?').unwrap();
        assert_eq!(path, "/a");
        assert_eq!(parameters(query).collect::<Vec<_>>(), [("x".to_owned(), "1 &=ä".to_owned())]);
    }

    #[test]
    fn other_sites_are_kept_out() {
        let is_ours = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            must_be_of_this_site(&headers).is_ok()
        };
        assert!(is_ours(&[("host", "a")]));
        assert!(is_ours(&[("host", "a"), ("origin", "http://a")]));
        assert!(is_ours(&[("host", "a"), ("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for pairs in [
            [("host", "a"), ("origin", "http://b")],
            [("host", "a"), ("origin", "null")],
            [("host", "a"), ("sec-fetch-site", "cross-site")],
            [("host", "a"), ("sec-fetch-site", "same-site")],
        ] {
            assert!(!is_ours(&pairs), "{pairs:?}");
        }
    }
}
