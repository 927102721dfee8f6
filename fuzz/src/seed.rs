//! Writes the seed corpus from the emulated samples: `cargo xtask fuzz-seed`.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut count = 0_usize;
    let mut write = |target: &str, name: &str, bytes: &[u8]| -> std::io::Result<()> {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        count += 1;
        fs::write(folder.join(name.replace('/', "-")), bytes)
    };
    for format in keyvouch_emulator::formats() {
        for (number, sample) in keyvouch_emulator::samples(format)?.into_iter().enumerate() {
            let name = format!("{format}-{}", sample.variant);
            let evidence: Vec<Vec<u8>> = sample.evidence.iter().map(|f| f.bytes.clone()).collect();
            let request = sample.request.as_ref().map(|f| f.bytes.as_slice());
            write("appraise", &name, &keyvouch_fuzz::join(&evidence, request))?;
            if format.starts_with("tpm") {
                write("tpm_structures", &name, &keyvouch_fuzz::join(&evidence, None))?;
            }
            for (file, bytes) in evidence.iter().enumerate() {
                write("input", &format!("{name}-{file}"), bytes)?;
                // The target of a format begins with a sample and file, unspoilt.
                let start = [u8::try_from(number)?, u8::try_from(file)?];
                write(&format.replace('-', "_"), &format!("{number}-{file}"), &start)?;
            }
            for file in sample.evidence.iter().chain(&sample.anchors).chain(&sample.request) {
                for block in keyvouch::input::find_pem(&String::from_utf8_lossy(&file.bytes)) {
                    let Some(der) = block.der else { continue };
                    let target = if block.label.ends_with("REQUEST") { "csr" } else { "certificate" };
                    write(target, &format!("{name}-{}", file.name), &der)?;
                }
            }
        }
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    for folder in ["anchors", "devices"] {
        for entry in fs::read_dir(data.join(folder))? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            write("data_file", &format!("{folder}-{name}"), &fs::read(&path)?)?;
        }
    }
    println!("{count} seeds in {}", corpus.display());
    Ok(())
}
