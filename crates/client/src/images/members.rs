//! Who else may use a shared image.

use std::fmt;

use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Images, image_url, no_image, read};
use crate::Result;
use crate::session::Repeat;

/// A project that an image is shared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The image.
    pub image_id: String,
    /// The project.
    pub member_id: String,
    /// `pending`, `accepted` or `rejected`.
    pub status: String,
}

/// What a project makes of an image that is shared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// Not decided: usable by id, not listed.
    Pending,
    /// Listed.
    Accepted,
    /// Not listed.
    Rejected,
}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        })
    }
}

#[derive(Deserialize)]
struct Members {
    members: Vec<Member>,
}

impl Images {
    /// The projects that an image is shared with.
    pub async fn members(&self, id: &str) -> Result<Vec<Member>> {
        let get = |client: &Client, root: &Url| client.get(image_url(root, id, &["members"]));
        let response = self.session.ask(Repeat::Freely, get).await;
        let members: Members = read(response.map_err(|error| no_image(error, id))?).await?;
        Ok(members.members)
    }

    /// Shares an image with a project.
    pub async fn add_member(&self, id: &str, project: &str) -> Result<Member> {
        let body = json!({"member": project});
        let post = |client: &Client, root: &Url| {
            client.post(image_url(root, id, &["members"])).json(&body)
        };
        let response = self.session.ask(Repeat::Unsent, post).await;
        read(response.map_err(|error| no_image(error, id))?).await
    }

    /// Says, as that project, what becomes of the image in its lists.
    pub async fn set_member_status(
        &self,
        id: &str,
        project: &str,
        status: MemberStatus,
    ) -> Result<Member> {
        let body = json!({"status": status.to_string()});
        let put = |client: &Client, root: &Url| {
            client.put(image_url(root, id, &["members", project])).json(&body)
        };
        let response = self.session.ask(Repeat::Freely, put).await;
        read(response.map_err(|error| no_image(error, id))?).await
    }

    /// Stops sharing an image with a project.
    pub async fn remove_member(&self, id: &str, project: &str) -> Result<()> {
        self.delete_at(id, &["members", project]).await
    }
}
