//! One DER structure to the readers of CMP messages and of requests in CRMF.
#![no_main]

use keyvouch::pki::CertReqMsg;
use keyvouch::pki::crmf::read_message;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let message = read_message(data).unwrap_or_default();
    for der in message.requests.into_iter().chain([data]) {
        if let Ok(request) = CertReqMsg::from_der(der) {
            assert_eq!(request.der(), der);
            let _ = (request.verify(), request.extensions().count());
        }
    }
});
