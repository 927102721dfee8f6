//! In which form an answer is wanted (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};
use keyvouch_results::{Form as TokenForm, Profile};
use mime::Mime;

use crate::problem::{Kind, Problem};

/// The forms of an appraisal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// JSON, with the recorded report in it.
    Json,
    /// A page for people.
    Html,
    /// A signed attestation result (EAR), as JWT.
    Ear,
}

impl Form {
    /// In the order of preference when the client has none.
    const ALL: [Self; 3] = [Self::Json, Self::Html, Self::Ear];

    /// Its media type, as it stands in `Content-Type`.
    pub(crate) fn media_type(self) -> String {
        match self {
            Self::Json => "application/json".to_owned(),
            Self::Html => "text/html; charset=utf-8".to_owned(),
            Self::Ear => TokenForm::Jwt.media_type(Profile::V04),
        }
    }

    /// The form that the client likes best.
    ///
    /// # Errors
    /// When it takes none of them.
    pub(crate) fn wanted(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut ranges = Vec::new();
        for value in headers.get_all(header::ACCEPT) {
            let value = value.to_str().unwrap_or_default();
            ranges.extend(split(value).filter_map(Range::read));
        }
        // Without the header, or with an empty one, the client takes everything.
        if headers.get_all(header::ACCEPT).iter().all(|value| value.as_bytes().trim_ascii().is_empty()) {
            return Ok(Self::Json);
        }
        let mut best: Option<(u16, Self)> = None;
        for form in Self::ALL {
            let quality = quality(&ranges, &form.media_type());
            if quality > best.map_or(0, |(q, _)| q) {
                best = Some((quality, form));
            }
        }
        best.map(|(_, form)| form).ok_or_else(|| {
            Problem::new(
                Kind::NotAcceptable,
                "An appraisal comes as application/json, text/html or application/eat+jwt: accept one of these.",
            )
        })
    }
}

/// What a client accepts.
struct Range {
    range: Mime,
    /// In thousandths.
    quality: u16,
}

impl Range {
    /// One that cannot be read accepts nothing.
    fn read(text: &str) -> Option<Self> {
        let range: Mime = text.trim().parse().ok()?;
        let quality = range.get_param("q").map_or(Some(1_000), |q| thousandths(q.as_str()))?;
        Some(Self { range, quality })
    }

    /// How closely it names the type; nothing when it does not.
    fn names(&self, media_type: &Mime) -> Option<usize> {
        let range = &self.range;
        if range.type_() == mime::STAR {
            return (range.subtype() == mime::STAR).then_some(0);
        }
        if range.type_() != media_type.type_() {
            return None;
        }
        if range.subtype() == mime::STAR {
            return Some(1);
        }
        let suffix = range.suffix() == media_type.suffix();
        if range.subtype() != media_type.subtype() || !suffix {
            return None;
        }
        // What comes after the weight is not about the type. Everything here is UTF-8.
        let parameters = range.params().take_while(|(name, _)| *name != "q");
        let parameters =
            parameters.filter(|(name, value)| !(*name == mime::CHARSET && *value == mime::UTF_8));
        let mut count: usize = 2;
        for (name, value) in parameters {
            if media_type.get_param(name).is_none_or(|own| own.as_str() != value.as_str()) {
                return None;
            }
            count = count.saturating_add(1);
        }
        Some(count)
    }
}

/// How much the client likes the type: as the closest range says.
fn quality(ranges: &[Range], media_type: &str) -> u16 {
    let Ok(media_type) = media_type.parse::<Mime>() else { return 0 };
    let named = ranges.iter().filter_map(|range| Some((range.names(&media_type)?, range.quality)));
    named.max().map_or(0, |(_, quality)| quality)
}

/// A weight: 0 to 1, with at most three digits after the point.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{part:0<3}").parse().ok()?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

/// The members of a list. Commas inside quotes divide nothing.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    list.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &[&str]) -> Option<Form> {
        let headers =
            accept.iter().map(|value| (header::ACCEPT, value.parse().unwrap())).collect::<HeaderMap>();
        Form::wanted(&headers).ok()
    }

    #[test]
    fn the_form_that_the_client_likes_best() {
        let ear = TokenForm::Jwt.media_type(Profile::V04);
        for (accept, form) in [
            (&[][..], Some(Form::Json)),
            (&["*/*"], Some(Form::Json)),
            (&["text/*"], Some(Form::Html)),
            (&["TEXT/HTML"], Some(Form::Html)),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Some(Form::Html)),
            (&["application/eat+jwt"], Some(Form::Ear)),
            (&[&ear], Some(Form::Ear)),
            (&["application/eat+jwt; eat_profile=\"tag:ietf.org,2026:rats/ear#09\""], None),
            (&["application/json; charset=UTF-8"], Some(Form::Json)),
            (&["application/json; charset=utf-16"], None),
            (&["text/html;q=0.7;level=1"], Some(Form::Html)),
            (&["application/json;q=0.5, text/html;q=0.50, application/eat+jwt;q=0.6"], Some(Form::Ear)),
            (&["application/json;q=0", "*/*;q=0.1"], Some(Form::Html)),
            (&["application/json;q=0, text/html;q=0, application/*;q=1"], Some(Form::Ear)),
            (&["application/json;q=2"], None),
            (&["application/json;q=0.1234"], None),
            (&["image/png"], None),
            (&[""], Some(Form::Json)),
        ] {
            assert_eq!(wanted(accept), form, "{accept:?}");
        }
    }
}
