//! The guides of docs/, for those who have this page and not the repository.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{PreEscaped, html};

use super::layout::{Page, Place, page};
use super::markdown::{Document, document, leads_elsewhere};
use crate::api::Named;
use crate::problem::{Kind, Problem};

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../", $folder, "/", $name)))),*]
    };
}

/// The guides to devices.
const DEVICES: &[(&str, &str)] = files!("docs/devices":
    "acme-device-attest.md", "android.md", "apple-app-attest.md", "apple-mda.md", "aws-kms-envelope.py", "aws.md",
    "azure-key-vault.md", "azure-managed-hsm.md", "crypto4a-qasm.md", "csr-attestation.md", "fortanix.md",
    "google-cloud-hsm.md", "i4p-trident.md", "longmai.md", "marvell.md", "nshield.md", "pkix-evidence.md",
    "securosys.md", "smartcard-hsm.md", "thales-luna.md", "tpm-ek.md", "tpm.md", "trustsec.md", "utimaco.md",
    "webauthn.md", "without-attestation.md", "witness-statement.md", "yubihsm2.md", "yubikey-openpgp.md",
    "yubikey-piv.md",
);

/// What is beside them.
const DOCS: &[(&str, &str)] = files!("docs":
    "api.md", "architecture.md", "operations.md", "policies.md", "records.md", "reference-data.md", "result.schema.json", "standards.md",
    "witness.schema.json",
);

/// What they link to beyond docs/: the link, the name here, and the text.
const BESIDE: [(&str, &str, &str); 3] = [
    (
        "../data/policies/keyvouch.cedarschema",
        "keyvouch.cedarschema",
        include_str!("../../../../data/policies/keyvouch.cedarschema"),
    ),
    (
        "../packaging/keyvouch.service",
        "keyvouch.service",
        include_str!("../../../../packaging/keyvouch.service"),
    ),
    ("../packaging/keyvouch.toml", "keyvouch.toml", include_str!("../../../../packaging/keyvouch.toml")),
];

/// The folder of a document, for the links in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Folder {
    Docs,
    Devices,
}

/// All guides to devices.
pub(super) async fn all() -> Page {
    let guides = DEVICES.iter().filter_map(|(name, text)| Some((name.strip_suffix(".md")?, title(text))));
    let contents = html! {
        h1 { "Devices" }
        p.lead { "How to get the evidence from each device, what is checked, and what it does not prove." }
        ul.cards {
            @for (name, title) in guides {
                li { a href=(format!("/devices/{name}")) {
                    strong { (title) }
                    @if let Some(devices) = devices(name) { span { (devices) } }
                } }
            }
        }
        section.next aria-labelledby="more" {
            h2 #more { "More to read" }
            ul {
                @for (name, text) in DOCS { @if let Some(name) = name.strip_suffix(".md") { li { a href=(format!("/docs/{name}")) { (title(text)) } } } }
            }
        }
    };
    page(Place::Devices, "Devices", &contents)
}

/// The devices of the format whose guide has that name.
fn devices(name: &str) -> Option<&'static str> {
    let docs = format!("docs/devices/{name}.md");
    keyvouch::formats::about().find(|about| about.docs == docs).map(|about| about.devices)
}

/// The first heading of a document.
fn title(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Untitled")
}

/// The guide to a device.
pub(super) async fn device(Named(name): Named<String>) -> Result<Response, Problem> {
    show(Folder::Devices, &name)
}

/// Another document.
pub(super) async fn beside(Named(name): Named<String>) -> Result<Response, Problem> {
    show(Folder::Docs, &name)
}

fn show(folder: Folder, name: &str) -> Result<Response, Problem> {
    let files = files(folder);
    let guide = format!("{name}.md");
    if let Some((_, text)) = files.iter().find(|(each, _)| *each == guide) {
        let Document { title, html } = document(text, |link| address(folder, link));
        let contents = html! {
            nav aria-label="Where this is" { p.crumbs { a href="/devices" { "Devices and guides" } } }
            article.guide {
                h1 { (title) }
                (PreEscaped(html))
            }
        };
        return Ok(page(Place::Devices, &title, &contents).into_response());
    }
    let plain = files.iter().find(|(each, _)| *each == name && !each.ends_with(".md"));
    let beside = || BESIDE.iter().find(|(_, each, _)| folder == Folder::Docs && *each == name);
    let text = plain.map(|(_, text)| *text).or_else(|| beside().map(|(.., text)| *text));
    let text = text.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("There is no guide {name:?}. /devices lists them."))
    })?;
    let kind = if name.ends_with(".json") { "application/json" } else { "text/plain; charset=utf-8" };
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

const fn files(folder: Folder) -> &'static [(&'static str, &'static str)] {
    match folder {
        Folder::Docs => DOCS,
        Folder::Devices => DEVICES,
    }
}

/// Where a link in a document of that folder leads on this page. Nothing when there is no such place.
fn address(folder: Folder, link: &str) -> Option<String> {
    if leads_elsewhere(link) || link.starts_with('#') {
        return Some(link.to_owned());
    }
    if matches!(link, "devices" | "devices/") {
        return Some("/devices".to_owned());
    }
    if let Some((_, name, _)) = BESIDE.iter().find(|(each, ..)| folder == Folder::Docs && *each == link) {
        return Some(format!("/docs/{name}"));
    }
    let (path, fragment) =
        link.split_once('#').map_or((link, String::new()), |(path, name)| (path, format!("#{name}")));
    let (folder, name) = match (folder, path.strip_prefix("../"), path.strip_prefix("devices/")) {
        (Folder::Devices, Some(name), _) => (Folder::Docs, name),
        (Folder::Docs, _, Some(name)) => (Folder::Devices, name),
        (folder, None, _) => (folder, path),
        (Folder::Docs, Some(_), None) => return None,
    };
    files(folder).iter().find(|(each, _)| *each == name)?;
    let shown = name.strip_suffix(".md").unwrap_or(name);
    Some(match folder {
        Folder::Docs => format!("/docs/{shown}{fragment}"),
        Folder::Devices => format!("/devices/{shown}{fragment}"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_guide() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let names = |folder: &str| {
            let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap());
            let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
            let mut names: Vec<String> = files.map(|file| file.file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let listed =
            |files: &[(&str, &str)]| files.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(listed(DEVICES), names("docs/devices"));
        assert_eq!(listed(DOCS), names("docs"));
    }

    #[test]
    fn every_link_leads_somewhere() {
        let mut dead = Vec::new();
        for (folder, files) in [(Folder::Devices, DEVICES), (Folder::Docs, DOCS)] {
            for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".md")) {
                let dead = std::cell::RefCell::new(&mut dead);
                document(text, |link| {
                    let address = address(folder, link);
                    if address.is_none() {
                        dead.borrow_mut().push(format!("{name}: {link}"));
                    }
                    address
                });
            }
        }
        assert_eq!(dead, Vec::<String>::new());
    }
}
