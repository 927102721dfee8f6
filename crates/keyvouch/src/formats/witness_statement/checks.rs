//! The checks of witness statements.

use crate::checks::Check;

const SIGN_AGAIN: &str =
    "Have the witness sign the statement again (`keyvouch witness sign`) and hand both over unchanged.";

pub(super) const MALFORMED: Check = Check::authenticity(
    "statement-malformed",
    "the statement has the members of docs/witness.schema.json, filled in, and no others",
    "Start from `keyvouch witness template --request request.csr`, fill in every place in angle brackets, and have it signed again.",
);
pub(super) const UNSIGNED: Check = Check::completeness(
    "statement-unsigned",
    "the statement is signed",
    "An unsigned statement says nothing. Have the witness sign it: `keyvouch witness sign statement.json --certificate auditor.pem --key auditor.key`, or `openssl cms -sign -binary`.",
);
pub(super) const SIGNATURE_INVALID: Check =
    Check::authenticity("signature-invalid", "every signature is one over this very statement", SIGN_AGAIN);
pub(super) const SIGNING_TIME: Check = Check::authenticity(
    "signing-time",
    "every signature says when it was made, and that is not after the time of the appraisal",
    "Have the witness sign with a signing time (the attribute signingTime of CMS, the header iat of JWS) and a clock that is right. `keyvouch witness sign` does so.",
);
pub(super) const UNTRUSTED: Check = Check::completeness(
    "signer-untrusted",
    "the signer is an auditor whom the operator trusts (option auditors), or vouched for by such a certification authority",
    "The CA must approve the auditor and put his certificate, or that of the authority that issued it, into the file of the option auditors. Hand over the certificates between the two. Trust anchors of device makers (--anchors) play no part.",
);
pub(super) const PURPOSE: Check = Check::authenticity(
    "signer-purpose",
    "the signer's certificate is one for signing documents",
    "Sign with a certificate for signatures of a person or organisation: keyUsage digitalSignature or nonRepudiation and, where it has extended key usages, e-mail protection or document signing. The CA can also put that very certificate into auditors.",
);
pub(super) const EXPIRED: Check = Check::authenticity(
    "signer-expired",
    "the certificates were valid when the signature was made, and still are",
    "Have the statement signed again with a certificate that is valid. What an expired certificate signed rests on the signer's own word of when he signed.",
);
pub(super) const REVOKED: Check = Check::authenticity(
    "signer-revoked",
    "no revocation list at hand lists a certificate of the signer or an authority above him",
    "Have the statement signed again by a witness whose certificate is not revoked. The time of a revocation does not help: when the signature was made is only said by its signer.",
);
pub(super) const SELF_SIGNED: Check = Check::authenticity(
    "signer-is-key",
    "the key does not witness itself",
    "Have the statement signed by the witness, with a key of his own.",
);
pub(super) const NOT_WITNESS: Check = Check::fitness(
    "signer-not-witness",
    "every signer is named in the statement as a witness, or is the organisation of one",
    "Name the signer among the witnesses as his certificate names him (common name or organisation), and have the statement signed again.",
);
pub(super) const TOO_FEW: Check = Check::completeness(
    "too-few-witnesses",
    "as many different witnesses signed as the operator demands (option min_witnesses)",
    "Have another witness sign the same statement, byte for byte, and hand all signatures over together. Two certificates of one person, or of one key, count once.",
);
pub(super) const KEY_MISMATCH: Check = Check::authenticity(
    "statement-key-mismatch",
    "what the statement says of its key (algorithm, SHA-256) is what the key is",
    "The statement contradicts itself: find out which key was made in the ceremony, and have a right statement signed. `keyvouch witness template --request request.csr` writes all three from the request.",
);
pub(super) const CEREMONY: Check = Check::fitness(
    "ceremony-time",
    "the ceremony ended after it began, the key was made in it, it was signed afterwards, and it is not older than the operator allows",
    "Correct the times and have the statement signed again. When the ceremony is too old (option max_ceremony_age_days), the creation of a new key must be witnessed.",
);
pub(super) const IMPORTED: Check = Check::fitness(
    "key-imported",
    "the witnesses saw the key being generated inside the device",
    "Generate a new key inside the device, before witnesses: of a key that came from outside there may be copies.",
);
pub(super) const EXPORTABLE: Check = Check::fitness(
    "key-exportable",
    "the key cannot leave the maker's devices, and never could",
    "Generate a new key with an attribute that forbids export (PKCS#11: CKA_EXTRACTABLE false, CKA_SENSITIVE true), before witnesses.",
);

/// All of them. Nonce, request and quality of the key are checked for every format.
pub(super) const ALL: &[&Check] = &[
    &MALFORMED,
    &UNSIGNED,
    &SIGNATURE_INVALID,
    &SIGNING_TIME,
    &UNTRUSTED,
    &PURPOSE,
    &EXPIRED,
    &REVOKED,
    &SELF_SIGNED,
    &NOT_WITNESS,
    &TOO_FEW,
    &KEY_MISMATCH,
    &CEREMONY,
    &IMPORTED,
    &EXPORTABLE,
];
