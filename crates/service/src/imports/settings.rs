//! The options of imports and tasks, with Glance's names and defaults.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use fetch::{Fetcher, Filter};
use image::DiskFormat;

use super::body::METHODS;
use super::plugins::{PLUGINS, Plugin};

/// How imports and tasks work.
#[derive(Clone)]
pub struct ImportSettings {
    /// `enabled_import_methods`.
    pub(crate) methods: Vec<String>,
    /// `[import_filtering_opts]`: what may be downloaded from.
    pub(crate) fetcher: Fetcher,
    /// `[image_import_opts] image_import_plugins`, in order.
    pub(super) plugins: Vec<&'static dyn Plugin>,
    /// `[image_import_opts] max_parallel_stores`; all at once unless it is given.
    pub(super) stores_at_once: Option<usize>,
    /// `[image_conversion] output_format`.
    pub(super) output_format: DiskFormat,
    /// `[image_format] vmdk_allowed_types`: the kinds of VMDK that are converted.
    pub(super) vmdk_types: Arc<[String]>,
    /// `[inject_metadata_properties] inject`.
    pub(super) inject: BTreeMap<String, String>,
    /// `[inject_metadata_properties] ignore_user_roles`.
    pub(super) ignore_roles: Vec<String>,
    /// `[glance_download_properties] extra_properties`: how the names of the properties begin that
    /// an image from another Glance brings along.
    pub(super) copied_properties: Vec<String>,
    /// `worker_self_reference_url`, or else `public_endpoint`: where this very service is reached
    /// by the others.
    pub(crate) own_url: Option<String>,
    /// Where the service catalog of a token is asked for: Keystone's URL, up to and with `/v3`.
    pub(super) keystone: Option<String>,
    /// `[taskflow_executor] max_workers`: tasks that run at the same time.
    pub(super) workers: usize,
    /// `[task] task_time_to_live`: how long a task is kept after its end.
    pub(crate) keep: Duration,
    /// Who this service is, among those on the same catalog, from start to start.
    pub(super) worker: String,
}

impl ImportSettings {
    /// Reads them. `worker` names this service among those on the same catalog, also after it has
    /// started anew. Errors: a value of the wrong kind, an unknown method or plugin.
    pub fn from_config(config: &Config, worker: &str) -> config::Result<Self> {
        let own = config.default_section();
        let conversion = config.section("image_conversion");
        let injection = config.section("inject_metadata_properties");
        let texts =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let methods: Vec<String> = own.or(
            "enabled_import_methods",
            texts(&["glance-direct", "web-download", "copy-image"]),
        )?;
        let methods: Vec<_> = methods.iter().map(|name| unquoted(name).to_owned()).collect();
        if methods.iter().any(|name| !METHODS.contains(&name.as_str())) {
            let expected = format!("expected some of {}", METHODS.join(", "));
            return Err(own.wrong("enabled_import_methods", expected));
        }
        let url: Option<String> = own.get("worker_self_reference_url")?;
        let hours = ["task", config::DEFAULT].map(|section| (section, "task_time_to_live"));
        let hours: u64 = config.first(&hours)?.unwrap_or(48);
        let prefixes = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"];
        let format: String = conversion.or("output_format", "raw".to_owned())?;
        Ok(Self {
            methods,
            fetcher: Fetcher::new(Filter::from_config(config)?),
            plugins: plugins(config)?,
            stores_at_once: config.section("image_import_opts").get("max_parallel_stores")?,
            output_format: match format.as_str() {
                "raw" => DiskFormat::Raw,
                "qcow2" => DiskFormat::Qcow2,
                _ => return Err(conversion.wrong("output_format", "expected raw or qcow2")),
            },
            vmdk_types: config
                .section("image_format")
                .or("vmdk_allowed_types", texts(&["streamOptimized", "monolithicSparse"]))?
                .into(),
            inject: injection.or("inject", BTreeMap::new())?,
            ignore_roles: injection.or("ignore_user_roles", texts(&["admin"]))?,
            copied_properties: config
                .section("glance_download_properties")
                .or("extra_properties", texts(&prefixes))?,
            own_url: url.map(trimmed),
            keystone: None,
            workers: config.section("taskflow_executor").or("max_workers", 10_usize)?.max(1),
            keep: Duration::from_secs(hours.saturating_mul(3600)),
            worker: worker.to_owned(),
        })
    }

