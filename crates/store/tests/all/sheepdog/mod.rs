//! Sheepdog. No real one runs beside the tests: the server is a sheep of our own, which follows the
//! protocol and shares nothing with the store (`sheep.rs`, `cluster.rs`). What a real one said is
//! replayed beside the store's code.

mod cluster;
mod failing;
mod sheep;

use futures::FutureExt;

use crate::conformance::{Subject, suite};
use cluster::Cluster;
use sheep::Sheep;

/// Images whose length is not known grow by 6 MiB here, so that those of the tests do.
const OPTIONS: &str = "sheepdog_store_address = {host}\nsheepdog_store_port = {port}\n\
                       sheepdog_store_chunk_size = 6";

async fn of(cluster: Cluster) -> Option<Subject> {
    let sheep = Sheep::of(cluster).await;
    let (address, cluster) = (sheep.address, sheep.cluster.clone());
    Some(Subject {
        server: Some(address),
        held: Some(Box::new(move || std::future::ready(cluster.lock().unwrap().held()).boxed())),
        keep: vec![Box::new(sheep)],
        ..Subject::new("sheepdog", OPTIONS)
    })
}

async fn usual() -> Option<Subject> {
    of(Cluster::default()).await
}

/// Objects of 1 MiB, and three copies of each.
async fn small_objects() -> Option<Subject> {
    of(Cluster { shift: 20, copies: 3, ..Cluster::default() }).await
}

/// Objects of 8 MiB that are spread by a code: they are written and read in two steps.
async fn large_objects() -> Option<Subject> {
    of(Cluster { shift: 23, copies: 6, policy: 0x22, ..Cluster::default() }).await
}

mod own {
    use super::*;
    suite!(usual);
}

mod objects_of_1_mib {
    use super::*;
    suite!(small_objects);
}

mod objects_of_8_mib {
    use super::*;
    suite!(large_objects);
}
