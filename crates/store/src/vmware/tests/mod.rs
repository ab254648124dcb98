//! What govmomi's simulator does not do, and real servers do: sessions that end, cookies that are
//! asked for with files, refusal of files that are there, redirections, tasks that take their time.

mod vcenter;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use image::ImageId;

use super::*;
use crate::testing::peer::Authority;
use crate::testing::{is_believed_as_options_say, source, store};
use vcenter::{Reply, Request, fault, secure_vcenter, vcenter};

const BYTES: &[u8] = b"0123456789";

async fn read(store: &VmwareStore, range: Range<u64>) -> Result<Vec<u8>> {
    let uri = "vsphere://h/folder/images/x?dsName=ds&dcPath=%2Fdc";
    let pieces: Vec<Bytes> = store.open(uri, range).await?.try_collect().await?;
    Ok(pieces.concat())
}

/// Answers with the bytes that are asked for.
fn ranged(request: &Request) -> Reply {
    let range = request.header("range").unwrap().trim_start_matches("bytes=").to_owned();
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    Reply::of(206, &BYTES[first..=last])
}

#[tokio::test]
async fn a_session_that_has_ended_is_begun_again() {
    let (store, log) = vcenter(|what, request| {
        let first = request.header("cookie") == Some("vmware_soap_session=\"1\"");
        (what == "FindByInventoryPath" && first).then(|| fault("NotAuthenticated"))
    })
    .await;
    store.probe().await.unwrap();
    store.probe().await.unwrap();
    assert_eq!(log.count("Login"), 2);
}

#[tokio::test]
async fn a_cookie_that_is_refused_with_a_file_is_renewed() {
    let (store, log) = vcenter(|what, request| {
        let first = request.header("cookie") == Some("vmware_soap_session=\"1\"");
        (what == "GET").then(|| if first { Reply::of(401, b"") } else { ranged(request) })
    })
    .await;
    assert_eq!(read(&store, 2..5).await.unwrap(), b"234");
    assert_eq!(log.count("Login"), 2);
    assert_eq!(log.count("GET"), 2);
}

#[tokio::test]
async fn a_log_in_that_is_refused_is_not_repeated() {
    let (store, log) = vcenter(|what, _| (what == "Login").then(|| fault("InvalidLogin"))).await;
    assert!(matches!(store.probe().await, Err(Error::Forbidden { .. })));
    assert_eq!(log.count("Login"), 1);
}

#[tokio::test]
async fn a_file_that_another_wrote_stays() {
    let (store, log) = vcenter(|what, _| (what == "PUT").then(|| Reply::of(409, b""))).await;
    let error = store.put(ImageId::random(), Some(1), source(b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Exists(_)), "{error}");
    assert_eq!(log.count("DeleteDatastoreFile_Task"), 0);
}

