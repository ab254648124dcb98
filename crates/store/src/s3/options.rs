//! The options of a store of objects, as glance_store's `s3` driver has them.

use std::path::PathBuf;
use std::sync::Arc;

use client::cloud::Trust;

use super::S3Store;
use super::client::Service;
use super::endpoint::{Addressing, Endpoint, is_dns_name};
use super::sign::Credentials;
use super::upload::{Cutting, SMALLEST_PART};
use crate::kind::{Kind, Options};
use crate::remote::Writers;
use crate::{SettingsError, Store};

pub(crate) const KIND: Kind = Kind { name: "s3", open };

const MIB: u64 = 1024 * 1024;

/// The region of services that don't tell: boto's default.
pub(super) const REGION: &str = "us-east-1";

fn open(options: &Options<'_>) -> Result<Arc<dyn Store>, SettingsError> {
    let region: String = options.or("s3_store_region_name", String::new())?;
    let addressing = addressing(options, &region)?;
    let endpoint = endpoint(options, addressing)?;
    let bucket: String = required(options, "s3_store_bucket")?;
    if addressing == Addressing::Virtual && !is_dns_name(&bucket) {
        let expected =
            "expected a name that a host can have, for s3_store_bucket_url_format is virtual";
        return Err(options.wrong("s3_store_bucket", expected).into());
    }
    let region = match region.as_str() {
        "" => endpoint.region().unwrap_or(REGION).to_owned(),
        _ => region,
    };
    let service = Service {
        store: options.section().to_owned(),
        http: options.http(&trust(options)?)?,
        endpoint,
        region,
        credentials: Credentials {
            key: required(options, "s3_store_access_key")?,
            secret: required(options, "s3_store_secret_key")?,
        },
        knows_no_conditions: Arc::default(),
    };
    Ok(Arc::new(S3Store {
        service: Arc::new(service),
        bucket,
        create_bucket: options.or("s3_store_create_bucket_on_put", false)?,
        cutting: cutting(options)?,
        writers: Writers::default(),
    }))
}

fn endpoint(options: &Options<'_>, addressing: Addressing) -> Result<Endpoint, SettingsError> {
    let host: String = required(options, "s3_store_host")?;
    let expected = "expected a host, with or without http:// or https://, and no credentials";
    let endpoint = Endpoint::parse(&host, addressing);
    Ok(endpoint.ok_or_else(|| options.wrong("s3_store_host", expected))?)
}

fn addressing(options: &Options<'_>, region: &str) -> Result<Addressing, SettingsError> {
    let given: String = options.or("s3_store_bucket_url_format", "auto".to_owned())?;
    let read = Addressing::parse(&given, !region.is_empty());
    let wrong = || options.wrong("s3_store_bucket_url_format", "expected auto, virtual or path");
    Ok(read.ok_or_else(wrong)?)
}

fn cutting(options: &Options<'_>) -> Result<Cutting, SettingsError> {
    let part = options.or("s3_store_large_object_chunk_size", 10_u64)? * MIB;
    if part < SMALLEST_PART {
        let expected = "expected at least 5 (MiB)";
        return Err(options.wrong("s3_store_large_object_chunk_size", expected).into());
    }
    let at_once: usize = options.or("s3_store_thread_pools", 10)?;
    if at_once == 0 {
        return Err(options.wrong("s3_store_thread_pools", "expected at least 1").into());
    }
    let large = options.or("s3_store_large_object_size", 100_u64)? * MIB;
    Ok(Cutting { large, part, at_once })
}

fn trust(options: &Options<'_>) -> Result<Trust, SettingsError> {
    let file: Option<PathBuf> = options.get("s3_store_cacert")?;
    let authorities = file.filter(|path| !path.as_os_str().is_empty());
    Ok(Trust { authorities, anyone: false })
}

fn required(options: &Options<'_>, name: &str) -> Result<String, SettingsError> {
    let given: Option<String> = options.get(name)?;
    let given = given.filter(|text| !text.is_empty());
    Ok(given.ok_or_else(|| options.wrong(name, "expected a value: a store of kind s3 needs it"))?)
}
