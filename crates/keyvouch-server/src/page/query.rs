//! What comes with an address.

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
}
