//! Listening, and stopping.

mod gate;
mod systemd;
mod tls;

use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use axum_server::{Handle, Server};
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::auth::Keeper;
use crate::config::Config;
use crate::measure;
use crate::router::router;
use crate::service::{Service, StartError, now_ms};
use gate::Gate;

/// The most bytes of the head of a request.
const HEAD: usize = 64 << 10;
/// The same of a head over HTTP/2, where its parts are counted.
const HEAD_LIST: u32 = 64 << 10;
/// Requests at once on one connection (HTTP/2).
const STREAMS: u32 = 64;
/// How often the service puts in order what it holds.
const UPKEEP: Duration = Duration::from_secs(10);
/// How long after its end a challenge is known, so that late answers are told so, in milliseconds.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

impl Connected<Self> for Peer {
    fn connect_info(peer: Self) -> Self {
        peer
    }
}

/// Answers requests until the process is told to stop (SIGTERM or SIGINT; the second time it ends at once). `listening` is
/// told the address once there is one to connect to.
///
/// # Errors
/// When the address cannot be listened on, or TLS cannot be set up.
pub async fn serve(service: Arc<Service>, listening: impl FnOnce(SocketAddr)) -> Result<(), StartError> {
    let address = service.config.listen;
    let cannot = |why| StartError::Listen { address, why };
    let listener = listener(&service.config).map_err(cannot)?;
    listening(listener.local_addr().map_err(cannot)?);
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let told = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("told to stop again: requests that are not answered are dropped");
            // What is acknowledged is on disk.
            std::process::exit(130);
        });
    };
    serve_on(service, listener, told).await
}

/// A port to listen on, at which as many may knock at once as may come in: else the system turns some of them away.
fn listener(config: &Config) -> std::io::Result<TcpListener> {
    let address = config.listen;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that the port can be had again at once after a restart.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let queue = u32::try_from(config.limits.connections).unwrap_or(u32::MAX).clamp(128, 4_096);
    socket.listen(queue)?.into_std()
}

/// Answers requests on a port that is bound already, until `stop` is done. Then it takes no new ones, lets those that
/// run come to their end, and closes the record.
///
/// # Errors
/// When the port cannot be listened on, or TLS cannot be set up.
pub async fn serve_on(
    service: Arc<Service>,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), StartError> {
    let address = listener.local_addr().unwrap_or(service.config.listen);
    let cannot = |why| StartError::Listen { address, why };
    let tls = service.config.tls.as_ref().map(tls::config).transpose()?;
    let limits = &service.config.limits;
    let gate = Gate::new(listener, limits).map_err(cannot)?;
    let handle = Handle::new();
    let app = router(Arc::clone(&service)).into_make_service_with_connect_info::<Peer>();
    let server = bounded(Server::<Peer>::from_listener(gate), &service).handle(handle.clone());

    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!(
        access = if service.config.wants_tokens() { "tokens" } else { "open" },
        "listening on {scheme}://{address}"
    );
    systemd::tell("READY=1");
    let mut tasks = vec![tokio::spawn(upkeep(Arc::clone(&service)))];
    tasks.push(tokio::spawn(stopping(Arc::clone(&service), handle, stop)));
    let served = match tls {
        None => {
            tasks.extend(reloading(Arc::clone(&service), None));
            server.serve(app).await
        }
        Some(config) => {
            let config = RustlsConfig::from_config(config);
            tasks.extend(reloading(Arc::clone(&service), Some(config.clone())));
            let acceptor = RustlsAcceptor::new(config);
            let acceptor = acceptor.handshake_timeout(Duration::from_secs(limits.header_seconds.max(1)));
            server.acceptor(acceptor).serve(app).await
        }
    };
    tasks.iter().for_each(JoinHandle::abort);
    service.store.close().await;
    tracing::info!("stopped");
    served.map_err(cannot)
}

/// Whether a configuration says well who may come in and how: what [`serve`] would find out.
///
/// # Errors
/// Names the setting or the file that cannot be used.
pub fn check(config: &Config) -> Result<(), StartError> {
    Keeper::new(config)?;
    config.tls.as_ref().map_or(Ok(()), |tls| tls::config(tls).map(drop))
}

/// Bounds what a connection may have. Before the head of a request is there nobody knows who sends it.
fn bounded(server: Server<Peer>, service: &Service) -> Server<Peer> {
    let patience = Duration::from_secs(service.config.limits.header_seconds.max(1));
    let mut server = server.first_request_timeout(patience).accept_error_handler(|peer, why| match peer {
        // Their fault: no TLS, or no certificate.
        Some(Peer(address)) => tracing::debug!(%address, %why, "a connection came to nothing"),
        None => tracing::warn!(%why, "no connection can be taken"),
    });
    let builder = server.http_builder();
    // Also ends connections on which nothing more is asked.
    builder.http1().header_read_timeout(patience).max_buf_size(HEAD).max_headers(100);
    builder.http2().max_concurrent_streams(STREAMS).max_header_list_size(HEAD_LIST);
    server
}

/// Waits until the service is told to stop, and tells all its parts.
async fn stopping(service: Arc<Service>, handle: Handle<Peer>, stop: impl Future<Output = ()>) {
    stop.await;
    service.stopping.store(true, Ordering::Relaxed);
    systemd::tell("STOPPING=1");
    let limits = &service.config.limits;
    tracing::info!(
        seconds = limits.shutdown_seconds,
        "told to stop: letting running requests come to their end"
    );
    // Those who send requests here had better know it before the door is closed.
    tokio::time::sleep(Duration::from_secs(limits.notice_seconds)).await;
    handle.graceful_shutdown(Some(Duration::from_secs(limits.shutdown_seconds)));
}

/// Reads the certificate again on SIGHUP. A file that cannot be used leaves the one in use.
fn reloading(service: Arc<Service>, config: Option<RustlsConfig>) -> Option<JoinHandle<()>> {
    // Without a certificate there is nothing to read, and a service is not to end by being told to. On a terminal it
    // means that the terminal is gone.
    if config.is_none() && std::io::stderr().is_terminal() {
        return None;
    }
    let mut hangup = signal(SignalKind::hangup()).ok()?;
    Some(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let (Some(config), Some(files)) = (&config, &service.config.tls) else { continue };
            match tls::config(files) {
                Ok(new) => {
                    config.reload_from_config(new);
                    tracing::info!("the certificate was read again");
                }
                Err(why) => tracing::error!(%why, "the certificate in use stays"),
            }
        }
    }))
}

/// Puts in order what the service holds, from time to time.
async fn upkeep(service: Arc<Service>) {
    let mut ticks = tokio::time::interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u64.. {
        ticks.tick().await;
        measure::upkeep();
        // Every ten minutes.
        if round.is_multiple_of(60)
            && let Ok(now) = now_ms()
            && let Err(why) = service.store.forget_challenges(now.saturating_sub(REMEMBERED)).await
        {
            tracing::warn!(%why, "challenges that are over cannot be forgotten");
        }
    }
}
