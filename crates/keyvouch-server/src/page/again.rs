//! Recorded evidence, judged again as of now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Redirect;
use keyvouch_policy::Policy;
use keyvouch_record::Bundle;

use crate::api::{Named, look_up};
use crate::auth::Caller;
use crate::intake::{Freshness, Intake};
use crate::problem::{Kind, Problem};
use crate::service::Service;

/// The option that holds what became of a credential challenge.
const ACTIVATION: &str = "activation";

/// Judges the evidence of a record again, by the same policies, and leads to the new answer. The old one stays.
pub(super) async fn judge(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Named(id): Named<String>,
) -> Result<Redirect, Problem> {
    look_up(&service, &caller, &id).await?;
    let bundle = service.store.bundle(&id).await?;
    if !can_be_judged_again(&bundle) {
        return Err(Problem::new(
            Kind::Unprocessable,
            "This record rests on a credential that a TPM activated, which proves something only once. `keyvouch reappraise` judges such records.",
        ));
    }
    let appraised = service.appraise(intake(bundle, &service), &caller.name).await?;
    Ok(Redirect::to(&format!("/appraisals/{}", appraised.receipt.id)))
}

/// Whether all that the record rested on can be asked again.
pub(super) fn can_be_judged_again(bundle: &Bundle) -> bool {
    let options = &bundle.case.submission.options;
    options.values().all(|(name, _)| name != ACTIVATION)
        && options.files().all(|(name, _)| name != ACTIVATION)
}

fn intake(bundle: Bundle, service: &Service) -> Intake {
    let policies = bundle.case.policies.iter().map(|policy| Policy::name(policy).to_owned()).collect();
    let submission = bundle.case.submission;
    // What was the operator's is as it is today.
    let of_client = |name: &str| service.config.clients.options.iter().any(|each| each == name);
    let options = submission.options.values().filter(|(name, _)| of_client(name));
    let options = options.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    Intake {
        evidence: submission.evidence,
        request: submission.request,
        policies,
        // A nonce proves something once: what answered it then is not fresh today.
        freshness: Freshness::Unasked,
        at: None,
        options,
        activation: None,
    }
}
