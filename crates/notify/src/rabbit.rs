//! A connection to RabbitMQ, with the exchange and the queues that oslo.messaging declares.

use std::collections::HashSet;
use std::time::Duration;

use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::tcp::OwnedTLSConfig;
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPAuthority, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
};
use thiserror::Error;

use crate::publisher::Queued;
use crate::settings::Settings;
use crate::transport_url::Host;

/// How long a broker may take for any step.
const PATIENCE: Duration = Duration::from_secs(10);

/// AMQP 0-9-1, `delivery-mode`: written to disk where its queue is durable.
const PERSISTENT: u8 = 2;

/// Why a message did not arrive.
#[derive(Debug, Error)]
pub(crate) enum Broken {
    #[error("{0}")]
    Broker(#[from] lapin::Error),
    #[error("the broker did not answer in {PATIENCE:?}")]
    Silent,
    #[error("the broker refused the message")]
    Refused,
    #[error("ssl_ca_file can't be read: {0}")]
    Authorities(std::io::Error),
}

/// A connection with a channel that confirms.
pub(crate) struct Rabbit {
    channel: Channel,
    declared: HashSet<String>,
    _connection: Connection,
}

impl Rabbit {
    /// Connects to the first broker that answers.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, Broken> {
        let mut last = Broken::Silent;
        for host in &settings.transport.hosts {
            match within(Self::open(settings, host)).await {
                Ok(rabbit) => return Ok(rabbit),
                Err(error) => {
                    tracing::debug!(%host, %error, "no connection to a broker");
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn open(settings: &Settings, host: &Host) -> Result<Self, Broken> {
        let runtime = lapin::runtime::default_runtime()?;
        let (options, tls) = (ConnectionProperties::default(), tls(settings).await?);
        let uri = uri(settings, host);
        let connection = Connection::connect_uri_with_config(uri, options, tls, runtime).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let options = ExchangeDeclareOptions {
            durable: settings.durable,
            auto_delete: settings.auto_delete,
            ..ExchangeDeclareOptions::default()
        };
        let exchange = settings.exchange.as_str().into();
        let nothing = FieldTable::default();
        channel.exchange_declare(exchange, ExchangeKind::Topic, options, nothing).await?;
        Ok(Self { channel, declared: HashSet::new(), _connection: connection })
    }

    /// Publishes to each topic, and waits until the broker has it.
    pub(crate) async fn publish(
        &mut self,
        settings: &Settings,
        queued: &Queued,
    ) -> Result<(), Broken> {
        for topic in &settings.topics {
            let queue = format!("{topic}.{}", queued.priority.lower());
            within(self.publish_to(settings, &queue, &queued.body)).await?;
        }
        Ok(())
    }

    async fn publish_to(
        &mut self,
        settings: &Settings,
        queue: &str,
        body: &[u8],
    ) -> Result<(), Broken> {
        if !self.declared.contains(queue) {
            self.declare(settings, queue).await?;
            self.declared.insert(queue.to_owned());
        }
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_content_encoding("utf-8".into())
            .with_delivery_mode(PERSISTENT)
            .with_priority(0);
        let (exchange, options) = (settings.exchange.as_str(), BasicPublishOptions::default());
        let sent =
            self.channel.basic_publish(exchange.into(), queue.into(), options, body, properties);
        match sent.await?.await? {
            Confirmation::Nack(_) => Err(Broken::Refused),
            Confirmation::Ack(_) | Confirmation::NotRequested => Ok(()),
        }
    }

    /// The queue is there before anybody reads it: what is sent meanwhile is not lost.
    async fn declare(&self, settings: &Settings, queue: &str) -> Result<(), Broken> {
        let options = QueueDeclareOptions {
            durable: settings.durable,
            auto_delete: settings.auto_delete,
            ..QueueDeclareOptions::default()
        };
        let mut arguments = FieldTable::default();
        if settings.quorum {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        }
        self.channel.queue_declare(queue.into(), options, arguments).await?;
        let (exchange, options) = (settings.exchange.as_str(), QueueBindOptions::default());
        let nothing = FieldTable::default();
        let bound =
            self.channel.queue_bind(queue.into(), exchange.into(), queue.into(), options, nothing);
        Ok(bound.await?)
    }
}

async fn within<T>(step: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
    tokio::time::timeout(PATIENCE, step).await.unwrap_or(Err(Broken::Silent))
}

fn uri(settings: &Settings, host: &Host) -> AMQPUri {
    AMQPUri {
        scheme: if settings.tls { AMQPScheme::AMQPS } else { AMQPScheme::AMQP },
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: host.user.clone(), password: host.password.clone() },
            host: host.name.clone(),
            port: host.port,
        },
        vhost: settings.transport.virtual_host.clone(),
        query: Default::default(),
    }
}

async fn tls(settings: &Settings) -> Result<OwnedTLSConfig, Broken> {
    let mut tls = OwnedTLSConfig::default();
    if let Some(path) = &settings.authorities {
        let read = tokio::fs::read_to_string(path).await;
        tls.cert_chain = Some(read.map_err(Broken::Authorities)?);
    }
    Ok(tls)
}
