//! `/v2/metadefs`: metadata definitions. Bodies are read before anything is looked up, then comes
//! the namespace, then the policy: the order of Glance's answers.

mod namespaces;
mod objects;
mod properties;
mod resource_types;
mod tags;

use std::sync::Arc;

use axum::Router;
use catalog::metadefs::Namespace;
use identity::Caller;
use identity::policy::{Action, Target};

use crate::app::{self, App};
use crate::error::{ApiError, Result};
use crate::openapi::Operation;

pub(super) fn routes() -> Router<Arc<App>> {
    let routes = Router::new()
        .merge(namespaces::routes())
        .merge(objects::routes())
        .merge(properties::routes())
        .merge(resource_types::routes())
        .merge(tags::routes());
    Router::new().nest("/metadefs", routes)
}

/// What they do.
pub(super) fn operations() -> Vec<Operation> {
    [
        namespaces::OPERATIONS,
        objects::OPERATIONS,
        properties::OPERATIONS,
        resource_types::OPERATIONS,
        tags::OPERATIONS,
    ]
    .concat()
}

/// What is about to go, where somebody is told of it.
async fn going<T>(app: &App, found: impl Future<Output = catalog::Result<T>>) -> Option<T> {
    if app.notifier.is_on() { found.await.ok() } else { None }
}

/// A namespace that the caller sees.
async fn seen(app: &App, caller: &Caller, name: &str) -> Result<Namespace> {
    use catalog::Error::Metadef;
    use catalog::metadefs::Fault::NamespaceNotFound;
    match app.metadefs.namespace(&app::viewer(caller), name).await {
        Err(Metadef(NamespaceNotFound(name))) => {
            Err(ApiError::not_found(format!("Namespace {name} not found")))
        }
        other => Ok(other?),
    }
}

/// A namespace that the caller sees and may do `action` to.
async fn permitted(app: &App, caller: &Caller, name: &str, action: Action) -> Result<Namespace> {
    let namespace = seen(app, caller, name).await?;
    enforce(app, caller, action, Some(&namespace))?;
    Ok(namespace)
}

/// Asks the policy. To whom the namespace itself is not shown, it does not exist.
fn enforce(
    app: &App,
    caller: &Caller,
    action: Action,
    namespace: Option<&Namespace>,
) -> Result<()> {
    let target = match namespace {
        Some(namespace) => target(namespace),
        None => Target::owned_by(caller.project_id.as_deref()),
    };
    let forbidden = match app.policy.check(action, caller, &target) {
        Ok(()) => return Ok(()),
        Err(forbidden) => forbidden,
    };
    match app.policy.check(Action::GetMetadefNamespace, caller, &target) {
        Ok(()) => Err(forbidden.into()),
        Err(_) => Err(ApiError::not_found("The resource could not be found.")),
    }
}

/// What the policy sees of a namespace, and of what is in it.
fn target(namespace: &Namespace) -> Target<'_> {
    Target::owned_by(Some(&namespace.owner)).seen_as(namespace.reach.as_str())
}
