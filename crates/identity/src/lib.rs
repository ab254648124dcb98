//! Who calls and what they may do: tokens, callers, policy.
//!
//! An [`Authenticator`] turns a token into a [`Caller`]; [`policy`] says what that caller may do.
//! Authenticators are [`NoAuth`] (everybody is an administrator) and [`builtin::BuiltIn`] (a
//! Keystone of our own).

mod authenticator;
pub mod builtin;
mod caller;
mod no_auth;
pub mod policy;

pub use authenticator::{Authenticator, Error};
pub use caller::{Caller, ServiceCaller};
pub use no_auth::NoAuth;
