//! A recipe becomes a plan, the plan becomes an image.
