//! Taking events, without waiting and without failing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use crate::message::{self, Priority};
use crate::publisher::{Publisher, Queued};
use crate::settings::{Driver, Settings};

/// Messages that wait for the broker, at most: at 1 KiB each, a MiB or so of memory.
const WAITING: usize = 1024;

/// Takes events and hands them on. Clones share their queue.
#[derive(Clone, Default)]
pub struct Notifier(Option<Arc<Inner>>);

struct Inner {
    settings: Settings,
    queue: Option<mpsc::Sender<Queued>>,
    dropped: Arc<AtomicU64>,
}

impl Notifier {
    /// Takes no events.
    pub fn off() -> Self {
        Self::default()
    }

    /// A notifier, and what sends for it; there is nothing to run without a broker.
    pub fn new(settings: Settings) -> (Self, Option<Publisher>) {
        if settings.drivers.iter().all(|driver| *driver == Driver::Noop) {
            return (Self::off(), None);
        }
        let dropped = Arc::new(AtomicU64::new(0));
        let (queue, publisher) = if settings.drivers.iter().any(|driver| driver.format().is_some())
        {
            let (sender, receiver) = mpsc::channel(WAITING);
            let publisher = Publisher::new(settings.clone(), receiver, dropped.clone());
            (Some(sender), Some(publisher))
        } else {
            (None, None)
        };
        (Self(Some(Arc::new(Inner { settings, queue, dropped }))), publisher)
    }

    /// Whether events go anywhere.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Something happened: `event_type` as `image.create`, what it was about in `payload`.
    pub fn info(&self, event_type: &str, payload: impl FnOnce() -> Value) {
        self.notify(Priority::Info, event_type, payload);
    }

    /// Something happened that may need attention.
    pub fn warn(&self, event_type: &str, payload: impl FnOnce() -> Value) {
        self.notify(Priority::Warn, event_type, payload);
    }

    /// Something failed.
    pub fn error(&self, event_type: &str, payload: impl FnOnce() -> Value) {
        self.notify(Priority::Error, event_type, payload);
    }

    /// Events that could not be handed on so far.
    pub fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |inner| inner.dropped.load(Ordering::Relaxed))
    }

    /// The payload is made only where it goes somewhere.
    fn notify(&self, priority: Priority, event_type: &str, payload: impl FnOnce() -> Value) {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.settings.is_enabled(event_type))
        else {
            return;
        };
        let publisher = &inner.settings.publisher;
        let notification = message::notification(publisher, event_type, priority, payload());
        for driver in &inner.settings.drivers {
            match driver.format() {
                Some(format) => inner
                    .enqueue(Queued { priority, body: message::enveloped(&notification, format) }),
                None if *driver == Driver::Log => log(priority, event_type, &notification),
                None => {}
            }
        }
    }
}

impl Inner {
    fn enqueue(&self, queued: Queued) {
        let Some(queue) = &self.queue else { return };
        if queue.try_send(queued).is_err() {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            // The first one, and then ever more rarely.
            if dropped.is_power_of_two() {
                tracing::warn!(dropped, "notifications are dropped: the broker is away or slow");
            }
        }
    }
}

/// The log's target is the logger that oslo.messaging uses.
fn log(priority: Priority, event: &str, notification: &Value) {
    const TARGET: &str = "oslo.messaging.notification";
    match priority {
        Priority::Info => tracing::info!(target: TARGET, event, "{notification}"),
        Priority::Warn => tracing::warn!(target: TARGET, event, "{notification}"),
        Priority::Error => tracing::error!(target: TARGET, event, "{notification}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_off_or_disabled_makes_no_payload() {
        let never = || -> Value { panic!("nobody wants it") };
        Notifier::off().info("image.create", never);
        let settings = Settings { drivers: vec![Driver::Noop], ..Settings::default() };
        Notifier::new(settings).0.info("image.create", never);
        let disabled = vec!["image".to_owned()];
        let settings = Settings { drivers: vec![Driver::Log], disabled, ..Settings::default() };
        Notifier::new(settings).0.info("image.create", never);
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_never_waits() {
        let settings = Settings { drivers: vec![Driver::MessagingV2], ..Settings::default() };
        let (notifier, publisher) = Notifier::new(settings);
        for number in 0..WAITING + 7 {
            notifier.info("image.update", || json!({ "number": number }));
        }
        assert_eq!(notifier.dropped(), 7);
        drop(publisher);
    }
}
