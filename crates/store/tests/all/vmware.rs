//! Datastores of govmomi's simulator of a vCenter, found by `TEST_VMWARE_HOST` and its user.

use std::env::var;

use futures::FutureExt;

use crate::conformance::{Held, Subject, suite};

/// Directories of the tests; each subject has one of its own.
fn directory() -> String {
    format!("tintype-{}", image::ImageId::random())
}

async fn vcenter() -> Option<Subject> {
    let host = var("TEST_VMWARE_HOST").ok()?;
    let user = var("TEST_VMWARE_USER").unwrap();
    let password = var("TEST_VMWARE_PASSWORD").unwrap();
    let authorities = var("TEST_VMWARE_CA_FILE").unwrap();
    let datastore = datastores().swap_remove(0);
    let options = |directory: &str, password: &str| {
        format!(
            "vmware_server_host = {{server}}\nvmware_server_username = {user}\n\
             vmware_server_password = {password}\nvmware_datastores = {datastore}\n\
             vmware_store_image_dir = /{directory}\nvmware_ca_file = {authorities}\n\
             vmware_api_retry_count = 3"
        )
    };
    let directory = directory();
    Some(Subject {
        server: Some(host.parse().unwrap()),
        wrong_credentials: Some(options(&directory, "not-this-one")),
        odd_names: Some(options(&format!("oh, an odd? 100% {directory} n\u{e4}me"), &password)),
        secrets: vec![password.clone(), "not-this-one".to_owned()],
        held: var("TEST_VMWARE_FILES").ok().map(|files| held(files, directory.clone())),
        ..Subject::new("vmware", options(&directory, &password))
    })
}

fn datastores() -> Vec<String> {
    var("TEST_VMWARE_DATASTORES").unwrap().split(',').map(str::to_owned).collect()
}

/// The files of a directory, in whichever of the datastores' directories.
fn held(files: String, directory: String) -> Held {
    Box::new(move || {
        let datastores = std::fs::read_dir(&files).unwrap();
        let folders = datastores.map(|datastore| datastore.unwrap().path().join(&directory));
        let folders = folders.filter_map(|folder| std::fs::read_dir(folder).ok());
        let mut names: Vec<_> = folders.flatten().map(|file| file.unwrap().path()).collect();
        names.sort();
        let names = names.iter().map(|path| path.display().to_string()).collect();
        std::future::ready(names).boxed()
    })
}

/// Two datastores, of which the second one is written to.
async fn two_datastores() -> Option<Subject> {
    let subject = vcenter().await?;
    let other = datastores().swap_remove(1);
    let options = format!("{}\nvmware_datastores = {other}:10", subject.options);
    Some(Subject { options, ..subject })
}

mod plain {
    use super::*;
    suite!(vcenter);
}

mod several {
    use super::*;
    suite!(two_datastores);
}
