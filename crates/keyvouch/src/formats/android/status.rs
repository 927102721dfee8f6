//! Revocation, by Google's status list.

use super::checks as ck;
use crate::checks::Checks;
use crate::formats::Context;
use crate::pki::Certificate;
use crate::reference::anchors::Anchor;
use crate::reference::android_status::{AndroidStatusList, CertificateStatus, age, serial_text};
use crate::time::Time;

const PLACE: &str = "android_status_list";

/// Looks up every certificate above the target. The target's own serial number is always 1 and means nothing.
pub(super) fn check(above: &[&Certificate], cx: &Context<'_>, checks: &mut Checks) {
    let list = match read(cx) {
        Ok(list) => list,
        Err(why) => {
            checks.fail(&ck::STATUS_UNAVAILABLE, PLACE, why);
            for check in [&ck::REVOKED, &ck::SUSPENDED] {
                checks.skip(check, PLACE, "there is no status list");
            }
            return;
        }
    };
    let told = format!("list of {} entries, SHA-256 {}", list.len(), hex::encode(list.sha256()));
    match freshness(cx) {
        Ok(age) => checks.pass(&ck::STATUS_UNAVAILABLE, PLACE, format!("{told}, {age}")),
        Err(why) => checks.fail(&ck::STATUS_UNAVAILABLE, PLACE, format!("{told}: {why}")),
    }
    // What an old list revokes is revoked all the same.
    let (mut revoked, mut suspended) = (false, false);
    for certificate in above {
        let Some(entry) = list.get(certificate.serial()) else { continue };
        let reason = entry.reason.as_deref().unwrap_or("no reason");
        let detail = format!(
            "certificate {} of {} is {} ({reason})",
            serial_text(certificate.serial()),
            certificate.display_name(),
            entry.status.as_str()
        );
        if entry.status == CertificateStatus::Suspended {
            suspended = true;
            checks.fail(&ck::SUSPENDED, PLACE, detail);
        } else {
            revoked = true;
            checks.fail(&ck::REVOKED, PLACE, detail);
        }
    }
    if !revoked {
        checks.pass(&ck::REVOKED, PLACE, format!("none of {} certificates is revoked", above.len()));
    }
    if !suspended {
        checks.pass(&ck::SUSPENDED, PLACE, format!("none of {} certificates is suspended", above.len()));
    }
}

/// Samsung's keys are not on Google's list. They are looked up in the revocation lists of their root that the operator
/// hands over; a list of another signer counts for nothing.
pub(super) fn check_samsung(sak: &Certificate, root: &Anchor, cx: &Context<'_>, checks: &mut Checks) {
    const PLACE: &str = "operator's revocation lists";
    for check in [&ck::STATUS_UNAVAILABLE, &ck::SUSPENDED] {
        checks.skip(check, PLACE, "Google's list does not speak of Samsung's keys");
    }
    let lists = cx.reference.revocation_lists.iter();
    let theirs = lists.filter(|l| l.issuer() == root.subject && l.verify_signed_by(&root.key).is_ok());
    let mut used = false;
    for list in theirs.filter(|l| l.unprocessed_extension().is_none()) {
        used = true;
        let (name, date) = (sak.display_name(), list.this_update());
        if list.lists(sak.serial()) {
            checks.fail(&ck::REVOKED, PLACE, format!("{name} is revoked by the list of {date}"));
        } else if list.next_update().is_some_and(|next| cx.at > next) {
            let detail = format!("{name} is not on the list of {date}, but a newer one is due");
            checks.warn(&ck::REVOKED, PLACE, detail);
        } else {
            checks.pass(&ck::REVOKED, PLACE, format!("{name} is not on the list of {date}"));
        }
    }
    if !used {
        checks.skip(&ck::REVOKED, PLACE, "no revocation list of Samsung's root was handed over");
    }
}

fn read(cx: &Context<'_>) -> Result<AndroidStatusList, String> {
    let bytes = cx.options.file("android_status_list").ok_or("no status list was handed over")?;
    AndroidStatusList::parse(bytes).map_err(|e| e.to_string())
}

/// How old the list is, for people; an error says why it is not recent enough.
fn freshness(cx: &Context<'_>) -> Result<String, String> {
    const HOUR: i64 = 3600;
    let limit = cx.options.number("android_status_max_age");
    let fetched = match cx.options.text("android_status_time") {
        None => None,
        Some(text) => Some(text.parse::<Time>().map_err(|e| format!("android_status_time is {e}"))?),
    };
    match (fetched, limit) {
        (None, None) => Ok("of unknown age; no limit is set".to_owned()),
        (None, Some(hours)) => Err(format!(
            "it may be at most {hours} hours old, and when it was fetched is not said (android_status_time)"
        )),
        (Some(fetched), limit) => {
            let seconds = age(fetched, cx.at);
            let hours = seconds.checked_div(HOUR).unwrap_or(0);
            let most = limit.map(|h| i64::try_from(h).unwrap_or(i64::MAX).saturating_mul(HOUR));
            match most.is_some_and(|most| seconds > most) {
                true => Err(format!(
                    "fetched {fetched}, {hours} hours before; at most {} are allowed",
                    limit.unwrap_or(0)
                )),
                false => Ok(format!("fetched {fetched}, {hours} hours before the appraisal")),
            }
        }
    }
}
