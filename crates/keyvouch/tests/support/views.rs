//! Ways to look at a file's bytes: as they are, and as what is encoded in them (PEM, base64, gzip, zip, JSON,
//! XML). Spoiling a byte of a view and putting it back reaches the bits that are signed, where spoiling the text
//! would mostly break the encoding.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyvouch_emulator::{File, bundle, pem};

type Wrap = Rc<dyn Fn(&[u8]) -> Vec<u8>>;

/// Bytes inside a file, and the way back.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    wrap: Wrap,
}

impl View {
    /// The file with other bytes in this place.
    pub(crate) fn with(&self, bytes: &[u8]) -> Vec<u8> {
        (self.wrap)(bytes)
    }

    fn inside(&self, name: &str, bytes: Vec<u8>, wrap: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Self {
        let outer = Rc::clone(&self.wrap);
        let name = if self.name.is_empty() { name.to_owned() } else { format!("{} › {name}", self.name) };
        Self { name, bytes, wrap: Rc::new(move |bytes| outer(&wrap(bytes))) }
    }
}

/// Every view of a file; the first is the file itself.
pub(crate) fn of(file: &[u8]) -> Vec<View> {
    let mut all = Vec::new();
    let mut open = vec![View { name: String::new(), bytes: file.to_vec(), wrap: Rc::new(<[u8]>::to_vec) }];
    while let Some(view) = open.pop() {
        if view.name.matches('›').count() < 4 {
            open.extend(decoded(&view));
        }
        all.push(view);
    }
    all
}

fn decoded(view: &View) -> Vec<View> {
    let bytes = &view.bytes;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return gunzip(bytes)
            .map(|inner| view.inside("gzip", inner, |b| bundle::gzip(b).unwrap()))
            .into_iter()
            .collect();
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return zip_views(view);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with(['{', '[']) {
        return json_views(view);
    }
    if start.starts_with('<') {
        return run_views(view, text);
    }
    let blocks = keyvouch::input::find_pem(text);
    if !blocks.is_empty() {
        return pem_views(view, text);
    }
    base64_view(view, text).into_iter().collect()
}

/// Each PEM block, taken out of the text and put back with the same label.
fn pem_views(view: &View, text: &str) -> Vec<View> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = text[at..].find("-----BEGIN ").map(|i| at + i) {
        let Some(label_end) = text[begin + 11..].find("-----").map(|i| begin + 11 + i) else { break };
        let label = text[begin + 11..label_end].to_owned();
        let closing = format!("-----END {label}-----");
        let Some(end) = text[label_end..].find(&closing).map(|i| label_end + i + closing.len()) else {
            break;
        };
        let block = keyvouch::input::find_pem(&text[begin..end]).into_iter().next();
        if let Some(der) = block.and_then(|block| block.der) {
            let (before, after) = (text[..begin].to_owned(), text[end..].to_owned());
            found.push(view.inside(&format!("{label} at {begin}"), der, move |der| {
                format!("{before}{}{after}", pem::encode(&label, der).trim_end()).into_bytes()
            }));
        }
        at = end;
    }
    found
}

fn base64_view(view: &View, text: &str) -> Option<View> {
    let inner = keyvouch::input::decode_base64(text.as_bytes()).filter(|inner| inner.len() >= 16)?;
    let url =
        text.contains(['-', '_']) || !text.trim_end().ends_with('=') && !text.trim().len().is_multiple_of(4);
    Some(view.inside("base64", inner, move |b| {
        if url { URL_SAFE_NO_PAD.encode(b) } else { STANDARD.encode(b) }.into_bytes()
    }))
}

/// Text members that hold PEM or base64.
fn json_views(view: &View) -> Vec<View> {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(&view.bytes) else { return Vec::new() };
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document.clone())];
    while let Some((pointer, value)) = open.pop() {
        match value {
            serde_json::Value::String(text) => {
                let document = document.clone();
                let at = pointer.clone();
                let member = view.inside(&pointer, text.into_bytes(), move |bytes| {
                    let mut changed = document.clone();
                    if let Some(member) = changed.pointer_mut(&at) {
                        *member = String::from_utf8_lossy(bytes).into_owned().into();
                    }
                    serde_json::to_vec(&changed).unwrap()
                });
                if !decoded(&member).is_empty() {
                    found.push(member);
                }
            }
            serde_json::Value::Array(items) => {
                open.extend(items.into_iter().enumerate().map(|(i, v)| (format!("{pointer}/{i}"), v)));
            }
            serde_json::Value::Object(members) => {
                let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
                open.extend(members.into_iter().map(|(k, v)| (format!("{pointer}/{}", escape(&k)), v)));
            }
            _ => {}
        }
    }
    found
}

/// Texts of XML elements that are base64.
fn run_views(view: &View, text: &str) -> Vec<View> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find('>').map(|i| at + i + 1) {
        let Some(close) = text[open..].find('<').map(|i| open + i) else { break };
        let run = &text[open..close];
        if let Some(inner) = keyvouch::input::decode_base64(run.as_bytes()).filter(|inner| inner.len() >= 16)
        {
            let (before, after) = (text[..open].to_owned(), text[close..].to_owned());
            found.push(view.inside(&format!("text at {open}"), inner, move |b| {
                format!("{before}{}{after}", STANDARD.encode(b)).into_bytes()
            }));
        }
        at = close;
    }
    found
}

fn zip_views(view: &View) -> Vec<View> {
    use std::io::Read as _;
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(&view.bytes)) else { return Vec::new() };
    let mut members = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        if member.is_file() && member.read_to_end(&mut bytes).is_ok() {
            members.push(File::new(member.name().unwrap().into_owned(), bytes));
        }
    }
    (0..members.len())
        .map(|index| {
            let members = members.clone();
            let (name, bytes) = (members[index].name.clone(), members[index].bytes.clone());
            view.inside(&name, bytes, move |bytes| {
                let mut changed = members.clone();
                changed[index].bytes = bytes.to_vec();
                bundle::zip(&changed).unwrap()
            })
        })
        .collect()
}

fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).ok()?;
    Some(out)
}
