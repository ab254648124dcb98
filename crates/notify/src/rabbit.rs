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
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind,
    ExchangeKind,
};
use thiserror::Error;

use crate::publisher::Queued;
use crate::settings::Settings;
use crate::transport_url::Host;

/// How long a broker may take for any step.
const PATIENCE: Duration = Duration::from_secs(10);

/// AMQP 0-9-1, "Reply Codes".
const PRECONDITION_FAILED: u16 = 406;

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
    connection: Connection,
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
        let channel = confirming(&connection).await?;
        let mut rabbit = Self { channel, declared: HashSet::new(), connection };
        rabbit.declare_exchange(settings).await?;
        Ok(rabbit)
    }

    async fn declare_exchange(&mut self, settings: &Settings) -> Result<(), Broken> {
        let options = ExchangeDeclareOptions {
            durable: settings.durable,
            auto_delete: settings.auto_delete,
            ..ExchangeDeclareOptions::default()
        };
        let (exchange, nothing) = (settings.exchange.as_str().into(), FieldTable::default());
        let declared =
            self.channel.exchange_declare(exchange, ExchangeKind::Topic, options, nothing).await;
        self.take_as_it_is("exchange", &settings.exchange, declared).await
    }

    /// What somebody has declared otherwise serves as it is: the exchange is shared with other
    /// services, queues with consumers. The broker closes a channel over that.
    async fn take_as_it_is<T>(
        &mut self,
        what: &str,
        name: &str,
        declared: lapin::Result<T>,
    ) -> Result<(), Broken> {
        match declared {
            Err(error) if is_otherwise(&error) => {
                tracing::warn!(%error, "the {what} {name} is declared otherwise; it is used as it is");
                self.channel = confirming(&self.connection).await?;
                Ok(())
            }
            declared => Ok(declared.map(drop)?),
        }
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
    async fn declare(&mut self, settings: &Settings, queue: &str) -> Result<(), Broken> {
        let options = QueueDeclareOptions {
            durable: settings.durable,
            auto_delete: settings.auto_delete,
            ..QueueDeclareOptions::default()
        };
        let mut arguments = FieldTable::default();
        if settings.quorum {
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        }
        let declared = self.channel.queue_declare(queue.into(), options, arguments).await;
        self.take_as_it_is("queue", queue, declared).await?;
        let (exchange, options) = (settings.exchange.as_str(), QueueBindOptions::default());
        let nothing = FieldTable::default();
        let bound =
            self.channel.queue_bind(queue.into(), exchange.into(), queue.into(), options, nothing);
        Ok(bound.await?)
    }
}

async fn confirming(connection: &Connection) -> Result<Channel, Broken> {
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

fn is_otherwise(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_id() == PRECONDITION_FAILED,
        _ => false,
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
