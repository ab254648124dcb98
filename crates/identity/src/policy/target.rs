//! What is acted upon.

use std::borrow::Cow;

use image::Image;

use super::facts::python;

/// What rules may ask of the thing acted upon: oslo.policy's target. Absent facts match nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// The project whose it is: an image's owner.
    pub project_id: Option<&'a str>,
    /// The owner that a request names, where it creates something.
    pub owner: Option<&'a str>,
    /// The project that it is shared with, where that is what matters: the caller's own when it is
    /// a member of the image, else the member acted upon.
    pub member_id: Option<&'a str>,
    /// `public`, `community`, `shared` or `private`.
    pub visibility: Option<&'a str>,
    /// The image, where it is one that exists: rules may ask for every field and property of it.
    pub image: Option<&'a Image>,
}

impl<'a> Target<'a> {
    /// Something that one project owns, or nobody: an image that is shown, changed or created.
    pub fn owned_by(owner: Option<&'a str>) -> Self {
        Self { project_id: owner, owner, ..Self::default() }
    }

    /// An image that exists.
    pub fn image(image: &'a Image) -> Self {
        Self {
            image: Some(image),
            ..Self::owned_by(image.owner.as_deref()).seen_as(image.visibility.as_str())
        }
    }

    /// The same, as visible as said.
    pub fn seen_as(self, visibility: &'a str) -> Self {
        Self { visibility: Some(visibility), ..self }
    }

    /// The same, shared with this project.
    pub fn shared_with(self, member_id: &'a str) -> Self {
        Self { member_id: Some(member_id), ..self }
    }

    /// A fact by the name that rules use, as in `%(project_id)s`: `None` for one that is not known,
    /// `Some(None)` for one that is known to be nothing.
    pub(super) fn fact(&self, name: &str) -> Option<Option<Cow<'a, str>>> {
        let known = match name {
            "project_id" => self.project_id,
            "owner" => self.owner,
            "member_id" | "member" => self.member_id,
            "visibility" => self.visibility,
            _ => return self.image.and_then(|image| fact_of_image(image, name)),
        };
        match known {
            Some(known) => Some(Some(known.into())),
            None => self.image.map(|_| None),
        }
    }
}

fn fact_of_image<'a>(image: &'a Image, name: &str) -> Option<Option<Cow<'a, str>>> {
    let hashes = image.hashes.as_ref();
    Some(match name {
        "id" | "image_id" => Some(image.id.to_string().into()),
        "name" => image.name.as_deref().map(Cow::from),
        "status" => Some(image.status.to_string().into()),
        "disk_format" => image.disk_format.as_ref().map(|format| format.to_string().into()),
        "container_format" => {
            image.container_format.as_ref().map(|format| format.to_string().into())
        }
        "size" => image.size.map(|size| size.to_string().into()),
        "virtual_size" => image.virtual_size.map(|size| size.to_string().into()),
        "checksum" => hashes.and_then(|hashes| Some(hashes.checksum.as_deref()?.into())),
        "os_hash_algo" => hashes.map(|hashes| hashes.algorithm.as_str().into()),
        "os_hash_value" => hashes.map(|hashes| hashes.value.as_str().into()),
        "min_disk" => Some(image.min_disk.to_string().into()),
        "min_ram" => Some(image.min_ram.to_string().into()),
        "protected" => Some(python(image.protected).into()),
        "os_hidden" => Some(python(image.os_hidden).into()),
        _ => Some(image.properties.get(name)?.as_str().into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_and_property_of_an_image_can_be_asked_for() {
        let now = image::Timestamp::now();
        let mut image = Image::new(image::ImageId::random(), Some("p".to_owned()), now);
        image.protected = true;
        image.properties.insert("os_distro".to_owned(), "debian".to_owned());
        let target = Target::image(&image);
        let cases = [
            ("project_id", Some(Some("p"))),
            ("owner", Some(Some("p"))),
            ("protected", Some(Some("True"))),
            ("os_hidden", Some(Some("False"))),
            ("status", Some(Some("queued"))),
            ("min_ram", Some(Some("0"))),
            ("os_distro", Some(Some("debian"))),
            ("name", Some(None)),
            ("member_id", Some(None)),
            ("nothing", None),
        ];
        for (name, expected) in cases {
            assert_eq!(target.fact(name), expected.map(|value| value.map(Cow::from)), "{name}");
        }
        assert_eq!(Target::owned_by(None).fact("owner"), None);
    }
}
