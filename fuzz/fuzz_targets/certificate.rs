//! One DER structure to every reader of DER.
#![no_main]

use keyvouch::crypto::{PublicKey, Scheme};
use keyvouch::pki::{Certificate, cms, name};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.der(), data);
        let _ = (certificate.basic_constraints(), certificate.key_usage(), certificate.duplicate_extension());
        let _ = (certificate.display_name(), name::display(certificate.issuer()));
        if let Ok(key) = certificate.key() {
            let _ = certificate.verify_signed_by(key);
            let _ = (key.algorithm(), key.is_on_curve());
        }
    }
    let _ = (PublicKey::from_spki_der(data), Scheme::from_algorithm_identifier(data));
    let _ = (cms::certificates(data), name::attributes(data));
});
