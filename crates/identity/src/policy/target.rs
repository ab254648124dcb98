//! What is acted upon.

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
}

impl<'a> Target<'a> {
    /// Something that one project owns, or nobody: an image that is shown, changed or created.
    pub fn owned_by(owner: Option<&'a str>) -> Self {
        Self { project_id: owner, owner, ..Self::default() }
    }

    /// The same, as visible as said.
    pub fn seen_as(self, visibility: &'a str) -> Self {
        Self { visibility: Some(visibility), ..self }
    }

    /// The same, shared with this project.
    pub fn shared_with(self, member_id: &'a str) -> Self {
        Self { member_id: Some(member_id), ..self }
    }

    /// A fact by the name that rules use, as in `%(project_id)s`.
    pub(super) fn fact(&self, name: &str) -> Option<&'a str> {
        match name {
            "project_id" => self.project_id,
            "owner" => self.owner,
            "member_id" => self.member_id,
            "visibility" => self.visibility,
            _ => None,
        }
    }
}
