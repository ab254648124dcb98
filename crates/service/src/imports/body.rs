//! The body of `POST /v2/images/{id}/import`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{ApiError, Result};

/// Import methods, by their names.
pub(super) const METHODS: &[&str] =
    &["glance-direct", "web-download", "copy-image", "glance-download"];

/// Where the bytes are to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    /// From the staging area.
    GlanceDirect,
    /// From a URL; none is refused late, as in Glance.
    WebDownload(Option<String>),
    /// From a store that holds the image.
    CopyImage,
    /// From the Glance of another region.
    GlanceDownload(Remote),
}

/// An image of another Glance, as far as the body names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Remote {
    pub(super) region: Option<String>,
    pub(super) image: Option<String>,
    pub(super) interface: String,
}

/// What a body asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) method: Method,
    /// The stores that it names.
    pub(super) stores: Option<Vec<String>>,
    pub(super) all_stores: bool,
    pub(super) all_must_succeed: bool,
}

impl Method {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::GlanceDirect => "glance-direct",
            Self::WebDownload(_) => "web-download",
            Self::CopyImage => "copy-image",
            Self::GlanceDownload(_) => "glance-download",
        }
    }
}

/// Reads a body; `enabled` are the methods that this service offers.
pub(crate) fn parse(body: &Value, enabled: &[String]) -> Result<Wanted> {
    let bad = |message: &str| ApiError::bad_request(message);
    if !body.is_object() && !body.is_array() {
        return Err(bad("Unexpected body type. Expected list/dict."));
    }
    let method = body.get("method");
    let method = method.ok_or_else(|| bad("Import request requires a 'method' field."))?;
    let name = method.get("name");
    let name = name.ok_or_else(|| bad("Import request requires a 'name' field."))?;
    let known = name.as_str().filter(|name| enabled.iter().any(|known| known == name));
    let name = known.ok_or_else(|| {
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
        ApiError::bad_request(format!("Unknown import method name '{name}'."))
    })?;
    let all_must_succeed = flag(body, "all_stores_must_succeed", true)?;
    Ok(Wanted {
        method: self::method(name, method)?,
        stores: stores(body)?,
        all_stores: flag(body, "all_stores", false)?,
        all_must_succeed,
    })
}

fn method(name: &str, fields: &Value) -> Result<Method> {
    let text = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ApiError::bad_request(format!("'{field}' must be a string"))),
    };
    Ok(match name {
        "glance-direct" => Method::GlanceDirect,
        "web-download" => Method::WebDownload(text("uri")?),
        "copy-image" => Method::CopyImage,
        _ => Method::GlanceDownload(Remote {
            region: text("glance_region")?,
            image: text("glance_image_id")?,
            interface: text("glance_service_interface")?.unwrap_or_else(|| "public".to_owned()),
        }),
    })
}

fn flag(body: &Value, name: &str, default: bool) -> Result<bool> {
    match body.get(name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ApiError::bad_request(format!("'{name}' must be boolean value only"))),
    }
}

fn stores(body: &Value) -> Result<Option<Vec<String>>> {
    let Some(value) = body.get("stores") else { return Ok(None) };
    let names = value.as_array().and_then(|names| {
        names.iter().map(|name| Some(name.as_str()?.to_owned())).collect::<Option<Vec<_>>>()
    });
    let names =
        names.ok_or_else(|| ApiError::bad_request("'stores' must be a list of names of stores"))?;
    let mut seen = BTreeSet::new();
    Ok(Some(names.into_iter().filter(|name| seen.insert(name.clone())).collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn enabled() -> Vec<String> {
        METHODS.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_asked_for_is_read() {
        let body = json!({"method": {"name": "web-download", "uri": "http://a/b"},
            "stores": ["fast", "slow", "fast"], "all_stores_must_succeed": false});
        let wanted = parse(&body, &enabled()).unwrap();
        assert_eq!(wanted.method, Method::WebDownload(Some("http://a/b".into())));
        assert_eq!(wanted.stores, Some(vec!["fast".into(), "slow".into()]));
        assert!(!wanted.all_must_succeed && !wanted.all_stores);
    }

    #[test]
    fn bodies_are_refused_in_glances_words() {
        let web = json!({"name": "web-download", "uri": "http://a/b"});
        let cases = [
            (json!("x"), "Unexpected body type. Expected list/dict."),
            (json!({}), "Import request requires a 'method' field."),
            (json!([1]), "Import request requires a 'method' field."),
            (json!({"method": {}}), "Import request requires a 'name' field."),
            (json!({"method": {"name": "foo"}}), "Unknown import method name 'foo'."),
            (json!({"method": web, "all_stores": 1}), "'all_stores' must be boolean value only"),
            (
                json!({"method": web, "all_stores_must_succeed": "yes"}),
                "'all_stores_must_succeed' must be boolean value only",
            ),
            (
                json!({"method": web, "stores": "fast"}),
                "'stores' must be a list of names of stores",
            ),
            (json!({"method": {"name": "web-download", "uri": 5}}), "'uri' must be a string"),
        ];
        for (body, message) in cases {
            assert_eq!(parse(&body, &enabled()).unwrap_err().message, message, "{body}");
        }
    }

    #[test]
    fn a_method_that_is_not_enabled_is_unknown() {
        let body = json!({"method": {"name": "copy-image"}});
        assert!(parse(&body, &["web-download".to_owned()]).is_err());
    }
}
