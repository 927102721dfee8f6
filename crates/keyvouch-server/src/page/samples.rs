//! Samples to try: evidence of devices in software.
//!
//! A sample is judged under its own throw-away root, shown, and forgotten: this service neither records it nor believes
//! it afterwards.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use keyvouch::{File, Route, Submission};
use keyvouch_emulator::Sample;
use keyvouch_policy::Policy;
use keyvouch_record::{Case, TrustData};
use keyvouch_store::Role;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Page, Place, page};
use super::query::{self, parameter};
use super::report::{Shown, decode, format_title};
use super::text::clean;
use super::view::Report;
use crate::auth::Caller;
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// Which sample is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    format: String,
    #[serde(default)]
    variant: String,
}

/// The formats that there are samples of; with `?format=` the samples of one.
pub(super) async fn all(
    State(service): State<Arc<Service>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Page, Problem> {
    caller.must_be(Role::Submit)?;
    match parameter(&query.unwrap_or_default(), "format") {
        Some(format) => of_format(&service, format).await,
        None => Ok(of_all_formats()),
    }
}

fn of_all_formats() -> Page {
    let contents = html! {
        h1 { "Samples" }
        p.lead { "See what an answer is like: evidence of devices in software, made when you ask, under a throw-away root." }
        p { "A sample is judged as if its root were trusted, shown, and forgotten. It is not recorded, and nothing here believes it afterwards." }
        ul.cards.samples {
            @for format in keyvouch_emulator::formats() {
                li {
                    form method="post" action="/samples" {
                        input type="hidden" name="format" value=(format);
                        strong #(format!("name-{format}")) { (format_title(format)) }
                        div.send {
                            button.quiet type="submit" aria-describedby=(format!("name-{format}")) { "Make one" }
                            a href=(query::address("/samples", [("format", *format)])) { "all variants" span.unseen { " of " (format_title(format)) } }
                        }
                    }
                }
            }
        }
    };
    page(Place::Samples, "Samples", &contents)
}

async fn of_format(service: &Arc<Service>, format: String) -> Result<Page, Problem> {
    let samples = samples(service, format.clone()).await?;
    let title = format_title(&format);
    let contents = html! {
        nav aria-label="Where this is" { p.crumbs { a href="/samples" { "Samples" } } }
        h1 { (title) }
        p.lead { "Every time a sample is made, its keys are new." }
        ul.cards.samples {
            @for sample in &samples {
                li {
                    form method="post" action="/samples" {
                        (hidden(sample))
                        strong #(format!("name-{}", sample.variant)) { (sample.variant) }
                        p { (clean(&sample.about)) }
                        div.send {
                            button.quiet type="submit" aria-describedby=(format!("name-{}", sample.variant)) { "Show the answer" }
                            button.plain type="submit" formaction="/samples/files" aria-describedby=(format!("name-{}", sample.variant)) { "Files (ZIP)" }
                        }
                    }
                }
            }
        }
    };
    Ok(page(Place::Samples, &format!("Samples: {title}"), &contents))
}

fn hidden(sample: &Sample) -> Markup {
    html! {
        input type="hidden" name="format" value=(sample.format);
        input type="hidden" name="variant" value=(sample.variant);
    }
}

/// Makes a sample and shows its answer.
pub(super) async fn show(
    State(service): State<Arc<Service>>,
    caller: Caller,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Result<Page, Problem> {
    let sample = make(&service, &caller, wanted).await?;
    let case = case(&sample);
    let decoding = case.clone();
    let (json, decoded) = service
        .compute(move |service| {
            let report = case.judge()?;
            let json = report.to_json().map_err(|e| Problem::internal(&e))?;
            Ok((json, decode(&service.verifier, &decoding)))
        })
        .await?;
    let report = Report::read(json.as_bytes())?;
    let shown = Shown { report: &report, decoded: decoded.as_ref().map_err(String::as_str), record: None };
    let contents = html! {
        div.throwaway role="note" {
            p { strong { "Sample under a throw-away root: not recorded." } " No device made it. It is worth nothing: handed in, it would be refused." }
            p { (format_title(sample.format)) ", " code { (sample.variant) } ": " (clean(&sample.about)) "." }
        }
        (shown.contents())
        section.next aria-label="Next" {
            form method="post" action="/samples/files" {
                (hidden(&sample))
                button.quiet type="submit" { "Download such a sample (ZIP)" }
                p.hint { "Evidence, request and the root, with new keys, and how to judge them with the command." }
            }
            p { a.button.quiet href=(query::address("/samples", [("format", sample.format)])) { "More samples of this format" } }
        }
    };
    Ok(page(Place::Samples, &format!("Sample: {}", shown.title()), &contents))
}

/// Makes a sample and gives out its files.
pub(super) async fn files(
    State(service): State<Arc<Service>>,
    caller: Caller,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Result<Response, Problem> {
    let sample = make(&service, &caller, wanted).await?;
    let name = format!("attachment; filename=\"{}-{}.zip\"", sample.format, sample.variant);
    let zip = keyvouch_emulator::bundle::zip(&packed(&sample)).map_err(|e| Problem::internal(&e))?;
    let name = HeaderValue::from_str(&name).map_err(|e| Problem::internal(&e))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, zip).into_response())
}

async fn make(
    service: &Arc<Service>,
    caller: &Caller,
    wanted: Result<Form<Wanted>, FormRejection>,
) -> Result<Sample, Problem> {
    caller.must_be(Role::Submit)?;
    let Form(wanted) =
        wanted.map_err(|_| Problem::new(Kind::Malformed, "Name a `format`, and a `variant` of it."))?;
    let samples = samples(service, wanted.format).await?;
    let is_wanted = |sample: &Sample| wanted.variant.is_empty() || sample.variant == wanted.variant;
    let sample = samples.into_iter().find(is_wanted);
    sample.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("There is no sample {:?}. /samples lists them.", wanted.variant))
    })
}

