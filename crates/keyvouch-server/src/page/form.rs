//! The form for evidence.

use std::sync::Arc;

use axum::extract::State;
use keyvouch::submission::known_option;
use keyvouch::{OptionDef, OptionKind, Route};
use keyvouch_policy::Policy;
use maud::{Markup, html};

use super::appraise::{Entered, Fault, Field};
use super::layout::{Page, Place, page};
use super::text::{clean, size};
use crate::auth::Caller;
use crate::problem::Problem;
use crate::service::Service;
use keyvouch_store::Role;

/// The form as it is at first.
pub(super) async fn empty(State(service): State<Arc<Service>>, caller: Caller) -> Result<Page, Problem> {
    caller.must_be(Role::Submit)?;
    let policies = service.config.policies.default.clone();
    Ok(form(&service, &Entered { policies, ..Entered::default() }, None))
}

/// The form with what was entered, and what is wrong with it.
pub(super) fn form(service: &Service, entered: &Entered, fault: Option<&Fault>) -> Page {
    let at = |field: Field| fault.filter(|fault| fault.field == field);
    let contents = html! {
        @if let Some(fault) = fault {
            div.problem role="alert" {
                p { strong { "That could not be judged." } " " a href=(fault.field.target()) { (clean(&fault.why)) } }
                @if fault.field != Field::Evidence {
                    p { "Your browser has let go of the files: choose them again." }
                }
            }
        }
        h1 { "Is this key safe in hardware?" }
        p.lead {
            "Hand in what the device or its tool wrote. keyvouch finds out what each file is, checks every signature up to the "
            "maker's root, and says what is proved, what is not, and what to do."
        }
        form.appraise method="post" action="/appraise" enctype="multipart/form-data" {
            (evidence(service, at(Field::Evidence)))
            (request(at(Field::Request)))
            (policies(service, entered, at(Field::Policies)))
            (more(service, entered, fault))
            div.send {
                button type="submit" { "Appraise" }
                p.hint { "The evidence, the answer and its reasons are put on record. Never hand in a private key." }
            }
            p.status role="status" aria-live="polite" data-status="" {}
        }
        section.next aria-labelledby="next-title" {
            h2 #next-title { "No evidence yet?" }
            ul.cards {
                li { a href="/devices" { strong { "Get it from your device" } span { "Step by step, for each kind of HSM, token and phone." } } }
                li { a href="/samples" { strong { "Try a sample" } span { "Emulated evidence of every format, to see what an answer is like." } } }
            }
        }
    };
    let title = if fault.is_some() { "Error: appraise evidence" } else { "Appraise evidence" };
    let page = page(Place::Appraise, title, &contents);
    match fault {
        Some(fault) => page.with(fault.status),
        None => page,
    }
}

fn error(id: &str, fault: Option<&Fault>) -> Markup {
    html! { @if let Some(fault) = fault { p.error id=(id) { (clean(&fault.why)) } } }
}

fn evidence(service: &Service, fault: Option<&Fault>) -> Markup {
    let most = u64::try_from(service.config.limits.request_bytes).unwrap_or(u64::MAX);
    html! {
        fieldset.step {
            legend { "Evidence" }
            (error("evidence-error", fault))
            div.drop data-drop="evidence" {
                label.big for="evidence" { "Files from the device" }
                p.hint #evidence-hint {
                    "Attestations, certificates, logs, ZIP files: all of them, in any order, up to " (size(most)) " together. "
                    span.scripted hidden { "Drop them here, or choose them." }
                }
                input #evidence type="file" name="evidence" multiple
                    aria-describedby=(if fault.is_some() { "evidence-error evidence-hint" } else { "evidence-hint" })
                    aria-invalid=[fault.map(|_| "true")];
                ul.files data-files="evidence" hidden aria-label="Evidence files" {}
            }
        }
    }
}

fn request(fault: Option<&Fault>) -> Markup {
    html! {
        fieldset.step {
            legend { "Request " span.optional { "optional" } }
            (error("request-error", fault))
            div.drop.second data-drop="request" {
                label.big for="request" { "What must hold the key" }
                p.hint #request-hint {
                    "The certification request (CSR), a certificate or a public key. Then the answer says whether it holds the attested "
                    "key. When the evidence is inside the request, hand in the request alone."
                }
                input #request type="file" name="request" aria-invalid=[fault.map(|_| "true")]
                    aria-describedby=(if fault.is_some() { "request-error request-hint" } else { "request-hint" });
                ul.files data-files="request" hidden aria-label="Request file" {}
            }
        }
    }
}

