//! Who calls and what they may do: tokens, callers, policy.
//!
//! An [`Authenticator`] turns a token into a [`Caller`]; [`policy`] says what that caller may do.
//! Authenticators are [`keystone::Keystone`] (a real one is asked), [`builtin::BuiltIn`] (a Keystone
//! of our own) and [`NoAuth`] (everybody is an administrator). [`limits`] asks a Keystone how much a
//! project may have.

mod anonymous;
mod authenticator;
pub mod builtin;
mod caller;
mod clock;
mod digest;
pub mod keystone;
pub mod limits;
mod no_auth;
pub mod policy;

pub use anonymous::Anonymous;
pub use authenticator::{Asked, Authenticator, Error, Shown};
pub use caller::{Caller, ServiceCaller};
pub use no_auth::NoAuth;
