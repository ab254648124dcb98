//! Metadata definitions in the tables `metadef_*`. Their rows are really deleted, unlike images'.

mod documents;
mod items;
mod namespaces;
mod objects;
mod page;
mod properties;
mod resource_types;
mod rows;
mod tags;

use async_trait::async_trait;

use super::SqlCatalog;
use crate::metadefs::{
    Association, Contents, Document, Existing, Kind, Loaded, Metadefs, Namespace, NamespaceQuery,
    Object, Others, Property, ResourceType, Tag, TagQuery,
};
use crate::{Result, Viewer};

#[async_trait]
impl Metadefs for SqlCatalog {
    async fn namespaces(
        &self,
        viewer: &Viewer,
        query: &NamespaceQuery,
    ) -> Result<Vec<(Namespace, Vec<Association>)>> {
        namespaces::list(&mut *self.db.snapshot().await?, viewer, query).await
    }

    async fn namespace(&self, viewer: &Viewer, name: &str) -> Result<Namespace> {
        namespaces::get(&mut self.db.acquire().await?, viewer, name).await
    }

    async fn contents(&self, namespace: &str) -> Result<Contents> {
        namespaces::contents(&mut *self.db.snapshot().await?, namespace).await
    }

    async fn create_namespace(&self, namespace: &Namespace, contents: &Contents) -> Result<()> {
        change!(self, db => namespaces::create(db, namespace, contents))
    }

    async fn change_namespace(&self, name: &str, to: &Namespace) -> Result<Namespace> {
        change!(self, db => namespaces::change(db, name, to))
    }

    async fn delete_namespace(&self, name: &str) -> Result<()> {
        change!(self, db => namespaces::delete(db, name))
    }

    async fn clear(&self, namespace: &str, kind: Kind) -> Result<()> {
        change!(self, db => items::clear(db, namespace, kind))
    }

    async fn remove(&self, namespace: &str, kind: Kind, name: &str) -> Result<()> {
        match kind {
            Kind::Association => {
                change!(self, db => resource_types::dissociate(db, namespace, name))
            }
            _ => change!(self, db => items::remove(db, namespace, kind, name)),
        }
    }

    async fn objects(&self, namespace: &str) -> Result<Vec<Object>> {
        objects::list(&mut *self.db.snapshot().await?, namespace).await
    }

    async fn object(&self, namespace: &str, name: &str) -> Result<Object> {
        objects::get(&mut *self.db.snapshot().await?, namespace, name).await
    }

    async fn add_object(&self, namespace: &str, object: &Object) -> Result<()> {
        change!(self, db => objects::add(db, namespace, object))
    }

    async fn change_object(&self, namespace: &str, name: &str, to: &Object) -> Result<Object> {
        change!(self, db => objects::change(db, namespace, name, to))
    }

    async fn properties(&self, namespace: &str) -> Result<Vec<Property>> {
        properties::list(&mut *self.db.snapshot().await?, namespace).await
    }

    async fn property(&self, namespace: &str, name: &str) -> Result<Property> {
        properties::get(&mut *self.db.snapshot().await?, namespace, name).await
    }

    async fn add_property(&self, namespace: &str, property: &Property) -> Result<()> {
        change!(self, db => properties::add(db, namespace, property))
    }

    async fn change_property(&self, namespace: &str, name: &str, to: &Property) -> Result<()> {
        change!(self, db => properties::change(db, namespace, name, to))
    }

    async fn tags(&self, namespace: &str, query: &TagQuery) -> Result<Vec<Tag>> {
        tags::list(&mut *self.db.snapshot().await?, namespace, query).await
    }

    async fn tag(&self, namespace: &str, name: &str) -> Result<Tag> {
        tags::get(&mut *self.db.snapshot().await?, namespace, name).await
    }

    async fn add_tags(&self, namespace: &str, tags: &[Tag], others: Others) -> Result<()> {
        change!(self, db => tags::add(db, namespace, tags, others))
    }

    async fn change_tag(&self, namespace: &str, name: &str, to: &str) -> Result<Tag> {
        change!(self, db => tags::rename(db, namespace, name, to))
    }

    async fn resource_types(&self) -> Result<Vec<ResourceType>> {
        resource_types::list(&mut self.db.acquire().await?).await
    }

    async fn associations(&self, namespace: &str) -> Result<Vec<Association>> {
        resource_types::of_namespace(&mut *self.db.snapshot().await?, namespace).await
    }

    async fn associate(&self, namespace: &str, association: &Association) -> Result<()> {
        change!(self, db => resource_types::associate(db, namespace, association))
    }

    async fn load(&self, document: &Document, existing: Existing) -> Result<Loaded> {
        change!(self, db => documents::load(db, document, existing))
    }

    async fn export(&self) -> Result<Vec<Document>> {
        documents::export(&mut *self.db.snapshot().await?).await
    }

    async fn unload(&self) -> Result<()> {
        change!(self, db => documents::unload(db))
    }
}
