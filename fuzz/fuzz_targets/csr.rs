//! One DER structure to the reader of certification requests.
#![no_main]

use keyvouch::pki::CertificationRequest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Ok(request) = CertificationRequest::from_der(data) {
        assert_eq!(request.der(), data);
        let _ = (request.verify(), request.requested_extensions(), request.attributes().count());
    }
});