/// The samples of a format.
async fn samples(service: &Arc<Service>, format: String) -> Result<Vec<Sample>, Problem> {
    if !keyvouch_emulator::formats().contains(&format.as_str()) {
        return Err(Problem::new(
            Kind::NotFound,
            format!("There are no samples of {format:?}. /samples lists the formats."),
        ));
    }
    // Keys are made for it: that takes a processor for a while.
    service.compute(move |_| keyvouch_emulator::samples(&format).map_err(|e| Problem::internal(&e))).await
}

/// The sample under its own root, by the policy that judges its way of evidence.
fn case(sample: &Sample) -> Case {
    let file = |file: &keyvouch_emulator::File| File::new(&file.name, file.bytes.clone());
    let at = sample.at.parse().unwrap_or(keyvouch::Time::from_unix(0));
    let mut submission = Submission::new(sample.evidence.iter().map(file).collect(), at);
    submission.request = sample.request.as_ref().map(file);
    for (name, value) in &sample.options {
        submission.options.set_inline(name, value.clone());
    }
    let is_witnessed = sample.options.contains_key("auditors");
    let policy = if is_witnessed { "cabf-code-signing-witnessed" } else { "hardware-key" };
    debug_assert!(
        Policy::builtin(policy).is_some_and(|p| (p.route() == Route::WitnessStatement) == is_witnessed)
    );
    Case {
        submission,
        trust_data: TrustData::BuiltIn,
        default_anchors: false,
        operator_data: sample.anchors.iter().map(file).collect(),
        policies: Policy::builtin(policy).into_iter().collect(),
        settings: keyvouch_policy::Settings::default(),
    }
}

/// The files as the command takes them.
fn packed(sample: &Sample) -> Vec<keyvouch_emulator::File> {
    use keyvouch_emulator::File;
    let mut files = sample.evidence.clone();
    files.extend(sample.request.iter().filter(|request| !sample.evidence.contains(request)).cloned());
    files.extend(
        sample.anchors.iter().map(|file| File::new(format!("anchors/{}", file.name), file.bytes.clone())),
    );
    let mut words = vec!["keyvouch verify .".to_owned()];
    words.extend(sample.request.iter().map(|request| format!("--request {}", request.name)));
    words.extend((!sample.anchors.is_empty()).then(|| "--anchors anchors".to_owned()));
    words.push(format!("--at {}", sample.at));
    let readme = format!(
        "Emulated {} evidence: {}.\n\nIt was made by keyvouch and signed by throw-away keys. No device made it; it is worth nothing, and keyvouch does\n\
         not trust it by itself. Name its root as an anchor, in the folder of these files:\n\n  {}\n",
        sample.format,
        sample.about,
        words.join(" ")
    );
    files.push(File::new("README.txt", readme));
    files
}
