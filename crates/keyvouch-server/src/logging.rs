//! What the service tells about itself, on standard error.
