//! What the answers of KMS say, check by check.

use super::answers::{Description, Origin, Published, is_of_spec};
use super::checks as ck;
use super::names::KeyArn;
use crate::checks::{Checks, Text};
use crate::crypto::PublicKey;
use crate::submission::Options;

pub(super) const ALLOW_MULTI_REGION: &str = "allow_multi_region";
pub(super) const ALLOW_CHINA: &str = "allow_china_regions";

/// The answers that are there, with their places.
pub(super) struct Answers<'a> {
    pub(super) description: Option<(&'a str, Description)>,
    pub(super) published: Option<(&'a str, Published)>,
}

impl<'a> Answers<'a> {
    fn place(&self) -> &'a str {
        let published = self.published.as_ref().map(|(place, _)| *place);
        self.description.as_ref().map(|(place, _)| *place).or(published).unwrap_or_default()
    }
}

/// Both answers, as far as they belong together.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) arn: KeyArn,
    pub(super) description: Description,
    pub(super) key: PublicKey,
}

/// Makes every check of the answers; the facts where both are there, fit together and hold a key.
pub(super) fn judge(
    answers: &Answers<'_>,
    asked: Option<&KeyArn>,
    options: &Options,
    checks: &mut Checks,
) -> Option<Facts> {
    let place = || answers.place().to_owned();
    let missing = match (&answers.description, &answers.published) {
        (Some(_), Some(_)) => None,
        (None, _) => Some("the answer to DescribeKey is not there"),
        (_, None) => Some("the answer to GetPublicKey is not there"),
    };
    match missing {
        None => checks.pass(&ck::ANSWER_MISSING, place(), "both answers are there"),
        Some(which) => checks.fail(&ck::ANSWER_MISSING, place(), which),
    }
    let arn = check_arn(answers, asked, checks);
    let key = check_public_key(answers, checks);
    if let Some((place, description)) = &answers.description {
        check_origin(description, place, checks);
        check_use(description, place, checks);
        check_regions(description, arn.as_ref(), place, options, checks);
    }
    Some(Facts {
        arn: arn.filter(|_| missing.is_none())?,
        description: answers.description.as_ref()?.1.clone(),
        key: key?,
    })
}

fn check_arn(answers: &Answers<'_>, asked: Option<&KeyArn>, checks: &mut Checks) -> Option<KeyArn> {
    let found = agree(answers, asked);
    match found {
        Ok(arn) => {
            checks.pass(&ck::ARN, answers.place().to_owned(), format!("about {arn}"));
            Some(arn)
        }
        Err(why) => {
            checks.fail(&ck::ARN, answers.place().to_owned(), why);
            None
        }
    }
}

