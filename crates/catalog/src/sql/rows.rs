//! Rows become images. What no service should have written is `Corrupt`.

use super::dialect::{Get, Row};
use std::str::FromStr;

use image::{DataHashes, Image, ImageId, Status, Timestamp};

use crate::{Error, Result};

/// What is read of an image, of a table that is called `whole`.
pub(super) const COLUMNS: &str = "whole.id, whole.name, whole.size, whole.status, \
    whole.created_at, whole.updated_at, whole.disk_format, whole.container_format, \
    whole.checksum, whole.owner, whole.min_disk, whole.min_ram, whole.protected, \
    whole.virtual_size, whole.visibility, whole.os_hidden, whole.os_hash_algo, \
    whole.os_hash_value";

/// The image of a row, without properties, tags and locations.
pub(super) fn image(row: &Row) -> Result<Image> {
    let id: String = row.try_get("id")?;
    let fields = Fields { row, id: &id };
    let created_at = fields.required("created_at", fields.time("created_at")?)?;
    Ok(Image {
        id: fields.word("id")?,
        name: fields.get("name")?,
        status: fields.word("status")?,
        visibility: fields.word("visibility")?,
        owner: fields.get("owner")?,
        disk_format: fields.word_or_null("disk_format")?,
        container_format: fields.word_or_null("container_format")?,
        size: fields.number("size")?,
        virtual_size: fields.number("virtual_size")?,
        hashes: fields.hashes()?,
        min_disk: fields.count("min_disk")?,
        min_ram: fields.count("min_ram")?,
        protected: fields.get("protected")?,
        os_hidden: fields.get("os_hidden")?,
        created_at,
        updated_at: fields.time("updated_at")?.unwrap_or(created_at),
        properties: Default::default(),
        tags: Default::default(),
        locations: Vec::new(),
    })
}

/// The state that a row's column names.
pub(super) fn status(id: ImageId, column: &str) -> Result<Status> {
    let corrupt = |_| Error::Corrupt { image: id.to_string(), what: format!("status: '{column}'") };
    column.parse().map_err(corrupt)
}

/// A row, with the name that complaints about it need.
struct Fields<'a> {
    row: &'a Row,
    id: &'a str,
}

impl<'a> Fields<'a> {
    fn corrupt(&self, what: impl Into<String>) -> Error {
        Error::Corrupt { image: self.id.to_owned(), what: what.into() }
    }

    fn get<T: Get<'a>>(&self, column: &str) -> Result<T> {
        self.row.try_get(column).map_err(|error| self.corrupt(error.to_string()))
    }

    fn required<T>(&self, column: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.corrupt(format!("{column}: null")))
    }

    fn word<T: FromStr>(&self, column: &str) -> Result<T> {
        self.required(column, self.word_or_null(column)?)
    }

    fn word_or_null<T: FromStr>(&self, column: &str) -> Result<Option<T>> {
        let text: Option<&str> = self.get(column)?;
        let parse =
            |text: &str| text.parse().map_err(|_| self.corrupt(format!("{column}: '{text}'")));
        // Older releases of Glance wrote an empty string where a format was set to nothing.
        text.filter(|text| !text.is_empty()).map(parse).transpose()
    }

    fn number(&self, column: &str) -> Result<Option<u64>> {
        let number: Option<i64> = self.get(column)?;
        let parse =
            |number| u64::try_from(number).map_err(|_| self.corrupt(format!("{column}: {number}")));
        number.map(parse).transpose()
    }

    fn count(&self, column: &str) -> Result<u32> {
        let number: i64 = self.get(column)?;
        u32::try_from(number).map_err(|_| self.corrupt(format!("{column}: {number}")))
    }

    fn time(&self, column: &str) -> Result<Option<Timestamp>> {
        self.get(column)
    }

    /// The digest with its algorithm, or none: images from before `os_hash_value` have a checksum
    /// alone.
    fn hashes(&self) -> Result<Option<DataHashes>> {
        let checksum: Option<String> = self.get("checksum")?;
        let algorithm: Option<String> = self.get("os_hash_algo")?;
        let value: Option<String> = self.get("os_hash_value")?;
        Ok(match (checksum, algorithm, value) {
            (checksum, Some(algorithm), Some(value)) => {
                Some(DataHashes { checksum, algorithm, value })
            }
            _ => None,
        })
    }
}
