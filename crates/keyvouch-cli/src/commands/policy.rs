//! `keyvouch policy`: what is required.

use std::path::Path;

use keyvouch::Route;
use keyvouch_policy::catalogue::{knob, policy_brief, policy_full, severity};
use keyvouch_policy::{PRECONDITIONS, Policy, Settings};
use serde_json::{Value, json};

use crate::cli::{self, Format, PolicyCommand};
use crate::error::Error;
use crate::files;
use crate::output::Output;
use crate::text::{Page, count};

/// Lists the policies, shows one, or checks a file.
pub(crate) fn run(args: &cli::Policy, out: &Output) -> Result<(), Error> {
    match &args.command {
        PolicyCommand::List { output: Format::Json } => out.json(&json!({
            "policies": built_in().map(|p| policy_brief(&p)).collect::<Value>(),
            "knobs": Settings::knobs().iter().map(knob).collect::<Value>(),
        })),
        PolicyCommand::List { output: Format::Text } => out.print(&list()),
        PolicyCommand::Show { policy, source, output } => {
            let policy = load(policy)?;
            match output {
                _ if *source => out.print(policy.source()),
                Format::Json => out.json(&policy_full(&policy)),
                Format::Text => out.print(&show(&policy)),
            }
        }
        PolicyCommand::Check { file } => {
            let policy = load_file(file)?;
            let n = policy.requirements().count();
            let n = count(n, "requirement", "requirements");
            out.print(&format!("{}: a valid policy with {n}\n", file.display()))
        }
    }
}

fn built_in() -> impl Iterator<Item = Policy> {
    Policy::builtin_names().iter().filter_map(|name| Policy::builtin(name))
}

/// The policy of that name, or in that file. A built-in name always means the built-in policy.
pub(crate) fn load(name: &str) -> Result<Policy, Error> {
    if let Some(policy) = Policy::builtin(name) {
        return Ok(policy);
    }
    let path = Path::new(name);
    let is_path = path.exists() || path.extension().is_some() || path.components().count() > 1;
    if is_path {
        return load_file(path);
    }
    Err(Error::UnknownPolicy { name: name.to_owned(), known: Policy::builtin_names().to_vec() })
}

fn load_file(path: &Path) -> Result<Policy, Error> {
    let text = files::read_text(path)?;
    let name = path.to_string_lossy();
    Ok(Policy::from_source(&name, &text)?)
}

fn list() -> String {
    let mut page = Page::default();
    page.heading("Policies (--policy NAME)");
    for (n, policy) in built_in().enumerate() {
        let default = if n == 0 { " (default)" } else { "" };
        page.field(policy.name(), &format!("{}{default}", policy.title()));
    }
    page.heading("Knobs (--policy-option KEY=VALUE)");
    for knob in Settings::knobs() {
        page.item(&format!("{}={}", knob.name, knob.kind));
        page.under_item(&format!("{} (default: {})", knob.about, knob.default));
    }
    page.gap();
    page.paragraph(
        0,
        "`keyvouch policy show NAME` shows what a policy requires; with --source it prints the source, to start your own policy from.",
    );
    page.into_text()
}

fn show(policy: &Policy) -> String {
    let mut page = Page::default();
    page.heading(&format!("{}: {}", policy.name(), policy.title()));
    page.heading("It requires");
    for r in policy.requirements() {
        let demand = r.demand.as_ref().unwrap_or(&r.reason);
        page.item(&format!("{} ({}): {demand}", r.id, severity(r.severity)));
        if r.demand.is_some() {
            page.under_item(&format!("When not met: {}", r.reason));
        }
        if let Some(cite) = &r.cite {
            page.under_item(&format!("Rule: {cite}"));
        }
        if !r.knobs.is_empty() {
            page.under_item(&format!("Knobs: {}", r.knobs.join(", ")));
        }
    }
    page.heading("Like every policy it requires, as far as it is asked for");
    // The first two are one, for attestation and for other ways.
    let not_asked =
        if policy.route() == Route::Attestation { "evidence-route" } else { "evidence-authentic" };
    for (id, demand) in PRECONDITIONS.iter().filter(|(id, _)| *id != not_asked) {
        page.item(&format!("{id}: {demand}"));
    }
    page.gap();
    page.paragraph(
        0,
        "must: when not met, the key is refused, or nothing is decided where the evidence does not say. should: a finding. note: said, nothing more.",
    );
    page.into_text()
}
