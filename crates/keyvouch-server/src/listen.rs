//! Listening, and stopping.

use std::sync::Arc;

use crate::service::{Service, StartError};

/// Answers requests until the process is told to stop.
///
/// # Errors
/// When the address cannot be listened on, or TLS cannot be set up.
pub async fn serve(_service: Arc<Service>) -> Result<(), StartError> {
    Ok(())
}
