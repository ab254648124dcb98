//! Requests whose clients go away leave nothing behind on the connection that they had.

use std::pin::pin;
use std::task::Poll;

use super::*;
use ::catalog::Tasks as _;

/// Gives work up that is not done once it was woken up so many times.
pub(super) async fn woken<T>(times: usize, work: impl Future<Output = T>) -> Option<T> {
    let (mut work, mut polls) = (pin!(work), 0);
    std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if polls == times => Poll::Ready(None),
        Poll::Pending => {
            polls += 1;
            Poll::Pending
        }
    })
    .await
}

#[tokio::test]
async fn lists_that_are_given_up_leave_no_transaction() {
    if module_path!().contains("registry") {
        return;
    }
    let Some(fresh) = Fresh::of(module_path!()).await else { return };
    let other = fresh.catalog().await;
    let mut database = fresh.database();
    database.limits.connections = Some(1);
    let catalog = SqlCatalog::connect(&database).await.unwrap();
    let image = image("before");
    other.create(&image).await.unwrap();
    for times in 0..20 {
        let (viewer, query, tasks) = (Viewer::service(), ListQuery::default(), tasks::query());
        let _given_up = woken(times, catalog.list(&viewer, &query)).await;
        let _given_up = woken(times, catalog.list_tasks(&tasks)).await;
        let name = Some(times.to_string());
        let change = ImageChange { name: Some(name.clone()), ..ImageChange::default() };
        other.update(image.id, &change).await.unwrap();
        assert_eq!(catalog.get(&viewer, image.id).await.unwrap().name, name);
        catalog.update(image.id, &change).await.unwrap();
    }
}
