//! Notifications of what happens, as oslo.messaging sends them: to a log, and to a RabbitMQ whose
//! queues other services read.
//!
//! A [`Notifier`] takes events and never waits and never fails: what it cannot hand on, because
//! the broker is slow or away, it counts and drops. The [`Publisher`] is what sends; it runs until
//! it is told to stop. Off unless a driver is configured.
//!
//! Reference: oslo.messaging's `notify` and its driver `rabbit`; "Notifications" in Glance's
//! administration guide.

mod message;
mod notifier;
mod publisher;
mod rabbit;
mod settings;
mod transport_url;

pub use message::Priority;
pub use notifier::Notifier;
pub use publisher::Publisher;
pub use settings::{Driver, Settings};
pub use transport_url::TransportUrl;
