//! A statement: whose key in which device, bound to what, signed by whom.

use maud::{Markup, html};

use super::{checks, decisions};
use crate::page::text::{clean, short};
use crate::page::view::{Appraisal, Certification, Claim, Trust};

/// What people call a format.
pub(in crate::page) fn format_title(id: &str) -> String {
    if id.is_empty() {
        return "not recognised".to_owned();
    }
    keyvouch::formats::about()
        .find(|about| about.id == id)
        .map_or_else(|| clean(id), |about| about.title.to_owned())
}

/// Which statement it is.
#[derive(Clone, Copy)]
pub(super) struct StatementPlace {
    pub(super) number: usize,
    /// Whether there are others.
    pub(super) several: bool,
    /// Whether there is a request that it could be about.
    pub(super) request: bool,
}

impl StatementPlace {
    /// An id that no other statement has.
    pub(super) fn id(self, name: &str) -> String {
        format!("{name}-{}", self.number)
    }

    /// A heading, below that of the statement if it has one.
    pub(super) fn heading(self, name: &str, text: &str) -> Markup {
        let id = self.id(name);
        html! { @if self.several { h3 id=(id) { (text) } } @else { h2 id=(id) { (text) } } }
    }
}

/// The statement at that place.
pub(super) fn statement(place: StatementPlace, appraisal: &Appraisal) -> Markup {
    html! {
        (glance(place, appraisal))
        @if let Some(trust) = &appraisal.trust { (chain(place, trust, appraisal)) }
        (decisions::decisions(place, &appraisal.decisions))
        @if !appraisal.claims.is_empty() {
            section aria-labelledby=(place.id("claims")) {
                (place.heading("claims", "What is claimed, and why it is believed"))
                (claims("Key and device", &appraisal.claims))
                @if !appraisal.details.is_empty() { (claims("Details of this format", &appraisal.details)) }
                (bases())
            }
        }
        (certifications(place, appraisal))
        @if !appraisal.limits.is_empty() {
            section aria-labelledby=(place.id("limits")) {
                (place.heading("limits", "Not proved by such evidence"))
                ul { @for limit in &appraisal.limits { li { (clean(limit)) } } }
            }
        }
        (checks::checks(place, appraisal))
    }
}

/// What most people look for first.
fn glance(place: StatementPlace, appraisal: &Appraisal) -> Markup {
    let text = |name: &str| appraisal.known(name).map(Claim::text);
    let all = |names: &[&str]| names.iter().filter_map(|name| text(name)).collect::<Vec<_>>().join(" ");
    let device = all(&["device.vendor", "device.model"]);
    let key = text("key.algorithm");
    let bound = binding(&appraisal.binding, place.request);
    html! {
        dl.glance {
            div {
                dt { "Evidence" }
                dd {
                    strong { (authenticity(&appraisal.authenticity)) }
                    span { (format_title(&appraisal.format)) }
                    @if let Some(route) = route(&appraisal.route) { span { (route) } }
                }
            }
            @if !appraisal.claims.is_empty() {
                div {
                    dt { "Key" }
                    dd {
                        strong { (key.as_deref().unwrap_or("algorithm not known")) }
                        span { (generated(text("key.generated_in_device").as_deref())) }
                        span { (exportable(text("key.exportable").as_deref())) }
                        @if let Some(spki) = text("key.spki_sha256") {
                            span { a href=(crate::page::query::address("/appraisals", [("spki_sha256", spki.as_str())]))
                                title="Records about this key" { code { (short(&spki)) } } }
                        }
                    }
                }
                div {
                    dt { "Device" }
                    dd {
                        strong { @if device.is_empty() { "not known" } @else { (device) } }
                        @if let Some(serial) = text("device.serial") { span { "Serial " (serial) } }
                        @if let Some(firmware) = text("device.firmware") { span { "Firmware " (firmware) } }
                        @if let Some(class) = text("device.class") { span { (device_class(&class)) } }
                        @if text("device.fips_mode").as_deref() == Some("yes") { span { "In FIPS mode" } }
                    }
                }
            }
            div {
                dt { "Bound to" }
                dd { strong { (bound.0) } span { (bound.1) } }
            }
            div {
                dt { "Fresh" }
                dd { strong { (freshness(&appraisal.freshness).0) } span { (freshness(&appraisal.freshness).1) } }
            }
        }
    }
}

fn authenticity(word: &str) -> String {
    match word {
        "authentic" => "Authentic".to_owned(),
        "not-authentic" => "Not authentic".to_owned(),
        "undecided" => "Undecided".to_owned(),
        "not-attestable" => "No attestation".to_owned(),
        other => clean(other),
    }
}

fn route(word: &str) -> Option<&'static str> {
    match word {
        "provider-statement" => Some("Asked of the provider, not attested"),
        "witness-statement" => Some("Said by an auditor, not attested"),
        _ => None,
    }
}

fn generated(value: Option<&str>) -> &'static str {
    match value {
        Some("yes") => "Made inside the device",
        Some("no") => "Made elsewhere and brought in",
        _ => "Where it was made is not known",
    }
}

fn exportable(value: Option<&str>) -> &'static str {
    match value {
        Some("never") => "Cannot leave the device",
        Some("vendor-boundary") => "Can move between modules of the maker only",
        Some("wrapped") => "Can be taken out, encrypted",
        Some("yes") => "Can be taken out",
        _ => "Whether it can leave is not known",
    }
}

