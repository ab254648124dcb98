//! Objects at a RADOS Gateway, found by `TEST_RGW_S3_ENDPOINT` and its keys.

use std::env::var;

use crate::conformance::{Subject, suite};

/// Buckets of the tests; each subject has one of its own.
fn bucket() -> String {
    format!("tintype-{}", image::ImageId::random())
}

async fn gateway() -> Option<Subject> {
    let endpoint = var("TEST_RGW_S3_ENDPOINT").ok()?;
    let key = var("TEST_RGW_S3_ACCESS_KEY").unwrap();
    let secret = var("TEST_RGW_S3_SECRET_KEY").unwrap();
    let options = |bucket: &str, secret: &str| {
        format!(
            "s3_store_host = http://localhost:{{port}}\ns3_store_access_key = {key}\n\
             s3_store_secret_key = {secret}\ns3_store_bucket = {bucket}\n\
             s3_store_create_bucket_on_put = true\n\
             s3_store_large_object_size = 20\ns3_store_large_object_chunk_size = 5"
        )
    };
    let bucket = bucket();
    Some(Subject {
        server: Some(endpoint.trim_start_matches("http://").parse().unwrap()),
        wrong_credentials: Some(options(&bucket, "not-this-one")),
        odd_names: Some(options(&format!("odd.name.{bucket}"), &secret)),
        secrets: vec![secret.clone(), "not-this-one".to_owned()],
        ..Subject::new("s3", options(&bucket, &secret))
    })
}

suite!(gateway);
