//! A TCP proxy before a store's server, whose connections can be cut.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards to a server, until it is told to cut.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    whole: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before `server`, on a free port.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let whole = Arc::new(watch::Sender::new(true));
        let accepting = tokio::spawn(accept(listener, server, whole.clone()));
        Self { address, whole, accepting }
    }

    /// Ends all connections and takes no new ones.
    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    /// Takes connections again.
    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }

    /// What cuts, to be done elsewhere.
    pub(crate) fn cutter(&self) -> impl FnOnce() + Send + 'static {
        let whole = self.whole.clone();
        move || {
            whole.send_replace(false);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, whole: Arc<watch::Sender<bool>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        if *whole.borrow() {
            tokio::spawn(forward(client, server, whole.subscribe()));
        }
    }
}

async fn forward(mut client: TcpStream, server: SocketAddr, mut whole: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}
