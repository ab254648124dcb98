//! Locations: `gridfs://IMAGE`. Where the database is, and who reads it, stands in the options alone.

pub(super) const SCHEMES: &[&str] = &["gridfs"];

/// The `_id` of the file that a location names; `None` where it is none of this kind.
pub(super) fn parse(uri: &str) -> Option<&str> {
    let id = uri.strip_prefix("gridfs://")?;
    let sound = !id.contains(['/', '?', '#']) && !id.contains(char::is_control);
    (sound && !id.is_empty()).then_some(id)
}

/// The location of the file of that `_id`.
pub(super) fn uri(id: &str) -> String {
    format!("gridfs://{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_as_glance_writes_them() {
        let id = "0e8f1c4d-6a8f-4f0e-a3d0-9f9a7ce6a9d1";
        assert_eq!(parse(&uri(id)), Some(id));
        assert_eq!(parse("gridfs://an image"), Some("an image"));
    }

    #[test]
    fn what_is_no_location_is_none() {
        for uri in [
            "",
            "gridfs:",
            "gridfs://",
            "gridfs://a/b",
            "gridfs:///a",
            "gridfs://a?b",
            "gridfs://a#b",
            "gridfs://a\nb",
            "gridfs:a",
            "http://a",
        ] {
            assert_eq!(parse(uri), None, "{uri}");
        }
    }
}
