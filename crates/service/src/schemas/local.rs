//! The schemas of images as an operator has them: with the formats that are allowed, and with what
//! is said of custom properties.

use serde_json::{Value, json};

use super::{image, names_or_null, page};
use crate::rules::{Custom, Formats};

/// The schemas of one image and of a page of them.
#[derive(Debug)]
pub struct Schemas {
    pub(crate) image: Value,
    pub(crate) images: Value,
}

impl Default for Schemas {
    fn default() -> Self {
        Self::new(&Formats::default(), &Custom::default())
            .unwrap_or_else(|_| Self { image: image().clone(), images: page("images", image()) })
    }
}

impl Schemas {
    /// Errors: a property that Glance itself has, and describes otherwise.
    pub(crate) fn new(formats: &Formats, custom: &Custom) -> Result<Self, String> {
        let mut schema = image().clone();
        schema["properties"]["disk_format"]["enum"] = names_or_null(&formats.disk);
        schema["properties"]["container_format"]["enum"] = names_or_null(&formats.container);
        // An operator's file takes the place of the one that Glance ships.
        if let Some(properties) = schema["properties"].as_object_mut()
            && !custom.properties.is_empty()
        {
            properties.retain(|_, described| described["is_base"] != json!(false));
        }
        for (name, described) in &custom.properties {
            add(&mut schema["properties"], name, described)?;
        }
        if !custom.required.is_empty() {
            schema["required"] = json!(custom.required);
        }
        Ok(Self { images: page("images", &schema), image: schema })
    }
}

fn add(properties: &mut Value, name: &str, described: &Value) -> Result<(), String> {
    let base = &properties[name];
    if !base.is_null() && base != described {
        return Err(format!("custom property '{name}' conflicts with the image's own"));
    }
    let mut described = described.clone();
    described["is_base"] = json!(false);
    properties[name] = described;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_properties_are_described_beside_glances() {
        let custom = |text: &str| Custom::parse(text).unwrap();
        let formats = Formats::default();
        let schemas = Schemas::new(&formats, &custom(r#"{"x": {"type": "string"}}"#)).unwrap();
        let expected = json!({ "type": "string", "is_base": false });
        assert!(schemas.image["properties"]["os_distro"].is_null());
        let shipped = Schemas::new(&formats, &Custom::default()).unwrap();
        assert!(shipped.image["properties"]["os_distro"].is_object());
        assert_eq!(schemas.image["properties"]["x"], expected);
        assert_eq!(schemas.images["properties"]["images"]["items"], schemas.image);
        let listed = schemas.image["properties"]["disk_format"]["enum"].to_string();
        assert!(listed.contains("qcow2") && !listed.contains("luks"));
        assert!(Schemas::new(&formats, &custom(r#"{"name": {"type": "string"}}"#)).is_err());
    }
}
