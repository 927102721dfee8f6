//! `keyvouch emulate`: sample evidence to try things with.

use std::fs;
use std::io;
use std::path::Path;

use keyvouch_emulator::{File, Sample};

use crate::cli::Emulate;
use crate::error::Error;
use crate::output::Output;
use crate::submission_file::{NAME, SubmissionFile, Suggested, takes_a_file};
use crate::text::{Page, table};

const ANCHORS: &str = "anchors";
/// Files that options take.
const OPTIONS: &str = "options";

/// Writes a sample, or lists the samples.
pub(crate) fn run(args: &Emulate, out: &Output) -> Result<(), Error> {
    let (format, dir) = match (&args.format, &args.dir) {
        (Some(format), Some(dir)) if !args.list => (format, dir),
        (Some(format), _) => return out.print(&list(&samples(format)?)),
        (None, _) => {
            let mut all = Vec::new();
            for format in keyvouch_emulator::formats() {
                all.extend(samples(format)?);
            }
            return out.print(&list(&all));
        }
    };
    let samples = samples(format)?;
    let sample = choose(&samples, &args.variant)
        .ok_or_else(|| Error::UnknownVariant { format: format.clone(), variant: args.variant.clone() })?;
    write(sample, dir)?;

    let mut page = Page::default();
    page.paragraph(0, &format!("{}: {}.", sample.format, sample.about));
    page.paragraph(
        0,
        &format!(
            "Written to {}. It is signed by throw-away keys and worth nothing. Verify it:",
            dir.display()
        ),
    );
    page.gap();
    let text = page.into_text();
    out.print(&format!(
        "{text}  {}\n\nor, with everything said:\n\n  {}\n",
        short_command(dir),
        long_command(sample, dir)
    ))
}

fn samples(format: &str) -> Result<Vec<Sample>, Error> {
    let known = keyvouch_emulator::formats();
    if !known.contains(&format) {
        return Err(Error::NoEmulator { id: format.to_owned(), known: known.to_vec() });
    }
    keyvouch_emulator::samples(format).map_err(Error::Emulator)
}

fn choose<'s>(samples: &'s [Sample], variant: &str) -> Option<&'s Sample> {
    samples.iter().find(|s| s.variant == variant).or_else(|| {
        let number: usize = variant.parse().ok()?;
        samples.get(number.checked_sub(1)?)
    })
}

fn list(samples: &[Sample]) -> String {
    let head = ["FORMAT", "NUMBER", "NAME", "WHAT"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    let mut number = 0_usize;
    let mut format = "";
    for sample in samples {
        number = if sample.format == format { number.saturating_add(1) } else { 1 };
        format = sample.format;
        rows.push(vec![format.to_owned(), number.to_string(), sample.variant.clone(), sample.about.clone()]);
    }
    table(&rows)
}

fn write(sample: &Sample, dir: &Path) -> Result<(), Error> {
    match fs::read_dir(dir) {
        Ok(entries) => {
            if entries.into_iter().next().is_some() {
                return Err(Error::NotEmpty(dir.to_owned()));
            }
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(Error::write(dir, why)),
    }
    let anchors = dir.join(ANCHORS);
    fs::create_dir_all(&anchors).map_err(|why| Error::write(&anchors, why))?;
    for file in &sample.evidence {
        write_file(dir, file)?;
    }
    // The same file as evidence and request: the attestation is inside the request.
    if let Some(request) = sample.request.as_ref().filter(|r| !sample.evidence.contains(r)) {
        write_file(dir, request)?;
    }
    for file in &sample.anchors {
        write_file(&anchors, file)?;
    }
    let files = sample.options.iter().filter(|(name, _)| takes_a_file(name));
    for (name, content) in files.filter_map(|(name, value)| Some((name, value.as_str()?))) {
        let options = dir.join(OPTIONS);
        fs::create_dir_all(&options).map_err(|why| Error::write(&options, why))?;
        write_file(&options, &File::new(name.clone(), content))?;
    }
    let submission = SubmissionFile {
        evidence: sample.evidence.iter().map(|f| f.name.clone()).collect(),
        request: sample.request.as_ref().map(|f| f.name.clone()),
        suggested: Suggested {
            anchors: Some(ANCHORS.to_owned()),
            at: Some(sample.at.clone()),
            options: sample.options.clone(),
        },
    };
    write_file(dir, &File::new(NAME, submission.write()))?;
    write_file(dir, &File::new("README.txt", readme(sample, dir)))
}

fn write_file(dir: &Path, file: &File) -> Result<(), Error> {
    let path = dir.join(&file.name);
    let open = fs::OpenOptions::new().write(true).create_new(true).open(&path);
    open.and_then(|mut f| io::Write::write_all(&mut f, &file.bytes)).map_err(|why| Error::write(&path, why))
}

fn readme(sample: &Sample, dir: &Path) -> String {
    format!(
        "Emulated {} evidence: {}.

It was made by `keyvouch emulate` and signed by throw-away keys. No device made it; it is worth nothing,
and keyvouch does not trust it by itself. Name its root as an anchor:

  {}

or, for the same in short, trust what the folder says of itself:

  {}

Never use --trust-submission on a folder that somebody sent you: it would decide itself what is believed.
",
        sample.format,
        sample.about,
        long_command(sample, dir),
        short_command(dir),
    )
}

fn short_command(dir: &Path) -> String {
    format!("keyvouch verify {} --trust-submission", quote(dir))
}

/// The command with everything said that the submission file suggests.
fn long_command(sample: &Sample, dir: &Path) -> String {
    let mut words = vec![format!("keyvouch verify {}", quote(dir))];
    words.extend(sample.request.iter().map(|f| format!("--request {}", quote(&dir.join(&f.name)))));
    words.push(format!("--anchors {}", quote(&dir.join(ANCHORS))));
    words.push(format!("--at {}", sample.at));
    for (name, value) in &sample.options {
        let value = match value.as_str() {
            Some(_) if takes_a_file(name) => dir.join(OPTIONS).join(name).to_string_lossy().into_owned(),
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        words.push(format!("--option {}", quote(Path::new(&format!("{name}={value}")))));
    }
    words.join(" ")
}

/// A word for the shell.
pub(crate) fn quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quote(Path::new("a/b-1.pem")), "a/b-1.pem");
        assert_eq!(quote(Path::new("a b")), "'a b'");
        assert_eq!(quote(Path::new("it's")), r"'it'\''s'");
    }
}