fn policies(service: &Service, entered: &Entered, fault: Option<&Fault>) -> Markup {
    let config = &service.config.policies;
    let offered =
        |policy: &&Policy| config.client_choice || config.default.iter().any(|name| name == policy.name());
    let mut offered: Vec<&Policy> = service.policies.values().filter(offered).collect();
    // The usual ones first, in the operator's order.
    offered.sort_by_key(|policy| {
        config.default.iter().position(|name| name == policy.name()).unwrap_or(usize::MAX)
    });
    html! {
        fieldset.step #policies tabindex="-1" {
            legend { "Policy" }
            (error("policies-error", fault))
            p.hint { "What the key must meet. With several, each gives its own answer and the worst counts." }
            ul.choices {
                @for policy in offered {
                    @let name = policy.name();
                    li {
                        label {
                            input type="checkbox" name="policy" value=(name)
                                checked[entered.policies.iter().any(|each| each == name)];
                            span {
                                strong { (clean(policy.title())) }
                                span.hint { code { (clean(name)) } @if let Some(route) = route(policy.route()) { " · " (route) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The way of the evidence, when it is another than attestation by the device.
const fn route(route: Route) -> Option<&'static str> {
    match route {
        Route::Attestation => None,
        Route::ProviderStatement => Some("for a provider's statement, not for attestation"),
        Route::WitnessStatement => Some("for an auditor's statement, not for attestation"),
        Route::None => Some("for devices without any statement"),
    }
}

fn more(service: &Service, entered: &Entered, fault: Option<&Fault>) -> Markup {
    let at = |field: Field| fault.filter(|fault| fault.field == field);
    let clients = &service.config.clients;
    let options: Vec<OptionDef> =
        clients.options.iter().filter_map(|name| known_option(name).copied()).collect();
    let is_used = entered.has_more() || fault.is_some_and(|fault| fault.field.is_folded());
    html! {
        details.step.more open[is_used] {
            summary { "Nonce, device, and other options" }
            (line("nonce", "Nonce", "The nonce that you gave to the device, in hexadecimal. The evidence must hold it.",
                &entered.nonce, at(Field::Nonce)))
            (line("challenge", "Challenge",
                "The id of a challenge that this service gave out (POST /v1/challenges). It can be used once; leave the nonce empty then.",
                &entered.challenge, at(Field::Challenge)))
            @if clients.time {
                (line("at", "Time", "Judge as of this time, such as 2026-06-01T00:00:00Z. Now, when empty.", &entered.at, at(Field::Time)))
            }
            @for option in options {
                (option_field(option, entered, at(Field::Options)))
            }
        }
    }
}

fn line(id: &str, label: &str, hint: &str, value: &str, fault: Option<&Fault>) -> Markup {
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let described = if fault.is_some() { format!("{error_id} {hint_id}") } else { hint_id.clone() };
    html! {
        div.field {
            label for=(id) { (label) }
            p.hint id=(hint_id) { (hint) }
            (error(&error_id, fault))
            input id=(id) type="text" name=(id) value=(value) autocomplete="off" spellcheck="false" aria-describedby=(described)
                aria-invalid=[fault.map(|_| "true")];
        }
    }
}

fn option_field(option: OptionDef, entered: &Entered, fault: Option<&Fault>) -> Markup {
    let name = format!("{}{}", super::appraise::OPTION, option.name);
    let value = entered.options.get(option.name).map(String::as_str).unwrap_or_default();
    let (label, hint) = match option.name {
        "declared_device" => (
            "Device without attestation",
            "When the device signs no attestation: its maker and model, such as Utimaco or AWS KMS. The answer says what else can be done.",
        ),
        name => (name, option.about),
    };
    match option.kind {
        OptionKind::Bool => html! {
            div.field {
                label.check { input type="checkbox" name=(name) value="true" checked[value == "true"]; " " (label) }
                p.hint { (hint) }
            }
        },
        OptionKind::Choice(words) => html! {
            div.field {
                label for=(name) { (label) }
                p.hint { (hint) }
                select id=(name) name=(name) {
                    option value="" { "not set" }
                    @for word in words { option value=(word) selected[value == *word] { (word) } }
                }
            }
        },
        // A file would be the operator's own, such as a key.
        OptionKind::File => html! {},
        OptionKind::Number | OptionKind::Text | OptionKind::List | OptionKind::Object => {
            line(&name, label, hint, value, fault)
        }
    }
}
