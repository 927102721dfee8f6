//! One failure for every check; the last assertion proves that none is missing.

#[path = "refused/activation.rs"]
pub(crate) mod activation;
#[path = "refused/attacks.rs"]
mod attacks;
#[path = "refused/certificates.rs"]
pub(crate) mod certificates;
#[path = "refused/key.rs"]
mod key;
#[path = "refused/statement.rs"]
pub(crate) mod statement;

use crate::support::judging::Seen;

#[test]
fn every_check_can_fail() {
    let mut seen = Seen::default();
    for group in [
        statement::structures,
        statement::signature,
        statement::missing,
        certificates::attestation_key_trust,
        certificates::certificates,
        certificates::chains,
        certificates::revocation,
        activation::activation,
        activation::attestation_key,
        key::names,
        key::key_itself,
        key::findings,
    ] {
        seen.extend(group());
    }
    // Key quality is judged for every format.
    seen.are_all_of("tpm", &["ec-point", "rsa-exponent", "weak-key"]);
}

type Ids = Vec<String>;

fn gather(groups: Vec<Ids>) -> Ids {
    groups.into_iter().flatten().collect()
}
