//! What one method does at one path: a line in a table.

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) takes: Content,
    pub(super) status: u16,
    pub(super) answers: Content,
    pub(super) is_open: bool,
    pub(super) ignores_bodies: bool,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// No body.
    Nothing,
    /// JSON after one of the schemas, by its name in `schemas.json` or `document.rs`.
    Json(&'static str),
    /// A patch of an image, in either dialect.
    Patch,
    /// Bytes of an image.
    Bytes,
}

impl Operation {
    /// Describes `GET path`; the path is whole, with its parameters in braces: `/v2/images/{id}`.
    pub(crate) const fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new("get", path, summary)
    }

    pub(crate) const fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new("post", path, summary)
    }

    pub(crate) const fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new("put", path, summary)
    }

    pub(crate) const fn patch(path: &'static str, summary: &'static str) -> Self {
        Self::new("patch", path, summary)
    }

    pub(crate) const fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new("delete", path, summary)
    }

    const fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            query: &[],
            headers: &[],
            takes: Content::Nothing,
            status: 204,
            answers: Content::Nothing,
            is_open: false,
            ignores_bodies: false,
        }
    }

    /// Parameters of the query string: names, and JSON types such as `string`.
    pub(crate) const fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    /// Headers of the request that mean something: names, and JSON types.
    pub(crate) const fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Self { headers, ..self }
    }

    /// The body of the request.
    pub(crate) const fn takes(self, takes: Content) -> Self {
        Self { takes, ..self }
    }

    /// The answer when all goes well; 204 without a body where this is not said.
    pub(crate) const fn answers(self, status: u16, answers: Content) -> Self {
        Self { status, answers, ..self }
    }

    /// A body that is sent all the same is ignored. Other operations that take none refuse it.
    pub(crate) const fn ignoring_bodies(self) -> Self {
        Self { ignores_bodies: true, ..self }
    }

    /// Whether a request with a body is a mistake.
    pub(crate) fn refuses_bodies(&self) -> bool {
        self.takes == Content::Nothing && !self.ignores_bodies && !self.is_open
    }

    pub(crate) fn path(&self) -> &'static str {
        self.path
    }

    pub(crate) fn is_method(&self, method: &str) -> bool {
        self.method.eq_ignore_ascii_case(method)
    }

    /// The operation takes no token.
    pub(crate) const fn open(self) -> Self {
        Self { is_open: true, ..self }
    }
}