    /// The same where clients reach the service at `url` (`public_endpoint`): this is where its
    /// neighbours reach it, too, unless the configuration names a URL of its own for them.
    #[must_use]
    pub fn with_public_endpoint(self, url: Option<String>) -> Self {
        Self { own_url: self.own_url.or(url.map(trimmed)), ..self }
    }

    /// The same, with the URL of the Keystone that knows the callers, up to and with `/v3`.
    #[must_use]
    pub fn with_keystone(self, url: Option<String>) -> Self {
        Self { keystone: url.map(trimmed), ..self }
    }
}

/// Glance's sample files put list items into quotes.
fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

fn trimmed(url: String) -> String {
    url.trim_end_matches('/').to_owned()
}

fn plugins(config: &Config) -> config::Result<Vec<&'static dyn Plugin>> {
    let options = config.section("image_import_opts");
    let names: Vec<String> = options.or("image_import_plugins", Vec::new())?;
    let known = |name: &str| PLUGINS.iter().copied().find(|plugin| plugin.name() == name);
    let found: Option<Vec<_>> = names.iter().map(|name| known(unquoted(name))).collect();
    found.ok_or_else(|| {
        let names: Vec<_> = PLUGINS.iter().map(|plugin| plugin.name()).collect();
        options.wrong("image_import_plugins", format!("expected some of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn settings(text: &str) -> config::Result<ImportSettings> {
        let mut config = Config::default();
        config.add_text(text, Path::new("glance-api.conf")).unwrap();
        ImportSettings::from_config(&config, "w")
    }

    #[test]
    fn glances_options_are_read() {
        let settings = settings(
            "enabled_import_methods = [web-download, 'copy-image']\n\
             worker_self_reference_url = http://b/\n\
             [image_import_opts]\nimage_import_plugins = [image_decompression,image_conversion]\n\
             [image_conversion]\noutput_format = qcow2\n\
             [inject_metadata_properties]\ninject = a:1,b:2\nignore_user_roles = admin,member\n\
             [task]\ntask_time_to_live = 1\n",
        )
        .unwrap();
        assert_eq!(settings.methods, ["web-download", "copy-image"]);
        assert_eq!(settings.own_url.as_deref(), Some("http://b"));
        assert_eq!(settings.plugins.len(), 2);
        assert_eq!(settings.output_format, DiskFormat::Qcow2);
        assert_eq!(settings.inject.len(), 2);
        assert_eq!(settings.keep, Duration::from_secs(3600));
    }

    #[test]
    fn the_older_place_of_an_option_counts_and_the_newer_one_more() {
        let (older, newer) = ("task_time_to_live = 1\n", "[task]\ntask_time_to_live = 2\n");
        for (text, hours) in [(older.to_owned(), 1), (format!("{older}{newer}"), 2)] {
            assert_eq!(settings(&text).unwrap().keep, Duration::from_secs(hours * 3600));
        }
    }

    #[test]
    fn a_url_of_its_own_is_better_than_the_clients() {
        let public = || Some("http://a/".to_owned());
        for (text, expected) in
            [("", "http://a"), ("worker_self_reference_url = http://b/\n", "http://b")]
        {
            let settings = settings(text).unwrap().with_public_endpoint(public());
            assert_eq!(settings.own_url.as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_unknown_is_refused_at_the_start() {
        for text in [
            "enabled_import_methods = [magic]\n",
            "[image_import_opts]\nimage_import_plugins = [magic]\n",
            "[image_conversion]\noutput_format = vmdk\n",
        ] {
            assert!(settings(text).is_err(), "{text}");
        }
    }
}
