//! `[image_format]`: which formats images may have, and how strictly their bytes are held to them.

use config::{Config, Section};
use disk::PartitionTables;
use image::{ContainerFormat, DiskFormat, UnknownName};

/// Which formats images may have, and how strictly their bytes are held to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formats {
    /// `disk_formats`.
    pub disk: Vec<DiskFormat>,
    /// `container_formats`.
    pub container: Vec<ContainerFormat>,
    /// `require_image_format_match`: bytes that are not of the declared format are refused. What
    /// refers to other files is refused whatever this says.
    pub must_match: bool,
    /// `gpt_safety_checks_nonfatal`: whether it names `mbr`, the one check of partition tables that
    /// there is. Glance's `gptmbr` names none.
    pub tables: PartitionTables,
}

/// Glance's; it knows `gpt` and `luks` as well, for operators who list them.
impl Default for Formats {
    fn default() -> Self {
        let unlisted = [DiskFormat::Gpt, DiskFormat::Luks];
        let listed = DiskFormat::ALL.iter().copied();
        Self {
            disk: listed.filter(|format| !unlisted.contains(format)).collect(),
            container: ContainerFormat::ALL.to_vec(),
            must_match: true,
            tables: PartitionTables::Sound,
        }
    }
}

impl Formats {
    /// Reads them; the lists also from `[DEFAULT]`, where Glance had them once. Errors: a value of
    /// the wrong kind, a format that nobody knows.
    pub fn from_config(config: &Config) -> config::Result<Self> {
        let (options, old) = (config.section("image_format"), config.default_section());
        let default = Self::default();
        let forgiven: Vec<String> = options.or("gpt_safety_checks_nonfatal", Vec::new())?;
        Ok(Self {
            disk: list(&[options, old], "disk_formats", default.disk)?,
            container: list(&[options, old], "container_formats", default.container)?,
            must_match: options.or("require_image_format_match", default.must_match)?,
            tables: match forgiven.iter().any(|check| check == "mbr") {
                true => PartitionTables::Any,
                false => default.tables,
            },
        })
    }
}

fn list<T>(sections: &[Section<'_>], option: &str, default: Vec<T>) -> config::Result<Vec<T>>
where
    T: std::str::FromStr<Err = UnknownName>,
{
    for section in sections {
        let Some(names) = section.get::<Vec<String>>(option)? else { continue };
        let formats = names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        return formats.map_err(|unknown| {
            section.wrong(option, format!("expected formats that are known: {unknown}"))
        });
    }
    Ok(default)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> config::Result<Formats> {
        let mut config = Config::default();
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        Formats::from_config(&config)
    }

    #[test]
    fn an_operator_lists_what_there_is() {
        let formats = read("[image_format]\ndisk_formats = raw, luks\n").unwrap();
        assert_eq!(formats.disk, [DiskFormat::Raw, DiskFormat::Luks]);
        assert_eq!(formats.container, ContainerFormat::ALL);
        let old = read("container_formats = bare\n").unwrap();
        assert_eq!(old.container, [ContainerFormat::Bare]);
        let forgiving = read("[image_format]\ngpt_safety_checks_nonfatal = gptmbr, mbr\n").unwrap();
        assert_eq!(forgiving.tables, PartitionTables::Any);
        let error = read("[image_format]\ndisk_formats = raw, floppy\n").unwrap_err();
        assert!(error.to_string().contains("floppy"), "{error}");
    }
}
