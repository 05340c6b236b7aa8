//! The Prometheus endpoint: `http://ADDRESS/metrics` on loopback, off unless configured.
//!
//! A tokio runtime of its own on a thread of its own. It has no password, so it refuses any other
//! address; it bounds its connections, and nothing that a client does reaches a core.

mod page;
mod table;

use crate::pipeline::telemetry::Telemetry;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use page::Page;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Connections at once; more wait.
const CONNECTIONS_MAX: usize = 16;
/// How long connections may take to end at a stop.
const STOP_WITHIN: Duration = Duration::from_millis(500);
/// What the page is.
const CONTENT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// Anyone could read them.
    #[error("{0} is not on loopback: give [control] metrics an address such as 127.0.0.1:9464")]
    NotLoopback(SocketAddr),
    /// The system refuses.
    #[error("cannot listen at {address}: {source}; change [control] metrics")]
    Io {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A running endpoint. Ends when dropped.
pub struct MetricsServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Serves what `telemetry` tells at `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// [`MetricsError`].
    pub fn start(
        address: SocketAddr,
        telemetry: Arc<Mutex<Telemetry>>,
    ) -> Result<MetricsServer, MetricsError> {
        if !address.ip().is_loopback() {
            return Err(MetricsError::NotLoopback(address));
        }
        let io = |source| MetricsError::Io { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(io)?;
        listener.set_nonblocking(true).map_err(io)?;
        let bound = listener.local_addr().map_err(io)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
        let (stop, stopped) = oneshot::channel();
        let page = Arc::new(Page::new(telemetry));
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, page, stopped)) {
                tracing::error!("the metrics endpoint ended: {error}");
            }
        });
        let thread = Some(thread.map_err(io)?);
        Ok(MetricsServer { address: bound, stop: Some(stop), thread })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        // The other end is told by the drop as well.
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    page: Arc<Page>,
    stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let listener = Bounded { listener: TcpListener::from_std(listener)?, places };
    let router = Router::new().route("/metrics", get(move || scrape(page.clone())));
    let (begin, begun) = oneshot::channel();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // A sender dropped means the same.
        let _ = stopped.await;
        let _ = begin.send(());
    });
    let serving = tokio::spawn(serving.into_future());
    let _ = begun.await;
    // A client that holds its connection open does not hold us.
    match tokio::time::timeout(STOP_WITHIN, serving).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_) => Ok(()),
    }
}

async fn scrape(page: Arc<Page>) -> impl IntoResponse {
    match page.text() {
        Ok(text) => Ok(([(header::CONTENT_TYPE, CONTENT)], text)),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A listener that takes a connection only while there is a place for it.
struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

/// A connection that has a place.
struct Placed {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl axum::serve::Listener for Bounded {
    type Io = Placed;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Placed, SocketAddr) {
        // The semaphore is never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        let (stream, peer) = axum::serve::Listener::accept(&mut self.listener).await;
        (Placed { stream, _place: place }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
