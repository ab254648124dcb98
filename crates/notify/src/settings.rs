//! The options of notifications, with the names and defaults of oslo.messaging and Glance.

use std::path::PathBuf;

use config::{Config, Section};

use crate::transport_url::TransportUrl;

/// Where notifications go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// To the broker, without an envelope (`messaging`).
    Messaging,
    /// To the broker, in an envelope (`messagingv2`).
    MessagingV2,
    /// To the log (`log`).
    Log,
    /// Nowhere (`noop`).
    Noop,
}

/// Driver names; `test` and `routing` are of no use outside of oslo.messaging.
const DRIVERS: &[(&str, Driver)] = &[
    ("messaging", Driver::Messaging),
    ("messagingv2", Driver::MessagingV2),
    ("log", Driver::Log),
    ("noop", Driver::Noop),
];

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The notification alone.
    Plain,
    /// With its version around it.
    Enveloped,
}

impl Driver {
    pub(crate) fn format(self) -> Option<Format> {
        match self {
            Self::Messaging => Some(Format::Plain),
            Self::MessagingV2 => Some(Format::Enveloped),
            Self::Log | Self::Noop => None,
        }
    }
}

/// What is sent, and where to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `[oslo_messaging_notifications] driver`, which may be given several times; none by default.
    pub drivers: Vec<Driver>,
    /// `transport_url` there, else in `[DEFAULT]`.
    pub transport: TransportUrl,
    /// `topics`: each has a queue for each priority.
    pub topics: Vec<String>,
    /// `retry`: how often a message is tried again when there is no connection; `None` for as long
    /// as it takes.
    pub retry: Option<u32>,
    /// `[DEFAULT] default_publisher_id`.
    pub publisher: String,
    /// `[DEFAULT] disabled_notifications`: events, and groups of them.
    pub disabled: Vec<String>,
    /// `[DEFAULT] control_exchange`.
    pub exchange: String,
    /// `[oslo_messaging_rabbit] amqp_durable_queues`, or `rabbit_quorum_queue`, which implies it.
    pub durable: bool,
    /// `[oslo_messaging_rabbit] rabbit_quorum_queue`.
    pub quorum: bool,
    /// `[oslo_messaging_rabbit] amqp_auto_delete`.
    pub auto_delete: bool,
    /// `[oslo_messaging_rabbit] ssl`.
    pub tls: bool,
    /// `[oslo_messaging_rabbit] ssl_ca_file`: PEM.
    pub authorities: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            drivers: Vec::new(),
            transport: TransportUrl::default(),
            topics: vec!["notifications".to_owned()],
            retry: None,
            publisher: "image.localhost".to_owned(),
            disabled: Vec::new(),
            exchange: "glance".to_owned(),
            durable: false,
            quorum: false,
            auto_delete: false,
            tls: false,
            authorities: None,
        }
    }
}

impl Settings {
    /// Reads them. Errors: a value of the wrong kind, an unknown driver, a transport that is not
    /// RabbitMQ. Of a wrong URL only the place is told: it may hold a password.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let options = config.default_section();
        let notifications = config.section("oslo_messaging_notifications");
        let rabbit = config.section("oslo_messaging_rabbit");
        let default = Self::default();
        let quorum = rabbit.or("rabbit_quorum_queue", false)?;
        // oslo.config takes brackets and commas for a list only where an option is one.
        let drivers = notifications.all::<String>("driver")?;
        Ok(Self {
            drivers: drivers
                .iter()
                .map(|name| driver(&notifications, name))
                .collect::<Result<_, _>>()?,
            transport: transport(&notifications)?
                .map_or_else(|| transport(&options), |url| Ok(Some(url)))?
                .unwrap_or_default(),
            topics: notifications.or("topics", default.topics)?,
            retry: u32::try_from(notifications.or("retry", -1_i64)?).ok(),
            publisher: options.or("default_publisher_id", default.publisher)?,
            disabled: options.or("disabled_notifications", default.disabled)?,
            exchange: options.or("control_exchange", default.exchange)?,
            durable: rabbit.or("amqp_durable_queues", false)? || quorum,
            quorum,
            auto_delete: rabbit.or("amqp_auto_delete", false)?,
            tls: rabbit.or("ssl", false)?,
            authorities: rabbit.get("ssl_ca_file")?,
        })
    }

    /// Whether an event is sent: neither it nor its group, which is the word before its first
    /// point, is disabled.
    pub(crate) fn is_enabled(&self, event_type: &str) -> bool {
        let group = event_type.split('.').next().unwrap_or_default();
        !self.disabled.iter().any(|disabled| disabled == event_type || disabled == group)
    }
}

fn driver(options: &Section<'_>, name: &str) -> config::Result<Driver> {
    let known = DRIVERS.iter().find(|(known, _)| *known == name).map(|(_, driver)| *driver);
    known.ok_or_else(|| options.wrong("driver", "expected messagingv2, messaging, log or noop"))
}

fn transport(options: &Section<'_>) -> config::Result<Option<TransportUrl>> {
    let Some(url) = options.get::<String>("transport_url")? else { return Ok(None) };
    let wrong = |why: String| options.wrong("transport_url", why);
    url.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> config::Result<Settings> {
        let mut config = Config::default();
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        Settings::from_config(&config)
    }

    #[test]
    fn drivers_may_be_several_and_are_none_by_default() {
        assert_eq!(read("").unwrap().drivers, []);
        let text = "[oslo_messaging_notifications]\ndriver = messagingv2\ndriver = log\n";
        assert_eq!(read(text).unwrap().drivers, [Driver::MessagingV2, Driver::Log]);
        let unknown = read("[oslo_messaging_notifications]\ndriver = pigeon\n").unwrap_err();
        assert!(unknown.to_string().contains("expected messagingv2"), "{unknown}");
    }

    #[test]
    fn a_password_in_a_wrong_url_is_not_told() {
        let error = read("transport_url = kafka://glance:secret@broker:9092/\n").unwrap_err();
        assert!(error.to_string().contains("transport_url"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn events_are_disabled_one_by_one_or_by_their_group() {
        let settings = read("disabled_notifications = image, task.create\n").unwrap();
        let enabled = ["image.create", "image.member.create", "task.create", "task.run"]
            .map(|event| settings.is_enabled(event));
        assert_eq!(enabled, [false, false, false, true]);
    }
}
