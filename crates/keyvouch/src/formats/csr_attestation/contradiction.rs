//! Whether statements about one key agree.

use super::checks as ck;
use super::envelope::Envelope;
use crate::claims::ClaimName;
use crate::formats::tpm::chain::holds;
use crate::formats::{Context, Statement};

/// What two statements of one key cannot say differently. Words are compared, not ranked: where makers mean the same by
/// two of them, it is for the subscriber to hand in one statement, not for the verifier to choose.
const COMPARED: [ClaimName; 3] =
    [ClaimName::KeyGeneratedInDevice, ClaimName::KeyExportable, ClaimName::KeyEverExportable];

/// Compares what the accepted statements say of the request's key. When two differ, nobody knows which is right.
pub(super) fn check(statements: &mut [Statement], envelope: &Envelope<'_>, cx: &Context<'_>) {
    let Some(wanted) = envelope.wanted(cx) else { return };
    let speaks = |s: &Statement| {
        holds(&s.checks) && s.attested.as_ref().is_some_and(|a| a.key.as_ref() == Some(wanted))
    };
    let speakers: Vec<&Statement> = statements.iter().filter(|s| speaks(s)).collect();
    if speakers.len() < 2 {
        return;
    }
    let differs = |name: ClaimName| {
        let values = speakers.iter().filter_map(|s| s.attested.as_ref()).map(|a| a.claims.value(name));
        let mut known = values.filter(|value| !value.is_unknown());
        let first = known.next()?;
        let other = known.find(|value| *value != first)?;
        Some(format!("{}: {first} and {other}", name.as_str()))
    };
    let fault = COMPARED.into_iter().find_map(differs);
    let speaking: Vec<bool> = statements.iter().map(speaks).collect();
    for (statement, _) in statements.iter_mut().zip(speaking).filter(|(_, speaks)| *speaks) {
        let place = envelope.place.to_owned();
        match &fault {
            Some(fault) => {
                let detail = format!("statements about the request's key contradict each other in {fault}");
                statement.checks.fail(&ck::STATEMENTS_CONTRADICT, place, detail);
            }
            None => statement.checks.pass(
                &ck::STATEMENTS_CONTRADICT,
                place,
                "the statements about the request's key agree",
            ),
        }
    }
}
