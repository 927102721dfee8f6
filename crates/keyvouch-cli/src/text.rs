//! Text for people: headings, fields, lists, wrapped to a readable width.
//!
//! What is printed comes largely from evidence, that is from strangers. Everything goes through [`clean`], so that
//! a name in a certificate cannot move the cursor, colour a verdict, or turn the direction of writing.

pub(crate) mod report;
pub(crate) mod result;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const ERROR: Style = BAD;
pub(crate) const NOTE: Style = AnsiColor::Cyan.on_default().bold();
const HEADING: Style = Style::new().bold();

const WIDTH: usize = 100;
const LABEL: usize = 21;

/// Text being written.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// The finished text.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// A line of its own: a coloured word, then plain text.
    pub(crate) fn title(&mut self, style: Style, word: &str, rest: &str) {
        let lines = wrap(&format!("{word}{rest}"), WIDTH);
        for (n, line) in lines.iter().enumerate() {
            match line.strip_prefix(word).filter(|_| n == 0) {
                Some(rest) => self.push(&format!("{style}{word}{style:#}{rest}")),
                None => self.push(line),
            }
        }
    }

    /// A heading, after an empty line.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.push("");
        }
        self.push(&format!("{HEADING}{}{HEADING:#}", clean(text)));
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.push("");
    }

    /// A paragraph, `indent` columns in.
    pub(crate) fn paragraph(&mut self, indent: usize, text: &str) {
        self.hanging(indent, "", text);
    }

    /// An item of a list.
    pub(crate) fn item(&mut self, text: &str) {
        self.hanging(2, "- ", text);
    }

    /// What belongs to the item above.
    pub(crate) fn under_item(&mut self, text: &str) {
        self.hanging(4, "", text);
    }

    /// A label and its value.
    pub(crate) fn field(&mut self, label: &str, value: &str) {
        self.row(2, LABEL, label, value);
    }

    /// A label, `indent` columns in, in a column of some width, and its value.
    pub(crate) fn row(&mut self, indent: usize, width: usize, label: &str, value: &str) {
        let label = clean(label);
        let width = width.max(label.chars().count().saturating_add(1));
        self.hanging(indent, &format!("{label:width$}"), value);
    }

    fn hanging(&mut self, indent: usize, mark: &str, text: &str) {
        let hang = indent.saturating_add(mark.chars().count());
        for (n, line) in wrap(text, WIDTH.saturating_sub(hang)).iter().enumerate() {
            let line =
                if n == 0 { format!("{:indent$}{mark}{line}", "") } else { format!("{:hang$}{line}", "") };
            self.push(line.trim_end());
        }
    }

    fn push(&mut self, line: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// A table with one row for each entry; the last column is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = clean(cell).chars().count();
            match widths.get_mut(column) {
                Some(widest) => *widest = width.max(*widest),
                None => widths.push(width),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{:width$}  ", clean(cell));
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The text on one line, without anything that a terminal could obey.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\n' | '\t') { ' ' } else { printable(c) }).collect()
}

/// The same, with its lines kept.
pub(crate) fn clean_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { printable(c) }).collect()
}

fn printable(c: char) -> char {
    let turns_direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns_direction { char::REPLACEMENT_CHARACTER } else { c }
}

/// Breaks a text into lines at spaces. Words longer than a line stay whole, to be copied.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0_usize;
    for word in text.split(' ').filter(|w| !w.is_empty()) {
        let word_length = word.chars().count();
        if length > 0 && length.saturating_add(word_length).saturating_add(1) > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length = length.saturating_add(1);
        }
        line.push_str(word);
        length = length.saturating_add(word_length);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `1 file`, `2 files`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Names in a sentence: `a, b and c`.
pub(crate) fn list_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A JSON value as indented text.
pub(crate) fn outline(page: &mut Page, indent: usize, value: &serde_json::Value) {
    use serde_json::Value;
    let deeper = indent.saturating_add(2);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_short(value) {
                    page.row(indent, LABEL, &format!("{name}:"), &short(value));
                } else {
                    page.paragraph(indent, &format!("{name}:"));
                    outline(page, deeper, value);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_short(item) {
                    page.hanging(indent, "- ", &short(item));
                } else {
                    page.paragraph(indent, "-");
                    outline(page, deeper, item);
                }
            }
        }
        other => page.paragraph(indent, &short(other)),
    }
}

fn is_short(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.iter().all(|i| !i.is_object() && !i.is_array()),
        _ => true,
    }
}

fn short(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Value::Object(_) => "none".to_owned(),
        Value::Number(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        let mut page = Page::default();
        page.item("a\u{1b}[2Jb\r\u{9b}31m\u{202e}c\nd");
        page.field("x\u{7}", "y\u{8}");
        let text = page.into_text();
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert_eq!(text.lines().count(), 2);
        assert!(clean_lines("a\nb\u{1b}").starts_with("a\nb"));
    }

    #[test]
    fn text_is_wrapped_with_a_hanging_indent() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa b", 5), ["aaaaaaaa", "b"]);
        assert_eq!(wrap("", 5), [""]);
        let mut page = Page::default();
        page.item(&"word ".repeat(30));
        assert!(
            page.into_text()
                .lines()
                .all(|l| l.len() <= WIDTH && (l.starts_with("  - w") || l.starts_with("    w")))
        );
    }
}
