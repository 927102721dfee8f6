//! What the formats of provider statements share: answers of a service about a key, which nobody signed.
//!
//! Such an answer is worth something only to whoever asked the service himself. The verifier cannot see who asked, so
//! the operator says it (`provider_fetched`), and the claims carry his name and not the device's
//! ([`Fetched`](crate::authentic::Fetched)).

use serde_json::{Map, Number, Value};

use crate::authentic::PROVIDER_FETCHED;
use crate::checks::Check;
use crate::submission::{OptionDef, OptionKind};
use crate::time::Time;

/// The switch of these formats.
pub(super) const FETCHED_OPTION: OptionDef = OptionDef {
    name: PROVIDER_FETCHED,
    kind: OptionKind::Bool,
    about: "I asked the provider myself, and these answers came over my own authenticated TLS connection to it",
};

/// Fails where nobody but the subscriber says where the answer comes from.
pub(super) const fn unsigned_answer(advice: &'static str) -> Check {
    Check::attestability(
        "unsigned-answer",
        "the operator of this verifier fetched the answer himself; from anybody else it is text without proof",
        advice,
    )
}

/// Reads the members of a JSON object by their types. A member that is null counts as absent. The first member of
/// another type is kept as the fault of the whole.
pub(super) struct Members<'a> {
    members: &'a Map<String, Value>,
    fault: Option<String>,
}

impl<'a> Members<'a> {
    pub(super) fn of(members: &'a Map<String, Value>) -> Self {
        Self { members, fault: None }
    }

    /// What is wrong, if anything.
    pub(super) fn fault(self) -> Result<(), String> {
        self.fault.map_or(Ok(()), Err)
    }

    /// A member as `read` takes it.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        is: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.get(name).filter(|v| !v.is_null())?;
        let read = read(value);
        if read.is_none() && self.fault.is_none() {
            self.fault = Some(format!("the member {name} is no {is}"));
        }
        read
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        self.read(name, "text", Value::as_str)
    }

    /// True or false.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, "true or false", Value::as_bool)
    }

    /// An object.
    pub(super) fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        self.read(name, "object", Value::as_object)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<&'a str>> {
        self.read(name, "list of texts", |v| v.as_array()?.iter().map(Value::as_str).collect())
    }

    /// A time: seconds since 1970, or text as command line tools print it.
    pub(super) fn time(&mut self, name: &str) -> Option<Time> {
        self.read(name, "time", |value| match value {
            Value::Number(number) => seconds(number),
            Value::String(text) => text.parse().ok(),
            _ => None,
        })
    }
}

/// Whole seconds; a fraction is cut off.
fn seconds(number: &Number) -> Option<Time> {
    let text = number.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.parse().ok().map(Time::from_unix)
}

#[cfg(test)]
mod tests {
    use super::Members;
    use serde_json::json;

    #[test]
    fn members_by_type() {
        let value = json!({"a": "x", "b": true, "n": null, "t": 1_772_445_000.123_f64, "i": "2026-03-02T09:50:00+00:00",
            "l": ["x", 1]});
        let mut members = Members::of(value.as_object().unwrap());
        assert_eq!((members.text("a"), members.flag("b")), (Some("x"), Some(true)));
        assert_eq!((members.text("n"), members.text("none")), (None, None));
        assert_eq!(members.time("t"), members.time("i"));
        assert!(members.fault.is_none());
        assert_eq!(members.texts("l"), None);
        assert_eq!(members.flag("a"), None);
        assert_eq!(members.fault(), Err("the member l is no list of texts".to_owned()));
    }
}
