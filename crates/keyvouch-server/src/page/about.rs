//! How what the service says can be checked.

use std::sync::Arc;

use axum::extract::State;
use maud::html;

use super::layout::{Page, Place, page};
use super::text::clean;
use crate::service::Service;

/// What the service is, and why nobody needs to believe it.
pub(super) async fn show(State(service): State<Arc<Service>>) -> Page {
    let contents = html! {
        h1 { "About" }
        p.lead {
            "keyvouch answers one question for a certification authority: was this private key made inside a hardware cryptographic "
            "module, is it kept there, and does that satisfy the rule that must be followed?"
        }
        section aria-labelledby="answers" {
            h2 #answers { "What the answers mean" }
            dl.words {
                dt { "Accepted" } dd { "The evidence is authentic, about the key of the request, and meets every requirement of the policy." }
                dt { "Accepted with findings" } dd { "The same; and there is something that somebody should look at, such as an advisory." }
                dt { "Refused" } dd { "Something is wrong: a signature, the binding to the request, or what the key or device is." }
                dt { "Cannot decide" } dd { "Something is missing or not known. The key is not accepted; with more evidence it may be." }
            }
            p { "What nobody proved is never taken as true. Every answer lists the checks that were made, and what such evidence does not prove." }
        }
        section aria-labelledby="check" {
            h2 #check { "Check it yourself" }
            p {
                "Every appraisal is recorded with all that it rested on: evidence, request, policies, the operator's trust data, the time. "
                "An auditor needs neither this service nor its word:"
            }
            ol.steps {
                li {
                    p { strong { "Take the bundle of a record." } " Each report has a link to it. It is a ZIP file with everything." }
                }
                li {
                    p { strong { "Judge it again." } " Anywhere, with the command, without a network:" }
                    pre tabindex="0" { code { "keyvouch record verify BUNDLE.zip" } }
                    p { "It compares every file with its digest, judges the evidence at its own time, and says whether the answer is the same, byte for byte." }
                }
                li {
                    p { strong { "Check that the record was not made later." } " Every record is a leaf of an append-only Merkle tree (RFC 9162). With the public key of the log, the proof in the bundle is checked too:" }
                    pre tabindex="0" { code { "keyvouch record verify BUNDLE.zip --log-key LOG.pub" } }
                    p { "The public key of this log:" }
                    pre tabindex="0" { code { (clean(service.log_key.public())) } }
                    p { "Keep checkpoints (" a href="/v1/log/checkpoint" { "the newest" } "): a log that was altered afterwards cannot agree with them." }
                }
            }
            p { a href="/docs/records" { "Records, in full" } " · " a href="/docs/standards" { "Standards" } " · " a href="/docs/policies" { "Policies" } }
        }
        section aria-labelledby="machines" {
            h2 #machines { "For machines" }
            p { "All of this is an API: " a href="/v1/openapi.json" { "its description (OpenAPI)" } ". Reports are in a " a href="/docs/result.schema.json" { "documented form (JSON Schema)" } "." }
        }
    };
    page(Place::About, "About", &contents)
}