fn agree(answers: &Answers<'_>, asked: Option<&KeyArn>) -> Result<KeyArn, &'static str> {
    let description = answers.description.as_ref().map(|(_, d)| d);
    let published = answers.published.as_ref().map(|(_, p)| p);
    let named = [description.map(|d| &d.arn), published.map(|p| &p.arn)];
    let mut arns = named.into_iter().flatten().map(|text| KeyArn::parse(text));
    let arn = arns.next().flatten().ok_or("an answer does not name a key by its ARN")?;
    if arns.any(|other| other.as_ref() != Some(&arn)) {
        return Err("the two answers are about two different keys");
    }
    if asked.is_some_and(|asked| *asked != arn) {
        return Err("the answer is about another key than the envelope asks for");
    }
    if let Some(d) = description {
        if d.account.as_ref().is_some_and(|account| *account != arn.account) {
            return Err("AWSAccountId is not the account of the ARN");
        }
        if d.id.as_ref().is_some_and(|id| *id != arn.id) {
            return Err("KeyId is not the id of the ARN");
        }
    }
    if let (Some(d), Some(p)) = (description, published) {
        let differ = |a: &Option<String>, b: &Option<String>| b.is_some() && a != b;
        if differ(&d.spec, &p.spec) {
            return Err("the two answers name different kinds of key (KeySpec)");
        }
        if differ(&d.usage, &p.usage) {
            return Err("the two answers name different uses (KeyUsage)");
        }
    }
    Ok(arn)
}

fn check_public_key(answers: &Answers<'_>, checks: &mut Checks) -> Option<PublicKey> {
    let (place, published) = answers.published.as_ref()?;
    let described = answers.description.as_ref().and_then(|(_, d)| d.spec.as_deref());
    let spec = published.spec.as_deref().or(described);
    let found = published.key().and_then(|key| match spec.map(|spec| is_of_spec(spec, Some(&key))) {
        Some(Some(true)) => Ok(key),
        Some(Some(false)) => {
            Err(format!("the public key ({}) is not of the kind that KeySpec names", key.algorithm()))
        }
        Some(None) => Err("KeySpec names no known kind of key pair".to_owned()),
        None => Err("no answer names the kind of the key (KeySpec)".to_owned()),
    });
    match found {
        Ok(key) => {
            checks.pass(
                &ck::PUBLIC_KEY,
                (*place).to_owned(),
                format!("{}, as KeySpec says", key.algorithm()),
            );
            Some(key)
        }
        Err(why) => {
            checks.fail(&ck::PUBLIC_KEY, (*place).to_owned(), why);
            None
        }
    }
}

fn check_origin(d: &Description, place: &str, checks: &mut Checks) {
    let place = || place.to_owned();
    let imported = match (d.origin, d.of_imported) {
        (Origin::External, _) => Some("the key material was imported (Origin EXTERNAL)".to_owned()),
        (_, Some(member)) => {
            Some(format!("the answer has the member {member}, which only imported keys have"))
        }
        _ => None,
    };
    match imported {
        None => checks.pass(&ck::IMPORTED, place(), "nothing says that the key material was imported"),
        Some(detail) => checks.fail(&ck::IMPORTED, place(), detail),
    }
    let store = match (d.origin, d.of_custom_store) {
        (Origin::CustomStore, _) => Some("the key is in a custom or external key store".to_owned()),
        (_, Some(member)) => {
            Some(format!("the answer has the member {member}, which only keys in custom key stores have"))
        }
        _ => None,
    };
    match store {
        None => checks.pass(&ck::CUSTOM_STORE, place(), "not in a custom or external key store"),
        Some(detail) => checks.fail(&ck::CUSTOM_STORE, place(), detail),
    }
    match d.origin {
        Origin::Unknown => {
            checks.fail(&ck::ORIGIN_UNKNOWN, place(), "the answer names no origin that is known");
        }
        Origin::Kms => checks.pass(&ck::ORIGIN_UNKNOWN, place(), "Origin AWS_KMS"),
        Origin::External | Origin::CustomStore => {
            checks.pass(&ck::ORIGIN_UNKNOWN, place(), "the answer names the origin");
        }
    }
}

fn check_use(d: &Description, place: &str, checks: &mut Checks) {
    let mut member = |check, value: &Option<String>, right: &str| {
        let detail = |value: &Option<String>| match value {
            Some(value) => format!("it is {}", shown(value)),
            None => "the answer does not say".to_owned(),
        };
        let wrong = || Text::from(detail(value));
        checks.test(check, place.to_owned(), value.as_deref() == Some(right), right.to_owned(), wrong);
    };
    member(&ck::KEY_MANAGER, &d.manager, "CUSTOMER");
    member(&ck::KEY_USAGE, &d.usage, "SIGN_VERIFY");
    let state = if d.enabled == Some(true) { d.state.clone() } else { Some("not enabled".to_owned()) };
    member(&ck::KEY_STATE, &state, "Enabled");
    let known = d.spec.as_deref().is_some_and(|spec| is_of_spec(spec, None).is_some());
    checks.test(
        &ck::KEY_SPEC,
        place.to_owned(),
        known,
        d.spec.as_deref().map(shown).unwrap_or_default(),
        || match &d.spec {
            Some(spec) => format!("{} is no known kind of key pair", shown(spec)).into(),
            None => "the answer does not say which kind of key it is".into(),
        },
    );
}

fn check_regions(d: &Description, arn: Option<&KeyArn>, place: &str, options: &Options, checks: &mut Checks) {
    // The id of a key says it too, should the member be left out.
    let named = KeyArn::parse(&d.arn).is_some_and(|arn| arn.is_multi_region());
    let several = d.multi_region == Some(true) || d.replicated || named;
    let allowed = options.is_on(ALLOW_MULTI_REGION);
    checks.test(
        &ck::MULTI_REGION,
        place.to_owned(),
        !several || allowed,
        if several { "a multi-Region key, which the operator allows" } else { "a key of one Region" },
        || "a multi-Region key: KMS may copy it to other Regions".into(),
    );
    let Some(arn) = arn else { return };
    let china = arn.region.is_in_china();
    checks.test(
        &ck::REGION,
        place.to_owned(),
        !china || options.is_on(ALLOW_CHINA),
        format!("Region {}", arn.region.as_str()),
        || format!("Region {} is in China", arn.region.as_str()).into(),
    );
}

/// A word of an answer, for reports.
fn shown(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
}
