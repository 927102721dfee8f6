//! Where everything that is printed goes out. Colour is taken off here unless it is wanted.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use keyvouch::appraisal::json_text;
use serde_json::Value;

use crate::cli::Color;
use crate::error::Error;
use crate::text::{ERROR, NOTE, clean_lines};

/// The output of the command.
#[derive(Debug)]
pub(crate) struct Output {
    color: ColorChoice,
}

impl Output {
    pub(crate) fn new(color: Color) -> Self {
        let color = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { color }
    }

    /// Prints the answer.
    pub(crate) fn print(&self, text: &str) -> Result<(), Error> {
        let mut to = AutoStream::new(io::stdout().lock(), self.color);
        to.write_all(text.as_bytes()).and_then(|()| to.flush()).map_err(Error::Output)
    }

    /// Prints bytes as they are. They do not go to a terminal.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut to = io::stdout().lock();
        if to.is_terminal() {
            return Err(Error::Binary);
        }
        to.write_all(bytes).and_then(|()| to.flush()).map_err(Error::Output)
    }

    /// Prints JSON: sorted keys, two spaces, a line feed at the end.
    pub(crate) fn json(&self, value: &Value) -> Result<(), Error> {
        self.print(&json_text(value.clone())?)
    }

    /// Tells something beside the answer.
    pub(crate) fn note(&self, text: &str) {
        self.aside(NOTE, "note", &text);
    }

    /// Tells why there is no answer.
    pub(crate) fn error(&self, error: &Error) {
        self.aside(ERROR, "error", error);
    }

    fn aside(&self, style: anstyle::Style, word: &str, text: &dyn Display) {
        let mut to = AutoStream::new(io::stderr().lock(), self.color);
        // Nobody is left to tell when this fails.
        let _ = writeln!(to, "{style}{word}:{style:#} {}", clean_lines(&text.to_string()));
    }
}
