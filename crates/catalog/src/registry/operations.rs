//! The operations: one line each, from which the client's side and the registry's are made.
//!
//! `read` changes nothing and is repeated freely, as is `scan`, whose answer grows with the catalog;
//! `write` has a key and is made once.

use std::time::Duration;

use async_trait::async_trait;
use image::{
    DataHashes, Event, Image, ImageId, Location, Member, MemberStatus, Status, Task, TaskId,
    TaskStatus, Timestamp,
};

use super::argument::Argument;
use super::client::Client;
use super::frame::{decode, encode};
use crate::metadefs::*;
use crate::*;

/// How an operation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    /// Few of them are answered at the same time.
    Scan,
    Write,
}

macro_rules! kind {
    (read) => {
        Kind::Read
    };
    (scan) => {
        Kind::Scan
    };
    (write) => {
        Kind::Write
    };
}

macro_rules! operations {
    ($($trait:ident {
        $($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*
    })*) => {
        $(
            #[async_trait]
            impl $trait for Client {
                $(async fn $name(&self, $($argument: $type),*) -> Result<$answer> {
                    let name = concat!(stringify!($trait), ".", stringify!($name));
                    self.call(name, kind!($kind), &($($argument,)*)).await
                })*
            }
        )*

        /// How an operation is asked for; `None`: there is no such operation.
        pub(super) fn kind(operation: &str) -> Option<Kind> {
            match operation {
                $($(concat!(stringify!($trait), ".", stringify!($name)) => Some(kind!($kind)),)*)*
                _ => None,
            }
        }

        /// Does what was asked for; the answer as it travels. `None`: there is no such operation.
        pub(super) async fn perform(
            records: &(dyn Records + 'static),
            operation: &str,
            arguments: &[u8],
        ) -> Option<Vec<u8>> {
            match operation {
                $($(concat!(stringify!($trait), ".", stringify!($name)) => {
                    let answer = match decode(arguments) {
                        Ok(given) => {
                            let ($($argument,)*): ($(<$type as Argument<'_>>::Owned,)*) = given;
                            $trait::$name(
                                records,
                                $(<$type as Argument<'_>>::lent(&$argument)),*
                            ).await
                        }
                        Err(error) => Err(error),
                    };
                    Some(encoded(&answer))
                })*)*
                _ => None,
            }
        }
    };
}

pub(super) fn encoded<T: serde::Serialize>(answer: &Result<T>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    if let Err(error) = encode(&mut bytes, answer) {
        bytes.clear();
        // An error of text alone: that there is none for it can't be.
        let _written = encode(&mut bytes, &Err::<(), _>(error));
    }
    bytes
}

operations! {
    Catalog {
        write create(image: &Image) -> ();
        read get(viewer: &Viewer, id: ImageId) -> Image;
        read list(viewer: &Viewer, query: &ListQuery) -> Vec<Image>;
        write update(id: ImageId, change: &ImageChange) -> Image;
        write transition(id: ImageId, event: Event) -> Status;
        write activate(id: ImageId, stored: &Stored) -> Image;
        write refuse(id: ImageId, location: &Location) -> ();
        write add_location(id: ImageId, location: &Location) -> Image;
        write remove_location(id: ImageId, location: &Location, removal: &Removal) -> Image;
        write describe_location(id: ImageId, before: &Location, after: &Location) -> Image;
        write set_hashes(id: ImageId, hashes: &DataHashes) -> ();
        write activate_within(id: ImageId, stored: &Stored, budget: &Budget) -> Image;
        write delete(id: ImageId, left: &[Leftover]) -> Vec<Location>;
        write add_tag(id: ImageId, tag: &str) -> ();
        write remove_tag(id: ImageId, tag: &str) -> bool;
        read members(id: ImageId) -> Vec<Member>;
        write add_member(id: ImageId, project: &str) -> Member;
        write set_member(id: ImageId, project: &str, status: MemberStatus) -> Member;
        write remove_member(id: ImageId, project: &str) -> ();
        scan ids_with_status(status: Status) -> Vec<ImageId>;
        read status_of(id: ImageId) -> Option<Status>;
        scan pending_deletions(until: Timestamp) -> Vec<ImageId>;
        write begin_scrub(id: ImageId) -> Vec<Location>;
        read usage(owner: Option<&str>, except: Option<ImageId>) -> Usage;
        read ping() -> ();
    }
    Uploads {
        write begin_upload(node: i64, upload: &Upload, event: Event) -> ();
        write renew_uploads(node: i64) -> ();
        read uploads() -> Vec<UnderWay>;
        write take_upload_over(node: i64, seen: &UnderWay) -> Upload;
        write end_upload(upload: &Upload) -> ();
    }
    Leftovers {
        write note_leftover(image: ImageId, store: &str) -> ();
        read leftovers(store: &str) -> Vec<Leftover>;
        write forget_leftover(seen: &Leftover) -> ();
    }
    Tasks {
        write create_task(task: &Task) -> ();
        read task(id: TaskId) -> Task;
        read list_tasks(query: &TaskQuery) -> Vec<Task>;
        read image_tasks(image: ImageId) -> Vec<Task>;
        scan unfinished_tasks() -> Vec<Task>;
        write begin_by(lease: &Lease, sign: Timestamp) -> ();
        write renew_by(lease: &Lease, sign: Timestamp, message: &str) -> Renewed;
        write take_task_over(seen: &Task) -> Lease;
        write end_task(lease: &Lease, ending: &Ending, keep: Duration) -> ();
        write cancel_task(id: TaskId) -> TaskStatus;
        write expire_tasks() -> u64;
    }
    Imports {
        write begin_import(image: ImageId, start: &ImportStart) -> ();
        write finish_import(lease: &Lease, image: ImageId, imported: &Imported, budget: Option<&Budget>, keep: Duration) -> ();
        write abandon_import(lease: &Lease, image: ImageId, stores: &[String], why: &str, keep: Duration) -> ();
        write end_attachment(lease: &Lease, image: ImageId, ending: &Ending, keep: Duration) -> ();
        write staged(upload: &Upload, size: u64, host: Option<&str>) -> ();
    }
    Caches {
        write node(url: &str) -> i64;
        scan cached(node: i64) -> Vec<CachedImage>;
        write put_cached(node: i64, image: &CachedImage) -> Option<i64>;
        write remove_cached(node: i64, id: ImageId) -> ();
        read nodes_with(id: ImageId) -> Vec<String>;
    }
    Metadefs {
        scan namespaces(viewer: &Viewer, query: &NamespaceQuery) -> Vec<(Namespace, Vec<Association>)>;
        read namespace(viewer: &Viewer, name: &str) -> Namespace;
        read contents(namespace: &str) -> Contents;
        write create_namespace(namespace: &Namespace, contents: &Contents) -> ();
        write change_namespace(name: &str, to: &Namespace) -> Namespace;
        write delete_namespace(name: &str) -> ();
        write clear(namespace: &str, kind: metadefs::Kind) -> ();
        write remove(namespace: &str, kind: metadefs::Kind, name: &str) -> ();
        read objects(namespace: &str) -> Vec<Object>;
        read object(namespace: &str, name: &str) -> Object;
        write add_object(namespace: &str, object: &Object) -> ();
        write change_object(namespace: &str, name: &str, to: &Object) -> Object;
        read properties(namespace: &str) -> Vec<Property>;
        read property(namespace: &str, name: &str) -> Property;
        write add_property(namespace: &str, property: &Property) -> ();
        write change_property(namespace: &str, name: &str, to: &Property) -> ();
        read tags(namespace: &str, query: &TagQuery) -> Vec<Tag>;
        read tag(namespace: &str, name: &str) -> Tag;
        write add_tags(namespace: &str, tags: &[Tag], others: Others) -> ();
        write change_tag(namespace: &str, name: &str, to: &str) -> Tag;
        read resource_types() -> Vec<ResourceType>;
        read associations(namespace: &str) -> Vec<Association>;
        write associate(namespace: &str, association: &Association) -> ();
        write load(document: &Document, existing: Existing) -> Loaded;
        scan export() -> Vec<Document>;
        write unload() -> ();
    }
}
