//! Ending uploads in parts that are not to be completed.

use reqwest::Method;

use super::answer::{text, texts};
use super::client::{Ask, Target};
use crate::{Error, Result};

/// How often an upload is ended, at most: a part that was on its way may have begun it anew.
const TIMES: usize = 3;

impl Target {
    /// Ends an upload to this object, and where its id is not `known`, all of them; those that a
    /// late part has begun anew, too.
    pub(super) async fn abort(&self, known: Option<&str>) -> Result<()> {
        let Some(id) = known else { return self.abort_all().await.map(drop) };
        for _ in 0..TIMES {
            if !self.abort_one(id).await? {
                break;
            }
        }
        match self.abort_all().await {
            // Without the right to list uploads, there is the id alone to go by.
            Ok(_) | Err(Error::Forbidden { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends all uploads to this object; says whether there were any.
    pub(super) async fn abort_all(&self) -> Result<bool> {
        let mut found = false;
        for _ in 0..TIMES {
            let ids = self.uploads().await?;
            if ids.is_empty() {
                break;
            }
            for id in ids {
                found = true;
                self.abort_one(&id).await?;
            }
        }
        Ok(found)
    }

    /// Ends an upload; says whether there was one.
    async fn abort_one(&self, id: &str) -> Result<bool> {
        let query = [("uploadId", id)];
        let ask = Ask { query: &query, ..Ask::new(Method::DELETE) };
        match self.ask_again(&ask, None).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The uploads to this object that are neither complete nor ended.
    async fn uploads(&self) -> Result<Vec<String>> {
        let bucket = self.bucket_itself();
        let query = [("uploads", ""), ("prefix", self.key.as_str())];
        let ask = Ask { query: &query, ..Ask::new(Method::GET) };
        let answer = bucket.ask_again(&ask, None).await.map_err(|error| match error {
            Error::Forbidden { store, why } => Error::Forbidden {
                store,
                why: format!("{why}; to list uploads is the right s3:ListBucketMultipartUploads"),
            },
            error => error,
        })?;
        let answer = bucket.text_of(answer).await?;
        // Keys of images are all of one length: what begins with one is one.
        let uploads = texts(&answer, "Upload");
        let own = uploads.iter().filter(|upload| text(upload, "Key").as_ref() == Some(&self.key));
        Ok(own.filter_map(|upload| text(upload, "UploadId")).collect())
    }
}
