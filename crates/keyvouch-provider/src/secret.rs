//! A text that is not printed.

use std::fmt;

/// A credential. It can be used and not be shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A credential from its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place where it goes into a request.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}
