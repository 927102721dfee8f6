//! keyvouch as a service: evidence in over HTTP, an answer out, and a record of both.
//!
//! [`Service`] is the verifier with its configuration and its record; [`serve`] puts it behind HTTP, with an API for
//! machines (`/v1`) and a page for people. A node keeps nothing of its own: all that lasts is in the
//! [store](keyvouch_store), so that several nodes can share one.

#![forbid(unsafe_code)]

mod api;
mod auth;
pub mod config;
mod intake;
mod limits;
mod listen;
pub mod logging;
mod measure;
mod page;
mod problem;
mod router;
mod service;

pub use api::openapi;
pub use config::Config;
pub use listen::{check, serve, serve_on};
pub use router::router;
pub use service::{Judging, Service, Setup, StartError};
