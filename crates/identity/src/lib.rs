//! Who calls and what they may do: tokens, callers, policy.