fn device_class(word: &str) -> &str {
    match word {
        "hsm" => "Hardware security module",
        "cloud-hsm" => "Hardware security module in a cloud",
        "token" => "Token",
        "secure-element" => "Secure element",
        "tpm" => "Trusted platform module",
        "tee" => "Trusted execution environment",
        "software" => "Software",
        other => other,
    }
}

fn binding(word: &str, request: bool) -> (&'static str, &'static str) {
    match word {
        "csr" => ("The request", "It holds the attested key, and is signed by it"),
        "certificate" => ("The certificate", "It holds the attested key"),
        "public-key" => ("The public key", "It is the attested key"),
        _ if request => ("Nothing", "The request does not hold this key"),
        _ => ("Nothing", "No request was handed in"),
    }
}

fn freshness(word: &str) -> (&'static str, &'static str) {
    match word {
        "nonce-matched" => ("Yes", "The nonce is in the evidence"),
        "nonce-mismatch" => ("No", "The evidence has another nonce"),
        "no-nonce-in-evidence" => ("Cannot be told", "A nonce was asked for, and this evidence has none"),
        _ => ("Not asked", "No nonce was given"),
    }
}

/// From the anchor down to the key.
fn chain(place: StatementPlace, trust: &Trust, appraisal: &Appraisal) -> Markup {
    let anchor = &trust.anchor;
    // The first of the path is the anchor itself.
    let names = trust.path.iter().skip(usize::from(trust.path.first() == Some(&anchor.name)));
    let key = appraisal.known("key.algorithm").map(Claim::text);
    html! {
        section aria-labelledby=(place.id("chain")) {
            (place.heading("chain", "Chain of trust"))
            ol.chain {
                li.anchor {
                    strong { (clean(&anchor.name)) }
                    span { "Anchor, " (origin(&anchor.origin)) }
                    code { (clean(&anchor.spki_sha256)) }
                }
                @for name in names { li { strong { (clean(name)) } span { "signed by the one above" } } }
                li.leaf {
                    strong { @match &key { Some(key) => { "The " (key) " key" } None => { "The statement" } } }
                    span { "stated by the one above" }
                }
            }
        }
    }
}

fn origin(origin: &str) -> String {
    match origin.strip_prefix("operator: ") {
        Some(file) => format!("trusted by the operator ({})", clean(file)),
        None if origin == "built-in" => "comes with keyvouch".to_owned(),
        None => clean(origin),
    }
}

fn claims(caption: &str, claims: &std::collections::BTreeMap<String, Claim>) -> Markup {
    html! {
        table.cards.claims role="table" {
            caption { (caption) }
            thead role="rowgroup" { tr role="row" {
                th scope="col" role="columnheader" { "Claim" } th scope="col" role="columnheader" { "Value" }
                th scope="col" role="columnheader" { "Basis" } th scope="col" role="columnheader" { "From" }
            } }
            tbody role="rowgroup" {
                @for (name, claim) in claims {
                    tr role="row" {
                        th scope="row" role="rowheader" { code { (clean(name)) } }
                        td role="cell" data-label="Value" { span { (claim.text()) } }
                        td role="cell" data-label="Basis" { span.basis.(basis_class(&claim.basis)) { (clean(&claim.basis)) } }
                        td role="cell" data-label="From" { span { (clean(&claim.from)) } }
                    }
                }
            }
        }
    }
}

const fn basis_class(basis: &str) -> &'static str {
    match basis.as_bytes() {
        b"attested" => "attested",
        b"implied" => "implied",
        b"unknown" => "unknown",
        _ => "said",
    }
}

fn bases() -> Markup {
    html! {
        details.note {
            summary { "What the bases mean" }
            dl.words {
                dt { "attested" } dd { "inside bytes that the device or its maker signed" }
                dt { "implied" } dd { "guaranteed by the documented behaviour of the device" }
                dt { "witnessed" } dd { "signed by people who saw it" }
                dt { "operator" } dd { "found out or configured by the operator of this service" }
                dt { "declared" } dd { "said by the subscriber; nobody signed it" }
                dt { "unknown" } dd { "not established" }
            }
        }
    }
}

fn certifications(place: StatementPlace, appraisal: &Appraisal) -> Markup {
    let list = &appraisal.certifications;
    html! {
        @if appraisal.uncertified || !list.is_empty() {
            section aria-labelledby=(place.id("certifications")) {
                (place.heading("certifications", "Certifications"))
                @if appraisal.uncertified { p { "This model is known to hold no certification." } }
                @if !list.is_empty() {
                    table.cards role="table" {
                        caption { "By the reference data, for this model" }
                        thead role="rowgroup" { tr role="row" {
                            @for head in ["Certificate", "Module", "Level", "Status", "Source"] { th scope="col" role="columnheader" { (head) } }
                        } }
                        tbody role="rowgroup" { @for certification in list { (certification_row(certification)) } }
                    }
                }
            }
        }
    }
}

fn certification_row(c: &Certification) -> Markup {
    html! {
        tr role="row" {
            th scope="row" role="rowheader" { (clean(&c.standard)) ", " (clean(&c.scheme)) " " (clean(&c.id)) }
            td role="cell" data-label="Module" { span { (clean(&c.module)) } }
            td role="cell" data-label="Level" { span { (clean(&c.level)) @if c.fips_mode_required { " (in FIPS mode only)" } } }
            td role="cell" data-label="Status" { span { (clean(&c.status)) @if c.matched == "model" { " (by model; firmware not compared)" } } }
            td role="cell" data-label="Source" { span { (clean(&c.source)) ", " (clean(&c.looked_up)) } }
        }
    }
}
