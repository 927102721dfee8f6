//! `keyvouch-submission.toml`: what a folder of evidence says of itself.
//!
//! Which files are the evidence and which the request is convenience: the verifier finds out what they are all the
//! same. Anchors, time and options decide what is believed; they are suggestions, used only when the operator says
//! so (`--trust-submission`).

use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::files;

/// Name of the file.
pub(crate) const NAME: &str = "keyvouch-submission.toml";

/// The content of the file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmissionFile {
    /// Names of the evidence files.
    pub(crate) evidence: Vec<String>,
    /// Name of the request.
    pub(crate) request: Option<String>,
    /// What the folder suggests to believe.
    #[serde(default)]
    pub(crate) suggested: Suggested,
}

/// What a folder suggests to believe.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Suggested {
    /// Name of a subfolder with trust anchors.
    pub(crate) anchors: Option<String>,
    /// The time to judge at, RFC 3339.
    pub(crate) at: Option<String>,
    /// Operator options.
    #[serde(default)]
    pub(crate) options: Map<String, Value>,
}

impl Suggested {
    /// What there is, for people.
    pub(crate) fn describe(&self) -> String {
        let mut found = Vec::new();
        found.extend(self.anchors.iter().map(|name| format!("the anchors in its folder {name}")));
        found.extend(self.at.iter().map(|at| format!("the time {at}")));
        found.extend(self.options.iter().map(|(name, value)| match takes_a_file(name) {
            true => format!("a content for the option {name}"),
            false => format!("the option {name}={value}"),
        }));
        if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
    }
}

impl SubmissionFile {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let fail = |why: String| Error::SubmissionFile { path: path.to_owned(), why };
        let text = files::read_text(path)?;
        let file: Self = toml::from_str(&text).map_err(|e| fail(e.to_string().trim_end().to_owned()))?;
        if file.evidence.is_empty() {
            return Err(fail(
                "it names no evidence; delete it, or name the files of the evidence".to_owned(),
            ));
        }
        let names = file.evidence.iter().chain(&file.request).chain(&file.suggested.anchors);
        if let Some(name) = names.into_iter().find(|name| !is_plain(name)) {
            return Err(fail(format!("{name:?} is not the name of something in the same folder")));
        }
        if let Some(at) = &file.suggested.at {
            at.parse::<keyvouch::Time>().map_err(|e| fail(e.to_string()))?;
        }
        Ok(file)
    }

    /// Its text.
    pub(crate) fn write(&self) -> String {
        let text = |value: &str| Value::from(value).to_string();
        let evidence: Vec<String> = self.evidence.iter().map(|name| text(name)).collect();
        let mut lines = vec![format!("evidence = [{}]", evidence.join(", "))];
        lines.extend(self.request.iter().map(|name| format!("request = {}", text(name))));
        lines.push(String::new());
        lines.push(
            "# Used only with --trust-submission: whoever writes this would decide what is believed.".into(),
        );
        lines.push("[suggested]".to_owned());
        lines.extend(self.suggested.anchors.iter().map(|name| format!("anchors = {}", text(name))));
        lines.extend(self.suggested.at.iter().map(|at| format!("at = {}", text(at))));
        if !self.suggested.options.is_empty() {
            lines.push("\n[suggested.options]".to_owned());
            // Texts, numbers, truth values and lists of texts are written alike in JSON and TOML.
            lines.extend(self.suggested.options.iter().map(|(name, value)| format!("{name} = {value}")));
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Whether an option takes a file. A folder states its content.
pub(crate) fn takes_a_file(option: &str) -> bool {
    let mut known = keyvouch::formats::about().flat_map(|a| a.options);
    known.any(|o| o.name == option && o.kind == keyvouch::OptionKind::File)
}

/// A plain name leads nowhere but into the folder.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<SubmissionFile, Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(NAME);
        std::fs::write(&path, text).unwrap();
        SubmissionFile::read(&path)
    }

    #[test]
    fn what_is_written_is_read() {
        let mut options = Map::new();
        options.insert("list".into(), serde_json::json!(["a\"b", "c"]));
        options.insert("flag".into(), true.into());
        options.insert("number".into(), 7.into());
        let file = SubmissionFile {
            evidence: vec!["a.pem".into(), "b \"c\".der".into()],
            request: Some("request.csr".into()),
            suggested: Suggested {
                anchors: Some("anchors".into()),
                at: Some("2026-06-01T00:00:00Z".into()),
                options,
            },
        };
        assert_eq!(read(&file.write()).unwrap(), file);
    }

    #[test]
    fn leads_nowhere_else() {
        for name in ["../a", "/etc/passwd", "a/b", "..", ""] {
            assert!(read(&format!("evidence = [{name:?}]")).is_err(), "{name}");
            assert!(read(&format!("evidence = ['a']\nrequest = {name:?}")).is_err(), "{name}");
            assert!(read(&format!("evidence = ['a']\n[suggested]\nanchors = {name:?}")).is_err(), "{name}");
        }
    }

    #[test]
    fn is_strict() {
        for text in [
            "",
            "evidence = []",
            "evidence = ['a']\nanchors = 'anchors'",
            "evidence = ['a']\n[suggested]\nat = 'x'",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
