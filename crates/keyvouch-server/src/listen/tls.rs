//! TLS: the certificate of the service, and those of its clients.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::config::Tls;
use crate::service::StartError;

/// TLS 1.2 and 1.3, as the configuration says.
///
/// # Errors
/// Names the file that cannot be used.
pub(super) fn config(tls: &Tls) -> Result<Arc<ServerConfig>, StartError> {
    let provider = Arc::new(default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(fault(&tls.certificate))?;
    let builder = match &tls.client_roots {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(file)? {
                roots.add(root).map_err(fault(file))?;
            }
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let clients = if tls.client_required { clients } else { clients.allow_unauthenticated() };
            builder.with_client_cert_verifier(clients.build().map_err(fault(file))?)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(fault(&tls.key))?;
    let config = builder.with_single_cert(certificates(&tls.certificate)?, key);
    let mut config = config.map_err(fault(&tls.certificate))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(fault(file))?.collect();
    let all = all.map_err(fault(file))?;
    if all.is_empty() {
        return Err(fault(file)("there is no certificate in it"));
    }
    Ok(all)
}

fn fault<E: ToString>(file: &Path) -> impl Fn(E) -> StartError {
    move |why| StartError::Tls { file: file.display().to_string(), why: why.to_string() }
}