#[tokio::test]
async fn an_upload_that_fails_is_removed() {
    let (store, log) = vcenter(|what, _| (what == "PUT").then(|| Reply::of(500, b""))).await;
    let error = store.put(ImageId::random(), None, source(b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(log.count("DeleteDatastoreFile_Task"), 1);
}

/// As Glance has it: 200 and 201 alone say that a file is there.
#[tokio::test]
async fn an_upload_that_is_answered_with_something_else_is_not_stored() {
    for (status, told) in [(302, "vmware_server_host"), (202, "202"), (204, "204")] {
        let reply = move || Reply::of(status, b"").with("Location", "https://esx/folder/x");
        let (store, log) = vcenter(move |what, _| (what == "PUT").then(reply)).await;
        for hint in [None, Some(1)] {
            let error = store.put(ImageId::random(), hint, source(b"x")).await.unwrap_err();
            assert!(matches!(error, Error::Unavailable { .. }), "{error}");
            assert!(error.to_string().contains(told), "{error}");
        }
        assert_eq!(log.count("DeleteDatastoreFile_Task"), 2);
    }
}

#[tokio::test]
async fn an_image_that_fits_nowhere_is_not_sent() {
    let (store, log) = vcenter(|_, _| None).await;
    let error = store.put(ImageId::random(), Some(1 << 40), source(b"x")).await.unwrap_err();
    assert!(matches!(error, Error::Full(_)), "{error}");
    assert_eq!(log.count("PUT"), 0);
}

/// What the server has: a datastore `ds`, and one that is not accessible.
fn two_datastores() -> Reply {
    let object = |name: &str, accessible: &str| {
        format!(
            "<returnval><obj type=\"Datastore\">{name}</obj>\
             <propSet><name>summary.accessible</name><val>{accessible}</val></propSet>\
             <propSet><name>summary.freeSpace</name><val>1000000</val></propSet>\
             <propSet><name>summary.name</name><val>{name}</val></propSet></returnval>"
        )
    };
    vcenter::soap(&format!("{}{}", object("ds", "true"), object("away", "false")))
}

/// It has the highest weight, and its files can't be asked for.
#[tokio::test]
async fn a_datastore_that_is_away_is_passed_over() {
    for (datastore, told) in [
        ("/dc:away", "the datastore 'away' is not accessible"),
        ("/dc:none", "there is no datastore 'none'"),
        ("/none:ds", "in a datacenter '/none'"),
    ] {
        let (peer, options, _) = secure_vcenter(|what, request| match what {
            "HEAD" if !request.path.ends_with("?dsName=ds&dcPath=%2Fdc") => {
                Some(Reply::of(503, b""))
            }
            "RetrieveProperties" if request.text().contains("<type>Datastore</type>") => {
                Some(two_datastores())
            }
            "FindByInventoryPath" if request.text().contains("/none") => Some(vcenter::soap("")),
            _ => None,
        });
        let more = "vmware_insecure = true\nvmware_api_retry_count = 1";
        let several = format!("{options}\n{more}\nvmware_datastores = {datastore}:10");
        let store = crate::testing::store("vmware", &several).unwrap();
        store.put(ImageId::random(), Some(1), source(b"x")).await.unwrap();
        assert_eq!(peer.asked("PUT /").len(), 1);
        // All of them are looked at by who asks whether the store is as it should be.
        assert!(store.probe().await.unwrap_err().to_string().contains(told), "{told}");
        let alone = options.replace("/dc:ds", datastore);
        let store = crate::testing::store("vmware", &format!("{alone}\n{more}")).unwrap();
        let error = store.put(ImageId::random(), Some(1), source(b"x")).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn redirections_to_hosts_are_followed() {
    let (store, _) = vcenter(|what, request| match what {
        "GET" if request.path.starts_with("/folder/") => {
            Some(Reply::of(302, b"").with("Location", "/host/folder/images/x?dsName=ds"))
        }
        "GET" => Some(ranged(request)),
        _ => None,
    })
    .await;
    assert_eq!(read(&store, 0..10).await.unwrap(), BYTES);
}

#[tokio::test]
async fn redirections_out_of_the_way_are_not() {
    for to in ["ftp://h/x", "https://h/x", "/folder/images/x"] {
        let (store, _) = vcenter(move |what, _| {
            (what == "GET").then(|| Reply::of(302, b"").with("Location", to))
        })
        .await;
        assert!(matches!(read(&store, 0..1).await, Err(Error::Unavailable { .. })), "{to}");
    }
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_is_read_from_its_beginning() {
    let (store, _) = vcenter(|what, _| (what == "GET").then(|| Reply::of(200, BYTES))).await;
    assert_eq!(read(&store, 3..6).await.unwrap(), b"345");
    assert_eq!(read(&store, 0..10).await.unwrap(), BYTES);
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_is_no_image() {
    let reads = AtomicUsize::new(0);
    let (store, _) = vcenter(move |what, request| {
        (what == "GET").then(|| {
            let n = reads.fetch_add(1, Ordering::SeqCst);
            // Half of what is said to come.
            let reply = ranged(request).with("ETag", &format!("\"{n}\""));
            if n == 0 { reply.broken_off() } else { reply }
        })
    })
    .await;
    assert!(matches!(read(&store, 0..10).await, Err(Error::Unavailable { .. })));
}

#[tokio::test]
async fn deletions_are_waited_for() {
    let looks = Arc::new(AtomicUsize::new(0));
    let (state, seen) = (looks.clone(), looks);
    let (store, _) = vcenter(move |what, request| {
        let info = |inner: &str| Some(vcenter::info(inner));
        match what {
            "RetrieveProperties" if request.text().contains("<type>Task</type>") => {
                match state.fetch_add(1, Ordering::SeqCst) {
                    0 => info("<state>queued</state>"),
                    1 => info("<state>running</state>"),
                    _ => info(
                        "<error><fault xsi:type=\"FileNotFound\"><file>x</file></fault>\
                         <localizedMessage>gone</localizedMessage></error><state>error</state>",
                    ),
                }
            }
            _ => None,
        }
    })
    .await;
    let uri = "vsphere://h/folder/images/x?dsName=ds&dcPath=%2Fdc";
    let error = store.delete(uri).await.unwrap_err();
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

/// Pauses that only doubled would take most of an hour.
#[tokio::test]
async fn tasks_are_looked_at_as_often_as_options_say() {
    let looks = AtomicUsize::new(0);
    let (store, _) = vcenter(move |what, request| {
        let is_look = what == "RetrieveProperties" && request.text().contains("<type>Task</type>");
        let running = is_look && looks.fetch_add(1, Ordering::SeqCst) < 16;
        running.then(|| vcenter::info("<state>running</state>"))
    })
    .await;
    let deleted = store.delete("vsphere://h/folder/images/x?dsName=ds&dcPath=%2Fdc");
    tokio::time::timeout(Duration::from_secs(60), deleted).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_store_that_goes_logs_out() {
    let (store, log) = vcenter(|_, _| None).await;
    store.probe().await.unwrap();
    drop(store);
    let logged_out = log.has("Logout");
    tokio::time::timeout(Duration::from_secs(30), logged_out).await.expect("it stays logged in");
}

#[tokio::test]
async fn what_is_sent_is_all_of_the_image() {
    let (store, log) = vcenter(|what, request| {
        (what == "PUT").then(|| {
            assert_eq!(request.body, BYTES);
            assert!(request.path.ends_with("?dsName=ds&dcPath=%2Fdc"), "{}", request.path);
            Reply::of(201, b"")
        })
    })
    .await;
    let id = ImageId::random();
    for hint in [None, Some(10)] {
        let written = store.put(id, hint, source(BYTES)).await.unwrap();
        assert_eq!(written.uri, format!("vsphere://h/folder/images/{id}?dsName=ds&dcPath=%2Fdc"));
        assert_eq!(written.size, 10);
    }
    assert_eq!(log.count("MakeDirectory"), 2);
}

#[tokio::test]
async fn a_server_is_believed_by_whom_options_let() {
    let (peer, options, _) = secure_vcenter(|_, _| None);
    let options = format!("{options}\nvmware_api_retry_count = 1");
    let insecure = ["vmware_insecure", "vmware_api_insecure"];
    is_believed_as_options_say(&peer, "vmware", &options, "vmware_ca_file", &insecure).await;
}

/// As in Glance: a file of authorities is not named for nothing.
#[tokio::test]
async fn certificates_are_looked_at_where_there_are_authorities() {
    let (_, options, _) = secure_vcenter(|_, _| None);
    let file = Authority::new().file;
    let options = format!(
        "{options}\nvmware_api_retry_count = 1\nvmware_insecure = true\nvmware_ca_file = {}",
        file.path().display()
    );
    let error = store("vmware", &options).unwrap().probe().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_request_is_made_as_often_as_options_say() {
    for (retries, times) in [(1, 2), (2, 3)] {
        let (_peer, options, log) =
            secure_vcenter(|what, _| (what == "FindByInventoryPath").then(|| Reply::of(500, b"")));
        let more = format!("vmware_insecure = true\nvmware_api_retry_count = {retries}");
        let store = store("vmware", &format!("{options}\n{more}")).unwrap();
        assert!(matches!(store.probe().await, Err(Error::Unavailable { .. })));
        assert_eq!(log.count("FindByInventoryPath"), times);
    }
}

#[tokio::test]
async fn images_are_in_the_directory_that_options_name() {
    for (options, directory) in [
        ("", "openstack_glance"),
        ("vmware_store_image_dir = /images/of/glance/", "images/of/glance"),
    ] {
        let (peer, more, _) = secure_vcenter(|_, _| None);
        let store = store("vmware", &format!("{more}\nvmware_insecure = true\n{options}")).unwrap();
        let id = ImageId::random();
        store.put(id, Some(1), source(b"x")).await.unwrap();
        assert_eq!(peer.asked(&format!("PUT /folder/{directory}/{id}?")).len(), 1, "{options}");
    }
}
