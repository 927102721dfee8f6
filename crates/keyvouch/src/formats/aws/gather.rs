//! What of KMS is among the evidence.

use serde_json::{Value, json};

use super::answers::{Description, Published};
use super::checks as ck;
use super::envelope::{Form, TYPE};
use super::judge::Answers;
use super::{one, view};
use crate::checks::{Checks, Text};
use crate::formats::Context;
use crate::input::{Content, PartId};

/// Text of AWS's errors is cut at this length.
const MAX_ERROR: usize = 100;

type Placed<'a, T> = Vec<(&'a str, Result<T, String>)>;

/// Everything of KMS that was found, with its places.
#[derive(Default)]
pub(super) struct Found<'a> {
    pub(super) labels: Vec<(PartId, Text)>,
    envelopes: Placed<'a, &'a Value>,
    descriptions: Placed<'a, &'a Value>,
    published: Placed<'a, &'a Value>,
    /// Text that was to be an answer and is no strict JSON.
    broken: Vec<(&'a str, String)>,
    /// Refusals of AWS: place and kind.
    pub(super) errors: Vec<(&'a str, String)>,
}

impl<'a> Found<'a> {
    pub(super) fn among(cx: &Context<'a>) -> Self {
        let mut found = Self::default();
        for (id, part) in cx.parts.evidence() {
            let place = part.place.as_str();
            let label = match &part.content {
                Content::Json(value) => found.take(value, place),
                Content::BrokenJson(why) => found.take_broken(&part.bytes, why.to_string(), place),
                _ => None,
            };
            found.labels.extend(label.map(|label| (id, label.into())));
        }
        found
    }

    fn take(&mut self, value: &'a Value, place: &'a str) -> Option<&'static str> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        if text("type") == Some(TYPE) {
            self.envelopes.push((place, Ok(value)));
            Some("envelope of signed requests")
        } else if Description::is(value) {
            self.descriptions.push((place, Ok(value)));
            Some("answer to DescribeKey")
        } else if Published::is(value) {
            self.published.push((place, Ok(value)));
            Some("answer to GetPublicKey")
        } else if let (Some(kind), Some(_)) = (text("__type"), text("message").or_else(|| text("Message"))) {
            // The message may repeat names of the subscriber's account, and is for him and not for a report.
            let kind = kind.rsplit('#').next().unwrap_or_default();
            let kind: String = kind.chars().filter(|c| c.is_ascii_alphanumeric()).take(MAX_ERROR).collect();
            self.errors.push((place, kind));
            Some("refusal of AWS")
        } else {
            None
        }
    }

    fn take_broken(&mut self, text: &[u8], why: String, place: &'a str) -> Option<&'static str> {
        let text = String::from_utf8_lossy(text);
        let has = |word: &str| text.contains(&format!("\"{word}\""));
        if has(TYPE) {
            self.envelopes.push((place, Err(why)));
            Some("envelope of signed requests, unreadable")
        } else if has("KeyMetadata") || (has("PublicKey") && has("KeyId")) {
            self.broken.push((place, why));
            Some("answer of KMS, unreadable")
        } else {
            None
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.envelopes.is_empty() && self.errors.is_empty() && !self.has_answers()
    }

    pub(super) fn has_answers(&self) -> bool {
        !(self.descriptions.is_empty() && self.published.is_empty() && self.broken.is_empty())
    }

    pub(super) fn answer_place(&self) -> String {
        let answers = self.descriptions.iter().chain(&self.published).map(|(place, _)| *place);
        answers.chain(self.broken.iter().map(|(place, _)| *place)).next().unwrap_or_default().to_owned()
    }

    /// The envelope, if there is any; an error where it has not the right form.
    pub(super) fn envelope(&self, checks: &mut Checks) -> Option<Result<(&'a str, Form<'a>), ()>> {
        let envelopes = self.envelopes.clone();
        let (place, value) = match one(envelopes, &ck::ENVELOPE, "envelope", checks) {
            Ok(None) => return None,
            Ok(Some(found)) => found,
            Err(()) => return Some(Err(())),
        };
        Some(match value.and_then(Form::read) {
            Ok(form) => {
                checks.pass(&ck::ENVELOPE, place.to_owned(), "two requests, in the form of version 1");
                Ok((place, form))
            }
            Err(why) => {
                checks.fail(&ck::ENVELOPE, place.to_owned(), why);
                Err(())
            }
        })
    }

    /// The answers; none where one of them cannot be read.
    pub(super) fn answers(&self, checks: &mut Checks) -> Option<Answers<'a>> {
        let broken = self.broken.iter().map(|(place, why)| (*place, why.clone()));
        let mut faults: Vec<(&str, String)> = broken.collect();
        let mut checks_of_one = Checks::default();
        let description =
            one(self.descriptions.clone(), &ck::RESPONSE, "answer to DescribeKey", &mut checks_of_one);
        let published =
            one(self.published.clone(), &ck::RESPONSE, "answer to GetPublicKey", &mut checks_of_one);
        checks.absorb(checks_of_one);
        let (Ok(description), Ok(published)) = (description, published) else { return None };
        let description = description.and_then(|(place, value)| {
            let read = value.and_then(Description::read);
            read.map_err(|why| faults.push((place, why))).ok().map(|read| (place, read))
        });
        let published = published.and_then(|(place, value)| {
            let read = value.and_then(Published::read);
            read.map_err(|why| faults.push((place, why))).ok().map(|read| (place, read))
        });
        if faults.is_empty() {
            checks.pass(&ck::RESPONSE, self.answer_place(), "strict JSON, of the documented types");
            return Some(Answers { description, published });
        }
        for (place, why) in faults {
            checks.fail(&ck::RESPONSE, place.to_owned(), why);
        }
        None
    }

    pub(super) fn views(&self) -> Vec<Value> {
        let mut views: Vec<Value> = Vec::new();
        for (place, value) in &self.envelopes {
            views.push(match value.clone().and_then(Form::read) {
                Ok(form) => view(place, &form),
                Err(why) => json!({ "where": place, "is": "envelope, unreadable", "why": why }),
            });
        }
        for (place, value) in &self.descriptions {
            views.push(match value.clone().and_then(Description::read) {
                Ok(d) => json!({
                    "where": place, "is": "answer to DescribeKey", "arn": d.arn, "origin": format!("{:?}", d.origin),
                    "manager": d.manager, "usage": d.usage, "state": d.state, "enabled": d.enabled,
                    "spec": d.spec, "multi_region": d.multi_region, "created": d.created.map(|t| t.to_string()),
                }),
                Err(why) => json!({ "where": place, "is": "answer to DescribeKey, unreadable", "why": why }),
            });
        }
        for (place, value) in &self.published {
            views.push(match value.clone().and_then(Published::read) {
                Ok(p) => json!({
                    "where": place, "is": "answer to GetPublicKey", "arn": p.arn, "usage": p.usage, "spec": p.spec,
                    "key": p.key().map(|key| key.algorithm()),
                }),
                Err(why) => json!({ "where": place, "is": "answer to GetPublicKey, unreadable", "why": why }),
            });
        }
        let refused =
            |(place, kind): &(&str, String)| json!({ "where": place, "is": "refusal of AWS", "kind": kind });
        views.extend(self.errors.iter().map(refused));
        let broken = |(place, why): &(&str, String)| json!({ "where": place, "is": "answer of KMS, unreadable", "why": why });
        views.extend(self.broken.iter().map(broken));
        views
    }
}
