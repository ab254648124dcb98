//! A notification in the formats of oslo.messaging.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::settings::Format;

/// How much an event matters, and by that which queue it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Something happened.
    Info,
    /// Something happened that may need attention.
    Warn,
    /// Something failed.
    Error,
}

impl Priority {
    /// As in the names of queues.
    pub(crate) fn lower(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The notification of an event, without an envelope.
pub(crate) fn notification(
    publisher: &str,
    event_type: &str,
    priority: Priority,
    payload: Value,
) -> Value {
    json!({
        "message_id": Uuid::new_v4(),
        "publisher_id": publisher,
        "event_type": event_type,
        "priority": priority.lower().to_uppercase(),
        "payload": payload,
        "timestamp": timestamp(Timestamp::now()),
        // By this consumers know a message that comes twice.
        "_unique_id": Uuid::new_v4().simple().to_string(),
    })
}

/// The bytes that go to the broker. Source: `serialize_msg` of oslo.messaging.
pub(crate) fn enveloped(notification: &Value, format: Format) -> Vec<u8> {
    let body = match format {
        Format::Plain => notification.to_string(),
        Format::Enveloped => json!({
            "oslo.version": "2.0",
            "oslo.message": notification.to_string(),
        })
        .to_string(),
    };
    body.into_bytes()
}

/// As Python prints a time without an offset, in UTC.
fn timestamp(instant: Timestamp) -> String {
    let civil = TimeZone::UTC.to_datetime(instant);
    format!("{} {}.{:06}", civil.date(), time(&civil), civil.subsec_nanosecond() / 1000)
}

fn time(civil: &jiff::civil::DateTime) -> String {
    format!("{:02}:{:02}:{:02}", civil.hour(), civil.minute(), civil.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_holds_the_notification_as_text() {
        let payload = json!({"id": "x"});
        let plain = notification("image.host", "image.create", Priority::Info, payload);
        let body: Value = serde_json::from_slice(&enveloped(&plain, Format::Enveloped)).unwrap();
        assert_eq!(body["oslo.version"], "2.0");
        let inner: Value = serde_json::from_str(body["oslo.message"].as_str().unwrap()).unwrap();
        assert_eq!(inner, plain);
        assert_eq!((&inner["priority"], &inner["payload"]["id"]), (&json!("INFO"), &json!("x")));
        let bare: Value = serde_json::from_slice(&enveloped(&plain, Format::Plain)).unwrap();
        assert_eq!(bare, plain);
    }

    #[test]
    fn times_are_those_of_python() {
        let instant = Timestamp::from_microsecond(1_700_000_000_000_042).unwrap();
        assert_eq!(timestamp(instant), "2023-11-14 22:13:20.000042");
    }
}
